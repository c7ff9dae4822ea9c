//! What has been read of a changelog partition so far: the state, and the records beside it.

use std::collections::BTreeMap;
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
    /// Records that tagstream has not written.
    pub(super) foreign: u64,
    /// By key: records that cannot be read, and that no later record of the key replaces, with their offsets.
    pub(super) unreadable: BTreeMap<ChangelogKey, (i64, ChangelogReadError)>,
}

impl ChangelogReading {
    pub(super) fn new(program: &Arc<Program>, log_id: Option<u64>) -> Self {
        let restoring = StateRestorer::new(Arc::clone(program));
        ChangelogReading {
            restoring,
            log_id,
            position: None,
            sources: None,
            bytes: 0,
            snapshot_bytes: None,
            foreign: 0,
            unreadable: BTreeMap::new(),
        }
    }

    /// Takes the record at an offset. One that cannot be read is an error only if no other of its key follows: see
    /// [`ChangelogReading::check`].
    pub(super) fn take(&mut self, offset: i64, key: &[u8], value: Option<&[u8]>) -> Result<(), ChangelogReadError> {
        self.bytes += (key.len() + value.map_or(0, <[u8]>::len)) as u64;
        let known = ChangelogKey::read(key);
        if let Some(key) = known {
            self.unreadable.remove(&key);
        }
        match (self.apply(key, value), known) {
            (Err(ChangelogReadError::Unreadable(ChangelogDecodeError::Foreign)), _) => self.foreign += 1,
            (
                Err(
                    error @ (ChangelogReadError::Unreadable(ChangelogDecodeError::Damaged { .. })
                    | ChangelogReadError::Damage(_)),
                ),
                Some(key),
            ) => {
                self.unreadable.insert(key, (offset, error));
            }
            (result, _) => return result,
        }
        Ok(())
    }

    /// Expects that no record was unreadable.
    ///
    /// # Errors
    /// The first one, with its offset.
    pub(super) fn check(&self) -> Result<(), (i64, ChangelogReadError)> {
        let first = self.unreadable.values().min_by_key(|(offset, _)| *offset);
        first.map_or(Ok(()), |(offset, error)| Err((*offset, error.clone())))
    }

    fn apply(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), ChangelogReadError> {
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
