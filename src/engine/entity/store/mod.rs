//! Entities at rest: packed bytes in blocks of size classes, found through an index that keeps no keys.
//!
//! | file | holds |
//! | --- | --- |
//! | [`entries`] | what is kept of each entity beside its bytes |
//! | [`size_class`] | blocks of bytes in size classes |
//! | [`many_ids`] | the ids of an entity that remembers many, beside its packed bytes |

mod entries;
mod size_class;
mod many_ids;

use std::collections::BTreeMap;

use xxhash_rust::xxh3::xxh3_64;

use super::index::HashIndex;
use super::seen_ids::{Acceptance, DedupRule, IdTally, SeenId};
use super::state::EntityState;
use crate::model::Timestamp;
use entries::{EntityEntry, Entries};
pub(crate) use entries::{EntityId, StateLocation};
use many_ids::ManyIds;
use size_class::{SizeClass, class_of};

/// The number of entities looked up at once while a changelog is read.
pub(crate) const FETCHED: usize = 16;

/// How many bytes come from memory at once, and how many times that of an entity: what follows comes as fast as it is
/// copied.
const CACHE_LINE: usize = 64;
const LINES_FETCHED: usize = 8;

/// All entities of a partition.
#[derive(Debug, Default)]
pub(crate) struct Store {
    index: HashIndex,
    entries: Entries,
    /// Entries without an entity.
    vacant: Vec<EntityId>,
    classes: Vec<SizeClass>,
    /// The ids of entities that remember many of them: the one part of a state that is not in the packed bytes.
    many_ids: BTreeMap<EntityId, ManyIds>,
    /// The size of all states.
    state_bytes: usize,
    dirty: DirtyEntities,
    /// A bit for each entity that has yet to be evaluated under the present catalog; empty where there are none.
    pending_reevaluations: Vec<u64>,
    pending_count: usize,
}

/// The entities written since the changelog last had them.
#[derive(Debug, Default)]
struct DirtyEntities {
    /// Each once; entities that were erased since, or have the number of an erased one, may be listed too.
    list: Vec<EntityId>,
    bytes: usize,
}

impl Store {
    pub(crate) fn len(&self) -> usize {
        self.entries.len() - self.vacant.len()
    }

    /// Makes room for a number of entities.
    pub(crate) fn reserve(&mut self, entities: usize) {
        self.index.reserve(entities);
    }

    pub(crate) fn hash(key: &str) -> u64 {
        Store::hash_bytes(key.as_bytes())
    }

    /// The hash of a key that [`EntityState::key_of`] found.
    pub(crate) fn hash_bytes(key: &[u8]) -> u64 {
        xxh3_64(key)
    }

    pub(crate) fn find(&self, hash: u64, key: &str) -> Option<EntityId> {
        let is_it = |number| EntityState::key_of(self.packed(EntityId(number))) == key.as_bytes();
        self.index.find(hash, is_it).map(EntityId)
    }

    /// Adds an entity that [`Store::find`] did not find.
    pub(crate) fn insert(&mut self, hash: u64, packed: &[u8]) -> EntityId {
        let entity = self.add(hash, packed);
        self.mark_dirty(entity, packed.len());
        entity
    }

    fn add(&mut self, hash: u64, packed: &[u8]) -> EntityId {
        let entity = self.vacant.pop().unwrap_or_else(|| self.entries.add());
        self.state_bytes += packed.len();
        self.place(entity, packed);
        self.index.insert(hash, entity.0);
        entity
    }

    fn mark_dirty(&mut self, entity: EntityId, len: usize) {
        self.entries[entity].location = StateLocation::DIRTY;
        self.dirty.list.push(entity);
        self.dirty.bytes += len;
    }

    /// Takes an entity out. Its number may be given to another entity.
    pub(crate) fn remove(&mut self, hash: u64, entity: EntityId) {
        let entry = self.entries[entity];
        let len = self.state_len(entity);
        self.state_bytes -= len;
        if entry.location == StateLocation::DIRTY {
            self.dirty.bytes -= len;
        }
        self.many_ids.remove(&entity);
        self.index.remove(hash, entity.0);
        self.set_reevaluated(entity);
        self.vacate(entry);
        self.entries[entity] = EntityEntry::EMPTY;
        self.vacant.push(entity);
    }

