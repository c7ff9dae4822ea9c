//! Where entities rest: packed bytes in size classes, found through an index that keeps no keys.

use xxhash_rust::xxh3::xxh3_64;

use super::record::Record;
use crate::model::Timestamp;

/// An entity's number in its partition, for as long as the partition lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityId(u32);

/// What stands outside the packed bytes: where they are, and when the entity is due.
#[derive(Clone, Copy, Debug)]
struct Entry {
    due: Timestamp,
    block: u32,
    /// Size class in the upper byte; in the lower three what the bytes leave free of it.
    class_and_slack: u32,
}

impl Entry {
    const SLACK_MASK: u32 = (1 << 24) - 1;

    fn class(self) -> u32 {
        self.class_and_slack >> 24
    }

    fn len(self) -> usize {
        class_size(self.class()) - (self.class_and_slack & Self::SLACK_MASK) as usize
    }

    fn set(&mut self, class: u32, len: usize) {
        self.class_and_slack = class << 24 | (class_size(class) - len) as u32;
    }
}

/// All entities of a partition.
#[derive(Debug, Default)]
pub struct Store {
    index: Index,
    entries: Vec<Entry>,
    classes: Vec<Class>,
}

impl Store {
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn hash(key: &str) -> u64 {
        xxh3_64(key.as_bytes())
    }

    pub fn find(&self, hash: u64, key: &str) -> Option<EntityId> {
        self.index.find(hash, |entity| Record::key_of(self.packed(entity)) == key.as_bytes())
    }

    /// Adds an entity that [`Store::find`] did not find.
    pub fn insert(&mut self, hash: u64, packed: &[u8]) -> EntityId {
        let entity = EntityId(self.entries.len() as u32);
        self.entries.push(Entry { due: Timestamp::FOREVER, block: 0, class_and_slack: 0 });
        self.place(entity, packed);
        self.index.insert(hash, entity);
        entity
    }

    pub fn packed(&self, entity: EntityId) -> &[u8] {
        let entry = self.entries[entity.0 as usize];
        self.classes[entry.class() as usize].get(entry.block, entry.len())
    }

    /// Replaces an entity's bytes.
    pub fn write(&mut self, entity: EntityId, packed: &[u8]) {
        let entry = &mut self.entries[entity.0 as usize];
        if class_of(packed.len()) == entry.class() {
            entry.set(entry.class(), packed.len());
            self.classes[entry.class() as usize].put(entry.block, packed);
            return;
        }
        let (class, block) = (entry.class(), entry.block);
        if let Some(moved) = self.classes[class as usize].free(block) {
            self.entries[moved.0 as usize].block = block;
        }
        self.place(entity, packed);
    }

    fn place(&mut self, entity: EntityId, packed: &[u8]) {
        let class = class_of(packed.len());
        while self.classes.len() <= class as usize {
            self.classes.push(Class::new(self.classes.len() as u32));
        }
        let blocks = &mut self.classes[class as usize];
        let entry = &mut self.entries[entity.0 as usize];
        entry.block = blocks.allocate(entity);
        entry.set(class, packed.len());
        blocks.put(entry.block, packed);
    }

    pub fn due(&self, entity: EntityId) -> Timestamp {
        self.entries[entity.0 as usize].due
    }

    pub fn set_due(&mut self, entity: EntityId, due: Timestamp) {
        self.entries[entity.0 as usize].due = due;
    }

    pub fn entities(&self) -> impl Iterator<Item = EntityId> {
        (0..self.entries.len() as u32).map(EntityId)
    }

    /// Bytes held, in use or not.
    pub fn bytes(&self) -> usize {
        self.index.slots.capacity() * size_of::<u64>()
            + self.entries.capacity() * size_of::<Entry>()
            + self.classes.iter().map(Class::bytes).sum::<usize>()
    }
}

/// Open addressing over 8-byte slots: 32 bits of the hash, 32 bits of entity.
///
/// The place in the table is the hash bits' upper end, so that growing needs no keys; whether a slot is the right one
/// the entity's own bytes decide.
#[derive(Debug, Default)]
struct Index {
    /// 0 is empty; a power of two of them.
    slots: Vec<u64>,
    used: usize,
}

impl Index {
    fn home(&self, tag: u32) -> usize {
        ((u64::from(tag) * self.slots.len() as u64) >> 32) as usize
    }

