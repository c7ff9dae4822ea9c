//! What one partition sends in its next transaction, kept until it is certain that the transaction was committed.
//!
//! A buffer can be sent any number of times and is the same each time: after an abort it is sent again, and the
//! partition's state is not touched. It is bounded: a full buffer is committed before anything else is added. It is
//! completed once, when it is sealed for its first transaction: then it gets the changelog records of each entity that
//! was touched, once per entity.

use rdkafka::message::{Headers, Message, OwnedHeaders};

use super::dead_letter::{LetterHeaders, LetterOrigin};
use crate::codec::{ChangelogKey, ChangelogRecord, Meta, OwnedRecord, Reject, SourceEntry, write_change};
use crate::engine::{ChangelogSink, Extent, Segment, Sink, Slot};
use crate::kafka::events::ChangeStats;
use crate::kafka::repartition::{RepartitionBuffer, Span, TimeMerge};
use crate::model::{ChangeType, TagChange, Timestamp};

/// A buffer of this size is committed before more is added: a transaction can send so much within its time-out even to
/// a slow broker. (The worker bounds the buffers of all its partitions together.)
const BYTES_MAX: usize = 16 << 20;
const RECORDS_MAX: usize = 50_000;

/// A tag change, as it is sent.
pub(crate) struct ChangeRecord {
    key: Span,
    value: Span,
    pub id: u128,
    pub change: ChangeType,
    pub at: Timestamp,
}

/// A record that was rejected, as it came, and why.
pub(crate) struct DeadLetter {
    key: Option<Span>,
    value: Span,
    pub headers: LetterHeaders,
}

/// The changelog's record of where the partition stands, without the name of the transaction that carries it.
pub(crate) struct SealedMeta {
    pub log: u64,
    pub next_offset: i64,
    pub clock: Option<Timestamp>,
    pub extent: Extent,
    pub catalog: u64,
    pub schema: u64,
    /// Encoded facts.
    pub facts: Vec<u8>,
    pub notes: Vec<u8>,
}

impl SealedMeta {
    /// The record for a transaction of this name.
    pub(crate) fn named<'a>(&'a self, transaction: &'a str) -> ChangelogRecord<'a> {
        let SealedMeta { log, next_offset, clock, extent, catalog, schema, ref facts, ref notes } = *self;
        ChangelogRecord::Meta(Meta { log, next_offset, clock, extent, catalog, schema, transaction, facts, notes })
    }
}

/// The output of one partition.
#[derive(Default)]
pub(crate) struct OutputBuffer {
    arena: Vec<u8>,
    changes: Vec<ChangeRecord>,
    /// How many changes, from the first on, were sent before the transaction.
    pub sent_early: usize,
    dead_letters: Vec<DeadLetter>,
    /// Records for merged partitions.
    pub repartition: RepartitionBuffer,
    tally: ChangeStats,
    /// The keys of entities whose tags changed, or that were removed; of the same entity perhaps several times.
    touched: Vec<Span>,
    /// Current tags of the touched entities: a key, and a value unless the entity was removed.
    tags: Vec<(Span, Option<Span>)>,
    /// Records of the changelog: a key, and a value unless it is a tombstone.
    log: Vec<(Span, Option<Span>)>,
    meta: Option<SealedMeta>,
}

