//! Blocks of bytes in size classes, each class without gaps.

use super::entries::EntityId;

/// Sizes up to this are multiples of [`GRAIN`]; above, classes grow by an eighth of a power of two.
const FINE_MAX: usize = 512;
const GRAIN: usize = 16;
const FINE_CLASSES: usize = FINE_MAX / GRAIN;

/// The size class of a length: 0 for up to 16 bytes, 1 for up to 32 …
pub(super) fn class_of(len: usize) -> u32 {
    if len <= FINE_MAX {
        return (len.div_ceil(GRAIN).max(1) - 1) as u32;
    }
    let power = (len - 1).ilog2();
    let eighth = (len - 1 - (1 << power)) >> (power - 3);
    (FINE_CLASSES as u32) + (power - FINE_MAX.ilog2()) * 8 + eighth as u32
}

pub(super) fn class_size(class: u32) -> usize {
    let class = class as usize;
    if class < FINE_CLASSES {
        return (class + 1) * GRAIN;
    }
    let (power, eighth) = ((class - FINE_CLASSES) / 8 + FINE_MAX.ilog2() as usize, (class - FINE_CLASSES) % 8);
    (1 << power) + ((eighth + 1) << (power - 3))
}

/// Memory is allocated in chunks of about this size.
const CHUNK_BYTES: usize = 1 << 16;

/// Blocks of one size without gaps: the last block moves to where one is freed.
///
/// Entities grow, mostly one size at a time. A class that kept its gaps would keep room for every entity that ever
/// passed through it.
#[derive(Debug)]
pub(super) struct SizeClass {
    size: usize,
    per_chunk: usize,
    chunks: Vec<Box<[u8]>>,
    /// The entity that each block belongs to.
    owners: Vec<EntityId>,
}

impl SizeClass {
    pub(super) fn new(class: u32) -> Self {
        let size = class_size(class);
        SizeClass { size, per_chunk: (CHUNK_BYTES / size).max(1), chunks: Vec::new(), owners: Vec::new() }
    }

    fn place(&self, block: u32) -> (usize, usize) {
        let block = block as usize;
        (block / self.per_chunk, block % self.per_chunk * self.size)
    }

    pub(super) fn get(&self, block: u32, len: usize) -> &[u8] {
        let (chunk, start) = self.place(block);
        &self.chunks[chunk][start..start + len]
    }

    pub(super) fn put(&mut self, block: u32, bytes: &[u8]) {
        let (chunk, start) = self.place(block);
        self.chunks[chunk][start..start + bytes.len()].copy_from_slice(bytes);
    }

    pub(super) fn allocate(&mut self, owner: EntityId) -> u32 {
        let block = self.owners.len();
        if block == self.chunks.len() * self.per_chunk {
            self.chunks.push(vec![0; self.per_chunk * self.size].into_boxed_slice());
        }
        if block == self.owners.capacity() {
            // A list that doubles would hold up to twice what it needs.
            self.owners.reserve_exact((block / 8).max(self.per_chunk.min(64)));
        }
        self.owners.push(owner);
        block as u32
    }

    /// Frees a block. Returns the entity whose block has moved into its place, if one has.
    pub(super) fn free(&mut self, block: u32) -> Option<EntityId> {
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
        // One spare chunk stays, so that a class at the border of a chunk does not allocate again and again.
        while self.owners.len() + 2 * self.per_chunk <= self.chunks.len() * self.per_chunk {
            self.chunks.pop();
        }
        // Entities grow from class to class: a list that kept its room would keep it for all that ever passed.
        if self.owners.capacity() > self.owners.len() + self.owners.len() / 4 + self.per_chunk {
            self.owners.shrink_to(self.owners.len() + self.owners.len() / 8);
        }
        self.owners.get(block as usize).copied()
    }

    pub(super) fn bytes(&self) -> usize {
        self.chunks.len() * self.per_chunk * self.size + self.owners.capacity() * size_of::<EntityId>()
    }
}
