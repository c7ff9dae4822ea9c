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

use super::clients::{self, ClientError, Plain, pass_error_on, pass_on};
use super::faults::told;
use super::link::Link;
use super::native_changelog::{NativeChangelog, Shelf};
use super::native_consumer::NativeConsumer;
use super::notice::{Notice, Notices, WorkerId};
use super::rights;
use super::streams::Streams;
use super::wire::{
    Bounds, Class, GroupConsumer, Outgoing, Part, PlainProducer, Refused, TransactionalProducer, Wire, WireError,
};
use crate::settings::Settings;

type Threaded = ThreadedProducer<ProducerSide, NoCustomPartitioner>;

/// What a worker's clients are made from.
#[derive(Clone)]
pub struct Native {
    settings: Arc<Settings>,
    streams: Arc<Streams>,
    worker: WorkerId,
    notices: Notices,
}

impl Native {
    pub fn new(settings: Arc<Settings>, streams: Arc<Streams>, worker: WorkerId, notices: Notices) -> Self {
        Native { settings, streams, worker, notices }
    }

    fn threaded_producer(&self, config: &ClientConfig) -> Result<Threaded, ClientError> {
        let side = ProducerSide { notices: self.notices.clone(), link: Link::default(), refused: Mutex::default() };
        config.create_with_context(side).map_err(ClientError::from)
    }

    fn reader(&self, shelf: Shelf) -> Result<NativeChangelog, ClientError> {
        let make = |isolation: &str| -> Result<BaseConsumer<Plain>, ClientError> {
            let mut config = clients::changelog(&self.settings, self.worker);
            config.set("isolation.level", isolation);
            config.create_with_context(Plain::new(self.notices.clone())).map_err(ClientError::from)
        };
        Ok(NativeChangelog::new(make("read_committed")?, make("read_uncommitted")?, Arc::clone(&self.streams), shelf))
    }
}

impl Wire for Native {
    type Consumer = NativeConsumer;
    type Producer = NativeProducer;
    type Plain = NativePlainProducer;
    type Changelog = NativeChangelog;

    fn consumer(&self) -> Result<NativeConsumer, ClientError> {
        let (settings, streams) = (Arc::clone(&self.settings), Arc::clone(&self.streams));
        NativeConsumer::new(settings, streams, self.worker, self.notices.clone())
    }

    fn producer(&self) -> Result<NativeProducer, ClientError> {
        let client = self.threaded_producer(&clients::producer(&self.settings, self.worker))?;
        Ok(NativeProducer { client, streams: Arc::clone(&self.streams), settings: Arc::clone(&self.settings) })
    }

    fn plain_producer(&self) -> Result<NativePlainProducer, ClientError> {
        let client = self.threaded_producer(&clients::plain_producer(&self.settings, self.worker))?;
        Ok(NativePlainProducer { client })
    }

    fn changelog(&self) -> Result<NativeChangelog, ClientError> {
        self.reader(Shelf::Changelog)
    }

    fn history(&self) -> Result<NativeChangelog, ClientError> {
        self.reader(Shelf::History)
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
    let native = Native::new(Arc::new(settings.clone()), Arc::new(Streams::of(settings, None)), WorkerId(0), silent);
    drop((native.consumer()?, native.producer()?, native.changelog()?));
    Ok(())
}

/// Which offsets of a partition are there.
pub(super) fn bounds<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    topic: &str,
    partition: i32,
    patience: Duration,
) -> Result<Bounds, WireError> {
    let (low, high) = client.fetch_watermarks(topic, partition, patience)?;
    Ok(Bounds { low, high })
}

/// A worker's producer.
pub struct NativeProducer {
    client: Threaded,
    streams: Arc<Streams>,
    settings: Arc<Settings>,
}

impl NativeProducer {
    fn told(&self, result: KafkaResult<()>) -> Result<(), WireError> {
        result.map_err(|error| told(error, |code| rights::missing(code, &self.settings, &self.streams)))
    }
}

