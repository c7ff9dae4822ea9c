//! A worker's producers, with and without transactions.
//!
//! The callbacks only keep the first refused record and two numbers of the statistics; errors and log lines are
//! reported as events.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::{DeliveryResult, NoCustomPartitioner, Producer, ProducerContext, ThreadedProducer};
use rdkafka::{Message, Offset, TopicPartitionList, bindings};
use serde::Deserialize;

use super::acls;
use super::client_config::{report_client_error, report_client_log};
use super::consumer::RdkafkaConsumer;
use super::errors::with_advice;
use crate::kafka::broker::{
    BrokerError, ErrorClass, GroupConsumer, NonTransactionalProducer, OutgoingRecord, PartitionOffset, RefusedRecord,
    TransactionalProducer,
};
use crate::kafka::events::{EventListener, Occurrence};
use crate::kafka::topology::Topology;
use crate::settings::Settings;

pub(super) type ThreadedClient = ThreadedProducer<ProducerCallbacks, NoCustomPartitioner>;

/// A worker's producer.
pub struct RdkafkaProducer {
    pub(super) client: ThreadedClient,
    pub(super) topology: Arc<Topology>,
    pub(super) settings: Arc<Settings>,
}

impl RdkafkaProducer {
    fn with_advice(&self, result: KafkaResult<()>) -> Result<(), BrokerError> {
        result.map_err(|error| with_advice(error, |code| acls::missing(code, &self.settings, &self.topology)))
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
            // The offset of a record plus one is always valid.
            let _ = element.set_offset(Offset::Offset(*next_offset));
            element.set_metadata(metadata);
        }
        // Read again for each try: it has the generation by which a broker tells members from former members.
        let Some(group) = consumer.group_metadata() else {
            let text = "the consumer has no group".to_owned();
            return Err(BrokerError { class: ErrorClass::Fatal, code: None, text });
        };
        // A member id is never used twice: if it is the same now, it was the same when the metadata was read.
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

    fn await_reports(&self, count: u64, patience: Duration) -> bool {
        self.client.context().connection.await_reports(count, patience)
    }

    fn fault_count(&self) -> u64 {
        self.client.context().connection.fault_count()
    }
}

/// A producer without transactions.
pub struct RdkafkaNonTransactionalProducer {
    pub(super) client: ThreadedClient,
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
pub(super) struct ProducerCallbacks {
    pub(super) listener: EventListener,
    pub(super) connection: ConnectionStats,
    /// Of the open transaction.
    pub(super) refused: Mutex<Option<RefusedRecord>>,
}

impl ProducerCallbacks {
    fn refused(&self) -> MutexGuard<'_, Option<RefusedRecord>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the thread that polls a producer. It waits by the wall clock: after a step back it would keep the producer from
/// being closed for as long as the step.
fn wake(client: &ThreadedClient) {
    // SAFETY: the client outlives the calls; the reference to its queue is given back once.
    unsafe {
        let queue = bindings::rd_kafka_queue_get_main(client.client().native_ptr());
        bindings::rd_kafka_queue_yield(queue);
        bindings::rd_kafka_queue_destroy(queue);
    }
}

impl Drop for RdkafkaProducer {
    fn drop(&mut self) {
        wake(&self.client);
    }
}

impl Drop for RdkafkaNonTransactionalProducer {
    fn drop(&mut self) {
        wake(&self.client);
    }
}

fn not_sent<'a>((error, record): (KafkaError, OutgoingRecord<'a>)) -> (BrokerError, OutgoingRecord<'a>) {
    (with_advice(error, |code| acls::not_written(code, record.topic)), record)
}

fn is_purge(error: &KafkaError) -> bool {
    matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight))
}

impl ClientContext for ProducerCallbacks {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        report_client_log(&self.listener, level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        report_client_error(&self.listener, &error, reason);
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
            // The record was purged by an abort, which is reported as such.
            return;
        }
        let topic = record.topic().to_owned();
        let text = with_advice(error.clone(), |code| acls::not_written(code, &topic)).text;
        self.refused().get_or_insert_with(|| RefusedRecord {
            topic: topic.clone(),
            code: error.rdkafka_error_code(),
            text: text.clone(),
        });
        (self.listener)(Occurrence::NotWritten { topic, why: text }.of_process());
    }
}

/// Two numbers of a producer's statistics, which only grow.
#[derive(Debug, Default)]
pub(super) struct ConnectionStats {
    /// The number of statistics. They come at a fixed interval; each covers everything that happened before it.
    reports: Mutex<u64>,
    /// Notified when there is another one.
    reported: Condvar,
    /// Requests that were repeated or timed out, and connections that broke.
    faults: AtomicU64,
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

impl ConnectionStats {
    pub(super) fn report_count(&self) -> u64 {
        *self.reports()
    }

    pub(super) fn await_reports(&self, count: u64, patience: Duration) -> bool {
        let waited = self.reported.wait_timeout_while(self.reports(), patience, |reports| *reports < count);
        *waited.unwrap_or_else(PoisonError::into_inner).0 >= count
    }

    fn reports(&self) -> MutexGuard<'_, u64> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn fault_count(&self) -> u64 {
        self.faults.load(Ordering::Acquire)
    }

    /// Takes statistics as librdkafka writes them.
    pub(super) fn record(&self, json: &[u8]) {
        let Ok(statistics) = serde_json::from_slice::<Statistics>(json) else {
            return;
        };
        let faults = statistics.brokers.values().map(|b| b.txretries + b.req_timeouts + b.disconnects).sum();
        self.faults.store(faults, Ordering::Release);
        *self.reports() += 1;
        self.reported.notify_all();
    }
}
