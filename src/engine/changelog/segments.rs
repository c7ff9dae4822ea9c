//! Which segments of a changelog partition are live, which slots they have, and which slots are free.

use std::collections::VecDeque;

use crate::engine::entity::EntityId;

/// The key of a segment's record: small numbers, used again after a segment is dead.
pub type Slot = u32;

/// No partition has that many segments.
pub(crate) const SLOT_MAX: Slot = 1 << 28;

/// At most this many dead segments wait to be overwritten, and only while they are small beside the live ones; the
/// slots of the others are cleared.
const DEAD_MAX: usize = 4;
const DEAD_SHARE: u64 = 16;
const DEAD_BYTES: u64 = 32 << 10;

/// What a record takes in the changelog beside its entries: its header here and in Kafka.
const RECORD_BYTES: u64 = 64;

/// A segment that may hold the latest state of some entity.
#[derive(Clone, Copy, Debug)]
struct LiveSlot {
    slot: Slot,
    /// How many states it holds.
    states: u32,
    bytes: u64,
}

/// A segment that is not needed, and whose record is still there.
#[derive(Clone, Copy, Debug)]
struct DeadSlot {
    slot: Slot,
    number: u64,
    bytes: u64,
}

/// How long the record of a schema is needed.
#[derive(Clone, Copy, Debug)]
struct SchemaUse {
    schema: u64,
    /// The last segment that is written in it.
    last: u64,
}

/// The segments of one changelog partition.
#[derive(Debug, Default)]
pub(crate) struct SegmentRing {
    /// Oldest first; their numbers are consecutive.
    live: VecDeque<LiveSlot>,
    /// The entities whose states they hold, in the order of the entries.
    entities: VecDeque<EntityId>,
    /// The number of the first live segment.
    oldest: u64,
    bytes: u64,
    /// Dead segments, the one that died first in front.
    dead: VecDeque<DeadSlot>,
    dead_bytes: u64,
    /// Slots below `slots` without a record.
    cleared: Vec<Slot>,
    slots: Slot,
    schemas: Vec<SchemaUse>,
}

impl SegmentRing {
    /// A changelog whose first live segment has this number.
    pub(crate) fn starting(oldest: u64) -> Self {
        SegmentRing { oldest, ..SegmentRing::default() }
    }

    /// The number of the oldest live segment; where there is none, the number of the next segment.
    pub(crate) fn oldest(&self) -> u64 {
        self.oldest
    }

    /// The number that the next segment will have.
    pub(crate) fn next(&self) -> u64 {
        self.oldest + self.live.len() as u64
    }

    /// The size of the live segments.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes of memory allocated for this.
    pub(crate) fn held_bytes(&self) -> usize {
        self.live.capacity() * size_of::<LiveSlot>() + self.entities.capacity() * size_of::<EntityId>()
    }

    /// An entity's state goes into the next segment.
    pub(crate) fn add_state(&mut self, entity: EntityId) {
        self.entities.push_back(entity);
    }

    /// Ends the next segment: it holds the last `states` states, and `bytes` bytes of entries. Returns its slot.
    ///
    /// The slot is that of the segment that has been dead longest, else one without a record.
    pub(crate) fn push(&mut self, states: u32, bytes: usize, schema: u64) -> Slot {
        let slot = self.pop_dead().or_else(|| self.cleared.pop()).unwrap_or_else(|| {
            self.slots += 1;
            self.slots - 1
        });
        self.push_at(slot, states, bytes, schema);
        slot
    }

    fn push_at(&mut self, slot: Slot, states: u32, bytes: usize, schema: u64) {
        let number = self.next();
        let bytes = bytes as u64 + RECORD_BYTES;
        self.bytes += bytes;
        self.live.push_back(LiveSlot { slot, states, bytes });
        match self.schemas.iter_mut().find(|used| used.schema == schema) {
            Some(used) => used.last = number,
            None => self.schemas.push(SchemaUse { schema, last: number }),
        }
    }

    /// The size of the oldest segment.
    pub(crate) fn oldest_bytes(&self) -> Option<u64> {
        self.live.front().map(|live| live.bytes)
    }

    /// Takes the oldest segment out of the live ones: its number, and how many states it holds. The caller takes these
    /// one by one from [`SegmentRing::pop_state`], and adds those again whose latest state is there.
    pub(crate) fn retire(&mut self) -> Option<(u64, u32)> {
        let live = self.live.pop_front()?;
        self.oldest += 1;
        self.bytes -= live.bytes;
        self.push_dead(DeadSlot { slot: live.slot, number: self.oldest - 1, bytes: live.bytes });
        Some((self.oldest - 1, live.states))
    }

    pub(crate) fn pop_state(&mut self) -> Option<EntityId> {
        self.entities.pop_front()
    }

