//! What a changelog holds, and where a partition stands in it.

use super::segments::Slot;
use crate::model::Timestamp;

/// One record of the changelog: states and erasures of entities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    pub slot: Slot,
    pub number: u64,
    /// The id of the [`Schema`](crate::engine::Schema) in which the states are written.
    pub schema: u64,
    /// The fingerprint of the catalog under which they were written.
    pub catalog: u64,
    /// How many entities the partition had.
    pub population: u64,
    /// At least one in the changelog; in a snapshot there may be none left.
    pub count: u32,
    pub entries: &'a [u8],
}

/// Takes what has to be written. All of it belongs into one transaction, together with the partition's extent after it.
pub trait ChangelogSink {
    /// A segment; it replaces the record of its slot.
    fn segment(&mut self, segment: Segment<'_>);

    /// Removes the record of a slot (by a tombstone).
    fn clear(&mut self, slot: Slot);

    /// The meaning of a schema; it comes before the first segment that is written in it.
    fn schema(&mut self, id: u64, meaning: &[u8]);

    /// Removes the record of a schema.
    fn clear_schema(&mut self, id: u64);
}

/// The live segments of a changelog, by their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// The first live segment; `next` where there is none.
    pub oldest: u64,
    /// The segment that will be written next.
    pub next: u64,
}

/// The instant from which a partition goes on, and the segments that hold its state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    pub clock: Option<Timestamp>,
    pub extent: Extent,
    /// The fingerprint of the catalog that was in force.
    pub catalog: u64,
    /// The id of its schema.
    pub schema: u64,
    /// As [`Partition::notes`](crate::engine::Partition::notes) returned them.
    pub notes: Vec<u8>,
}