impl OutputBuffer {
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
            && self.dead_letters.is_empty()
            && self.repartition.is_empty()
            && self.touched.is_empty()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.arena.len() + self.repartition.bytes()
    }

    pub(crate) fn change_count(&self) -> u64 {
        self.changes.len() as u64
    }

    pub(crate) fn is_full(&self) -> bool {
        self.bytes() >= BYTES_MAX
            || self.changes.len() + self.dead_letters.len() + self.repartition.len() >= RECORDS_MAX
    }

    /// Removes everything, since it was committed. Returns the counts of the changes.
    pub(crate) fn clear(&mut self) -> ChangeStats {
        // Memory that one burst has needed is given back.
        self.arena.shrink_to(BYTES_MAX);
        self.arena.clear();
        self.changes.clear();
        self.sent_early = 0;
        self.dead_letters.clear();
        self.repartition.clear();
        self.touched.clear();
        self.tags.clear();
        self.log.clear();
        self.meta = None;
        std::mem::take(&mut self.tally)
    }

    /// The changes from this index on, with key and value.
    pub(crate) fn changes_from(&self, first: usize) -> impl Iterator<Item = (&ChangeRecord, &[u8], &[u8])> {
        self.changes[first..]
            .iter()
            .map(|change| (change, &self.arena[change.key.clone()], &self.arena[change.value.clone()]))
    }

    pub(crate) fn dead_letters(&self) -> impl Iterator<Item = (&DeadLetter, Option<&[u8]>, &[u8])> {
        self.dead_letters.iter().map(|dead_letter| {
            let key = dead_letter.key.clone().map(|key| &self.arena[key]);
            (dead_letter, key, &self.arena[dead_letter.value.clone()])
        })
    }

    /// Current tags, with key and value.
    pub(crate) fn tags(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.keyed(&self.tags)
    }

    /// Records of the changelog, with key and value.
    pub(crate) fn log(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.keyed(&self.log)
    }

    fn keyed<'a>(&'a self, records: &'a [(Span, Option<Span>)]) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> {
        records.iter().map(|(key, value)| (&self.arena[key.clone()], value.clone().map(|value| &self.arena[value])))
    }

    /// The record of where the partition stands; `None`: it keeps no state.
    pub(crate) fn meta(&self) -> Option<&SealedMeta> {
        self.meta.as_ref()
    }

    /// Adds the current tags of an entity. `write` writes them, and returns whether the entity exists.
    pub(crate) fn add_current_tags(&mut self, entity: &str, key: &str, write: impl FnOnce(&mut Vec<u8>) -> bool) {
        let start = self.arena.len();
        self.arena.extend_from_slice(entity.as_bytes());
        self.arena.push(b':');
        self.arena.extend_from_slice(key.as_bytes());
        let key = start..self.arena.len();
        let is_known = write(&mut self.arena);
        let value = is_known.then_some(key.end..self.arena.len());
        self.tags.push((key, value));
    }

    /// Adds the record of the progress of a merged partition's sources.
    pub(crate) fn add_sources(&mut self, merge: &TimeMerge<OwnedRecord>) {
        let mut entries = Vec::new();
        for (source, clock, next) in merge.progress() {
            SourceEntry { topic: &source.topic, partition: source.partition, clock, next }.write(&mut entries);
        }
        self.put_log(&ChangelogRecord::Sources { read_to: merge.read_to(), entries: &entries });
    }

    /// Adds tombstones for these keys of the changelog.
    pub(crate) fn clear_keys(&mut self, keys: &[ChangelogKey]) {
        keys.iter().for_each(|key| self.put_log(&ChangelogRecord::Cleared(*key)));
    }

    pub(crate) fn add_meta(&mut self, meta: SealedMeta) {
        self.meta = Some(meta);
    }

    /// The keys of the entities whose tags changed, or that were removed, each once and in order.
    pub(crate) fn touched(&self) -> Vec<Span> {
        let mut keys = self.touched.clone();
        keys.sort_unstable_by_key(|key| &self.arena[key.clone()]);
        keys.dedup_by_key(|key| &self.arena[key.clone()]);
        keys
    }

    /// What was kept as text.
    pub(crate) fn text(&self, span: Span) -> &str {
        std::str::from_utf8(&self.arena[span]).unwrap_or_default()
    }

    /// Keeps a rejected record, with headers that tell the reason and its place.
    pub(crate) fn reject(&mut self, message: &impl Message, reason: Reject, detail: Option<&str>) {
        let key = message.key().map(|key| self.keep(key));
        let value = self.keep(message.payload().unwrap_or_default());
        let given = message.headers().into_iter().flat_map(Headers::iter);
        let given = given.fold(OwnedHeaders::new(), |given, header| given.insert(header));
        let origin = LetterOrigin {
            reason: reason.code(),
            detail,
            topic: message.topic(),
            partition: message.partition(),
            offset: message.offset(),
        };
        let headers = LetterHeaders::new(given, origin);
        self.dead_letters.push(DeadLetter { key, value, headers });
    }

    /// Copies bytes into the arena.
    pub(crate) fn keep(&mut self, bytes: &[u8]) -> Span {
        let start = self.arena.len();
        self.arena.extend_from_slice(bytes);
        start..self.arena.len()
    }
}

impl OutputBuffer {
    fn put_log(&mut self, record: &ChangelogRecord<'_>) {
        let start = self.arena.len();
        record.key().write(&mut self.arena);
        let key = start..self.arena.len();
        let has_value = record.write_value(&mut self.arena);
        let value = has_value.then_some(key.end..self.arena.len());
        self.log.push((key, value));
    }
}

impl ChangelogSink for OutputBuffer {
    fn segment(&mut self, segment: Segment<'_>) {
        self.put_log(&ChangelogRecord::Segment(segment));
    }

    fn clear(&mut self, slot: Slot) {
        self.put_log(&ChangelogRecord::Cleared(ChangelogKey::Segment(slot)));
    }

    fn schema(&mut self, id: u64, meaning: &[u8]) {
        self.put_log(&ChangelogRecord::Schema { id, meaning });
    }

    fn clear_schema(&mut self, id: u64) {
        self.put_log(&ChangelogRecord::Cleared(ChangelogKey::Schema(id)));
    }
}

impl Sink for OutputBuffer {
    fn change(&mut self, change: &TagChange<'_>) {
        let key = self.keep(change.key.as_bytes());
        let start = self.arena.len();
        let id = write_change(change, &mut self.arena);
        let value = start..self.arena.len();
        self.touched.push(key.clone());
        self.changes.push(ChangeRecord { key, value, id, change: change.change_type(), at: change.at });
        self.tally.count(change.tag, change.change_type());
    }

    fn ended(&mut self, key: &str) {
        let key = self.keep(key.as_bytes());
        self.touched.push(key);
    }
}
