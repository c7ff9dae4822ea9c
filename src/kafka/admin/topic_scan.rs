//! Reads the input topics as a file is read: from their beginning to the end that they have now, merged by time.
//!
//! Each partition is read through a queue of its own, so that a partition that is far ahead waits in librdkafka, within
//! its limits. The next record is that of the partition with the lowest clock, which is the greatest time of its
//! records so far; with equal clocks the partitions go in order.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Offset, TopicPartitionList};

use crate::codec::{InputRecord, OwnedRecord, Payload, PayloadFormat, PayloadReader, SchemaKey};
use crate::kafka::broker::{ClientError, OffsetBounds};
use crate::kafka::client::client_config;
use crate::kafka::client::{AclEntry, AclOperation, AclResource, Answer, ClientCallbacks, MetadataClient, bounds};
use crate::kafka::events::EventListener;
use crate::kafka::repartition::input_record;
use crate::model::Timestamp;
use crate::settings::Settings;

const ANSWER_PATIENCE: Duration = Duration::from_secs(15);
/// How long a partition may bring no record although it is not at its end.
const SILENCE_MAX: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(100);
/// After this many records the callbacks of the client run.
const RECORDS_A_TURN: u64 = 4_096;

#[derive(Debug, thiserror::Error)]
pub enum TopicScanError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("no answer from the brokers at {brokers}: {why}")]
    Unreachable { brokers: String, why: String },
    #[error("the input topic {0} does not exist; check input.topics")]
    Unknown(String),
    #[error("the input topic {topic}: {why}")]
    Refused { topic: String, why: String },
    #[error(
        "no record came from partition {partition} of {topic} for {SILENCE_MAX:?}, although there is more to read{why}"
    )]
    Silent { topic: String, partition: i32, why: String },
    #[error("the schema registry has not given the schema with {schema} for {SILENCE_MAX:?}: {why}")]
    NoSchema { schema: SchemaKey, why: String },
}

/// The records that the input topics hold when the scan is opened. Records that are not committed then are left out.
pub struct TopicScan {
    consumer: Arc<BaseConsumer<ClientCallbacks>>,
    scans: Vec<PartitionScan>,
    /// The sum of the offsets between the beginnings and the ends.
    total: u64,
    /// Reads values that are not JSON; `None`: all are.
    payloads: Option<Box<dyn PayloadReader>>,
    /// The value of a record as JSON, where it was something else.
    json: Vec<u8>,
}

/// One partition of a topic.
struct PartitionScan {
    topic: Arc<str>,
    partition: i32,
    end: i64,
    /// The offset behind the last record that was read.
    next: i64,
    queue: PartitionQueue<ClientCallbacks>,
    /// Records that came before the queue was created.
    early: VecDeque<(i64, Option<OwnedRecord>)>,
    /// The record that is next.
    head: OwnedRecord,
    clock: Timestamp,
}

