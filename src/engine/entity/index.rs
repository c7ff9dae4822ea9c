//! From the hash of a key to the entity, without the keys.

use super::store::EntityId;

/// Open addressing over 8-byte slots: 32 bits of the hash, 32 bits of entity.
///
/// The upper bits of the hash give the home slot, so that the table grows without the keys; the entity's own bytes tell
/// whether a slot is the right one.
#[derive(Debug, Default)]
pub(super) struct KeyIndex {
    /// 0 is empty. The length is a power of two.
    slots: Vec<u64>,
    used: usize,
}

impl KeyIndex {
    fn home(&self, tag: u32) -> usize {
        ((u64::from(tag) * self.slots.len() as u64) >> 32) as usize
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<u64>()
    }

    pub(super) fn find(&self, hash: u64, is_it: impl Fn(EntityId) -> bool) -> Option<EntityId> {
        let tag = (hash >> 32) as u32;
        if self.slots.is_empty() {
            return None;
        }
        let mask = self.slots.len() - 1;
        let mut at = self.home(tag);
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return None;
            }
            let entity = EntityId(slot as u32 - 1);
            if (slot >> 32) as u32 == tag && is_it(entity) {
                return Some(entity);
            }
            at = (at + 1) & mask;
        }
    }

    pub(super) fn insert(&mut self, hash: u64, entity: EntityId) {
        if (self.used + 1) * 4 > self.slots.len() * 3 {
            self.grow((self.slots.len() * 2).max(64));
        }
        self.used += 1;
        self.place(KeyIndex::slot(hash, entity));
    }

    /// The slot where the search for a hash begins.
    pub(super) fn first(&self, hash: u64) -> u64 {
        self.slots.get(self.home((hash >> 32) as u32)).copied().unwrap_or_default()
    }

    fn slot(hash: u64, entity: EntityId) -> u64 {
        hash & 0xffff_ffff_0000_0000 | u64::from(entity.0 + 1)
    }

    /// Makes room for a number of entities.
    pub(super) fn reserve(&mut self, entities: usize) {
        let slots = (entities * 4).div_ceil(3).next_power_of_two().max(64);
        if slots > self.slots.len() {
            self.grow(slots);
        }
    }

    fn grow(&mut self, slots: usize) {
        for slot in std::mem::replace(&mut self.slots, vec![0; slots]) {
            if slot != 0 {
                self.place(slot);
            }
        }
    }

    /// Takes an entity out and moves those behind it up, so that no search ends too early (Knuth, "The Art of Computer
    /// Programming" 3, section 6.4, algorithm R).
    pub(super) fn remove(&mut self, hash: u64, entity: EntityId) {
        let wanted = KeyIndex::slot(hash, entity);
        let mask = self.slots.len() - 1;
        let mut hole = self.home((hash >> 32) as u32);
        while self.slots[hole] != wanted {
            if self.slots[hole] == 0 {
                return;
            }
            hole = (hole + 1) & mask;
        }
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            let slot = self.slots[at];
            if slot == 0 {
                break;
            }
            let from_home = at.wrapping_sub(self.home((slot >> 32) as u32)) & mask;
            if from_home >= at.wrapping_sub(hole) & mask {
                self.slots[hole] = slot;
                hole = at;
            }
        }
        self.slots[hole] = 0;
        self.used -= 1;
    }

    fn place(&mut self, slot: u64) {
        let mask = self.slots.len() - 1;
        let mut at = self.home((slot >> 32) as u32);
        while self.slots[at] != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = slot;
    }
}
