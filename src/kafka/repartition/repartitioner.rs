//! Forwards events to the merged partitions of their entities, and watermarks to those that get no event.
//!
//! The JSON object of an event goes on unchanged, once for each kind of entity that it concerns, to the partition of that entity's key.
//! Two headers tell its place and the clock of its source. A merged partition has to know how far each source is. So a
//! partition that got no event in a transaction gets a watermark: a record without key and value, with the same
//! headers. There is none if the clock has not moved, and at most one per transaction.

use std::sync::Arc;

use rdkafka::message::{Header, Headers, Message, OwnedHeaders};

use super::alignment::SourceLead;
use super::murmur2;
use super::repartition_buffer::{RecordMetadata, RepartitionBuffer, RepartitionRecord};
use super::time_merge::SourcePosition;
use crate::codec::{HeaderSource, InputRecord, RecordHeaders};
use crate::kafka::topology::{RepartitionTopic, SourcePartition};
use crate::model::{Event, Timestamp};

const SOURCE: &str = "tagstream-source";
const CLOCK: &str = "tagstream-clock";
/// The key of the record that was forwarded, where the catalog reads it.
const KEY: &str = "tagstream-key";
/// Its timestamp, likewise.
const TIMESTAMP: &str = "tagstream-timestamp";
/// What the names of its headers begin with, likewise.
const HEADER: &str = "tagstream-header-";

/// What one source forwards.
#[derive(Debug)]
pub(crate) struct Repartitioner {
    source: SourcePartition,
    topics: Arc<[RepartitionTopic]>,
    /// By topic and partition: the clock that was forwarded last, as far as this task knows.
    announced: Vec<Vec<Option<Timestamp>>>,
    /// The lowest of them.
    announced_min: Option<Timestamp>,
    pub lead: SourceLead,
}

impl Repartitioner {
    pub(crate) fn new(source: SourcePartition, topics: Arc<[RepartitionTopic]>, lead: SourceLead) -> Self {
        let announced = topics.iter().map(|topic| vec![None; topic.partitions.max(0) as usize]).collect();
        Repartitioner { source, topics, announced, announced_min: None, lead }
    }

    pub(crate) fn source(&self) -> &SourcePartition {
        &self.source
    }

    /// The watermark that all merged partitions have got.
    pub(crate) fn announced(&self) -> Option<Timestamp> {
        self.announced_min
    }

    /// Whether a merged partition does not know the clock.
    pub(crate) fn is_behind(&self, clock: Option<Timestamp>) -> bool {
        self.announced_min < clock
    }

