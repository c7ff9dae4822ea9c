//! What the input topics hold, read as a file is: from their beginning to the end that they have now, merged by time.
//!
//! Each partition is read in order through a queue of its own, so that one that is far ahead waits in librdkafka and
//! not in memory without end. Of the records at hand the one is next whose partition has the least clock, which is the
//! greatest time that its records have told so far; where clocks are equal the partitions go in order.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Offset, TopicPartitionList};

use super::clients::{self, ClientError, Plain};
use super::inquirer::Inquirer;
use super::native::bounds;
use super::notice::Notices;
use super::rights::{Operation, Resource, Right};
use super::wire::Bounds;
use crate::model::Timestamp;
use crate::settings::Settings;

const ANSWER_PATIENCE: Duration = Duration::from_secs(15);
/// How long a partition may bring nothing, though there is more to read.
const SILENCE_MAX: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(100);
/// After so many records the client's own events have their turn.
const RECORDS_A_TURN: u64 = 4_096;

#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("no answer from the brokers at {brokers}: {why}")]
    Unreachable { brokers: String, why: String },
    #[error("the input topic {0} does not exist; see to input.topics")]
    Unknown(String),
    #[error("the input topic {topic}: {why}")]
    Refused { topic: String, why: String },
    #[error("nothing came of partition {partition} of {topic} for {SILENCE_MAX:?}, though there is more to read{why}")]
    Silent { topic: String, partition: i32, why: String },
}

/// The records of the input topics, as many as there are when it is opened. What is not committed then is left out.
pub struct Archive {
    consumer: Arc<BaseConsumer<Plain>>,
    lanes: Vec<Lane>,
    /// Offsets from the beginnings to the ends.
    total: u64,
}

/// One partition of a topic.
struct Lane {
    topic: Arc<str>,
    partition: i32,
    end: i64,
    /// Behind the last record that was taken.
    next: i64,
    queue: PartitionQueue<Plain>,
    /// Records that came before the queue was there.
    early: VecDeque<(i64, Option<Vec<u8>>)>,
    /// The record that is next.
    head: Vec<u8>,
    clock: Timestamp,
}

