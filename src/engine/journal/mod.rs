//! What a partition writes to its changelog in each transaction, and how it is made again from that.
//!
//! # The log
//! One record an entity would cost a client and a broker more than everything else together, so a record is a
//! [`Segment`]: the packed states of many entities. The changelog is compacted by key, and segments are not rewritten in
//! place, so it is kept as a log-structured file system keeps its disk (Rosenblum and Ousterhout, "The Design and
//! Implementation of a Log-Structured File System", 1992), cleaned first in, first out:
//!
//! - Each transaction writes the entities touched since the last one, each once, as new segments. Segments are numbered
//!   for ever, without a gap; the store keeps of each entity the number of the segment that has its latest state.
//! - When the live segments are larger than twice the state, the oldest ones are *cleaned*: of their states those that
//!   are still the latest are written again, with the new segments. Then the segment is dead.
//! - A record's key is a *slot*. A new segment takes the slot of the longest dead one, so that compaction removes that
//!   one; slots of which there are too many are cleared by a tombstone.
//!
//! # Why a reader finds the right state, however far compaction has come
//! 1. The live segments are those numbered from `oldest` up to `next`; the same transaction writes both numbers down.
//!    The slot of a live segment is not written to, so compaction cannot remove it: all of them are there, in order.
//! 2. The latest state of every entity stands in a live segment: touching it put it into a new one, and cleaning the one
//!    where it stood put it into a new one. So of the states in live segments the last one is right, and an erasure
//!    behind it means that there is none.
//! 3. Dead segments may be there or not. A state that only they hold is that of an entity that was erased; it must not
//!    come back, though the note of its erasure may be gone before it is: a reader may have passed the state when
//!    compaction goes over the log and removes both. So at the end [`StateRestorer`] drops what only dead segments hold.
//!    That is also why cleaning need not write notes of erasures again: all older states are in older segments, which
//!    are dead before.
//!
//! Slots are overwritten or cleared in the order in which their segments died. So what a dead segment holds leaves the
//! log before anything that was written after it, and the bytes of an erased entity are gone when the log has gone round
//! once. That must not wait for traffic: behind an erasure the log is *purged*, a piece with each transaction that has
//! nothing else to write, until all that was written up to the erasure, the note of it included, is dead and its slots
//! are cleared ([`Partition::is_purging`]). With traffic the log goes round anyway.
//!
//! # A copy
//! A copy of the state that covers the log up to segment n spares a reader what stands there ([`SnapshotSink`] says why that is
//! right). It is of use as long as `oldest <= n + 1`.
//!
//! # What it costs
//! With entities touched at random, the share x of states that are still the latest when their segment is cleaned
//! solves x = exp(-2(1-x)), 0.20, so for every byte written 0.25 are written again. Where some are touched more often
//! than others it is less. Cleaning goes over at most [`CLEANED_PER_WRITTEN`] times what a transaction writes, so that
//! none of them is much larger for a row of cold segments; the log may then grow to 2 + 1/4 times the state.
//!
//! # A changed catalog
//! The cells of a state are numbered by the catalog. Each segment names its [`Schema`], which says what the numbers
//! mean; a record of its own holds it for as long as live segments need it.

mod copy;
mod entry;
mod meaning;
mod notes;
mod restore;
mod ring;
mod schema;
mod translate;

pub use copy::{SnapshotSink, SnapshotUnavailable};
use entry::{ChangelogEntry, ENTRY_HEAD_BYTES, put_erased, put_state};
pub(in crate::engine) use notes::{Notes, PartialSeries};
pub use restore::{RestoredPartition, StateRestorer};
use ring::SegmentRing;
pub use ring::Slot;
pub use schema::Schema;
pub(in crate::engine) use schema::SchemaCell;
pub(in crate::engine) use translate::Migration;
pub use translate::MigrationReport;

