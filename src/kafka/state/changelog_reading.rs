//! What has been read of a changelog partition so far: the state, and the records beside it.

use std::sync::Arc;

use super::snapshot_store::SnapshotUnusable;
use crate::codec::{ChangelogDecodeError, ChangelogKey, ChangelogRecord, PartitionFacts, SourceEntry};
use crate::engine::{ChangelogError, Checkpoint, Program, StateRestorer};
use crate::kafka::repartition::SourceProgress;
use crate::kafka::topology::SourcePartition;

/// The changelog's record of where a partition stands.
#[derive(Clone, Debug)]
pub(crate) struct ChangelogPosition {
    pub next_offset: i64,
    pub log_id: u64,
    pub facts: PartitionFacts,
    pub(super) position: Checkpoint,
}

/// The changelog's record of the sources of a merged partition.
#[derive(Clone, Debug)]
pub(crate) struct MergeProgress {
    pub read_to: i64,
    pub sources: Vec<SourceProgress>,
}

/// What is wrong with a record.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum ChangelogReadError {
    #[error(transparent)]
    Unreadable(#[from] ChangelogDecodeError),
    #[error(transparent)]
    Damage(#[from] ChangelogError),
    #[error(transparent)]
    Snapshot(#[from] SnapshotUnusable),
}

/// What has been read of a changelog partition.
pub(super) struct ChangelogReading {
    pub(super) restoring: StateRestorer,
    /// The log that it has to be; `None`: any.
    pub(super) log_id: Option<u64>,
    pub(super) position: Option<ChangelogPosition>,
    pub(super) sources: Option<MergeProgress>,
    pub(super) bytes: u64,
    pub(super) snapshot_bytes: Option<u64>,
}

impl ChangelogReading {
    pub(super) fn new(program: &Arc<Program>, log_id: Option<u64>) -> Self {
        let restoring = StateRestorer::new(Arc::clone(program));
        ChangelogReading { restoring, log_id, position: None, sources: None, bytes: 0, snapshot_bytes: None }
    }

    pub(super) fn take(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), ChangelogReadError> {
        self.bytes += (key.len() + value.map_or(0, <[u8]>::len)) as u64;
        match ChangelogRecord::read(key, value)? {
            ChangelogRecord::Meta(meta) => {
                if self.log_id.is_some_and(|log_id| log_id != meta.log) {
                    return Err(SnapshotUnusable::OtherLog.into());
                }
                let position = meta.checkpoint();
                let damaged = ChangelogDecodeError::Damaged { what: "the facts of the meta record" };
                let facts = PartitionFacts::read(meta.facts).ok_or(damaged)?;
                let (next_offset, log_id) = (meta.next_offset, meta.log);
                self.position = Some(ChangelogPosition { next_offset, log_id, facts, position });
            }
            ChangelogRecord::Schema { id, meaning } => self.restoring.schema(id, meaning)?,
            ChangelogRecord::Segment(segment) => self.restoring.segment(segment)?,
            ChangelogRecord::Cleared(ChangelogKey::Segment(slot)) => self.restoring.clear(slot),
            ChangelogRecord::Cleared(ChangelogKey::Schema(id)) => self.restoring.clear_schema(id),
            ChangelogRecord::Sources { read_to, entries } => {
                let sources = |entry: SourceEntry<'_>| SourceProgress {
                    source: SourcePartition { topic: entry.topic.into(), partition: entry.partition },
                    watermark: entry.clock,
                    next: entry.next,
                };
                let sources = SourceEntry::read_all(entries)?.into_iter().map(sources).collect();
                self.sources = Some(MergeProgress { read_to, sources });
            }
            ChangelogRecord::Cleared(ChangelogKey::Sources) => self.sources = None,
            // The service never removes it.
            ChangelogRecord::Cleared(ChangelogKey::Meta) => self.position = None,
        }
        Ok(())
    }
}
