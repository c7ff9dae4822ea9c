//! What a changelog holds, and where a partition stands in it.

use super::segments::Slot;
use crate::model::Timestamp;

/// One record of the log: states and erasures of entities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    pub slot: Slot,
    pub number: u64,
    /// The id of the [`Schema`] in which the states are written.
    pub schema: u64,
    /// The fingerprint of the catalog under which they were written.
    pub catalog: u64,
    /// How many entities the partition had.
    pub population: u64,
    /// One or more in the log; in a copy there may be none left.
    pub count: u32,
    pub entries: &'a [u8],
}

/// Takes what has to be written. All of it belongs into one transaction, with [`Partition::extent`] as it then is.
pub trait ChangelogSink {
    /// A segment, in place of what was in its slot.
    fn segment(&mut self, segment: Segment<'_>);

    /// A slot whose record is to be removed (a tombstone).
    fn clear(&mut self, slot: Slot);

    /// The meaning of a schema, before the first segment that is written in it.
    fn schema(&mut self, id: u64, meaning: &[u8]);

    /// A schema whose record is to be removed.
    fn clear_schema(&mut self, id: u64);
}

/// The live part of a log, by the numbers of segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// The first that is needed; `next` where none is.
    pub oldest: u64,
    /// The one that will be written next.
    pub next: u64,
}

/// The instant from which a partition goes on, and the part of the log that its state is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    pub clock: Option<Timestamp>,
    pub extent: Extent,
    /// The fingerprint of the catalog that was in force.
    pub catalog: u64,
    /// The id of its schema.
    pub schema: u64,
    /// As [`Partition::notes`] gave them.
    pub notes: Vec<u8>,
}
