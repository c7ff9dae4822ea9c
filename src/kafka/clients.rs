//! Clients with the settings that the commit cycle rests on, and the callbacks through which they speak.
//!
//! Callbacks only pass things on: a rebalance is queued for the worker's loop, which answers it between two polls;
//! statistics end as two numbers; errors and log lines become notices.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::{DeliveryResult, NoCustomPartitioner, ProducerContext, ThreadedProducer};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Message, TopicPartitionList};
use serde::Deserialize;

use super::notice::{Notice, Notices, WorkerId};
use super::{refusal, rights};
use crate::settings::{GroupProtocol, Membership, Settings};
use crate::telemetry::Severity;

/// What the user may change. Sessions outlast a restart, transactions outlast a broker's fail-over (9 s) and end
/// before the session does, so that a dead worker's partitions are free when they are given to another.
const TUNING: [(&str, &str); 5] = [
    ("socket.timeout.ms", "5000"),
    ("reconnect.backoff.max.ms", "2000"),
    ("log.connection.close", "false"),
    ("socket.keepalive.enable", "true"),
    ("topic.metadata.refresh.interval.ms", "60000"),
];
const CONSUMER_TUNING: [(&str, &str); 2] = [("fetch.queue.backoff.ms", "20"), ("fetch.error.backoff.ms", "100")];
/// With the brokers' own protocol these are the brokers' to say.
const CLASSIC_TUNING: [(&str, &str); 2] = [("session.timeout.ms", "15000"), ("heartbeat.interval.ms", "3000")];
const PRODUCER_TUNING: [(&str, &str); 5] = [
    ("transaction.timeout.ms", "12000"),
    ("linger.ms", "2"),
    ("compression.type", "zstd"),
    ("message.max.bytes", "64000000"),
    ("queue.buffering.max.messages", "1000000"),
];
const CONSUMER_FIXED: [(&str, &str); 4] = [
    ("isolation.level", "read_committed"),
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("auto.offset.reset", "error"),
];
const PRODUCER_FIXED: [(&str, &str); 4] = [
    // A new transaction meets the markers of the last one being written and is told to come again: soon.
    ("retry.backoff.ms", "5"),
    ("statistics.interval.ms", "20"),
    ("partitioner", "murmur2_random"),
    ("enable.idempotence", "true"),
];

pub type WorkerConsumer = BaseConsumer<ConsumerSide>;
pub type WorkerProducer = ThreadedProducer<ProducerSide, NoCustomPartitioner>;

/// A client could not be made. The words hold no value of a property.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot make a Kafka client: {0}")]
pub struct ClientError(String);

/// What the group wants of a consumer.
#[derive(Clone, Debug)]
pub enum Rebalance {
    Assign(Vec<i32>),
    /// `lost`: the partitions may already be somebody else's.
    Revoke {
        partitions: Vec<i32>,
        lost: bool,
    },
    Failed(String),
}

fn set_all(config: &mut ClientConfig, pairs: &[(&str, &str)]) {
    for (name, value) in pairs {
        config.set(*name, *value);
    }
}

