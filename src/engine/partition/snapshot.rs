//! A copy of a partition in the shape in which its log is read, so that a reader of the log needs only what was written
//! after the copy was taken.
//!
//! The copy has every live segment with the states that are still the latest, and every dead one that has not been
//! overwritten yet, without any. To whoever reads it and then the log from some offset on that was not behind the copy's,
//! all is as if they had read the log from its beginning:
//!
//! - The states that are right at the end stand in segments that are live at the end. Those of them that were written
//!   after the copy are in the log, since compaction removes none that is live; the others were live at the copy, too.
//! - What was erased after the copy does not come back. The note of the erasure stands in a segment that is newer than all
//!   of the copy's, and segments die in the order of their numbers. So when the note's segment is dead, which it has to be
//!   before compaction may remove it, `oldest` is behind all of the copy, which is refused then
//!   ([`ChangelogError::Outdated`](crate::engine::ChangelogError::Outdated)). That is the rule that KIP-1259 wants of whoever keeps state beside
//!   a compacted log; it rests on numbers instead of on how long brokers keep tombstones.
//! - To read again what was written shortly before the copy changes nothing: what stands last in the log counts.
//! - A slot that was cleared meanwhile, and whose tombstone compaction has removed, is taken for that of a dead segment,
//!   and is overwritten or cleared once more.

use super::Partition;
use crate::engine::changelog::{Segment, put_state};
use crate::engine::entity::StateLocation;

/// Takes a copy: the schema, then segments in the order of their numbers.
pub trait SnapshotSink {
    fn schema(&mut self, id: u64, meaning: &[u8]);

    /// `log_bytes`: the size of the segment's entries in the log, of which these are a part.
    fn segment(&mut self, segment: Segment<'_>, log_bytes: u32);
}

/// Why a partition cannot be copied now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotUnavailable {
    #[error("something of it is not in its log yet")]
    Pending,
    #[error("its log is still written in the schema of another catalog")]
    OtherSchema,
}

impl Partition {
    /// Copies everything that a reader of the log would find.
    ///
    /// # Errors
    /// Why it cannot be copied now; nothing was handed out.
    pub fn write_snapshot(&self, out: &mut impl SnapshotSink) -> Result<(), SnapshotUnavailable> {
        if self.pending_bytes() > 0 {
            return Err(SnapshotUnavailable::Pending);
        }
        let (ring, store, schema) = (self.changelog.segments(), &self.store, &self.program.schema);
        if !ring.is_written_in(schema.id()) {
            return Err(SnapshotUnavailable::OtherSchema);
        }
        out.schema(schema.id(), schema.meaning());
        let empty = Segment {
            slot: 0,
            number: 0,
            schema: schema.id(),
            catalog: self.program.catalog.fingerprint,
            population: store.len() as u64,
            count: 0,
            entries: &[],
        };
        // The last ones that died: their numbers are those in front of the live ones.
        let first = ring.oldest().saturating_sub(ring.dead().len() as u64);
        for (number, (slot, bytes)) in (first..).zip(ring.dead()) {
            out.segment(Segment { slot, number, ..empty }, bytes);
        }
        let mut entries = Vec::new();
        for live in ring.live() {
            entries.clear();
            let place = StateLocation::segment(live.number);
            let mut count = 0;
            for entity in live.entities.filter(|entity| store.is_at(*entity, place)) {
                put_state(store.packed(entity), store.due(entity), &mut entries);
                count += 1;
            }
            out.segment(
                Segment { slot: live.slot, number: live.number, count, entries: &entries, ..empty },
                live.bytes,
            );
        }
        Ok(())
    }
}