use super::partition::Partition;
use super::program::Program;
use super::store::{EntityId, StateLocation, Store};
use crate::model::Timestamp;

/// Segments are cut at about this size.
const SEGMENT_BYTES: usize = 256 << 10;

/// The log may always have this many bytes more than twice the state.
const SLACK_BYTES: u64 = 64 << 10;

/// So much of the log is cleaned behind an erasure in each transaction that has nothing else to write.
const PURGED_BYTES: u64 = SEGMENT_BYTES as u64;

/// How many bytes of old segments may be cleaned for each byte written.
const CLEANED_PER_WRITTEN: u64 = 4;

/// One record of the log: states and erasures of entities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    pub slot: Slot,
    pub number: u64,
    /// The id of the [`Schema`] in which the states are written.
    pub schema: u64,
    /// The fingerprint of the catalog under which they were written.
    pub catalog: u64,
    /// How many entities the partition had.
    pub population: u64,
    /// One or more in the log; in a copy there may be none left.
    pub count: u32,
    pub entries: &'a [u8],
}

/// Takes what has to be written. All of it belongs into one transaction, with [`Partition::extent`] as it then is.
pub trait ChangelogSink {
    /// A segment, in place of what was in its slot.
    fn segment(&mut self, segment: Segment<'_>);

    /// A slot whose record is to be removed (a tombstone).
    fn clear(&mut self, slot: Slot);

    /// The meaning of a schema, before the first segment that is written in it.
    fn schema(&mut self, id: u64, meaning: &[u8]);

    /// A schema whose record is to be removed.
    fn clear_schema(&mut self, id: u64);
}

/// The live part of a log, by the numbers of segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// The first that is needed; `next` where none is.
    pub oldest: u64,
    /// The one that will be written next.
    pub next: u64,
}

/// What a partition knows of its log.
#[derive(Debug, Default)]
pub struct ChangelogWriter {
    ring: SegmentRing,
    /// Erasures that are not in the log yet, as entries.
    erased: Vec<u8>,
    /// The segment that is being filled.
    open: Vec<u8>,
    /// Room for the list of touched entities.
    spare: Vec<EntityId>,
    /// What cleaning may still go over.
    credit_bytes: u64,
    /// Segments before this one hold, or may hold, something of entities that were erased.
    purge_to: u64,
}

impl ChangelogWriter {
    pub fn bytes(&self) -> usize {
        self.ring.held_bytes()
            + self.erased.capacity()
            + self.open.capacity()
            + self.spare.capacity() * size_of::<EntityId>()
    }
}

/// The changelog.
impl Partition {
    /// Whether the log still has something of entities that were erased: then it is to be written to although nothing
    /// happens.
    pub fn is_purging(&self) -> bool {
        self.changelog.ring.oldest_held() < self.changelog.purge_to
    }

    /// About how many bytes [`Partition::journal`] would hand out now, without what it cleans.
    pub fn pending_bytes(&self) -> usize {
        let (count, bytes) = self.store.dirty();
        bytes + count * ENTRY_HEAD_BYTES + self.changelog.erased.len()
    }

    pub fn extent(&self) -> Extent {
        Extent { oldest: self.changelog.ring.oldest(), next: self.changelog.ring.next() }
    }

    /// Where the partition stands, for [`StateRestorer::finish`].
    pub fn checkpoint(&self) -> Checkpoint {
        let Program { catalog, schema, .. } = &*self.program;
        let (catalog, schema) = (catalog.fingerprint, schema.id());
        Checkpoint { clock: self.clock(), extent: self.extent(), catalog, schema, notes: self.notes() }
    }

