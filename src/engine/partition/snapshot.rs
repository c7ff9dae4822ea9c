//! A snapshot of a partition in the form of its changelog, so that a reader needs only what was written after it.
//!
//! The snapshot has every live segment with those states that are still the latest, and every dead segment that has not
//! been overwritten yet, empty. A reader that reads it, and then the changelog from an offset that is not behind the
//! snapshot's, gets the same as from the whole changelog:
//!
//! - The right states are in segments that are live at the end. Those written after the snapshot are in the changelog,
//!   because compaction does not remove live segments; the others were live at the snapshot, too.
//! - An entity that was erased after the snapshot does not come back. The note of its erasure is in a segment that is
//!   newer than all of the snapshot's, and segments die in the order of their numbers. So when the note's segment is
//!   dead, as it must be before compaction may remove it, `oldest` is beyond all of the snapshot's segments, and the
//!   snapshot is refused ([`ChangelogError::Outdated`](crate::engine::ChangelogError::Outdated)). That is the rule that
//!   KIP-1259 asks of state kept beside a compacted topic; here it rests on numbers, and not on how long brokers keep
//!   tombstones.
//! - Reading again what was written shortly before the snapshot changes nothing: the last record of a slot counts.
//! - A slot that was cleared meanwhile, and whose tombstone compaction has removed, is taken for the slot of a dead
//!   segment, and is overwritten or cleared once more.

use super::Partition;
use crate::engine::changelog::{Segment, put_state};
use crate::engine::entity::StateLocation;

/// Takes a snapshot: the schema, then segments in the order of their numbers.
pub trait SnapshotSink {
    fn schema(&mut self, id: u64, meaning: &[u8]);

    /// `log_bytes`: the size of all the segment's entries in the changelog, of which these are a part.
    fn segment(&mut self, segment: Segment<'_>, log_bytes: u32);
}

/// Why no snapshot can be taken now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotUnavailable {
    #[error("part of the state is not in the changelog yet")]
    Pending,
    #[error("the changelog still holds segments in the schema of another catalog")]
    OtherSchema,
}

impl Partition {
    /// Hands out everything that a reader of the changelog would find.
    ///
    /// # Errors
    ///
    /// Why no snapshot can be taken now; nothing was handed out.
    pub fn write_snapshot(&self, out: &mut impl SnapshotSink) -> Result<(), SnapshotUnavailable> {
        if self.pending_bytes() > 0 {
            return Err(SnapshotUnavailable::Pending);
        }
        let (segments, store, schema) = (self.changelog.segments(), &self.store, &self.program.schema);
        if !segments.is_written_in(schema.id()) {
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
        // The segments that died last: their numbers are those before the live ones.
        let first = segments.oldest().saturating_sub(segments.dead().len() as u64);
        for (number, (slot, bytes)) in (first..).zip(segments.dead()) {
            out.segment(Segment { slot, number, ..empty }, bytes);
        }
        let (mut entries, mut state) = (Vec::new(), Vec::new());
        for live in segments.live() {
            entries.clear();
            let location = StateLocation::segment(live.number);
            let mut count = 0;
            for entity in live.entities.filter(|entity| store.is_at(*entity, location)) {
                put_state(store.state(entity, &mut state), store.due(entity), &mut entries);
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
