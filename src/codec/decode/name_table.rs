//! Names to numbers: a small immutable hash table for the members of an object and for event types, in full or by their beginning.

use crate::catalog::type_prefix;
use crate::model::EventTypeId;

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

/// Finds the number of an event's type.
#[derive(Clone, Debug)]
pub(super) struct TypeTable {
    full: NameTable,
    /// Of names that end in `*`, what stands before it.
    beginnings: NameTable,
    /// The different lengths of beginnings, the longest first.
    lengths: Vec<usize>,
}

impl TypeTable {
    pub(super) fn new(event_types: &[Box<str>]) -> Self {
        let numbered = || event_types.iter().zip(1..);
        let full = numbered().filter(|(name, _)| type_prefix(name).is_none());
        let beginnings = numbered().filter_map(|(name, id)| Some((Box::from(type_prefix(name)?), id)));
        let mut lengths: Vec<usize> = event_types.iter().filter_map(|name| Some(type_prefix(name)?.len())).collect();
        lengths.sort_unstable_by(|a, b| b.cmp(a));
        lengths.dedup();
        let full = NameTable::new(full.map(|(name, id)| (name.clone(), id)));
        TypeTable { full, beginnings: NameTable::new(beginnings), lengths }
    }

    /// A type that is mentioned in full is found as such, any other by its longest beginning that is mentioned.
    pub(super) fn get(&self, name: &[u8]) -> EventTypeId {
        let beginning = |len: &usize| self.beginnings.get(name.get(..*len)?);
        let id = self.full.get(name).or_else(|| self.lengths.iter().find_map(beginning));
        id.map_or(EventTypeId::OTHER, |id| EventTypeId(id as u16))
    }
}
