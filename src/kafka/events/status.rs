//! How a worker stands: where its partitions are, for whoever watches it.

use crate::model::Timestamp;

/// Where a partition stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartitionStatus {
    /// Its committed offset is looked for.
    Starting,
    /// Its state is read back from the changelog.
    Restoring,
    Running(RunningFigures),
    /// It does not go on until a person has done something, for this reason.
    Stopped(String),
}

/// Figures of a partition that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunningFigures {
    /// The offset that the group has committed; `None`: none at all.
    pub committed: Option<i64>,
    /// Records that are not applied yet; `None`: the broker does not tell now.
    pub lag: Option<u64>,
    /// The partition's own time; `None` before its first event.
    pub clock: Option<Timestamp>,
    pub entities: usize,
    /// Bytes of events that wait for other inputs; `None`: it is no partition where they do.
    pub waiting_bytes: Option<usize>,
    pub state_bytes: usize,
}
