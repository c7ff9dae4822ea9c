//! How a worker's partitions stand, for the event that it reports at each tick.

use std::time::Instant;

use super::Worker;
use crate::kafka::broker::KafkaClients;
use crate::kafka::events::{Occurrence, PartitionStatus, RunningFigures};
use crate::kafka::repartition::TimeMerge;
use crate::kafka::task::Task;

impl<W: KafkaClients> Worker<W> {
    pub(super) fn status(&self) -> Occurrence {
        let now = self.clients.now();
        let partitions =
            self.tasks.iter().map(|(partition, task)| (self.topology().name(*partition), status(task, now)));
        Occurrence::Status { held: self.cycle.is_input_paused, partitions: partitions.collect() }
    }
}

fn status(task: &Task, now: Instant) -> PartitionStatus {
    match task {
        Task::Assigned { .. } => PartitionStatus::Starting,
        Task::Restoring(_) => PartitionStatus::Restoring,
        Task::Running(running) => PartitionStatus::Running(RunningFigures {
            committed: running.committed(),
            lag: running.lag,
            held_for: running.held_since.map(|since| now.saturating_duration_since(since)),
            unreadable_from: running.unreadable_from,
            schema_wait: running
                .schema_wait
                .as_ref()
                .map(|wait| (wait.schema, now.saturating_duration_since(wait.since))),
            clock: running.state().clock(),
            entities: running.state().entities(),
            waiting_bytes: running.merge.as_ref().map(TimeMerge::waiting_bytes),
            state_bytes: running.state().bytes(),
        }),
        Task::Stopped(error) => PartitionStatus::Stopped(error.to_string()),
    }
}
