//! The properties of each client: those that the commit cycle depends on, and those that a user may change.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{DeliveryResult, ProducerContext};

use super::errors::{explain_connection_error, explain_log_line};
use crate::kafka::broker::ClientError;
use crate::kafka::events::{EventListener, Occurrence, WorkerId};
use crate::settings::{GroupProtocol, Membership, Settings};
use crate::telemetry::Severity;

/// What a user may change. Sessions outlast a restart. Transactions outlast a broker's fail-over (9 s) and end before
/// the session does, so that a dead worker's partitions are free when they are assigned to another.
const TUNING: [(&str, &str); 5] = [
    ("socket.timeout.ms", "5000"),
    ("reconnect.backoff.max.ms", "2000"),
    ("log.connection.close", "false"),
    ("socket.keepalive.enable", "true"),
    ("topic.metadata.refresh.interval.ms", "60000"),
];
const CONSUMER_TUNING: [(&str, &str); 3] = [
    ("fetch.queue.backoff.ms", "20"),
    ("fetch.error.backoff.ms", "100"),
    // A broker answers the requests of a connection one after the other: while there is nothing to fetch, the request
    // for offsets waits as long as the fetch before it.
    ("fetch.wait.max.ms", "100"),
];
/// With the group protocol `consumer` these are settings of the brokers.
const CLASSIC_TUNING: [(&str, &str); 2] = [("session.timeout.ms", "15000"), ("heartbeat.interval.ms", "3000")];
const TRANSACTION_TUNING: [(&str, &str); 1] = [("transaction.timeout.ms", "12000")];
const PRODUCER_TUNING: [(&str, &str); 5] = [
    ("linger.ms", "2"),
    ("compression.type", "zstd"),
    ("compression.level", "1"),
    ("message.max.bytes", "64000000"),
    ("queue.buffering.max.messages", "1000000"),
];
const RESTORE_TUNING: [(&str, &str); 3] =
    [("fetch.wait.max.ms", "10"), ("max.partition.fetch.bytes", "8388608"), ("fetch.error.backoff.ms", "100")];
const RESTORE_FIXED: [(&str, &str); 3] =
    [("enable.auto.commit", "false"), ("enable.auto.offset.store", "false"), ("auto.offset.reset", "error")];
const CONSUMER_FIXED: [(&str, &str); 4] = [
    ("isolation.level", "read_committed"),
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("auto.offset.reset", "error"),
];
const PRODUCER_FIXED: [(&str, &str); 4] = [
    ONLY_REFUSALS,
    // While the markers of the last transaction are written, a broker refuses the next one; the retry comes soon.
    ("retry.backoff.ms", "5"),
    ("partitioner", PARTITIONER),
    ("enable.idempotence", "true"),
];
/// librdkafka reports only records that were not written: that all others were is seen by how many it still has.
const ONLY_REFUSALS: (&str, &str) = ("delivery.report.only.error", "true");
/// Java's default: a key's records are where Java's clients would put them.
const PARTITIONER: &str = "murmur2_random";

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

/// `<application>-<instance>-<worker>`: the transactional id of a worker and its name as a static member.
fn worker_name(settings: &Settings, worker: WorkerId) -> String {
    format!("{}-{}-{}", settings.kafka.application, settings.service.instance.name(), worker.0)
}

/// A worker's member of the group.
pub(crate) fn consumer(settings: &Settings, worker: WorkerId) -> ClientConfig {
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
    if settings.membership() == Membership::Static {
        config.set("group.instance.id", &name);
    }
    config
}

/// A worker's transactional producer.
pub(crate) fn producer(settings: &Settings, worker: WorkerId) -> ClientConfig {
    transactional(settings, &worker_name(settings, worker))
}

/// A producer that only tries whether the workers can get their transactional ids. Its own,
/// `<application>-<instance>-check`, is not a worker's, since those end in a number.
pub(crate) fn prober(settings: &Settings) -> ClientConfig {
    transactional(settings, &format!("{}-{}-check", settings.kafka.application, settings.service.instance.name()))
}