impl TransactionalProducer<NativeConsumer> for NativeProducer {
    fn init(&self, patience: Duration) -> Result<(), WireError> {
        self.told(self.client.init_transactions(patience))
    }

    fn begin(&self) -> Result<(), WireError> {
        *self.client.context().refused() = None;
        self.told(self.client.begin_transaction())
    }

    fn send<'a>(&self, record: Outgoing<'a>) -> Result<(), (WireError, Outgoing<'a>)> {
        self.client.send(record).map_err(not_sent)
    }

    fn in_flight(&self) -> usize {
        usize::try_from(self.client.in_flight_count()).unwrap_or_default()
    }

    fn refused(&self) -> Option<Refused> {
        self.client.context().refused().clone()
    }

    fn send_offsets(
        &self,
        parts: &[Part],
        consumer: &NativeConsumer,
        member: &str,
        patience: Duration,
    ) -> Result<(), WireError> {
        let mut list = TopicPartitionList::new();
        for Part { partition, next_offset, metadata } in parts {
            let mut element = list.add_partition(self.streams.topic(partition.stream), partition.number);
            // An offset of a record, plus one: never out of range.
            let _ = element.set_offset(Offset::Offset(*next_offset));
            element.set_metadata(metadata);
        }
        // Taken anew for each try: it carries the generation by which a broker tells members of today from those of
        // yesterday.
        let Some(group) = consumer.group_metadata() else {
            let text = "the consumer has no group".to_owned();
            return Err(WireError { class: Class::Fatal, code: None, text });
        };
        // No name comes twice: who has it after the metadata was taken had it then.
        if consumer.member().as_deref() != Some(member) {
            let text = "the membership has ended".to_owned();
            return Err(WireError { class: Class::Abort, code: Some(RDKafkaErrorCode::UnknownMemberId), text });
        }
        self.told(self.client.send_offsets_to_transaction(&list, &group, patience))
    }

    fn commit(&self, patience: Duration) -> Result<(), WireError> {
        self.told(self.client.commit_transaction(patience))
    }

    fn abort(&self, patience: Duration) -> Result<(), WireError> {
        self.told(self.client.abort_transaction(patience))
    }

    fn reports(&self) -> u64 {
        self.client.context().link.reports()
    }

    fn faults(&self) -> u64 {
        self.client.context().link.faults()
    }
}

/// A producer without transactions.
pub struct NativePlainProducer {
    client: Threaded,
}

impl PlainProducer for NativePlainProducer {
    fn send<'a>(&self, record: Outgoing<'a>) -> Result<(), (WireError, Outgoing<'a>)> {
        self.client.send(record).map_err(not_sent)
    }

    fn in_flight(&self) -> usize {
        usize::try_from(self.client.in_flight_count()).unwrap_or_default()
    }

    fn take_refused(&self) -> Option<Refused> {
        self.client.context().refused().take()
    }
}

/// Callbacks of a worker's producer.
struct ProducerSide {
    notices: Notices,
    link: Link,
    /// Of the transaction that is open.
    refused: Mutex<Option<Refused>>,
}

impl ProducerSide {
    fn refused(&self) -> MutexGuard<'_, Option<Refused>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_sent<'a>((error, record): (KafkaError, Outgoing<'a>)) -> (WireError, Outgoing<'a>) {
    (told(error, |code| rights::not_written(code, record.topic)), record)
}

fn is_purge(error: &KafkaError) -> bool {
    matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight))
}

impl ClientContext for ProducerSide {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        pass_on(&self.notices, level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        pass_error_on(&self.notices, &error, reason);
    }

    fn stats_raw(&self, json: &[u8]) {
        self.link.heed(json);
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
        let topic = record.topic().to_owned();
        let text = told(error.clone(), |code| rights::not_written(code, &topic)).text;
        self.refused().get_or_insert_with(|| Refused {
            topic: topic.clone(),
            code: error.rdkafka_error_code(),
            text: text.clone(),
        });
        (self.notices)(Notice::NotWritten { topic, why: text });
    }
}