    fn find(&self, hash: u64, is_it: impl Fn(EntityId) -> bool) -> Option<EntityId> {
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

    fn insert(&mut self, hash: u64, entity: EntityId) {
        if (self.used + 1) * 4 > self.slots.len() * 3 {
            let grown = vec![0; (self.slots.len() * 2).max(64)];
            for slot in std::mem::replace(&mut self.slots, grown) {
                if slot != 0 {
                    self.place(slot);
                }
            }
        }
        self.used += 1;
        self.place(hash & 0xffff_ffff_0000_0000 | u64::from(entity.0 + 1));
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

/// Sizes up to here are multiples of [`GRAIN`]; beyond, each class is an eighth of a power of two larger.
const FINE_MAX: usize = 512;
const GRAIN: usize = 16;
const FINE_CLASSES: usize = FINE_MAX / GRAIN;

/// The size class of a length: 0 for up to 16 bytes, 1 for up to 32 …
fn class_of(len: usize) -> u32 {
    if len <= FINE_MAX {
        return (len.div_ceil(GRAIN).max(1) - 1) as u32;
    }
    let power = (len - 1).ilog2();
    let eighth = (len - 1 - (1 << power)) >> (power - 3);
    (FINE_CLASSES as u32) + (power - FINE_MAX.ilog2()) * 8 + eighth as u32
}

fn class_size(class: u32) -> usize {
    let class = class as usize;
    if class < FINE_CLASSES {
        return (class + 1) * GRAIN;
    }
    let (power, eighth) = ((class - FINE_CLASSES) / 8 + FINE_MAX.ilog2() as usize, (class - FINE_CLASSES) % 8);
    (1 << power) + ((eighth + 1) << (power - 3))
}

/// Memory is taken from the system in pieces of about this size.
const CHUNK_BYTES: usize = 1 << 18;

/// Blocks of one size without gaps: where one goes, the last one takes its place.
///
/// Entities grow, and mostly one size at a time, so a class that kept its gaps would keep room for all that ever went
/// through it.
#[derive(Debug)]
struct Class {
    size: usize,
    per_chunk: usize,
    chunks: Vec<Box<[u8]>>,
    /// Whose block each is.
    owners: Vec<EntityId>,
}

impl Class {
    fn new(class: u32) -> Self {
        let size = class_size(class);
        Class { size, per_chunk: (CHUNK_BYTES / size).max(1), chunks: Vec::new(), owners: Vec::new() }
    }

    fn place(&self, block: u32) -> (usize, usize) {
        let block = block as usize;
        (block / self.per_chunk, block % self.per_chunk * self.size)
    }

    fn get(&self, block: u32, len: usize) -> &[u8] {
        let (chunk, start) = self.place(block);
        &self.chunks[chunk][start..start + len]
    }

    fn put(&mut self, block: u32, bytes: &[u8]) {
        let (chunk, start) = self.place(block);
        self.chunks[chunk][start..start + bytes.len()].copy_from_slice(bytes);
    }

    fn allocate(&mut self, owner: EntityId) -> u32 {
        let block = self.owners.len();
        if block == self.chunks.len() * self.per_chunk {
            self.chunks.push(vec![0; self.per_chunk * self.size].into_boxed_slice());
        }
        self.owners.push(owner);
        block as u32
    }

    /// Gives a block back; the entity whose block has moved into its place, if one has.
    fn free(&mut self, block: u32) -> Option<EntityId> {
        let last = self.owners.len() as u32 - 1;
        self.owners.swap_remove(block as usize);
        if block != last {
            let ((from, from_start), (to, to_start)) = (self.place(last), self.place(block));
            if from == to {
                self.chunks[to].copy_within(from_start..from_start + self.size, to_start);
            } else {
                let (head, tail) = self.chunks.split_at_mut(from);
                head[to][to_start..to_start + self.size].copy_from_slice(&tail[0][from_start..from_start + self.size]);
            }
        }
        // One chunk more than is needed stays, so that a size at its border does not come and go.
        while self.owners.len() + 2 * self.per_chunk <= self.chunks.len() * self.per_chunk {
            self.chunks.pop();
        }
        self.owners.get(block as usize).copied()
    }

    fn bytes(&self) -> usize {
        self.chunks.len() * self.per_chunk * self.size + self.owners.capacity() * size_of::<EntityId>()
    }
}