fn transactional(settings: &Settings, name: &str) -> ClientConfig {
    let mut config = base(settings, name, &[&PRODUCER_TUNING[..], &TRANSACTION_TUNING].concat());
    set_all(&mut config, &PRODUCER_FIXED);
    config.set("statistics.interval.ms", statistics_interval(settings.service.commit_interval).as_millis().to_string());
    config.set("transactional.id", name);
    config
}

/// Two statistics have to come between a transaction and the next one. They cost CPU time, so they come as rarely as they
/// can without a transaction having to wait for them.
fn statistics_interval(commit_interval: Duration) -> Duration {
    const LEAST: Duration = Duration::from_millis(10);
    const MOST: Duration = Duration::from_millis(100);
    (commit_interval * 2 / 5).clamp(LEAST, MOST)
}

/// A worker's producer outside of transactions. It keeps the order and, as long as it lives, sends each record once.
pub(crate) fn non_transactional_producer(settings: &Settings, worker: WorkerId) -> ClientConfig {
    let name = worker_name(settings, worker);
    let mut config = base(settings, &format!("{name}-callbacks"), &PRODUCER_TUNING);
    config.set("partitioner", PARTITIONER).set("enable.idempotence", "true");
    set_all(&mut config, &[ONLY_REFUSALS]);
    config
}

/// A reader of the changelog. It is in no group, but librdkafka assigns partitions only to a consumer with a group id.
pub(crate) fn changelog(settings: &Settings, worker: WorkerId) -> ClientConfig {
    let mut config = base(settings, &format!("{}-restore", worker_name(settings, worker)), &RESTORE_TUNING);
    set_all(&mut config, &RESTORE_FIXED);
    config.set("group.id", format!("{}-restore", settings.kafka.application));
    config
}

/// A reader of the tag changes that keeps its own place.
pub(crate) fn changes_tail(settings: &Settings) -> ClientConfig {
    let mut config = base(settings, &format!("{}-history", settings.kafka.application), &RESTORE_TUNING);
    set_all(&mut config, &RESTORE_FIXED);
    config.set("group.id", format!("{}-history", settings.kafka.application));
    config.set("isolation.level", "read_committed");
    config
}

/// A producer of single commands.
pub(crate) fn command_sender(settings: &Settings) -> ClientConfig {
    let mut config = base(settings, &format!("{}-commands", settings.kafka.application), &PRODUCER_TUNING);
    config.set("partitioner", PARTITIONER).set("enable.idempotence", "true");
    // Somebody waits for the answer.
    config.set("message.timeout.ms", "10000");
    config
}

/// A producer of a subscriber's dead letters.
pub(crate) fn letter_sender(settings: &Settings) -> ClientConfig {
    let mut config = base(settings, &format!("{}-letters", settings.push_group()), &PRODUCER_TUNING);
    config.set("partitioner", PARTITIONER).set("enable.idempotence", "true");
    // The partition waits for it.
    config.set("message.timeout.ms", "10000");
    config
}

/// A replica's reader of changelogs, in no group.
pub(crate) fn changelog_tail(settings: &Settings) -> ClientConfig {
    let mut config = base(settings, &format!("{}-serve", settings.kafka.application), &RESTORE_TUNING);
    set_all(&mut config, &RESTORE_FIXED);
    config.set("group.id", format!("{}-serve", settings.kafka.application));
    config
}

/// How much a scan may have in its queues, of all partitions together.
const SCAN_QUEUE_KBYTES: usize = 256 << 10;

/// A reader of this many input partitions from their beginnings, in no group; the scan knows where each ends.
pub(crate) fn topic_scan(settings: &Settings, partitions: usize) -> ClientConfig {
    let mut config = base(settings, &format!("{}-archive", settings.kafka.application), &RESTORE_TUNING);
    set_all(&mut config, &CONSUMER_TUNING);
    set_all(&mut config, &RESTORE_FIXED);
    config.set("group.id", format!("{}-archive", settings.kafka.application));
    config.set("isolation.level", "read_committed").set("enable.partition.eof", "true");
    // Records that are deleted during the scan are skipped, as if they had been deleted before it.
    config.set("auto.offset.reset", "earliest");
    // Each partition has a queue of its own.
    let kbytes = (SCAN_QUEUE_KBYTES / partitions.max(1)).max(1 << 10);
    config.set("queued.max.messages.kbytes", kbytes.to_string());
    config
}

