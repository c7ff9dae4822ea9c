//! Why a state cannot be read back.

use super::changelog_reading::ChangelogReadError;
use super::snapshot_store::SnapshotUnusable;
use crate::codec::ChangelogDecodeError;
use crate::engine::ChangelogError;
use crate::kafka::broker::ClientError;

/// Why a state cannot be read back.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum RestoreError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("{topic}, partition {partition}, offset {offset}: {error}")]
    Record { topic: String, partition: i32, offset: i64, error: ChangelogReadError },
    #[error("{topic}, partition {partition}: {error}")]
    Whole { topic: String, partition: i32, error: ChangelogError },
    #[error("the thread that reads states back could not start, or has failed; the log says why")]
    ThreadEnded,
    #[error(transparent)]
    Snapshot(#[from] SnapshotUnusable),
}

impl RestoreError {
    /// Whether a newer version of the program has written the changelog.
    pub(crate) fn is_of_newer_version(&self) -> bool {
        let newer = |error: &ChangelogReadError| {
            matches!(error, ChangelogReadError::Unreadable(ChangelogDecodeError::UnknownVersion { .. }))
        };
        matches!(self, RestoreError::Record { error, .. } if newer(error))
    }
}
