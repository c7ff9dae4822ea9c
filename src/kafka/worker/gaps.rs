//! Gaps in a partition: offsets without a record, and records that are gone before they were read.
//!
//! An offset may have no record: marks of transactions have one, and what was aborted or compacted away had one. When
//! such offsets follow the last record, everything was read, but the committed offset would be before them. If retention
//! then empties the partition, it would look as if records were lost. So the offset that is committed passes over them.
//!
//! Where records were lost, the partition stops. The operator may accept the gap at a start, for the offset at which the
//! state stands: then the state goes on at the first record that exists.

use std::collections::BTreeMap;

use super::Worker;
use super::plan::WorkerError;
use super::rebalance::{BOUNDS_PATIENCE, REVOKE_PATIENCE};
use crate::kafka::broker::{BrokerError, GroupConsumer, KafkaClients, OffsetBounds};
use crate::kafka::events::{Action, Occurrence};
use crate::kafka::state::{Cancel, RecoveryPoint, RestoreRequest, StateUse};
use crate::kafka::task::{Disagreement, PartitionError, RunningTask, Task};
use crate::kafka::topology::PartitionId;

/// Where a partition goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StartPoint {
    pub next_offset: i64,
    /// The first offset of a gap that the operator has accepted; it ends at `next_offset`.
    pub gap_from: Option<i64>,
}

impl StartPoint {
    pub(super) fn at(next_offset: i64) -> Self {
        StartPoint { next_offset, gap_from: None }
    }
}

/// Why a partition whose state was read back cannot go on.
pub(super) enum NoStart {
    /// The brokers do not answer.
    Now(BrokerError),
    Ever(PartitionError),
}

impl<W: KafkaClients> Worker<W> {
    pub(super) fn recovery_point(&self, partition: PartitionId, offset: Option<i64>) -> RecoveryPoint {
        let topic = self.topology().topic(partition.topic).to_owned();
        RecoveryPoint { topic, partition: partition.number, offset }
    }

    /// Where a partition goes on whose next offset is this one.
    ///
    /// # Errors
    /// The records there are gone, and the operator has not accepted it.
    pub(super) fn find_start(
        &self,
        partition: PartitionId,
        offset: i64,
        bounds: OffsetBounds,
    ) -> Result<StartPoint, PartitionError> {
        let OffsetBounds { low, high } = bounds;
        if (low..=high).contains(&offset) {
            return Ok(StartPoint::at(offset));
        }
        let at = self.recovery_point(partition, Some(offset));
        if offset > high {
            return Err(PartitionError::BeyondEnd { at, high });
        }
        match self.plan.recovery.accepts_gap(&at) {
            true => Ok(StartPoint { next_offset: low, gap_from: Some(offset) }),
            false => Err(PartitionError::RecordsGone { at, low }),
        }
    }

    /// Where a partition goes on whose state stands at `noted`. `committed`: where the group stands; with it, where the
    /// partition begins, and where it would go on if the records there exist.
    pub(super) fn start_of_state(
        &self,
        partition: PartitionId,
        (committed, usual, low): (Option<i64>, StartPoint, i64),
        noted: Option<i64>,
        state_use: StateUse,
    ) -> Result<StartPoint, NoStart> {
        match state_use {
            StateUse::Continue => {}
            StateUse::StartEmpty => return Ok(usual),
            StateUse::Recount => {
                let bounds = self.consumer.bounds(partition, BOUNDS_PATIENCE).map_err(NoStart::Now)?;
                return Ok(StartPoint::at(bounds.low));
            }
        }
        let agrees = agree(committed, noted, low);
        let offset = match noted {
            Some(offset) if offset < low => offset,
            _ if agrees => return Ok(usual),
            _ => return Err(NoStart::Ever(self.disagreement(partition, committed, noted, low))),
        };
        // Retention may have gone on.
        let bounds = self.consumer.bounds(partition, BOUNDS_PATIENCE).map_err(NoStart::Now)?;
        self.find_start(partition, offset, bounds).map_err(|error| {
            NoStart::Ever(if agrees { error } else { self.disagreement(partition, committed, noted, bounds.low) })
        })
    }

    /// What the operator allows in place of the state of a partition whose group stands at this offset.
    pub(super) fn allowed_state_use(&self, partition: PartitionId, committed: Option<i64>) -> StateUse {
        self.plan.recovery.in_place_of_state(&self.recovery_point(partition, committed)).unwrap_or_default()
    }

    pub(super) fn report_discarded(&self, partition: PartitionId, state_use: StateUse, error: &PartitionError) {
        let (partition, why) = (self.topology().name(partition), error.to_string());
        self.report(Occurrence::StateDiscarded { partition, why, recounts: state_use == StateUse::Recount });
    }