    /// Forwards an accepted event; `clock` is the source's. `beside`: the record that it comes from, and the names of the
    /// headers that its catalog reads, where it reads more than the value.
    pub(crate) fn forward(
        &mut self,
        event: &Event,
        beside: Option<(InputRecord<'_>, &[Box<str>])>,
        offset: i64,
        clock: Timestamp,
        out: &mut RepartitionBuffer,
    ) {
        let payload = event.record().as_bytes();
        let mut value = None;
        for (number, topic) in self.topics.iter().enumerate() {
            let Some(key) = event.key_of(topic.kind) else { continue };
            let partition = murmur2::partition(key.as_bytes(), topic.partitions);
            let value = value.get_or_insert_with(|| out.keep(payload)).clone();
            let key = Some(out.keep(key.as_bytes()));
            let metadata = beside.map(|(record, headers)| RecordMetadata {
                key: record.key.map(|key| out.keep(key)),
                timestamp: record.timestamp,
                headers: headers
                    .iter()
                    .filter_map(|name| Some((out.keep(name.as_bytes()), out.keep(record.headers.last(name)?))))
                    .collect(),
            });
            out.push(RepartitionRecord { topic: number, partition, key, value: Some(value), metadata, offset, clock });
            self.announced[number][partition as usize] = Some(clock);
            self.lead.add(clock, payload.len());
        }
    }

    /// Adds the watermarks to a buffer that is about to be sent.
    pub(crate) fn add_watermarks(&mut self, clock: Option<Timestamp>, next_offset: i64, out: &mut RepartitionBuffer) {
        let Some(clock) = clock.filter(|clock| self.announced_min < Some(*clock)) else { return };
        // A partition that got an event in this transaction is ahead of the others; the next transaction without events
        // tells the rest.
        let is_busy = !out.is_empty();
        for (number, announced) in self.announced.iter_mut().enumerate() {
            for (partition, announced) in announced.iter_mut().enumerate() {
                if *announced < Some(clock) && (!is_busy || *announced <= self.announced_min) {
                    *announced = Some(clock);
                    let (partition, offset) = (partition as i32, next_offset);
                    let (key, value, metadata) = (None, None, None);
                    out.push(RepartitionRecord { topic: number, partition, key, value, metadata, offset, clock });
                }
            }
        }
        self.announced_min = self.announced.iter().flatten().min().copied().unwrap_or(Some(clock));
    }
}

/// The headers of a record that is forwarded from a source.
pub(crate) fn repartition_headers(
    source: &SourcePartition,
    record: &RepartitionRecord,
    buffer: &RepartitionBuffer,
) -> OwnedHeaders {
    let SourcePartition { topic, partition } = source;
    let (source, clock) = (format!("{topic}/{partition}/{}", record.offset), record.clock.ms().to_string());
    let headers = OwnedHeaders::new_with_capacity(2)
        .insert(Header { key: SOURCE, value: Some(&source) })
        .insert(Header { key: CLOCK, value: Some(&clock) });
    let Some(RecordMetadata { key, timestamp, headers: kept }) = &record.metadata else { return headers };
    let headers = match key {
        Some(key) => headers.insert(Header { key: KEY, value: Some(buffer.bytes_of(key)) }),
        None => headers,
    };
    let headers = match timestamp.map(|at| at.ms().to_string()) {
        Some(at) => headers.insert(Header { key: TIMESTAMP, value: Some(&at) }),
        None => headers,
    };
    kept.iter().fold(headers, |headers, (name, value)| {
        let name = format!("{HEADER}{}", String::from_utf8_lossy(buffer.bytes_of(name)));
        headers.insert(Header { key: &name, value: Some(buffer.bytes_of(value)) })
    })
}

/// The headers of Kafka's records. They are read when one is asked for.
impl<M: Message> HeaderSource for M {
    fn header(&self, index: usize) -> Option<(&str, Option<&[u8]>)> {
        self.headers()?.try_get(index).map(|header| (header.key, header.value))
    }
}

/// An input record as the decoder takes it.
pub(crate) fn input_record<'a>(message: &'a impl Message, payload: &'a [u8]) -> InputRecord<'a> {
    let timestamp = message.timestamp().to_millis().map(Timestamp::from_ms);
    InputRecord { value: payload, key: message.key(), timestamp, headers: RecordHeaders::of(message) }
}

/// A forwarded record as the decoder takes it: with what Kafka kept beside the record that it comes from.
pub(crate) fn forwarded_record<'a>(message: &'a impl Message, payload: &'a [u8]) -> InputRecord<'a> {
    let header = |name: &str| message.headers()?.iter().find(|header| header.key == name)?.value;
    let timestamp = header(TIMESTAMP).and_then(|at| std::str::from_utf8(at).ok()?.parse().ok());
    let timestamp = timestamp.map(Timestamp::from_ms);
    InputRecord { value: payload, key: header(KEY), timestamp, headers: RecordHeaders::below(message, HEADER) }
}

/// Reads the headers of a forwarded record; `None`: it is not one of ours.
pub(crate) fn source_position(message: &impl Message) -> Option<SourcePosition<'_>> {
    let headers = message.headers()?;
    let text = |name: &str| {
        let header = headers.iter().find(|header| header.key == name)?;
        std::str::from_utf8(header.value?).ok()
    };
    let mut source = text(SOURCE)?.rsplitn(3, '/');
    let (offset, partition) = (source.next()?.parse().ok()?, source.next()?.parse().ok()?);
    let clock = Timestamp::from_ms(text(CLOCK)?.parse().ok()?);
    Some(SourcePosition { topic: source.next()?, partition, offset, clock })
}
