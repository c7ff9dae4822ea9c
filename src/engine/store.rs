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
    arena: Arena,
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
        self.arena.get(entry.class(), entry.block, entry.len())
    }

    /// Replaces an entity's bytes.
    pub fn write(&mut self, entity: EntityId, packed: &[u8]) {
        let entry = &mut self.entries[entity.0 as usize];
        if class_of(packed.len()) == entry.class() {
            entry.set(entry.class(), packed.len());
            self.arena.put(entry.class(), entry.block, packed);
        } else {
            self.arena.free(entry.class(), entry.block);
            self.place(entity, packed);
        }
    }

    fn place(&mut self, entity: EntityId, packed: &[u8]) {
        let class = class_of(packed.len());
        let entry = &mut self.entries[entity.0 as usize];
        entry.block = self.arena.allocate(class);
        entry.set(class, packed.len());
        self.arena.put(class, entry.block, packed);
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
            + self.arena.bytes()
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
        (u64::from(tag) * self.slots.len() as u64 >> 32) as usize
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

/// Blocks of one size, with those that were given back.
#[derive(Debug, Default)]
struct Class {
    chunks: Vec<Box<[u8]>>,
    blocks: u32,
    free: Vec<u32>,
}

#[derive(Debug, Default)]
struct Arena {
    classes: Vec<Class>,
}

impl Arena {
    fn per_chunk(class: u32) -> usize {
        (CHUNK_BYTES / class_size(class)).max(1)
    }

    fn range(class: u32, block: u32, len: usize) -> (usize, std::ops::Range<usize>) {
        let (chunk, start) = (block as usize / Self::per_chunk(class), block as usize % Self::per_chunk(class));
        let start = start * class_size(class);
        (chunk, start..start + len)
    }

    fn get(&self, class: u32, block: u32, len: usize) -> &[u8] {
        let (chunk, range) = Self::range(class, block, len);
        &self.classes[class as usize].chunks[chunk][range]
    }

    fn put(&mut self, class: u32, block: u32, bytes: &[u8]) {
        let (chunk, range) = Self::range(class, block, bytes.len());
        self.classes[class as usize].chunks[chunk][range].copy_from_slice(bytes);
    }

    fn allocate(&mut self, class: u32) -> u32 {
        if self.classes.len() <= class as usize {
            self.classes.resize_with(class as usize + 1, Class::default);
        }
        let blocks = &mut self.classes[class as usize];
        if let Some(block) = blocks.free.pop() {
            return block;
        }
        if blocks.blocks as usize == blocks.chunks.len() * Self::per_chunk(class) {
            blocks.chunks.push(vec![0; Self::per_chunk(class) * class_size(class)].into_boxed_slice());
        }
        blocks.blocks += 1;
        blocks.blocks - 1
    }

    fn free(&mut self, class: u32, block: u32) {
        self.classes[class as usize].free.push(block);
    }

    fn bytes(&self) -> usize {
        let chunk = |chunk: &Box<[u8]>| chunk.len();
        self.classes.iter().map(|class| class.chunks.iter().map(chunk).sum::<usize>() + class.free.capacity() * 4).sum()
    }
}
