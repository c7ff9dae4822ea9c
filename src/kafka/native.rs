//! The wire over librdkafka: its clients behind the worker's traits, its errors in the worker's three classes.
//!
//! Callbacks only pass things on: a rebalance is queued for the worker's loop, which answers it between two polls;
//! statistics end as two numbers; errors and log lines become notices.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::CStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::metadata::MetadataTopic;
use rdkafka::producer::{DeliveryResult, NoCustomPartitioner, Producer, ProducerContext, ThreadedProducer};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Message, Offset, TopicPartitionList, bindings};

use super::clients::{self, ClientError, Plain, pass_error_on, pass_on};
use super::faults::told;
use super::link::Link;
use super::native_changelog::{NativeChangelog, Shelf};
use super::native_lists::{list, noted_in, offsets_of, partition_of};
use super::native_observer::Observer;
use super::notice::{Notice, Notices, WorkerId};
use super::rights;
use super::streams::{PartitionId, Streams};
use super::wire::{
    Bounds, Class, Committed, GroupConsumer, Outgoing, Part, PlainProducer, Rebalance, Refused, TransactionalProducer,
    Wire, WireError,
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
        let side = ConsumerSide {
            notices: self.notices.clone(),
            rebalances: Mutex::default(),
            leave: Mutex::default(),
            streams: Arc::clone(&self.streams),
        };
        let config = clients::consumer(&self.settings, self.worker);
        let client = config.create_with_context(side).map_err(ClientError::from)?;
        let observer = Observer::new(Arc::clone(&self.settings), self.worker, self.notices.clone());
        let (streams, settings) = (Arc::clone(&self.streams), Arc::clone(&self.settings));
        Ok(NativeConsumer { client, observer, streams, settings })
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

pub(super) fn bounds<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    topic: &str,
    partition: i32,
    patience: Duration,
) -> Result<Bounds, WireError> {
    let (low, high) = client.fetch_watermarks(topic, partition, patience)?;
    Ok(Bounds { low, high })
}

/// A worker's consumer.
pub struct NativeConsumer {
    client: BaseConsumer<ConsumerSide>,
    observer: Observer,
    streams: Arc<Streams>,
    settings: Arc<Settings>,
}

impl NativeConsumer {
    fn list(&self, partitions: &[PartitionId], offset: Offset) -> TopicPartitionList {
        list(&self.streams, partitions.iter().map(|partition| (*partition, offset)))
    }
}

impl GroupConsumer for NativeConsumer {
    type Record<'a> = BorrowedMessage<'a>;

    fn join(&self) -> Result<(), WireError> {
        let topics: Vec<&str> = self.streams.iter().map(|(_, plan)| &*plan.topic).collect();
        Ok(self.client.subscribe(&topics)?)
    }

