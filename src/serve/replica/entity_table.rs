//! The states of a partition's entities by number, in chunks that several versions of the table share.
//!
//! A copy of the table is cheap: it shares all chunks. A write replaces the chunk that it changes, unless no other copy has
//! it. A chunk holds few entities, so that a transaction that changes many copies little; and it holds their bytes side by
//! side, so that a copy is one run of memory and an entity costs no allocation of its own.

use std::sync::Arc;

use crate::model::Timestamp;

/// Entities of a chunk.
const CHUNK: usize = 16;
/// Chunks of a node.
const NODE: usize = 256;

/// The number of an entity within its partition, from 0. A number is never used for another entity.
pub type EntityNumber = u32;

/// States by number.
#[derive(Clone, Debug, Default)]
pub(super) struct EntityTable {
    nodes: Vec<Arc<Vec<Arc<Chunk>>>>,
    /// Stands wherever a chunk has no state: entities come and go, and their numbers stay used.
    empty: Arc<Chunk>,
    /// The first number that has not been given.
    next: EntityNumber,
}

/// The states of [`CHUNK`] entities; that of an entity that is not known is empty.
#[derive(Clone, Debug)]
struct Chunk {
    bytes: Vec<u8>,
    ends: [u32; CHUNK],
    due: [Timestamp; CHUNK],
}

impl Default for Chunk {
    fn default() -> Self {
        Chunk { bytes: Vec::new(), ends: [0; CHUNK], due: [Timestamp::FOREVER; CHUNK] }
    }
}

impl Chunk {
    fn range(&self, place: usize) -> std::ops::Range<usize> {
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        start as usize..self.ends[place] as usize
    }

    fn put(&mut self, place: usize, state: &[u8], due: Timestamp) {
        let range = self.range(place);
        let (before, after) = (range.len(), state.len());
        self.bytes.splice(range, state.iter().copied());
        for end in &mut self.ends[place..] {
            *end = *end + after as u32 - before as u32;
        }
        self.due[place] = due;
    }
}

impl EntityTable {
    /// A number for a new entity.
    pub(super) fn allocate(&mut self) -> EntityNumber {
        let number = self.next;
        self.next += 1;
        number
    }

    /// The state of an entity, and when it is due; `None`: it is not known.
    pub(super) fn get(&self, number: EntityNumber) -> Option<(&[u8], Timestamp)> {
        let (chunk, place) = (number as usize / CHUNK, number as usize % CHUNK);
        let chunk = self.nodes.get(chunk / NODE)?.get(chunk % NODE)?;
        let state = &chunk.bytes[chunk.range(place)];
        (!state.is_empty()).then(|| (state, chunk.due[place]))
    }

    /// Sets the state of an entity; an empty one removes it.
    pub(super) fn put(&mut self, number: EntityNumber, state: &[u8], due: Timestamp) {
        let (chunk, place) = (number as usize / CHUNK, number as usize % CHUNK);
        let (node, chunk) = (chunk / NODE, chunk % NODE);
        if self.nodes.len() <= node {
            self.nodes.resize_with(node + 1, Arc::default);
        }
        let chunks = Arc::make_mut(&mut self.nodes[node]);
        if chunks.len() <= chunk {
            chunks.resize(chunk + 1, Arc::clone(&self.empty));
        }
        let changed = Arc::make_mut(&mut chunks[chunk]);
        changed.put(place, state, due);
        if changed.bytes.is_empty() {
            chunks[chunk] = Arc::clone(&self.empty);
        }
    }

    /// All known entities, in the order of their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (EntityNumber, &[u8], Timestamp)> {
        (0..self.next).filter_map(|number| self.get(number).map(|(state, due)| (number, state, due)))
    }

    /// Bytes of the states, with what their chunks need.
    pub(super) fn bytes(&self) -> usize {
        let chunks = self.nodes.iter().flat_map(|node| node.iter()).filter(|chunk| !Arc::ptr_eq(chunk, &self.empty));
        chunks.map(|chunk| size_of::<Chunk>() + chunk.bytes.capacity()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_keeps_what_it_was() {
        let mut table = EntityTable::default();
        let states: Vec<Vec<u8>> = (0..5_000_u32).map(|n| vec![n as u8; 1 + n as usize % 40]).collect();
        for state in &states {
            let number = table.allocate();
            table.put(number, state, Timestamp::from_ms(i64::from(number)));
        }
        let before = table.clone();
        for number in (0..5_000).step_by(7) {
            table.put(number, &[255; 99], Timestamp::FOREVER);
        }
        table.put(4_999, &[], Timestamp::FOREVER);
        let expected = |number: u32| Some((states[number as usize].as_slice(), Timestamp::from_ms(i64::from(number))));
        for number in 0..5_000 {
            assert_eq!(before.get(number), expected(number));
            let now = match number {
                4_999 => None,
                number if number % 7 == 0 => Some((&[255; 99][..], Timestamp::FOREVER)),
                number => expected(number),
            };
            assert_eq!(table.get(number), now, "{number}");
        }
        assert_eq!((before.iter().count(), table.iter().count()), (5_000, 4_999));
        assert_eq!(table.get(5_000), None);
        // What nobody needs any more takes no room.
        (0..5_000).for_each(|number| table.put(number, &[], Timestamp::FOREVER));
        assert_eq!((table.bytes(), table.iter().count()), (0, 0));
        assert_eq!(before.iter().count(), 5_000);
    }
}