impl TopicScan {
    /// Finds the topics, and the beginning and the end of each partition. `payloads`: the format of the input's values, if
    /// they are not JSON.
    ///
    /// # Errors
    /// The brokers do not answer, or a topic cannot be read.
    pub fn open(
        settings: &Settings,
        payloads: Option<&dyn PayloadFormat>,
        listener: &EventListener,
    ) -> Result<Self, TopicScanError> {
        let metadata = MetadataClient::new(settings, Arc::clone(listener))?;
        let unreachable = |why: String| TopicScanError::Unreachable { brokers: settings.kafka.brokers.clone(), why };
        let mut partitions: Vec<(Arc<str>, i32)> = Vec::new();
        for topic in &settings.input.topics {
            let answer = metadata.topic(topic, ANSWER_PATIENCE);
            let answer = answer.map_err(|code| unreachable(metadata.refusal().unwrap_or_else(|| code.to_string())))?;
            let refused = |why: String| TopicScanError::Refused { topic: topic.clone(), why };
            let facts = match answer {
                Answer::Given(facts) => facts,
                Answer::Refused(RDKafkaErrorCode::UnknownTopicOrPartition) => {
                    return Err(TopicScanError::Unknown(topic.clone()));
                }
                Answer::Refused(code) => return Err(refused(code.to_string())),
            };
            if !facts.allowed.has(AclOperation::Read) {
                let right = AclEntry { operation: AclOperation::Read, resource: AclResource::Topic(topic.clone()) };
                return Err(refused(right.to_string()));
            }
            let name: Arc<str> = topic.as_str().into();
            partitions.extend((0..facts.partitions as i32).map(|number| (Arc::clone(&name), number)));
        }
        let config = client_config::topic_scan(settings, partitions.len());
        let consumer: BaseConsumer<ClientCallbacks> =
            config.create_with_context(ClientCallbacks::new(Arc::clone(listener))).map_err(ClientError::from)?;
        let mut ranges = Vec::new();
        for (topic, partition) in partitions {
            let found = bounds(&consumer, &topic, partition, ANSWER_PATIENCE);
            let OffsetBounds { low, high } = found.map_err(|error| unreachable(error.text))?;
            if low < high {
                ranges.push((topic, partition, low..high));
            }
        }
        let total = ranges.iter().map(|(_, _, range)| (range.end - range.start) as u64).sum();
        let consumer = Arc::new(consumer);
        let mut list = TopicPartitionList::new();
        for (topic, partition, range) in &ranges {
            list.add_partition_offset(topic, *partition, Offset::Offset(range.start)).map_err(ClientError::from)?;
        }
        consumer.assign(&list).map_err(ClientError::from)?;
        let scan = |(topic, partition, range): (Arc<str>, i32, std::ops::Range<i64>)| {
            let queue = consumer.split_partition_queue(&topic, partition)?;
            let (early, head) = (VecDeque::new(), OwnedRecord::default());
            let clock = Timestamp::MIN;
            Some(PartitionScan { topic, partition, end: range.end, next: range.start, queue, early, head, clock })
        };
        let scans = ranges.into_iter().filter_map(scan).collect();
        let mut topic_scan =
            TopicScan { consumer, scans, total, payloads: payloads.map(|format| format.reader()), json: Vec::new() };
        // Records from before the queues come before all records of the queues.
        while topic_scan.poll_events() {}
        Ok(topic_scan)
    }