    fn poll(&self, wait: Duration) -> Option<Result<BorrowedMessage<'_>, WireError>> {
        let words = |code| rights::not_read(code, &self.settings, &self.streams);
        self.client.poll(wait).map(|polled| polled.map_err(|error| told(error, words)))
    }

    fn next_rebalance(&self) -> Option<Rebalance> {
        self.client.context().rebalances().pop_front()
    }

    fn member(&self) -> Option<String> {
        let client = self.client.client().native_ptr();
        // SAFETY: the client outlives the call; the name is a C string that belongs to us and is freed once.
        let name = unsafe {
            let name = bindings::rd_kafka_memberid(client);
            if name.is_null() {
                return None;
            }
            let copy = CStr::from_ptr(name).to_string_lossy().into_owned();
            bindings::rd_kafka_mem_free(client, name.cast());
            copy
        };
        Some(name).filter(|name| !name.is_empty())
    }

    fn accept(&self) -> Result<(), WireError> {
        Ok(self.client.incremental_assign(&TopicPartitionList::new())?)
    }

    fn give_up(&self, fetched: &[PartitionId]) -> Result<(), WireError> {
        Ok(self.client.incremental_unassign(&self.list(fetched, Offset::Invalid))?)
    }

    fn fetch(&self, starts: &[(PartitionId, i64)]) -> Result<(), WireError> {
        let starts = starts.iter().map(|(partition, offset)| (*partition, Offset::Offset(*offset)));
        let starts = list(&self.streams, starts);
        self.client.incremental_assign(&starts)?;
        Ok(self.client.resume(&starts)?)
    }

    fn pause(&self, partitions: &[PartitionId]) -> Result<(), WireError> {
        Ok(self.client.pause(&self.list(partitions, Offset::Invalid))?)
    }

    fn resume(&self, partitions: &[PartitionId]) -> Result<(), WireError> {
        Ok(self.client.resume(&self.list(partitions, Offset::Invalid))?)
    }

    fn committed(
        &self,
        partitions: &[PartitionId],
        patience: Duration,
    ) -> Result<BTreeMap<PartitionId, Result<Committed, WireError>>, WireError> {
        let found = self.client.committed_offsets(self.list(partitions, Offset::Invalid), patience)?;
        Ok(noted_in(&self.streams, &found))
    }

    fn noted(
        &self,
        partitions: &[PartitionId],
        patience: Duration,
    ) -> Result<BTreeMap<PartitionId, Committed>, WireError> {
        self.observer.noted(&self.streams, partitions, patience)
    }

    fn bounds(&self, partition: PartitionId, patience: Duration) -> Result<Bounds, WireError> {
        bounds(&self.client, self.streams.topic(partition.stream), partition.number, patience)
    }

    fn ends(&self, partitions: &[PartitionId], patience: Duration) -> Result<BTreeMap<PartitionId, i64>, WireError> {
        Ok(offsets_of(&self.streams, &self.client.offsets_for_times(self.list(partitions, Offset::End), patience)?))
    }

    fn input_end(&self, patience: Duration) -> Result<i64, WireError> {
        let mut asked: Vec<PartitionId> = Vec::new();
        for (stream, plan) in self.streams.inputs() {
            let metadata = self.client.fetch_metadata(Some(&plan.topic), patience)?;
            let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
            asked.extend(partitions.map(|partition| PartitionId { stream, number: partition.id() }));
        }
        let ends = self.ends(&asked, patience)?;
        if ends.len() < asked.len() {
            let text = "not all partitions of the input have a leader now".to_owned();
            return Err(WireError { class: Class::Again, code: None, text });
        }
        Ok(ends.values().sum())
    }

    fn positions(&self) -> Result<BTreeMap<PartitionId, i64>, WireError> {
        Ok(offsets_of(&self.streams, &self.client.position()?))
    }

    fn leave(&self) -> Result<(), WireError> {
        let nothing = TopicPartitionList::new();
        self.client.incremental_unassign(&self.client.assignment()?)?;
        // What was asked before is answered before: once it is closed there is nobody to take an answer.
        loop {
            let is_empty = self.client.poll(Duration::ZERO).is_none();
            match self.next_rebalance() {
                Some(Rebalance::Assign(_)) => self.client.incremental_assign(&nothing)?,
                Some(Rebalance::Revoke { .. }) => self.client.incremental_unassign(&nothing)?,
                Some(Rebalance::Failed(_)) => {}
                None if is_empty => break,
                None => {}
            }
        }
        *self.client.context().leave() = Leave::Closing;
        Ok(())
    }
}

/// Callbacks of a worker's consumer.
struct ConsumerSide {
    notices: Notices,
    rebalances: Mutex<VecDeque<Rebalance>>,
    leave: Mutex<Leave>,
    streams: Arc<Streams>,
}

/// How far a consumer is on its way out of the group.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Leave {
    #[default]
    Working,
    /// The worker has nothing left to commit: partitions are given up without asking it.
    Closing,
    /// The group has had its answer. A closing consumer takes the first one for all, and may be gone when a second one
    /// comes, which would then be waited for without an end (librdkafka #4884).
    Answered,
}

impl Leave {
    /// The group asks something: how far things were then.
    fn asked(&mut self) -> Leave {
        let before = *self;
        if before == Leave::Closing {
            *self = Leave::Answered;
        }
        before
    }
}

impl ConsumerSide {
    fn leave(&self) -> MutexGuard<'_, Leave> {
        self.leave.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rebalances(&self) -> MutexGuard<'_, VecDeque<Rebalance>> {
        self.rebalances.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn rebalance(&self, consumer: &BaseConsumer<ConsumerSide>, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let leave = self.leave().asked();
        if leave == Leave::Closing {
            // There is nobody to tell of an error, and nothing to do about it.
            let _ = consumer.unassign();
        }
        if leave != Leave::Working {
            return;
        }
        let elements = list.elements();
        let partitions = elements.iter().filter_map(|element| partition_of(&self.streams, element)).collect();
        self.rebalances().push_back(match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Rebalance::Assign(partitions),
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS => {
                Rebalance::Revoke { partitions, lost: consumer.assignment_lost() }
            }
            other => Rebalance::Failed(RDKafkaErrorCode::from(other).to_string()),
        });
    }

    fn commit_callback(&self, _: KafkaResult<()>, _: &TopicPartitionList) {}
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
        let Some(group) = consumer.client.group_metadata() else {
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
