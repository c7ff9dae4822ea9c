//! What a partition writes to its changelog in each transaction. The format is described in `engine::changelog`.

use super::Partition;
use crate::engine::changelog::{
    ChangelogEntry, ChangelogSink, Checkpoint, ENTRY_HEAD_BYTES, Extent, Notes, Segment, SegmentRing, put_erased,
    put_state,
};
use crate::engine::entity::{EntityId, FETCHED, StateLocation, Store};
use crate::engine::program::Program;

/// A segment ends at about this size.
const SEGMENT_BYTES: usize = 256 << 10;

/// The changelog may always be this much larger than twice the state.
const SLACK_BYTES: u64 = 64 << 10;

/// How much is cleaned after an erasure, in each transaction that has nothing else to write.
const PURGED_BYTES: u64 = SEGMENT_BYTES as u64;

/// How many bytes of old segments may be cleaned for each byte written.
const CLEANED_PER_WRITTEN: u64 = 4;

/// A partition's changelog, and what is not in it yet.
#[derive(Debug, Default)]
pub(super) struct ChangelogWriter {
    segments: SegmentRing,
    /// Erasures that are not in the changelog yet, as entries.
    erased: Vec<u8>,
    /// The segment that is being filled.
    open: Vec<u8>,
    /// A buffer for the list of dirty entities.
    spare: Vec<EntityId>,
    /// How many bytes cleaning may still read.
    credit_bytes: u64,
    /// Segments before this one may hold something of entities that were erased.
    purge_to: u64,
}

impl ChangelogWriter {
    /// Goes on with a changelog that was read; segments before `purge_to` may hold something of erased entities.
    pub(super) fn restored(segments: SegmentRing, purge_to: u64) -> Self {
        ChangelogWriter { segments, purge_to, ..ChangelogWriter::default() }
    }

    pub(super) fn segments(&self) -> &SegmentRing {
        &self.segments
    }

    pub(super) fn bytes(&self) -> usize {
        self.segments.held_bytes()
            + self.erased.capacity()
            + self.open.capacity()
            + self.spare.capacity() * size_of::<EntityId>()
    }
}

/// The changelog.
impl Partition {
    /// Whether the changelog still has something of entities that were erased. If so, it has to be written to although
    /// nothing happens.
    pub fn is_purging(&self) -> bool {
        self.changelog.segments.oldest_held() < self.changelog.purge_to
    }

    /// About how many bytes [`Partition::write_changelog`] would write now, without what it cleans.
    pub fn pending_bytes(&self) -> usize {
        let (count, bytes) = self.store.dirty();
        bytes + count * ENTRY_HEAD_BYTES + self.changelog.erased.len()
    }

    /// The live segments.
    pub fn extent(&self) -> Extent {
        Extent { oldest: self.changelog.segments.oldest(), next: self.changelog.segments.next() }
    }

    /// Where the partition stands, for [`StateRestorer::finish`](crate::engine::StateRestorer::finish).
    pub fn checkpoint(&self) -> Checkpoint {
        let Program { catalog, schema, .. } = &*self.program;
        let (catalog, schema) = (catalog.fingerprint, schema.id());
        Checkpoint { clock: self.clock(), extent: self.extent(), catalog, schema, notes: self.notes() }
    }

