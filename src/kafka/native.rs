//! The wire over librdkafka: its clients behind the worker's traits, its errors in the worker's three classes.
//!
//! Callbacks only pass things on: a rebalance is queued for the worker's loop, which answers it between two polls;
//! statistics end as two numbers; errors and log lines become notices.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::{DeliveryResult, NoCustomPartitioner, Producer, ProducerContext, ThreadedProducer};
use rdkafka::{Message, Offset, TopicPartitionList};

use super::broker::{
    BrokerError, ErrorClass, GroupConsumer, KafkaClients, NonTransactionalProducer, OffsetBounds, OutgoingRecord,
    PartitionOffset, RefusedRecord, TransactionalProducer,
};
use super::clients::{self, ClientCallbacks, ClientError, report_client_error, report_client_log};
use super::faults::with_advice;
use super::link::ConnectionStats;
use super::native_changelog::{RdkafkaChangelogReader, ReadTopic};
use super::native_consumer::RdkafkaConsumer;
use super::notice::{Notice, Notices, WorkerId};
use super::rights;
use super::streams::Topology;
use crate::settings::Settings;

type Threaded = ThreadedProducer<ProducerCallbacks, NoCustomPartitioner>;

/// What a worker's clients are made from.
#[derive(Clone)]
pub struct RdkafkaClients {
    settings: Arc<Settings>,
    topology: Arc<Topology>,
    worker: WorkerId,
    notices: Notices,
}

impl RdkafkaClients {
    pub fn new(settings: Arc<Settings>, topology: Arc<Topology>, worker: WorkerId, notices: Notices) -> Self {
        RdkafkaClients { settings, topology, worker, notices }
    }

    fn threaded_producer(&self, config: &ClientConfig) -> Result<Threaded, ClientError> {
        let callbacks = ProducerCallbacks {
            notices: self.notices.clone(),
            connection: ConnectionStats::default(),
            refused: Mutex::default(),
        };
        config.create_with_context(callbacks).map_err(ClientError::from)
    }

    fn reader(&self, read: ReadTopic) -> Result<RdkafkaChangelogReader, ClientError> {
        let make = |isolation: &str| -> Result<BaseConsumer<ClientCallbacks>, ClientError> {
            let mut config = clients::changelog(&self.settings, self.worker);
            config.set("isolation.level", isolation);
            config.create_with_context(ClientCallbacks::new(self.notices.clone())).map_err(ClientError::from)
        };
        Ok(RdkafkaChangelogReader::new(
            make("read_committed")?,
            make("read_uncommitted")?,
            Arc::clone(&self.topology),
            read,
        ))
    }
}

impl KafkaClients for RdkafkaClients {
    type Consumer = RdkafkaConsumer;
    type Producer = RdkafkaProducer;
    type NonTransactionalProducer = RdkafkaNonTransactionalProducer;
    type Changelog = RdkafkaChangelogReader;

    fn consumer(&self) -> Result<RdkafkaConsumer, ClientError> {
        let (settings, topology) = (Arc::clone(&self.settings), Arc::clone(&self.topology));
        RdkafkaConsumer::new(settings, topology, self.worker, self.notices.clone())
    }

    fn producer(&self) -> Result<RdkafkaProducer, ClientError> {
        let client = self.threaded_producer(&clients::producer(&self.settings, self.worker))?;
        Ok(RdkafkaProducer { client, topology: Arc::clone(&self.topology), settings: Arc::clone(&self.settings) })
    }

    fn non_transactional_producer(&self) -> Result<RdkafkaNonTransactionalProducer, ClientError> {
        let client = self.threaded_producer(&clients::non_transactional_producer(&self.settings, self.worker))?;
        Ok(RdkafkaNonTransactionalProducer { client })
    }

    fn changelog(&self) -> Result<RdkafkaChangelogReader, ClientError> {
        self.reader(ReadTopic::Changelog)
    }

    fn history(&self) -> Result<RdkafkaChangelogReader, ClientError> {
        self.reader(ReadTopic::Input)
    }

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, time: Duration) {
        thread::sleep(time);
    }

    fn spawn(&self, name: &str, job: Box<dyn FnOnce() + Send>) {
        if let Err(error) = thread::Builder::new().name(name.to_owned()).spawn(job) {
            let why = format!("no thread: {error}");
            (self.notices)(Notice::Trouble { worker: self.worker, what: "restoring", why });
        }
    }
}

/// Makes the clients of a worker and drops them: librdkafka checks properties against each other only then.
///
/// # Errors
/// What it says.
pub fn try_out(settings: &Settings) -> Result<(), ClientError> {
    let silent: Notices = Arc::new(|_| ());
    let native =
        RdkafkaClients::new(Arc::new(settings.clone()), Arc::new(Topology::of(settings, None)), WorkerId(0), silent);
    drop((native.consumer()?, native.producer()?, native.changelog()?));
    Ok(())
}

/// Which offsets of a partition are there.
pub(super) fn bounds<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    topic: &str,
    partition: i32,
    patience: Duration,
) -> Result<OffsetBounds, BrokerError> {
    let (low, high) = client.fetch_watermarks(topic, partition, patience)?;
    Ok(OffsetBounds { low, high })
}

