//! A small immutable hash table from names to numbers: for the members of an object and for event types.

/// Open addressing with linear probing; names are compared in full.
///
/// Names are short, so hashing every byte would cost more than the comparison that follows anyway: the hash uses the
/// length and the first and last bytes. Names that agree in all of these only share a run of slots.
#[derive(Clone, Debug)]
pub(super) struct NameTable {
    entries: Vec<(Box<str>, u32)>,
    /// Index into `entries` plus one; 0 is free. At most half of them are taken.
    slots: Vec<u32>,
}

impl NameTable {
    pub(super) fn new(entries: impl IntoIterator<Item = (Box<str>, u32)>) -> Self {
        let entries: Vec<_> = entries.into_iter().collect();
        let mut slots = vec![0; (2 * entries.len()).next_power_of_two()];
        for (index, (name, _)) in entries.iter().enumerate() {
            let mut slot = home(name.as_bytes(), slots.len());
            while slots[slot] != 0 {
                slot = (slot + 1) % slots.len();
            }
            slots[slot] = index as u32 + 1;
        }
        NameTable { entries, slots }
    }

    pub(super) fn get(&self, name: &[u8]) -> Option<u32> {
        let mut slot = home(name, self.slots.len());
        loop {
            let (known, number) = &self.entries[self.slots[slot].checked_sub(1)? as usize];
            if known.as_bytes() == name {
                return Some(*number);
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }
}

/// Where the search for a name begins among `slots`, a power of two.
fn home(name: &[u8], slots: usize) -> usize {
    let (head, tail) = match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
        _ => match (name.first_chunk::<4>(), name.last_chunk::<4>()) {
            (Some(head), Some(tail)) => (u64::from(u32::from_le_bytes(*head)), u64::from(u32::from_le_bytes(*tail))),
            _ => {
                let at = |i: usize| name.get(i).copied().map_or(0, u64::from);
                (at(0) | at(1) << 8 | at(2) << 16, 0)
            }
        },
    };
    let mixed = (head ^ tail.rotate_left(29) ^ name.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as usize & (slots - 1)
}