    /// The hash of an entity's key.
    pub(crate) fn hash_of(&self, entity: EntityId) -> u64 {
        Store::hash_bytes(EntityState::key_of(self.packed(entity)))
    }

    /// The packed bytes of an entity: its state, but for the ids where it remembers many.
    pub(crate) fn packed(&self, entity: EntityId) -> &[u8] {
        let entry = self.entries[entity];
        self.classes[entry.class() as usize].get(entry.block, entry.len())
    }

    /// Replaces an entity's bytes.
    pub(crate) fn write(&mut self, entity: EntityId, packed: &[u8]) {
        let entry = self.entries[entity];
        if entry.location == StateLocation::DIRTY {
            self.dirty.bytes = self.dirty.bytes + packed.len() - entry.len();
        } else {
            self.mark_dirty(entity, packed.len() + self.ids_len(entity));
        }
        self.replace(entity, packed);
    }

    fn replace(&mut self, entity: EntityId, packed: &[u8]) {
        let entry = &mut self.entries[entity];
        self.state_bytes = self.state_bytes + packed.len() - entry.len();
        if class_of(packed.len()) == entry.class() {
            entry.set(entry.class(), packed.len());
            self.classes[entry.class() as usize].put(entry.block, packed);
            return;
        }
        let entry = *entry;
        self.vacate(entry);
        self.place(entity, packed);
    }

    /// Frees an entity's block.
    fn vacate(&mut self, entry: EntityEntry) {
        if let Some(moved) = self.classes[entry.class() as usize].free(entry.block) {
            self.entries[moved].block = entry.block;
        }
    }

    fn place(&mut self, entity: EntityId, packed: &[u8]) {
        let class = class_of(packed.len());
        while self.classes.len() <= class as usize {
            self.classes.push(SizeClass::new(self.classes.len() as u32));
        }
        let blocks = &mut self.classes[class as usize];
        let entry = &mut self.entries[entity];
        entry.block = blocks.allocate(entity);
        entry.set(class, packed.len());
        blocks.put(entry.block, packed);
    }

    pub(crate) fn due(&self, entity: EntityId) -> Timestamp {
        self.entries[entity].due
    }

    pub(crate) fn set_due(&mut self, entity: EntityId, due: Timestamp) {
        self.entries[entity].due = due;
    }

    /// The numbers of all entities, vacant ones included.
    pub(crate) fn entities(&self) -> impl Iterator<Item = EntityId> + use<> {
        (0..self.entries.len() as u32).map(EntityId)
    }

    /// The size of the states of all entities.
    pub(crate) fn state_bytes(&self) -> usize {
        self.state_bytes
    }

    /// Bytes allocated, used or not.
    pub(crate) fn bytes(&self) -> usize {
        self.index.bytes()
            + self.entries.bytes()
            + (self.vacant.capacity() + self.dirty.list.capacity()) * size_of::<EntityId>()
            + self.classes.iter().map(SizeClass::bytes).sum::<usize>()
            + self.many_ids.values().map(|many| size_of::<ManyIds>() + many.ids.bytes()).sum::<usize>()
    }
}

/// The ids of entities that remember many.
impl Store {
    /// Accepts an id of an entity that has just been unpacked, or of a new one, unless it is remembered. After
    /// [`Acceptance::New`] the unpacked entity has to be written or removed.
    pub(crate) fn accept_id(
        &mut self,
        entity: Option<EntityId>,
        unpacked: &mut EntityState,
        id: SeenId,
        rule: DedupRule,
        tally: &mut IdTally,
    ) -> Acceptance {
        let Some(entity) = entity else { return unpacked.accept_id(id, rule, tally) };
        if !self.many_ids.contains_key(&entity) {
            self.unfold_ids(entity, unpacked, tally);
        }
        let Some(many) = self.many_ids.get_mut(&entity) else { return unpacked.accept_id(id, rule, tally) };
        let before = many.cell_len();
        let acceptance = many.ids.accept(id, rule, tally);
        let mut after = many.cell_len();
        if acceptance == Acceptance::New
            && many.ids.are_few()
            && let Some(ManyIds { mut ids, .. }) = self.many_ids.remove(&entity)
        {
            ids.drop_index();
            unpacked.put_few_ids(ids);
            after = 0;
        }
        self.count_resized(entity, before, after);
        acceptance
    }