    /// What the meta record has to say beside the clock and the extent.
    pub fn notes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let held = self.held_tags.names().cloned().collect();
        let coverage = self.unwritten_coverage.as_ref().unwrap_or(&self.coverage);
        let coverage = coverage.partial_series(&self.program, self.clock());
        let purge_to = if self.is_purging() { self.changelog.purge_to } else { 0 };
        let reevaluation =
            self.reevaluation.filter(|reevaluation| self.clock().is_some_and(|clock| reevaluation.is_on(clock)));
        Notes { ended: self.ended_lives.keys().to_vec(), coverage, held, purge_to, reevaluation }.write(&mut bytes);
        bytes
    }

    /// The size of the live segments.
    pub fn log_bytes(&self) -> u64 {
        self.changelog.ring.bytes()
    }

    /// The size of the state as the log counts it: with nothing in it twice.
    pub fn state_bytes(&self) -> u64 {
        (self.store.packed_bytes() + self.store.len() * ENTRY_HEAD_BYTES) as u64
    }

    /// Drops the state of an entity, silently; whether there was one.
    pub fn erase(&mut self, key: &str) -> bool {
        let hash = Store::hash(key);
        let Some(entity) = self.store.find(hash, key) else {
            return false;
        };
        self.drop_state(entity, hash, key);
        true
    }

    /// Drops the state of an entity of this key.
    pub(super) fn drop_state(&mut self, entity: EntityId, hash: u64, key: &str) {
        self.store.remove(hash, entity);
        put_erased(key, &mut self.changelog.erased);
    }

    /// Hands out what has to be written for the state to be in the log: what was touched or erased since the last call,
    /// and what cleaning writes again. From now on it counts as written: whoever calls this must get it into the log, or
    /// drop the partition.
    pub fn write_changelog(&mut self, log: &mut impl ChangelogSink) {
        if self.owes_coverage() {
            self.unwritten_coverage = None;
        }
        let ChangelogWriter { ring, erased, open, spare, credit_bytes, purge_to } = &mut self.changelog;
        let erases = !erased.is_empty();
        let population = self.store.len() as u64;
        let program = &*self.program;
        let limit = 2 * (self.store.packed_bytes() + self.store.len() * ENTRY_HEAD_BYTES) as u64 + SLACK_BYTES;
        let mut writer = SegmentWriter {
            store: &mut self.store,
            ring,
            open,
            log,
            program,
            population,
            states: 0,
            erasures: 0,
            written: 0,
        };
        // Before the states: an entity may have come back.
        let mut entries = erased.as_slice();
        while let Ok(Some(ChangelogEntry::Erased { key })) = ChangelogEntry::take(&mut entries) {
            writer.put_erased(key);
        }
        erased.clear();
        let mut dirty = writer.store.take_dirty(std::mem::take(spare));
        for entity in dirty.drain(..) {
            if writer.store.is_dirty(entity) {
                writer.put_state(entity);
            }
        }
        *spare = dirty;
        *credit_bytes += CLEANED_PER_WRITTEN * (writer.written + writer.open.len() as u64);
        while writer.bytes() > limit
            && let Some(bytes) = writer.ring.oldest_bytes()
            && bytes <= *credit_bytes
        {
            *credit_bytes -= bytes;
            writer.clean();
        }
        if writer.bytes() <= limit {
            *credit_bytes = 0;
        }
        let is_idle = writer.written == 0 && writer.is_empty();
        let purged_to = if is_idle { *purge_to } else { 0 };
        writer.purge(purged_to);
        writer.close();
        if erases {
            // The note of the erasure names the entity, too.
            *purge_to = ring.next();
        }
        while let Some(slot) = ring.clear_one(purged_to) {
            log.clear(slot);
        }
        while let Some(id) = ring.drop_schema(program.schema.id()) {
            log.clear_schema(id);
        }
    }
}

/// Fills segments.
struct SegmentWriter<'a, L> {
    store: &'a mut Store,
    ring: &'a mut SegmentRing,
    open: &'a mut Vec<u8>,
    log: &'a mut L,
    program: &'a Program,
    population: u64,
    /// In the open segment.
    states: u32,
    erasures: u32,
    /// In the closed ones.
    written: u64,
}