    /// The notes of the meta record.
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
        self.changelog.segments.bytes()
    }

    /// The size of the state in the changelog if every entity were in it once.
    pub fn state_bytes(&self) -> u64 {
        (self.store.state_bytes() + self.store.len() * ENTRY_HEAD_BYTES) as u64
    }

    /// Drops the state of an entity without any tag change; whether there was one.
    pub fn erase(&mut self, key: &str) -> bool {
        let hash = Store::hash(key);
        let Some(entity) = self.store.find(hash, key) else {
            return false;
        };
        self.drop_state(entity, hash, key);
        true
    }

    /// Drops the state of an entity with this key.
    pub(super) fn drop_state(&mut self, entity: EntityId, hash: u64, key: &str) {
        self.store.remove(hash, entity);
        put_erased(key, &mut self.changelog.erased);
    }

    /// Writes everything that the changelog lacks: what was written or erased since the last call, and what cleaning
    /// writes again. From now on it counts as written: if it does not get into the changelog, the caller must drop the
    /// partition.
    pub fn write_changelog(&mut self, log: &mut impl ChangelogSink) {
        if self.owes_coverage() {
            self.unwritten_coverage = None;
        }
        let ChangelogWriter { segments, erased, open, spare, credit_bytes, purge_to } = &mut self.changelog;
        let erases = !erased.is_empty();
        let population = self.store.len() as u64;
        let program = &*self.program;
        let limit = 2 * (self.store.state_bytes() + self.store.len() * ENTRY_HEAD_BYTES) as u64 + SLACK_BYTES;
        let mut writer = SegmentWriter {
            store: &mut self.store,
            segments,
            open,
            state: &mut Vec::new(),
            log,
            program,
            population,
            states: 0,
            erasures: 0,
            written: 0,
        };
        // Erasures come before states: an entity may have come back.
        let mut entries = erased.as_slice();
        while let Ok(Some(ChangelogEntry::Erased { key })) = ChangelogEntry::take(&mut entries) {
            writer.put_erased(key);
        }
        erased.clear();
        let mut dirty = writer.store.take_dirty(std::mem::take(spare));
        writer.put_states(&dirty, StateLocation::DIRTY);
        dirty.clear();
        *spare = dirty;
        *credit_bytes += CLEANED_PER_WRITTEN * (writer.written + writer.open.len() as u64);
        while writer.bytes() > limit
            && let Some(bytes) = writer.segments.oldest_bytes()
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
            *purge_to = segments.next();
        }
        while let Some(slot) = segments.clear_one(purged_to) {
            log.clear(slot);
        }
        while let Some(id) = segments.drop_schema(program.schema.id()) {
            log.clear_schema(id);
        }
    }
}

/// Fills segments and hands them to the sink.
struct SegmentWriter<'a, L> {
    store: &'a mut Store,
    segments: &'a mut SegmentRing,
    open: &'a mut Vec<u8>,
    /// A buffer for a state.
    state: &'a mut Vec<u8>,
    log: &'a mut L,
    program: &'a Program,
    population: u64,
    /// In the open segment.
    states: u32,
    erasures: u32,
    /// In the closed segments.
    written: u64,
}

impl<L: ChangelogSink> SegmentWriter<'_, L> {
    /// The size of the live segments, with the open one.
    fn bytes(&self) -> u64 {
        self.segments.bytes() + self.open.len() as u64
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

    /// Writes the states of those entities whose latest state is at a location.
    fn put_states(&mut self, entities: &[EntityId], location: StateLocation) {
        for together in entities.chunks(FETCHED) {
            let store = &*self.store;
            store.fetch_packed(together.iter().copied().filter(|entity| store.is_at(*entity, location)));
            for entity in together {
                // An entity may be listed twice.
                if self.store.is_at(*entity, location) {
                    self.put_state(*entity);
                }
            }
        }
    }

    fn put_state(&mut self, entity: EntityId) {
        self.make_room(self.store.state_len(entity));
        put_state(self.store.state(entity, self.state), self.store.due(entity), self.open);
        self.store.set_location(entity, StateLocation::segment(self.segments.next()));
        self.segments.add_state(entity);
        self.states += 1;
    }

    /// Writes those states again for which the oldest segment is needed; then the segment is dead.
    fn clean(&mut self) {
        let Some((number, states)) = self.segments.retire() else {
            return;
        };
        let states = (0..states).filter_map(|_| self.segments.pop_state());
        let location = StateLocation::segment(number);
        let latest: Vec<EntityId> = states.filter(|entity| self.store.is_at(*entity, location)).collect();
        self.put_states(&latest, location);
    }

    /// Whether nothing is in the open segment.
    fn is_empty(&self) -> bool {
        self.states + self.erasures == 0
    }

    /// Cleans a part of the segments before `purge_to`.
    fn purge(&mut self, purge_to: u64) {
        let mut cleaned = 0;
        while self.segments.oldest() < purge_to.min(self.segments.next())
            && let Some(bytes) = self.segments.oldest_bytes()
            && (cleaned == 0 || cleaned + bytes <= PURGED_BYTES)
        {
            cleaned += bytes;
            self.clean();
        }
    }

    /// Hands the open segment to the sink, unless it is empty.
    fn close(&mut self) {
        if self.is_empty() {
            return;
        }
        let schema = &self.program.schema;
        if !self.segments.has_schema(schema.id()) {
            self.log.schema(schema.id(), schema.meaning());
        }
        let number = self.segments.next();
        let slot = self.segments.push(self.states, self.open.len(), schema.id());
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
