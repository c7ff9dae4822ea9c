//! The ids of accepted events that an entity remembers, in the order of acceptance.
//!
//! An entity with few ids keeps them in a cell, which is decoded and read from end to end. An entity with many has them
//! unpacked in memory, with an index from their hashes: then an event reads only the ids that leave and those with the
//! hash that it brings, however many there are. The changelog stores the same cell in both cases.

use std::cell::Cell;
use std::collections::VecDeque;

use super::index::HashIndex;
use crate::engine::encoding::{ByteReader, Deltas, put_word, signed_len, unsigned_len};
use crate::model::Timestamp;

/// From this many ids on, an entity has an index of them.
const MANY: usize = 128;

/// An entity with fewer no longer has an index. The distance keeps an entity from gaining and losing it in turns.
const FEW: usize = 64;

/// Ids are numbered in the order of acceptance, modulo a power of two that is far above the number of ids at a time.
const NUMBER_MASK: u32 = (1 << 31) - 1;

/// The bytes of an id's hash in a cell.
const HASH_BYTES: usize = 8;

/// An event's id, and the clock when the event was accepted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SeenId {
    pub hash: u64,
    pub at: Timestamp,
}

/// For how long ids are remembered, and how many of an entity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DedupRule {
    pub window_ms: i64,
    pub limit: usize,
}

/// Whether an event is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acceptance {
    Duplicate,
    New,
}

/// The work on remembered ids.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct IdTally {
    /// Ids that were decoded, compared or dropped.
    pub read: u64,
    /// Ids that made room for later ones.
    pub crowded_out: u64,
}

/// The ids of one entity.
#[derive(Debug, Default)]
pub(super) struct SeenIds {
    /// No two have the same hash.
    ids: VecDeque<SeenId>,
    /// The number of the first one.
    first: u32,
    /// From hashes to numbers, where there are many ids.
    index: Option<HashIndex>,
    /// The encoded length of all but the first.
    tail_bytes: usize,
}

impl SeenIds {
    /// Accepts an id unless it is remembered. A duplicate changes nothing.
    pub(super) fn accept(&mut self, id: SeenId, rule: DedupRule, tally: &mut IdTally) -> Acceptance {
        if let Some(place) = self.find(id.hash, tally) {
            let is_recent = self.ids.len() - place <= rule.limit;
            if is_recent && id.at.since(self.ids[place].at) < rule.window_ms {
                return Acceptance::Duplicate;
            }
        }
        while let Some(first) = self.ids.front()
            && id.at.since(first.at) >= rule.window_ms
        {
            self.pop_first(tally);
        }
        while self.ids.len() >= rule.limit.max(1) {
            self.pop_first(tally);
            tally.crowded_out += 1;
        }
        self.push(id);
        Acceptance::New
    }

    /// The place of the id with this hash.
    fn find(&self, hash: u64, tally: &mut IdTally) -> Option<usize> {
        let Some(index) = &self.index else {
            tally.read += self.ids.len() as u64;
            return self.ids.iter().position(|id| id.hash == hash);
        };
        let read = Cell::new(0);
        let number = index.find(hash, |number| {
            read.set(read.get() + 1);
            self.ids[self.place(number)].hash == hash
        });
        tally.read += read.get();
        number.map(|number| self.place(number))
    }

    fn place(&self, number: u32) -> usize {
        (number.wrapping_sub(self.first) & NUMBER_MASK) as usize
    }

    fn number(&self, place: usize) -> u32 {
        self.first.wrapping_add(place as u32) & NUMBER_MASK
    }

    fn push(&mut self, id: SeenId) {
        let number = self.number(self.ids.len());
        if let Some(last) = self.ids.back() {
            self.tail_bytes += tail_len(*last, id);
        }
        if let Some(index) = &mut self.index {
            index.insert(id.hash, number);
        }
        self.ids.push_back(id);
    }

    fn pop_first(&mut self, tally: &mut IdTally) {
        let Some(id) = self.ids.pop_front() else { return };
        tally.read += 1;
        if let Some(next) = self.ids.front() {
            self.tail_bytes -= tail_len(id, *next);
        }
        if let Some(index) = &mut self.index {
            index.remove(id.hash, self.first);
        }
        self.first = self.number(1);
    }

    pub(super) fn clear(&mut self) {
        self.ids.clear();
        (self.first, self.index, self.tail_bytes) = (0, None, 0);
    }

    /// Whether there are so many that they need an index.
    pub(super) fn are_many(&self) -> bool {
        self.ids.len() > MANY
    }

    /// Whether there are so few that they need none.
    pub(super) fn are_few(&self) -> bool {
        self.ids.len() < FEW
    }

    pub(super) fn build_index(&mut self) {
        let mut index = HashIndex::default();
        index.reserve(self.ids.len());
        (0..self.ids.len()).for_each(|place| index.insert(self.ids[place].hash, self.number(place)));
        self.index = Some(index);
    }

    pub(super) fn drop_index(&mut self) {
        self.index = None;
    }

    /// The number of bytes that [`SeenIds::encode`] appends.
    pub(super) fn encoded_len(&self) -> usize {
        self.ids.front().map_or(0, |first| signed_len(first.at.ms()) + HASH_BYTES + self.tail_bytes)
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let mut clocks = Deltas::default();
        for id in &self.ids {
            clocks.put(out, id.at.ms());
            put_word(out, id.hash);
        }
    }

    /// Replaces the ids by those that a cell holds.
    pub(super) fn decode(&mut self, cell: &[u8], tally: &mut IdTally) {
        self.clear();
        let (mut reader, mut clocks) = (ByteReader::new(cell), Deltas::default());
        while !reader.is_empty() {
            let at = Timestamp::from_ms(clocks.take(&mut reader));
            self.push(SeenId { hash: reader.word(), at });
        }
        tally.read += self.ids.len() as u64;
    }

    /// Bytes of memory allocated for this.
    pub(super) fn bytes(&self) -> usize {
        self.ids.capacity() * size_of::<SeenId>() + self.index.as_ref().map_or(0, HashIndex::bytes)
    }
}

/// The encoded length of an id after the one before it.
fn tail_len(before: SeenId, id: SeenId) -> usize {
    unsigned_len(id.at.since(before.at) as u64) + HASH_BYTES
}
