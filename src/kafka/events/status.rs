//! How the partitions of a worker stand.

use std::time::Duration;

use crate::codec::SchemaKey;
use crate::model::Timestamp;

/// Where a partition stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartitionStatus {
    /// Its committed offset is being read.
    Starting,
    /// Its state is being read back from the changelog.
    Restoring,
    Running(RunningFigures),
    /// It has stopped until the operator acts, for this reason.
    Stopped(String),
}

/// Figures of a partition that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunningFigures {
    /// The offset that the group has committed; `None`: none.
    pub committed: Option<i64>,
    /// Records that are not applied yet; `None`: the broker does not tell now.
    pub lag: Option<u64>,
    /// For how long a sender's open transaction has held back events that were written; `None`: none does.
    pub held_for: Option<Duration>,
    /// The offset from which on records cannot be read; `None`: they can.
    pub unreadable_from: Option<i64>,
    /// For which schema of the registry it waits, and for how long; `None`: it does not.
    pub schema_wait: Option<(SchemaKey, Duration)>,
    /// The partition's own time; `None` before its first event.
    pub clock: Option<Timestamp>,
    pub entities: usize,
    /// Bytes of events that wait for other sources; `None`: the partition is not a merged one.
    pub waiting_bytes: Option<usize>,
    pub state_bytes: usize,
}