impl Archive {
    /// Looks for the topics, and for where each partition begins and ends.
    ///
    /// # Errors
    /// The brokers do not answer, or a topic is not there to be read.
    pub fn open(settings: &Settings, notices: &Notices) -> Result<Self, ArchiveError> {
        let inquirer = Inquirer::new(settings, Arc::clone(notices))?;
        let unreachable = |why: String| ArchiveError::Unreachable { brokers: settings.kafka.brokers.clone(), why };
        let mut partitions: Vec<(Arc<str>, i32)> = Vec::new();
        for topic in &settings.input.topics {
            let told = inquirer.topic(topic, ANSWER_PATIENCE);
            let told = told.map_err(|code| unreachable(inquirer.refusal().unwrap_or_else(|| code.to_string())))?;
            let refused = |why: String| ArchiveError::Refused { topic: topic.clone(), why };
            let facts = told.map_err(|code| match code {
                RDKafkaErrorCode::UnknownTopicOrPartition => ArchiveError::Unknown(topic.clone()),
                code => refused(code.to_string()),
            })?;
            if !facts.allowed.has(Operation::Read) {
                let right = Right { operation: Operation::Read, resource: Resource::Topic(topic.clone()) };
                return Err(refused(right.to_string()));
            }
            let name: Arc<str> = topic.as_str().into();
            partitions.extend((0..facts.partitions as i32).map(|number| (Arc::clone(&name), number)));
        }
        let config = clients::archive(settings, partitions.len());
        let consumer: BaseConsumer<Plain> =
            config.create_with_context(Plain::new(Arc::clone(notices))).map_err(ClientError::from)?;
        let mut ranges = Vec::new();
        for (topic, partition) in partitions {
            let found = bounds(&consumer, &topic, partition, ANSWER_PATIENCE);
            let Bounds { low, high } = found.map_err(|error| unreachable(error.text))?;
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
        let lane = |(topic, partition, range): (Arc<str>, i32, std::ops::Range<i64>)| {
            let queue = consumer.split_partition_queue(&topic, partition)?;
            let (early, head) = (VecDeque::new(), Vec::new());
            let clock = Timestamp::MIN;
            Some(Lane { topic, partition, end: range.end, next: range.start, queue, early, head, clock })
        };
        let lanes = ranges.into_iter().filter_map(lane).collect();
        let mut archive = Archive { consumer, lanes, total };
        // What came before the queues were there is before all that comes through them.
        while archive.listen() {}
        Ok(archive)
    }

    /// How many offsets there are to go over: about as many as records.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Hands out every record's value, with how many offsets are behind it. `time_of` tells when a record's event was;
    /// one that is no event goes with those before it.
    ///
    /// # Errors
    /// A partition brings nothing more.
    pub fn each(
        mut self,
        mut time_of: impl FnMut(&[u8]) -> Option<Timestamp>,
        mut each: impl FnMut(&[u8], u64),
    ) -> Result<(), ArchiveError> {
        let mut heads = BinaryHeap::new();
        let left: i64 = self.lanes.iter().map(|lane| lane.end - lane.next).sum();
        let (mut left, mut records) = (left as u64, 0_u64);
        let mut moved: Vec<usize> = (0..self.lanes.len()).collect();
        loop {
            for index in moved.drain(..) {
                let before = self.lanes[index].next;
                let is_there = self.fill(index)?;
                let lane = &mut self.lanes[index];
                left = left.saturating_sub((lane.next - before) as u64);
                if is_there {
                    lane.clock = lane.clock.max(time_of(&lane.head).unwrap_or(Timestamp::MIN));
                    heads.push(Reverse((lane.clock, index)));
                }
            }
            let Some(Reverse((_, index))) = heads.pop() else { return Ok(()) };
            each(&self.lanes[index].head, self.total - left);
            moved.push(index);
            records += 1;
            if records.is_multiple_of(RECORDS_A_TURN) {
                self.listen();
            }
        }
    }

    /// Takes the next record of a lane that has a value; false when there is none before its end.
    fn fill(&mut self, index: usize) -> Result<bool, ArchiveError> {
        let (mut waits_since, mut trouble): (Option<Instant>, Option<String>) = (None, None);
        loop {
            let lane = &mut self.lanes[index];
            if lane.next >= lane.end {
                return Ok(false);
            }
            if let Some((offset, value)) = lane.early.pop_front() {
                if take((&mut lane.next, &mut lane.head), lane.end, offset, value.as_deref()) {
                    return Ok(true);
                }
                continue;
            }
            match lane.queue.poll(POLL) {
                Some(Ok(message)) => {
                    let slot = (&mut lane.next, &mut lane.head);
                    if take(slot, lane.end, message.offset(), message.payload()) {
                        return Ok(true);
                    }
                    waits_since = None;
                    continue;
                }
                // All that is committed, and that was behind the end that we know before it came to be there.
                Some(Err(KafkaError::PartitionEOF(_))) => {
                    lane.next = lane.end;
                    return Ok(false);
                }
                Some(Err(error)) => trouble = Some(error.to_string()),
                None => {}
            }
            self.listen();
            if waits_since.get_or_insert_with(Instant::now).elapsed() >= SILENCE_MAX {
                let why = trouble.or_else(|| self.consumer.context().refusal());
                let why = why.map(|why| format!(": {why}")).unwrap_or_default();
                let Lane { topic, partition, .. } = &self.lanes[index];
                return Err(ArchiveError::Silent { topic: topic.to_string(), partition: *partition, why });
            }
        }
    }

    /// Lets the client speak; whether a record came this way.
    fn listen(&mut self) -> bool {
        let Some(Ok(message)) = self.consumer.poll(Duration::ZERO) else { return false };
        let is_of = |lane: &&mut Lane| *lane.topic == *message.topic() && lane.partition == message.partition();
        if let Some(lane) = self.lanes.iter_mut().find(is_of) {
            lane.early.push_back(detached(&message));
        }
        true
    }
}

fn detached(message: &BorrowedMessage<'_>) -> (i64, Option<Vec<u8>>) {
    (message.offset(), message.payload().map(<[u8]>::to_vec))
}

/// Takes a record as the next one; whether it is one before the end, with a value.
fn take((next, head): (&mut i64, &mut Vec<u8>), end: i64, offset: i64, value: Option<&[u8]>) -> bool {
    *next = (offset + 1).min(end);
    head.clear();
    head.extend_from_slice(value.unwrap_or_default());
    offset < end && value.is_some()
}