    /// A partition cannot go on with its state: it begins anew, if the operator allows it, or it stops.
    pub(super) fn discard_or_stop(&mut self, partition: PartitionId, error: PartitionError) {
        let Some(Task::Restoring(restore)) = self.tasks.get_mut(&partition) else { return };
        let committed = restore.committed;
        let was_discarded = restore.state_use != StateUse::Continue;
        let is_of_state = matches!(error, PartitionError::Restore { .. } | PartitionError::Disagreement(_));
        let state_use = self.allowed_state_use(partition, committed);
        if was_discarded || !is_of_state || state_use == StateUse::Continue {
            return self.stop(partition, error);
        }
        self.report_discarded(partition, state_use, &error);
        let cancel = Cancel::default();
        if let Some(Task::Restoring(restore)) = self.tasks.get_mut(&partition) {
            (restore.state_use, restore.cancel) = (state_use, cancel.clone());
        }
        self.restorer.send(vec![RestoreRequest { partition, committed, state_use, cancel }]);
    }

    fn disagreement(
        &self,
        partition: PartitionId,
        committed: Option<i64>,
        noted: Option<i64>,
        low: i64,
    ) -> PartitionError {
        let (at, changelog) =
            (self.recovery_point(partition, committed), self.topology().plan(partition.topic).changelog.clone());
        let (group, brokers) = (self.plan.settings.kafka.application.clone(), self.plan.settings.kafka.brokers.clone());
        PartitionError::Disagreement(Box::new(Disagreement { at, changelog, noted, low, group, brokers }))
    }

    /// Counts an accepted gap, and tells of it.
    pub(super) fn note_gap(&self, partition: PartitionId, running: &mut RunningTask, start: StartPoint) {
        let Some(from) = start.gap_from else { return };
        let to = start.next_offset;
        running.work.gap_offsets += (to - from).unsigned_abs();
        self.report(Occurrence::GapAccepted { partition: self.topology().name(partition), from, to });
    }

    /// Passes over offsets without a record behind the last record that was read.
    pub(super) fn pass_markers(&mut self) {
        let positions = self.consumer.positions().unwrap_or_default();
        self.pass_to(&positions);
    }

    /// Passes over offsets without a record up to where the client stands.
    pub(super) fn pass_to(&mut self, positions: &BTreeMap<PartitionId, i64>) {
        // The client is also ahead of records that are not applied.
        if !self.batch.is_empty() {
            return;
        }
        for (partition, task) in &mut self.tasks {
            if let (Task::Running(running), Some(position)) = (task, positions.get(partition)) {
                running.pass_to(*position);
            }
        }
    }

    /// Stops the partitions that have lost records before they were read.
    pub(super) fn stop_where_records_are_gone(&mut self) -> Result<(), WorkerError> {
        self.pass_markers();
        for partition in self.running() {
            let Some(Task::Running(running)) = self.tasks.get(&partition) else { continue };
            let offset = running.position();
            match self.consumer.bounds(partition, BOUNDS_PATIENCE) {
                Ok(OffsetBounds { low, high }) if (low..=high).contains(&offset) => {}
                Ok(bounds) => {
                    self.commit_all_within(REVOKE_PATIENCE)?;
                    self.drop_from_transaction(&[partition])?;
                    self.stop_at_gap(partition, offset, bounds);
                }
                Err(error) => {
                    let why = error.text;
                    self.report(Occurrence::Failed { action: Action::ReadPartitionEnds, why });
                }
            }
        }
        Ok(())
    }

    /// Stops a running partition that has read up to this offset, whose records are gone. What it has applied may not be
    /// committed; the next start stands at what is.
    fn stop_at_gap(&mut self, partition: PartitionId, read_to: i64, bounds: OffsetBounds) {
        let Some(Task::Running(running)) = self.tasks.get(&partition) else { return };
        let offset = running.committed().unwrap_or(read_to);
        let error = match self.find_start(partition, offset, bounds) {
            Err(error) => error,
            // An order that the operator has given for an earlier gap does not fit; this one begins at a later offset.
            Ok(_) => PartitionError::RecordsGone { at: self.recovery_point(partition, Some(offset)), low: bounds.low },
        };
        self.stop(partition, error);
    }
}

/// Whether a state may stand at `noted` where the group stands at `committed`, in a partition that begins at `low`: at the
/// beginning there is nothing before it that a state could hold.
pub(super) fn agree(committed: Option<i64>, noted: Option<i64>, low: i64) -> bool {
    noted == committed || noted.is_none() && committed == Some(low)
}