    /// How many offsets the scan passes: about the number of records.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Hands out every record, with the number of offsets that were passed. `time_of` tells the time of a
    /// record's event; a record that is not an event goes with the one before it.
    ///
    /// # Errors
    /// A partition brings no more records.
    pub fn each(
        mut self,
        mut time_of: impl FnMut(InputRecord<'_>) -> Option<Timestamp>,
        mut each: impl FnMut(InputRecord<'_>, u64),
    ) -> Result<(), TopicScanError> {
        let mut next_scans = BinaryHeap::new();
        let left: i64 = self.scans.iter().map(|scan| scan.end - scan.next).sum();
        let (mut left, mut records) = (left as u64, 0_u64);
        let mut moved: Vec<usize> = (0..self.scans.len()).collect();
        loop {
            for index in moved.drain(..) {
                let before = self.scans[index].next;
                let is_there = self.fill(index)?;
                let scan = &mut self.scans[index];
                left = left.saturating_sub((scan.next - before) as u64);
                if is_there {
                    scan.clock = scan.clock.max(time_of(scan.head.borrowed()).unwrap_or(Timestamp::MIN));
                    next_scans.push(Reverse((scan.clock, index)));
                }
            }
            let Some(Reverse((_, index))) = next_scans.pop() else { return Ok(()) };
            each(self.scans[index].head.borrowed(), self.total - left);
            moved.push(index);
            records += 1;
            if records.is_multiple_of(RECORDS_A_TURN) {
                self.poll_events();
            }
        }
    }

    /// Reads the next record of a partition that has a value, as JSON where it can be. Returns `false` at the partition's
    /// end.
    fn fill(&mut self, index: usize) -> Result<bool, TopicScanError> {
        let is_there = self.read_next(index)?;
        if is_there {
            self.rewrite(index)?;
        }
        Ok(is_there)
    }

    /// Puts the JSON of a record's value in its place. What is rejected stays as it is, and is not JSON.
    fn rewrite(&mut self, index: usize) -> Result<(), TopicScanError> {
        let Some(payloads) = &mut self.payloads else { return Ok(()) };
        let head = &mut self.scans[index].head;
        let since = Instant::now();
        loop {
            match payloads.read(head.borrowed(), &mut self.json) {
                Payload::AsIs | Payload::Rejected { .. } => return Ok(()),
                Payload::Rewritten => {
                    std::mem::swap(&mut head.value, &mut self.json);
                    return Ok(());
                }
                Payload::Waits { schema, why } if since.elapsed() >= SILENCE_MAX => {
                    return Err(TopicScanError::NoSchema { schema, why: why.to_string() });
                }
                Payload::Waits { .. } => std::thread::sleep(POLL),
            }
        }
    }

    fn read_next(&mut self, index: usize) -> Result<bool, TopicScanError> {
        let (mut waits_since, mut trouble): (Option<Instant>, Option<String>) = (None, None);
        loop {
            let scan = &mut self.scans[index];
            if scan.next >= scan.end {
                return Ok(false);
            }
            if let Some((offset, record)) = scan.early.pop_front() {
                let record = record.as_ref().map(OwnedRecord::borrowed);
                if take((&mut scan.next, &mut scan.head), scan.end, offset, record) {
                    return Ok(true);
                }
                continue;
            }
            match scan.queue.poll(POLL) {
                Some(Ok(message)) => {
                    let slot = (&mut scan.next, &mut scan.head);
                    let record = message.payload().map(|value| input_record(&message, value));
                    if take(slot, scan.end, message.offset(), record) {
                        return Ok(true);
                    }
                    waits_since = None;
                    continue;
                }
                // Everything that is committed was read, and the known end was among it.
                Some(Err(KafkaError::PartitionEOF(_))) => {
                    scan.next = scan.end;
                    return Ok(false);
                }
                Some(Err(error)) => trouble = Some(error.to_string()),
                None => {}
            }
            self.poll_events();
            if waits_since.get_or_insert_with(Instant::now).elapsed() >= SILENCE_MAX {
                let why = trouble.or_else(|| self.consumer.context().refusal());
                let why = why.map(|why| format!(": {why}")).unwrap_or_default();
                let PartitionScan { topic, partition, .. } = &self.scans[index];
                return Err(TopicScanError::Silent { topic: topic.to_string(), partition: *partition, why });
            }
        }
    }

    /// Lets the callbacks of the client run. Returns whether a record came this way.
    fn poll_events(&mut self) -> bool {
        let Some(Ok(message)) = self.consumer.poll(Duration::ZERO) else { return false };
        let is_of =
            |scan: &&mut PartitionScan| *scan.topic == *message.topic() && scan.partition == message.partition();
        if let Some(scan) = self.scans.iter_mut().find(is_of) {
            scan.early.push_back(detached(&message));
        }
        true
    }
}

fn detached(message: &BorrowedMessage<'_>) -> (i64, Option<OwnedRecord>) {
    (message.offset(), message.payload().map(|value| input_record(message, value).to_owned()))
}

/// Takes a record as the next one. Returns whether it is before the end and has a value.
fn take((next, head): (&mut i64, &mut OwnedRecord), end: i64, offset: i64, record: Option<InputRecord<'_>>) -> bool {
    *next = (offset + 1).min(end);
    head.copy(record.unwrap_or_default());
    offset < end && record.is_some()
}
