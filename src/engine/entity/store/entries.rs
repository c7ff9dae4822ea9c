//! What is kept of each entity beside its bytes, by its number.

use std::ops::{Index, IndexMut};

use super::size_class::class_size;
use crate::model::Timestamp;

/// An entity's number in its partition while it lives. After its end another entity may get the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EntityId(pub(crate) u32);

/// The segment of the changelog that holds an entity's latest state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct StateLocation(u32);

impl StateLocation {
    /// None: the state was written since.
    pub(crate) const DIRTY: StateLocation = StateLocation(u32::MAX);
    /// There is no such entity.
    pub(super) const VACANT: StateLocation = StateLocation(u32::MAX - 1);

    /// The segment with this number. Two live segments never have the same location: there are never that many.
    pub(crate) fn segment(number: u64) -> Self {
        StateLocation((number % u64::from(StateLocation::VACANT.0)) as u32)
    }

    /// Whether it is one of the segments from `oldest` up to but not including `next`.
    pub(super) fn is_within(self, oldest: u64, next: u64) -> bool {
        let (StateLocation(location), StateLocation(first)) = (self, StateLocation::segment(oldest));
        let behind = if location >= first { location - first } else { location + (StateLocation::VACANT.0 - first) };
        u64::from(behind) < next - oldest
    }
}

/// What is kept of an entity beside its packed bytes.
#[derive(Clone, Copy, Debug)]
#[repr(C, packed(4))]
pub(super) struct EntityEntry {
    pub due: Timestamp,
    pub block: u32,
    /// The size class in the upper byte; in the lower three, the bytes of the block that are not used.
    class_and_slack: u32,
    pub location: StateLocation,
}

impl EntityEntry {
    const SLACK_MASK: u32 = (1 << 24) - 1;
    pub(super) const EMPTY: EntityEntry =
        EntityEntry { due: Timestamp::FOREVER, block: 0, class_and_slack: 0, location: StateLocation::VACANT };

    pub(super) fn class(self) -> u32 {
        self.class_and_slack >> 24
    }

    pub(super) fn len(self) -> usize {
        class_size(self.class()) - (self.class_and_slack & Self::SLACK_MASK) as usize
    }

    pub(super) fn set(&mut self, class: u32, len: usize) {
        self.class_and_slack = class << 24 | (class_size(class) - len) as u32;
    }
}

/// The entries are allocated so many at a time: a list that doubles would hold up to twice what it needs.
const ENTRIES_A_CHUNK: usize = 1 << 12;

/// The entries of all entities, vacant ones included.
#[derive(Debug, Default)]
pub(super) struct Entries {
    chunks: Vec<Box<[EntityEntry]>>,
    len: usize,
}

impl Entries {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds an entry without an entity.
    pub(super) fn add(&mut self) -> EntityId {
        if self.len == self.chunks.len() * ENTRIES_A_CHUNK {
            self.chunks.push(vec![EntityEntry::EMPTY; ENTRIES_A_CHUNK].into_boxed_slice());
        }
        self.len += 1;
        EntityId(self.len as u32 - 1)
    }

    pub(super) fn get(&self, number: u32) -> Option<&EntityEntry> {
        let number = number as usize;
        self.chunks.get(number / ENTRIES_A_CHUNK).map(|chunk| &chunk[number % ENTRIES_A_CHUNK])
    }

    /// Bytes allocated.
    pub(super) fn bytes(&self) -> usize {
        self.chunks.len() * ENTRIES_A_CHUNK * size_of::<EntityEntry>()
    }
}

impl Index<EntityId> for Entries {
    type Output = EntityEntry;

    fn index(&self, EntityId(number): EntityId) -> &EntityEntry {
        &self.chunks[number as usize / ENTRIES_A_CHUNK][number as usize % ENTRIES_A_CHUNK]
    }
}

impl IndexMut<EntityId> for Entries {
    fn index_mut(&mut self, EntityId(number): EntityId) -> &mut EntityEntry {
        &mut self.chunks[number as usize / ENTRIES_A_CHUNK][number as usize % ENTRIES_A_CHUNK]
    }
}