    /// The number of the oldest segment whose record is still there, live or dead.
    pub(crate) fn oldest_held(&self) -> u64 {
        self.dead.front().map_or(self.oldest, |dead| dead.number)
    }

    /// Takes out a slot whose record is to be removed: where too many are dead, and for all segments before `purge_to`.
    pub(crate) fn clear_one(&mut self, purge_to: u64) -> Option<Slot> {
        let is_little = self.dead.len() <= DEAD_MAX && self.dead_bytes <= DEAD_BYTES.max(self.bytes / DEAD_SHARE);
        if is_little && self.oldest_held() >= purge_to {
            return None;
        }
        let slot = self.pop_dead()?;
        self.cleared.push(slot);
        Some(slot)
    }

    fn push_dead(&mut self, dead: DeadSlot) {
        self.dead.push_back(dead);
        self.dead_bytes += dead.bytes;
    }

    fn pop_dead(&mut self) -> Option<Slot> {
        let dead = self.dead.pop_front()?;
        self.dead_bytes -= dead.bytes;
        Some(dead.slot)
    }

    /// Whether the changelog has the record of a schema.
    pub(crate) fn has_schema(&self, schema: u64) -> bool {
        self.schemas.iter().any(|used| used.schema == schema)
    }

    /// Takes out a schema, other than the present one, in which no live segment is written.
    pub(crate) fn drop_schema(&mut self, present: u64) -> Option<u64> {
        let oldest = self.oldest;
        let index = self.schemas.iter().position(|used| used.schema != present && used.last < oldest)?;
        Some(self.schemas.swap_remove(index).schema)
    }
}

/// A live segment, for a snapshot.
pub(crate) struct LiveSegment<I> {
    pub slot: Slot,
    pub number: u64,
    /// Of its entries.
    pub bytes: u32,
    /// The entities whose states it holds or held.
    pub entities: I,
}

/// What a snapshot needs.
impl SegmentRing {
    /// Whether all segments are written in this schema.
    pub(crate) fn is_written_in(&self, schema: u64) -> bool {
        self.schemas.iter().all(|used| used.schema == schema)
    }

    /// The slots of dead segments and the sizes of their entries, the one that died first in front.
    pub(crate) fn dead(&self) -> impl ExactSizeIterator<Item = (Slot, u32)> {
        self.dead.iter().map(|dead| (dead.slot, entry_bytes(dead.bytes)))
    }

    /// The live segments, oldest first.
    pub(crate) fn live(&self) -> impl Iterator<Item = LiveSegment<impl Iterator<Item = EntityId>>> {
        let mut first = 0;
        (self.oldest..).zip(&self.live).map(move |(number, live)| {
            let held = first..first + live.states as usize;
            first = held.end;
            let entities = self.entities.range(held).copied();
            LiveSegment { slot: live.slot, number, bytes: entry_bytes(live.bytes), entities }
        })
    }
}

/// The size of a segment's entries, from the size of its record.
fn entry_bytes(bytes: u64) -> u32 {
    (bytes - RECORD_BYTES) as u32
}

/// Restoring.
impl SegmentRing {
    /// The next live segment, oldest first, with the entities whose latest states it holds.
    pub(crate) fn restore_live(
        &mut self,
        slot: Slot,
        latest: impl Iterator<Item = EntityId>,
        bytes: usize,
        schema: u64,
    ) {
        let before = self.entities.len();
        self.entities.extend(latest);
        let states = self.entities.len() - before;
        self.push_at(slot, states as u32, bytes, schema);
        self.slots = self.slots.max(slot + 1);
    }

    /// The next dead segment, in the order of their numbers.
    pub(crate) fn restore_dead(&mut self, slot: Slot, number: u64, bytes: usize) {
        self.push_dead(DeadSlot { slot, number, bytes: bytes as u64 + RECORD_BYTES });
        self.slots = self.slots.max(slot + 1);
    }

    /// A schema whose record is there.
    pub(crate) fn restore_schema(&mut self, schema: u64) {
        if !self.has_schema(schema) {
            self.schemas.push(SchemaUse { schema, last: 0 });
        }
    }

    /// Everything that was there has been added: all other slots have no record.
    pub(crate) fn restored(&mut self) {
        /// More free slots are not worth keeping.
        const CLEARED_MAX: usize = 65_536;
        let mut held: Vec<Slot> =
            self.live.iter().map(|live| live.slot).chain(self.dead.iter().map(|dead| dead.slot)).collect();
        held.sort_unstable();
        let after = held.iter().map(|slot| slot + 1);
        let gaps = std::iter::once(0).chain(after).zip(&held).flat_map(|(from, to)| from..*to);
        self.cleared = gaps.take(CLEARED_MAX).collect();
    }
}