/// A consumer that only reads where partitions end and what was committed. It does not wait for open transactions.
pub(crate) fn observer(settings: &Settings, worker: WorkerId) -> ClientConfig {
    let mut config = base(settings, &format!("{}-observer", worker_name(settings, worker)), &[]);
    config.set("group.id", &settings.kafka.application).set("isolation.level", "read_uncommitted");
    config.set("enable.auto.commit", "false");
    config
}

/// A consumer that only asks for metadata. It never creates a topic.
pub(crate) fn metadata_client(
    settings: &Settings,
    listener: EventListener,
) -> Result<BaseConsumer<ClientCallbacks>, ClientError> {
    let id = format!("{}-{}", settings.kafka.application, settings.service.instance.name());
    // A port that is not a broker's may close each connection without a word.
    let config = base(settings, &id, &[("log.connection.close", "true")]);
    config.create_with_context(ClientCallbacks::new(listener)).map_err(ClientError::from)
}

/// The configuration and the callbacks of the client that administers topics.
pub(crate) fn admin(settings: &Settings, listener: EventListener) -> (ClientConfig, ClientCallbacks) {
    let id = format!("{}-{}", settings.kafka.application, settings.service.instance.name());
    (base(settings, &id, &[]), ClientCallbacks::new(listener))
}

/// Reports a log line of librdkafka.
pub(crate) fn report_client_log(listener: &EventListener, level: RDKafkaLogLevel, facility: &str, text: &str) {
    let severity = match level {
        // A consumer warns of producer properties, and the reverse; every client gets all properties.
        _ if facility == "CONFWARN" => Severity::Debug,
        // An error of a client is an ordinary case of the commit cycle, which reports what it comes to.
        RDKafkaLogLevel::Emerg
        | RDKafkaLogLevel::Alert
        | RDKafkaLogLevel::Critical
        | RDKafkaLogLevel::Error
        | RDKafkaLogLevel::Warning => Severity::Warn,
        RDKafkaLogLevel::Notice => Severity::Info,
        RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => Severity::Debug,
    };
    listener(Occurrence::Library { severity, facility: facility.to_owned(), text: text.to_owned() }.of_process());
}

pub(crate) fn report_client_error(listener: &EventListener, error: &KafkaError, reason: &str) {
    let facility = error.rdkafka_error_code().map_or_else(|| "ERROR".to_owned(), |code| format!("{code:?}"));
    let text = match error.rdkafka_error_code() {
        // librdkafka's text counts brokers that it does not know yet.
        Some(RDKafkaErrorCode::AllBrokersDown) => "no broker can be reached".to_owned(),
        _ => explain_connection_error(error, reason).unwrap_or_else(|| reason.to_owned()),
    };
    listener(Occurrence::Library { severity: Severity::Warn, facility, text }.of_process());
}

/// Callbacks of clients that only report failures.
pub struct ClientCallbacks {
    listener: EventListener,
    /// Why there is no connection, if a broker or TLS has said it. A call only tells that there is none.
    refusal: Mutex<Option<String>>,
    refusals: AtomicU64,
}

impl ClientCallbacks {
    pub fn new(listener: EventListener) -> Self {
        ClientCallbacks { listener, refusal: Mutex::default(), refusals: AtomicU64::new(0) }
    }

    fn note_refusal(&self, refusal: Option<String>) {
        if refusal.is_some() {
            *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
            self.refusals.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// How many times a reason was given.
    pub fn refusals(&self) -> u64 {
        self.refusals.load(Ordering::Acquire)
    }

    /// The last reason.
    pub fn refusal(&self) -> Option<String> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientContext for ClientCallbacks {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        self.note_refusal(explain_log_line(text));
        report_client_log(&self.listener, level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.note_refusal(explain_connection_error(&error, reason));
        report_client_error(&self.listener, &error, reason);
    }
}

impl ConsumerContext for ClientCallbacks {}

impl ProducerContext for ClientCallbacks {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}