    /// Takes the ids out of an entity's packed bytes, where they are many. Its state is the same.
    fn unfold_ids(&mut self, entity: EntityId, unpacked: &mut EntityState, tally: &mut IdTally) {
        let Some(mut ids) = unpacked.take_many_ids(tally) else { return };
        ids.build_index();
        let mut packed = Vec::new();
        unpacked.pack(&mut packed);
        self.rewrite(entity, &packed);
        self.many_ids.insert(entity, ManyIds { cell: unpacked.seen_ids_cell(), ids });
        self.count_resized(entity, 0, self.ids_len(entity));
    }

    /// Packs the ids of all entities into their other bytes, for what reads and rewrites whole states.
    pub(crate) fn fold_ids(&mut self) {
        let mut whole = Vec::new();
        while let Some((entity, many)) = self.many_ids.pop_first() {
            whole.clear();
            many.put_whole(self.packed(entity), &mut whole);
            self.count_resized(entity, many.cell_len(), 0);
            self.rewrite(entity, &whole);
        }
    }

    /// The state of an entity; `buffer` is for one that has to be put together.
    pub(crate) fn state<'a>(&'a self, entity: EntityId, buffer: &'a mut Vec<u8>) -> &'a [u8] {
        let packed = self.packed(entity);
        let Some(many) = self.many_ids.get(&entity) else { return packed };
        buffer.clear();
        many.put_whole(packed, buffer);
        buffer
    }

    /// The length of an entity's state.
    pub(crate) fn state_len(&self, entity: EntityId) -> usize {
        self.entries[entity].len() + self.ids_len(entity)
    }

    /// The length of an entity's state beside its packed bytes.
    fn ids_len(&self, entity: EntityId) -> usize {
        self.many_ids.get(&entity).map_or(0, ManyIds::cell_len)
    }

    /// What an entity has beside its packed bytes has another length.
    fn count_resized(&mut self, entity: EntityId, before: usize, after: usize) {
        self.state_bytes = self.state_bytes + after - before;
        if self.is_dirty(entity) {
            self.dirty.bytes = self.dirty.bytes + after - before;
        }
    }
}

/// Which entities have yet to be evaluated under the present catalog.
impl Store {
    pub(crate) fn set_pending_reevaluation(&mut self, entity: EntityId) {
        let (word, bit) = (entity.0 as usize / 64, entity.0 % 64);
        if self.pending_reevaluations.len() <= word {
            self.pending_reevaluations.resize(self.entries.len().div_ceil(64), 0);
        }
        self.pending_count += usize::from(self.pending_reevaluations[word] & 1 << bit == 0);
        self.pending_reevaluations[word] |= 1 << bit;
    }

    /// The number of such entities.
    pub(crate) fn pending_reevaluations(&self) -> usize {
        self.pending_count
    }

    /// Whether an entity is one of them.
    pub(crate) fn is_pending_reevaluation(&self, entity: EntityId) -> bool {
        let word = self.pending_reevaluations.get(entity.0 as usize / 64);
        word.is_some_and(|word| word & 1 << (entity.0 % 64) != 0)
    }

    /// The entity counts as evaluated from now on; whether it did not before.
    pub(crate) fn set_reevaluated(&mut self, entity: EntityId) -> bool {
        let (word, bit) = (entity.0 as usize / 64, entity.0 % 64);
        let Some(word) = self.pending_reevaluations.get_mut(word) else { return false };
        let before = *word;
        *word &= !(1 << bit);
        self.pending_count -= usize::from(before != *word);
        before != *word
    }