impl<L: ChangelogSink> SegmentWriter<'_, L> {
    /// The size of the live segments, with the open one.
    fn bytes(&self) -> u64 {
        self.ring.bytes() + self.open.len() as u64
    }

    fn make_room(&mut self, bytes: usize) {
        if self.open.len() + bytes > SEGMENT_BYTES {
            self.close();
        }
    }

    fn put_erased(&mut self, key: &str) {
        self.make_room(key.len());
        put_erased(key, self.open);
        self.erasures += 1;
    }

    fn put_state(&mut self, entity: EntityId) {
        self.make_room(self.store.packed(entity).len());
        put_state(self.store.packed(entity), self.store.due(entity), self.open);
        self.store.set_location(entity, StateLocation::segment(self.ring.next()));
        self.ring.add_state(entity);
        self.states += 1;
    }

    /// Writes the states again for which the oldest segment is needed, so that it is not.
    fn clean(&mut self) {
        let Some((number, states)) = self.ring.retire() else {
            return;
        };
        for _ in 0..states {
            if let Some(entity) = self.ring.pop_state()
                && self.store.is_at(entity, StateLocation::segment(number))
            {
                self.put_state(entity);
            }
        }
    }

    /// Whether nothing is in the open segment.
    fn is_empty(&self) -> bool {
        self.states + self.erasures == 0
    }

    /// Cleans a piece of what is before a segment.
    fn purge(&mut self, purge_to: u64) {
        let mut cleaned = 0;
        while self.ring.oldest() < purge_to.min(self.ring.next())
            && let Some(bytes) = self.ring.oldest_bytes()
            && (cleaned == 0 || cleaned + bytes <= PURGED_BYTES)
        {
            cleaned += bytes;
            self.clean();
        }
    }

    /// Hands out the open segment, if there is anything in it.
    fn close(&mut self) {
        if self.is_empty() {
            return;
        }
        let schema = &self.program.schema;
        if !self.ring.has_schema(schema.id()) {
            self.log.schema(schema.id(), schema.meaning());
        }
        let number = self.ring.next();
        let slot = self.ring.push(self.states, self.open.len(), schema.id());
        self.log.segment(Segment {
            slot,
            number,
            schema: schema.id(),
            catalog: self.program.catalog.fingerprint,
            population: self.population,
            count: self.states + self.erasures,
            entries: self.open,
        });
        self.written += self.open.len() as u64;
        self.open.clear();
        (self.states, self.erasures) = (0, 0);
    }
}

/// The instant from which a partition goes on, and the part of the log that its state is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    pub clock: Option<Timestamp>,
    pub extent: Extent,
    /// The fingerprint of the catalog that was in force.
    pub catalog: u64,
    /// The id of its schema.
    pub schema: u64,
    /// As [`Partition::notes`] gave them.
    pub notes: Vec<u8>,
}

/// Why a log cannot be restored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangelogError {
    #[error("an entry of a segment is not one")]
    ChangelogEntry,
    #[error("a segment says that it has {said} entries, and has {found}")]
    Count { said: u32, found: u32 },
    #[error("slot {slot} is none that a log has")]
    Slot { slot: Slot },
    #[error("segment {number}, which is needed, is missing")]
    Missing { number: u64 },
    #[error("the schema {schema:016x} of segment {number}, which is needed, is missing")]
    NoSchema { number: u64, schema: u64 },
    #[error("the meaning of a schema cannot be read: {0}")]
    MeaningWriter(&'static str),
    #[error("the notes of the meta record are none")]
    Notes,
    #[error("segment {number} is none that a log has")]
    Number { number: u64 },
    #[error("the copy ends in front of segment {snapshot_to}, and of the log only what begins with {oldest} is needed")]
    Outdated { snapshot_to: u64, oldest: u64 },
    #[error("the log says that segments {} to {} are needed", extent.oldest, extent.next)]
    Extent { extent: Extent },
}
