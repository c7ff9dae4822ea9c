//! The records that one input partition forwards in a transaction, kept until it is certain that it was committed.

use std::ops::Range;

use crate::model::Timestamp;

/// How much memory an empty buffer keeps for the next transaction.
const KEPT_BYTES_MAX: usize = 16 << 20;

/// Where bytes stand in an arena.
pub(crate) type Span = Range<usize>;

/// A record for a merged partition: an event, or a watermark, which has neither key nor value.
pub(crate) struct RepartitionRecord {
    /// The index of the repartition topic.
    pub topic: usize,
    pub partition: i32,
    pub key: Option<Span>,
    pub value: Option<Span>,
    /// What the event's catalog reads beside the value.
    pub metadata: Option<RecordMetadata>,
    /// The event's offset in its source; with a watermark, the source's next offset.
    pub offset: i64,
    pub clock: Timestamp,
}

/// What Kafka kept beside the value of a record that is forwarded.
pub(crate) struct RecordMetadata {
    pub key: Option<Span>,
    pub timestamp: Option<Timestamp>,
    /// Names and values.
    pub headers: Vec<(Span, Span)>,
}

/// Records to forward, in the order in which they were added.
#[derive(Default)]
pub(crate) struct RepartitionBuffer {
    arena: Vec<u8>,
    records: Vec<RepartitionRecord>,
}

impl RepartitionBuffer {
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// How many bytes the keys and values take.
    pub(crate) fn bytes(&self) -> usize {
        self.arena.len()
    }

    /// Copies the bytes of a key or a value into the buffer.
    pub(crate) fn keep(&mut self, bytes: &[u8]) -> Span {
        let start = self.arena.len();
        self.arena.extend_from_slice(bytes);
        start..self.arena.len()
    }

    pub(crate) fn bytes_of(&self, span: &Span) -> &[u8] {
        &self.arena[span.clone()]
    }

    pub(crate) fn push(&mut self, record: RepartitionRecord) {
        self.records.push(record);
    }

    /// The records, each with its key and value.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&RepartitionRecord, Option<&[u8]>, Option<&[u8]>)> {
        let bytes = |span: &Option<Span>| span.clone().map(|span| &self.arena[span]);
        self.records.iter().map(move |record| (record, bytes(&record.key), bytes(&record.value)))
    }

    /// Removes everything, since it was committed.
    pub(crate) fn clear(&mut self) {
        self.arena.shrink_to(KEPT_BYTES_MAX);
        self.arena.clear();
        self.records.clear();
    }
}