    /// Replaces the bytes of an entity whose state is the same; it does not become dirty.
    pub(crate) fn rewrite(&mut self, entity: EntityId, packed: &[u8]) {
        let entry = self.entries[entity];
        if entry.location == StateLocation::DIRTY {
            self.dirty.bytes = self.dirty.bytes + packed.len() - entry.len();
        }
        self.replace(entity, packed);
    }
}

/// What the changelog needs.
impl Store {
    /// The number of entities written since the changelog last had them, and their bytes.
    pub(crate) fn dirty(&self) -> (usize, usize) {
        (self.dirty.list.len(), self.dirty.bytes)
    }

    /// Takes the list of dirty entities and leaves `spare`, an empty one.
    ///
    /// The caller sets the location of each. An entity whose location is another than [`StateLocation::DIRTY`] was erased
    /// since, or is listed twice.
    pub(crate) fn take_dirty(&mut self, spare: Vec<EntityId>) -> Vec<EntityId> {
        self.dirty.bytes = 0;
        std::mem::replace(&mut self.dirty.list, spare)
    }

    pub(crate) fn is_dirty(&self, entity: EntityId) -> bool {
        self.entries[entity].location == StateLocation::DIRTY
    }

    pub(crate) fn is_at(&self, entity: EntityId, location: StateLocation) -> bool {
        self.entries[entity].location == location
    }

    /// Whether an entity's state is in one of the segments from `oldest` up to but not including `next`.
    pub(crate) fn is_within(&self, entity: EntityId, oldest: u64, next: u64) -> bool {
        self.entries[entity].location.is_within(oldest, next)
    }

    /// The segment that holds an entity's present state.
    pub(crate) fn location(&self, entity: EntityId) -> StateLocation {
        self.entries[entity].location
    }

    /// Sets the segment that holds an entity's present state.
    pub(crate) fn set_location(&mut self, entity: EntityId, location: StateLocation) {
        self.entries[entity].location = location;
    }

    /// Reads what finding and unpacking the entities of these hashes will read, for all of them at once. One by one, each
    /// would wait for memory four times: for its slot, its entry, its key and the rest of its bytes.
    pub(crate) fn fetch(&self, hashes: &[u64; FETCHED]) {
        let slots = hashes.map(|hash| self.index.first(hash));
        let entries = slots.map(|slot| self.entries.get((slot as u32).wrapping_sub(1)));
        std::hint::black_box(entries.map(|entry| entry.map(|entry| self.lines_of(entry))));
    }

    /// As [`Store::fetch`] for the bytes of these entities.
    pub(crate) fn fetch_packed(&self, entities: impl Iterator<Item = EntityId>) {
        let lines = entities.map(|entity| self.lines_of(&self.entries[entity]));
        std::hint::black_box(lines.fold(0, |all, line| all ^ line));
    }

    /// A byte of each line of an entity's bytes, put together.
    fn lines_of(&self, entry: &EntityEntry) -> u8 {
        let packed = self.classes[entry.class() as usize].get(entry.block, entry.len());
        let last = packed.last().copied().unwrap_or_default();
        packed.iter().step_by(CACHE_LINE).take(LINES_FETCHED).fold(last, |all, byte| all ^ byte)
    }

    /// Sets the state of the entity with this key to what the changelog has of it at `location`.
    pub(crate) fn restore(
        &mut self,
        hash: u64,
        key: &str,
        packed: &[u8],
        due: Timestamp,
        location: StateLocation,
    ) -> EntityId {
        let entity = match self.find(hash, key) {
            Some(entity) => {
                self.replace(entity, packed);
                entity
            }
            None => self.add(hash, packed),
        };
        let entry = &mut self.entries[entity];
        (entry.due, entry.location) = (due, location);
        entity
    }

    pub(crate) fn is_vacant(&self, entity: EntityId) -> bool {
        self.is_at(entity, StateLocation::VACANT)
    }
}
