//! How a worker stands: where its partitions are, for whoever watches it.

use super::broker::KafkaClients;
use super::merge::TimeMerge;
use super::notice::Notice;
use super::slot::Task;
use super::worker::Worker;
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

impl<W: KafkaClients> Worker<W> {
    pub(super) fn status(&self) -> Notice {
        let partitions = self.tasks.iter().map(|(partition, task)| (self.topology().name(*partition), status(task)));
        Notice::Status { worker: self.plan.id, held: self.held, partitions: partitions.collect() }
    }
}

fn status(task: &Task) -> PartitionStatus {
    match task {
        Task::Assigned { .. } => PartitionStatus::Starting,
        Task::Restoring(_) => PartitionStatus::Restoring,
        Task::Running(running) => PartitionStatus::Running(RunningFigures {
            committed: running.committed(),
            lag: running.lag,
            clock: running.state().clock(),
            entities: running.state().entities(),
            waiting_bytes: running.merge.as_ref().map(TimeMerge::waiting_bytes),
            state_bytes: running.state().bytes(),
        }),
        Task::Stopped(error) => PartitionStatus::Stopped(error.to_string()),
    }
}