/// A worker's producer.
pub struct RdkafkaProducer {
    client: Threaded,
    topology: Arc<Topology>,
    settings: Arc<Settings>,
}

impl RdkafkaProducer {
    fn with_advice(&self, result: KafkaResult<()>) -> Result<(), BrokerError> {
        result.map_err(|error| with_advice(error, |code| rights::missing(code, &self.settings, &self.topology)))
    }
}

impl TransactionalProducer<RdkafkaConsumer> for RdkafkaProducer {
    fn init(&self, patience: Duration) -> Result<(), BrokerError> {
        self.with_advice(self.client.init_transactions(patience))
    }

    fn begin(&self) -> Result<(), BrokerError> {
        *self.client.context().refused() = None;
        self.with_advice(self.client.begin_transaction())
    }

    fn send<'a>(&self, record: OutgoingRecord<'a>) -> Result<(), (BrokerError, OutgoingRecord<'a>)> {
        self.client.send(record).map_err(not_sent)
    }

    fn in_flight(&self) -> usize {
        usize::try_from(self.client.in_flight_count()).unwrap_or_default()
    }

    fn refused(&self) -> Option<RefusedRecord> {
        self.client.context().refused().clone()
    }

    fn send_offsets(
        &self,
        offsets: &[PartitionOffset],
        consumer: &RdkafkaConsumer,
        member: &str,
        patience: Duration,
    ) -> Result<(), BrokerError> {
        let mut list = TopicPartitionList::new();
        for PartitionOffset { partition, next_offset, metadata } in offsets {
            let mut element = list.add_partition(self.topology.topic(partition.topic), partition.number);
            // An offset of a record, plus one: never out of range.
            let _ = element.set_offset(Offset::Offset(*next_offset));
            element.set_metadata(metadata);
        }
        // Taken anew for each try: it carries the generation by which a broker tells members of today from those of
        // yesterday.
        let Some(group) = consumer.group_metadata() else {
            let text = "the consumer has no group".to_owned();
            return Err(BrokerError { class: ErrorClass::Fatal, code: None, text });
        };
        // No name comes twice: who has it after the metadata was taken had it then.
        if consumer.member().as_deref() != Some(member) {
            let text = "the membership has ended".to_owned();
            return Err(BrokerError {
                class: ErrorClass::Abortable,
                code: Some(RDKafkaErrorCode::UnknownMemberId),
                text,
            });
        }
        self.with_advice(self.client.send_offsets_to_transaction(&list, &group, patience))
    }

    fn commit(&self, patience: Duration) -> Result<(), BrokerError> {
        self.with_advice(self.client.commit_transaction(patience))
    }

    fn abort(&self, patience: Duration) -> Result<(), BrokerError> {
        self.with_advice(self.client.abort_transaction(patience))
    }

    fn report_count(&self) -> u64 {
        self.client.context().connection.report_count()
    }

    fn fault_count(&self) -> u64 {
        self.client.context().connection.fault_count()
    }
}

/// A producer without transactions.
pub struct RdkafkaNonTransactionalProducer {
    client: Threaded,
}

impl NonTransactionalProducer for RdkafkaNonTransactionalProducer {
    fn send<'a>(&self, record: OutgoingRecord<'a>) -> Result<(), (BrokerError, OutgoingRecord<'a>)> {
        self.client.send(record).map_err(not_sent)
    }

    fn in_flight(&self) -> usize {
        usize::try_from(self.client.in_flight_count()).unwrap_or_default()
    }

    fn take_refused(&self) -> Option<RefusedRecord> {
        self.client.context().refused().take()
    }
}

/// Callbacks of a worker's producer.
struct ProducerCallbacks {
    notices: Notices,
    connection: ConnectionStats,
    /// Of the transaction that is open.
    refused: Mutex<Option<RefusedRecord>>,
}

impl ProducerCallbacks {
    fn refused(&self) -> MutexGuard<'_, Option<RefusedRecord>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_sent<'a>((error, record): (KafkaError, OutgoingRecord<'a>)) -> (BrokerError, OutgoingRecord<'a>) {
    (with_advice(error, |code| rights::not_written(code, record.topic)), record)
}

fn is_purge(error: &KafkaError) -> bool {
    matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight))
}

impl ClientContext for ProducerCallbacks {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        report_client_log(&self.notices, level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        report_client_error(&self.notices, &error, reason);
    }

    fn stats_raw(&self, json: &[u8]) {
        self.connection.record(json);
    }
}

impl ProducerContext for ProducerCallbacks {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _: ()) {
        let Err((error, record)) = result else { return };
        if is_purge(error) {
            // An abort, which is told as such.
            return;
        }
        let topic = record.topic().to_owned();
        let text = with_advice(error.clone(), |code| rights::not_written(code, &topic)).text;
        self.refused().get_or_insert_with(|| RefusedRecord {
            topic: topic.clone(),
            code: error.rdkafka_error_code(),
            text: text.clone(),
        });
        (self.notices)(Notice::NotWritten { topic, why: text });
    }
}