fn base(settings: &Settings, id: &str, tuning: &[(&str, &str)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    set_all(&mut config, &TUNING);
    set_all(&mut config, tuning);
    for (name, value) in settings.kafka.properties.iter() {
        config.set(name, value);
    }
    config.set("bootstrap.servers", &settings.kafka.brokers).set("client.id", id);
    config.set_log_level(RDKafkaLogLevel::Info);
    config
}

/// `<application>-<instance>-<worker>`: the transactional id and the static member's name of a worker.
fn worker_name(settings: &Settings, worker: WorkerId) -> String {
    format!("{}-{}-{}", settings.kafka.application, settings.service.instance, worker.0)
}

/// The consumer of a worker.
pub fn consumer(settings: &Settings, worker: WorkerId, notices: Notices) -> Result<WorkerConsumer, ClientError> {
    let name = worker_name(settings, worker);
    let mut config = match settings.kafka.group_protocol {
        GroupProtocol::Classic => base(settings, &name, &[&CONSUMER_TUNING[..], &CLASSIC_TUNING].concat()),
        GroupProtocol::Consumer => base(settings, &name, &CONSUMER_TUNING),
    };
    set_all(&mut config, &CONSUMER_FIXED);
    match settings.kafka.group_protocol {
        GroupProtocol::Classic => config.set("partition.assignment.strategy", "cooperative-sticky"),
        GroupProtocol::Consumer => config.set("group.protocol", "consumer"),
    };
    config.set("group.id", &settings.kafka.application);
    if settings.service.membership == Membership::Static {
        config.set("group.instance.id", &name);
    }
    let side = ConsumerSide { notices, rebalances: Mutex::default(), closing: AtomicBool::new(false) };
    config.create_with_context(side).map_err(ClientError::from)
}

/// The producer of a worker. It has to wait for its transactional id before it is used.
pub fn producer(
    settings: &Settings,
    worker: WorkerId,
    notices: Notices,
    failures: Arc<Failures>,
) -> Result<WorkerProducer, ClientError> {
    transactional(settings, &worker_name(settings, worker), notices, failures)
}

/// A producer whose only purpose is to get a transactional id as the workers will: `<application>-<instance>-check`,
/// which is no worker's, since theirs end in a number.
pub fn prober(settings: &Settings, notices: Notices) -> Result<WorkerProducer, ClientError> {
    let name = format!("{}-{}-check", settings.kafka.application, settings.service.instance);
    transactional(settings, &name, notices, Arc::default())
}

fn transactional(
    settings: &Settings,
    name: &str,
    notices: Notices,
    failures: Arc<Failures>,
) -> Result<WorkerProducer, ClientError> {
    let mut config = base(settings, name, &PRODUCER_TUNING);
    set_all(&mut config, &PRODUCER_FIXED);
    config.set("transactional.id", name);
    let side = ProducerSide { notices, link: Link::default(), failures };
    config.create_with_context(side).map_err(ClientError::from)
}

/// Makes the clients of a worker and drops them: librdkafka checks properties against each other only then.
///
/// # Errors
/// What it says.
pub fn try_out(settings: &Settings) -> Result<(), ClientError> {
    let silent: Notices = Arc::new(|_| ());
    let consumer = consumer(settings, WorkerId(0), Arc::clone(&silent))?;
    let producer = producer(settings, WorkerId(0), silent, Arc::default())?;
    drop((consumer, producer));
    Ok(())
}

/// A consumer that only asks for metadata. It creates no topic by asking for it.
pub fn inquirer(settings: &Settings, notices: Notices) -> Result<BaseConsumer<Plain>, ClientError> {
    let id = format!("{}-{}", settings.kafka.application, settings.service.instance);
    let config = base(settings, &id, &[]);
    config.create_with_context(Plain::new(notices)).map_err(ClientError::from)
}

/// The configuration for a client that administers topics, and its callbacks.
pub fn admin(settings: &Settings, notices: Notices) -> (ClientConfig, Plain) {
    let id = format!("{}-{}", settings.kafka.application, settings.service.instance);
    (base(settings, &id, &[]), Plain::new(notices))
}

impl From<KafkaError> for ClientError {
    fn from(error: KafkaError) -> Self {
        match error {
            // Its own words hold the value, which may be a secret.
            KafkaError::ClientConfig(_, _, name, _) => ClientError(format!("property {name} is refused")),
            other => ClientError(other.to_string()),
        }
    }
}

/// Passes a log line of librdkafka on.
fn pass_on(notices: &Notices, level: RDKafkaLogLevel, facility: &str, text: &str) {
    let severity = match level {
        // Properties that are meant for the other kind of client; every client is given all of them.
        _ if facility == "CONFWARN" => Severity::Debug,
        // What is an error to a client is a case of the commit cycle: it is told as what it comes to.
        RDKafkaLogLevel::Emerg
        | RDKafkaLogLevel::Alert
        | RDKafkaLogLevel::Critical
        | RDKafkaLogLevel::Error
        | RDKafkaLogLevel::Warning => Severity::Warn,
        RDKafkaLogLevel::Notice => Severity::Info,
        RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => Severity::Debug,
    };
    notices(Notice::Library { severity, facility: facility.to_owned(), text: text.to_owned() });
}

fn pass_error_on(notices: &Notices, error: &KafkaError, reason: &str) {
    let facility = error.rdkafka_error_code().map_or_else(|| "ERROR".to_owned(), |code| format!("{code:?}"));
    let text = refusal::explain(error, reason).unwrap_or_else(|| reason.to_owned());
    notices(Notice::Library { severity: Severity::Warn, facility, text });
}

/// Callbacks of clients that have nothing but troubles to report.
pub struct Plain {
    notices: Notices,
    /// Why there is no connection, where a broker or TLS said it. Calls only tell that there is none.
    refusal: Mutex<Option<String>>,
    refusals: AtomicU64,
}

impl Plain {
    fn new(notices: Notices) -> Self {
        Plain { notices, refusal: Mutex::default(), refusals: AtomicU64::new(0) }
    }

    /// How many times it was said.
    pub fn refusals(&self) -> u64 {
        self.refusals.load(Ordering::Acquire)
    }

    /// What was said last.
    pub fn refusal(&self) -> Option<String> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientContext for Plain {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        pass_on(&self.notices, level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if let Some(refusal) = refusal::explain(&error, reason) {
            *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal);
            self.refusals.fetch_add(1, Ordering::AcqRel);
        }
        pass_error_on(&self.notices, &error, reason);
    }
}

impl ConsumerContext for Plain {}

/// Callbacks of a worker's consumer.
pub struct ConsumerSide {
    notices: Notices,
    rebalances: Mutex<VecDeque<Rebalance>>,
    /// Set when the worker has nothing left to commit: partitions are then given up without asking it.
    closing: AtomicBool,
}

impl ConsumerSide {
    /// What the group wants, in order. Until it is answered by an (un)assign call, the group waits.
    pub fn next_rebalance(&self) -> Option<Rebalance> {
        self.rebalances.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    pub fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    fn queue(&self, rebalance: Rebalance) {
        self.rebalances.lock().unwrap_or_else(PoisonError::into_inner).push_back(rebalance);
    }
}

impl ClientContext for ConsumerSide {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        pass_on(&self.notices, level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        pass_error_on(&self.notices, &error, reason);
    }
}

impl ConsumerContext for ConsumerSide {
    fn rebalance(&self, consumer: &WorkerConsumer, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let partitions: Vec<i32> = list.elements().iter().map(|element| element.partition()).collect();
        if self.closing.load(Ordering::Relaxed) {
            answer_while_closing(consumer, code);
            return;
        }
        self.queue(match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Rebalance::Assign(partitions),
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS => {
                Rebalance::Revoke { partitions, lost: consumer.assignment_lost() }
            }
            other => Rebalance::Failed(RDKafkaErrorCode::from(other).to_string()),
        });
    }

    fn commit_callback(&self, _: KafkaResult<()>, _: &TopicPartitionList) {}
}

/// Nothing new is taken, and what was really assigned, which may be less than the group thinks, is given up.
fn answer_while_closing(consumer: &WorkerConsumer, code: RDKafkaRespErr) {
    // There is nobody to tell of an error, and nothing to do about it: the consumer is closing.
    let _ = match code {
        RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => consumer.incremental_assign(&TopicPartitionList::new()),
        _ => consumer.assignment().and_then(|assigned| consumer.incremental_unassign(&assigned)),
    };
}

/// What the statistics say of a producer's connections.
#[derive(Debug, Default)]
pub struct Link {
    /// Statistics so far: they come at a fixed interval, each telling all that happened before it.
    reports: AtomicU64,
    /// Requests that were sent again or timed out, connections that broke.
    faults: AtomicU64,
}

impl Link {
    pub fn reports(&self) -> u64 {
        self.reports.load(Ordering::Acquire)
    }

    pub fn faults(&self) -> u64 {
        self.faults.load(Ordering::Acquire)
    }
}

/// Callbacks of a worker's producer.
pub struct ProducerSide {
    notices: Notices,
    pub link: Link,
    pub failures: Arc<Failures>,
}

/// What the brokers have refused. It outlives the producer.
#[derive(Debug, Default)]
pub struct Failures {
    any: AtomicBool,
    oversize: AtomicBool,
}

impl Failures {
    pub fn record(&self, code: Option<RDKafkaErrorCode>) {
        if code == Some(RDKafkaErrorCode::MessageSizeTooLarge) {
            self.oversize.store(true, Ordering::Release);
        }
        self.any.store(true, Ordering::Release);
    }

    /// Whether a record of the transaction has failed.
    pub fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// A new transaction begins.
    pub fn begin(&self) {
        self.any.store(false, Ordering::Release);
    }

    /// Whether a record was refused for its size since the last call.
    pub fn take_oversize(&self) -> bool {
        self.oversize.swap(false, Ordering::AcqRel)
    }
}

fn is_purge(error: &KafkaError) -> bool {
    matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight))
}

#[derive(Deserialize)]
struct Statistics {
    brokers: HashMap<String, BrokerStatistics>,
}

#[derive(Deserialize)]
struct BrokerStatistics {
    txretries: u64,
    req_timeouts: u64,
    #[serde(default)]
    disconnects: u64,
}

impl ClientContext for ProducerSide {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        pass_on(&self.notices, level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        pass_error_on(&self.notices, &error, reason);
    }

    fn stats_raw(&self, json: &[u8]) {
        let Ok(statistics) = serde_json::from_slice::<Statistics>(json) else {
            return;
        };
        let faults = statistics.brokers.values().map(|b| b.txretries + b.req_timeouts + b.disconnects).sum();
        self.link.faults.store(faults, Ordering::Release);
        self.link.reports.fetch_add(1, Ordering::Release);
    }
}

impl ProducerContext for ProducerSide {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _: ()) {
        let Err((error, record)) = result else { return };
        if is_purge(error) {
            // An abort, which is told as such.
            return;
        }
        self.failures.record(error.rdkafka_error_code());
        let topic = record.topic().to_owned();
        (self.notices)(Notice::NotWritten { why: rights::not_written(error, &topic), topic });
    }
}
