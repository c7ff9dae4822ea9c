//! From hashes to numbers, such as those of entities, without what was hashed.

/// Open addressing over 8-byte slots: 32 bits of the hash, 32 bits of number.
///
/// The upper bits of the hash give the home slot, so that the table grows without what was hashed; the caller
/// tells whether a slot is the right one. Numbers are less than [`u32::MAX`].
#[derive(Debug, Default)]
pub(super) struct HashIndex {
    /// 0 is empty. The length is a power of two.
    slots: Vec<u64>,
    used: usize,
}

impl HashIndex {
    fn home(&self, tag: u32) -> usize {
        ((u64::from(tag) * self.slots.len() as u64) >> 32) as usize
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<u64>()
    }

    pub(super) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
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
            let number = slot as u32 - 1;
            if (slot >> 32) as u32 == tag && is_it(number) {
                return Some(number);
            }
            at = (at + 1) & mask;
        }
    }

    pub(super) fn insert(&mut self, hash: u64, number: u32) {
        if (self.used + 1) * 4 > self.slots.len() * 3 {
            self.grow((self.slots.len() * 2).max(64));
        }
        self.used += 1;
        self.place(HashIndex::slot(hash, number));
    }

    /// The slot where the search for a hash begins.
    pub(super) fn first(&self, hash: u64) -> u64 {
        self.slots.get(self.home((hash >> 32) as u32)).copied().unwrap_or_default()
    }

    fn slot(hash: u64, number: u32) -> u64 {
        hash & 0xffff_ffff_0000_0000 | u64::from(number + 1)
    }

    /// Makes room for so many entries.
    pub(super) fn reserve(&mut self, entries: usize) {
        let slots = (entries * 4).div_ceil(3).next_power_of_two().max(64);
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

    /// Takes an entry out and moves those behind it up, so that no search ends too early (Knuth, "The Art of Computer
    /// Programming" 3, section 6.4, algorithm R).
    pub(super) fn remove(&mut self, hash: u64, number: u32) {
        let wanted = HashIndex::slot(hash, number);
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
