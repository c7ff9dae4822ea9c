//! Rebalances: assigned partitions start at their committed offset, revoked partitions are committed first.
//!
//! librdkafka's callback only queues what the group requests; it is answered here, between two polls, and the group
//! waits for the answer. An assignment is accepted at once with no partition; a partition is added to the consumer,
//! with its explicit start, when its state has been read back.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Worker;
use super::gaps::{NoStart, StartPoint, agree};
use super::plan::WorkerError;
use crate::kafka::broker::{BrokerError, CommittedOffset, GroupConsumer, KafkaClients, Rebalance};
use crate::kafka::events::{Action, Occurrence};
use crate::kafka::failpoint::{self, Failpoint};
use crate::kafka::state::{Cancel, RestoreError, RestoreRequest, RestoreResult, StateUse};
use crate::kafka::task::{OffsetMetadata, PartitionError, RestoringTask, RunningTask, Task};
use crate::kafka::topology::{PartitionId, Role};
use crate::settings::Start;

/// How long a revocation may wait for the last commit. Heartbeats go on meanwhile.
pub(super) const REVOKE_PATIENCE: Duration = Duration::from_secs(5);
/// How long it may wait for snapshots after that: they are useful only if the partition comes back.
const FINAL_SNAPSHOTS_PATIENCE: Duration = Duration::from_secs(2);
/// One request for committed offsets; it takes all this time while a predecessor's transaction is open.
const COMMITTED_PATIENCE: Duration = Duration::from_millis(400);
pub(super) const BOUNDS_PATIENCE: Duration = Duration::from_secs(2);
const START_AGAIN: Duration = Duration::from_millis(200);
/// How soon a start looks again whether the brokers have told the ids of the topics.
const ANSWER_AGAIN: Duration = Duration::from_millis(20);
/// How many times in a row a state and a committed offset may differ until they count as unrelated: between the two
/// looks a former member of the group may have committed.
const DISAGREEMENTS_MAX: u32 = 5;

impl<W: KafkaClients> Worker<W> {
    pub(super) fn rebalance(&mut self, rebalance: Rebalance) -> Result<(), WorkerError> {
        self.check_membership()?;
        match rebalance {
            Rebalance::Assign(partitions) => {
                self.answer(self.consumer.accept());
                for partition in &partitions {
                    self.tasks.insert(*partition, Task::Assigned { disagreements: 0 });
                }
                if !partitions.is_empty() {
                    self.start_at = Some(self.clients.now());
                }
                let partitions = self.topology().names(&partitions);
                self.report(Occurrence::Assigned { partitions });
            }
            Rebalance::Revoke { partitions, lost } => {
                let lost = std::mem::take(&mut self.gave_up_unasked) || lost;
                failpoint::pass(Failpoint::RevokeWanted);
                if !lost {
                    self.commit_all_within(REVOKE_PATIENCE)?;
                    self.take_final_snapshots(&partitions, FINAL_SNAPSHOTS_PATIENCE);
                }
                failpoint::pass(Failpoint::RevokeCommitted);
                self.drop_from_transaction(&partitions)?;
                self.close_tasks(&partitions);
                failpoint::pass(Failpoint::RevokeAnswered);
                if !partitions.is_empty() {
                    let partitions = self.topology().names(&partitions);
                    self.report(Occurrence::Revoked { partitions, lost });
                }
            }
            Rebalance::Failed(why) => self.report(Occurrence::Failed { action: Action::Rebalance, why }),
        }
        Ok(())
    }

    /// Restarts all tasks from what is committed, if the membership under which they were assigned has ended: another
    /// member may have worked on them since. If it ends during a rebalance, librdkafka does not tell, and offsets would
    /// be committed under the new membership.
    pub(super) fn check_membership(&mut self) -> Result<(), WorkerError> {
        let member = self.consumer.member();
        if member.is_none() || member == self.member {
            return Ok(());
        }
        if std::mem::replace(&mut self.member, member).is_none() {
            return Ok(());
        }
        let stopped = |task: &Task| matches!(task, Task::Stopped(_));
        let held: Vec<PartitionId> =
            self.tasks.iter().filter(|(_, task)| !stopped(task)).map(|(partition, _)| *partition).collect();
        if held.is_empty() {
            return Ok(());
        }
        let why = "one membership has ended and another has begun; partitions start again from what is committed";
        self.report(Occurrence::Failed { action: Action::Rebalance, why: why.to_owned() });
        self.drop_from_transaction(&held)?;
        for partition in held {
            self.restart_task(partition);
        }
        Ok(())
    }

    /// Drops the state of tasks and their waiting records. Nothing of theirs is sent after this.
    fn close_tasks(&mut self, partitions: &[PartitionId]) {
        let mut ran = Vec::new();
        for partition in partitions {
            self.plan.rollout.forget_partition(self.plan.id, *partition);
            if let Some(snapshots) = &mut self.snapshots {
                snapshots.forget(*partition);
            }
            match self.tasks.remove(partition) {
                Some(Task::Running(_)) => ran.push(*partition),
                Some(Task::Restoring(restore)) => restore.cancel.give(),
                Some(Task::Assigned { .. } | Task::Stopped(_)) | None => {}
            }
        }
        self.batch.give_up(partitions);
        self.answer(self.consumer.give_up(&ran));
    }

    /// Drops the state of a partition that another member may have worked on, and starts it from what is committed.
    pub(super) fn restart_task(&mut self, partition: PartitionId) {
        self.close_tasks(&[partition]);
        self.gave_up_unasked = true;
        self.tasks.insert(partition, Task::Assigned { disagreements: 0 });
        self.start_at = Some(self.clients.now());
    }

    /// Stops a partition until the operator acts. It stays assigned.
    pub(super) fn stop(&mut self, partition: PartitionId, error: PartitionError) {
        let name = self.topology().name(partition);
        self.report(Occurrence::PartitionStopped { partition: name, why: error.to_string() });
        self.close_tasks(&[partition]);
        self.gave_up_unasked = true;
        self.tasks.insert(partition, Task::Stopped(error));
    }

    /// Requests the states of the assigned partitions whose committed offsets are known.
    pub(super) fn start_assigned(&mut self) -> Result<(), WorkerError> {
        self.start_at = None;
        self.watch_topics()?;
        let assigned = |(partition, task): (&PartitionId, &Task)| match task {
            Task::Assigned { disagreements } => Some((*partition, *disagreements)),
            _ => None,
        };
        let mut waiting: BTreeMap<PartitionId, u32> = self.tasks.iter().filter_map(assigned).collect();
        if waiting.is_empty() {
            return Ok(());
        }
        if let Some(error) = self.topic_watch.changed().cloned() {
            waiting.into_keys().for_each(|partition| self.stop(partition, error.clone()));
            return Ok(());
        }
        if !self.topic_watch.has_answer() {
            self.start_at = Some(self.clients.now() + ANSWER_AGAIN);
            return Ok(());
        }
        // One that was added since the start stops with all others when the topic watch has noticed it.
        let all = waiting.len();
        waiting.retain(|partition, _| partition.number < self.topology().plan(partition.topic).partitions);
        if waiting.len() < all {
            self.start_at = Some(self.clients.now() + START_AGAIN);
        }
        if waiting.is_empty() {
            return Ok(());
        }
        let asked: Vec<PartitionId> = waiting.keys().copied().collect();
        let found = match self.consumer.committed(&asked, COMMITTED_PATIENCE) {
            Ok(found) => found,
            Err(error) => {
                self.start_later(Action::ReadCommittedOffsets, &error.text);
                return Ok(());
            }
        };
        let mut requests = Vec::new();
        for (partition, disagreements) in waiting {
            match found.get(&partition) {
                Some(Ok(committed)) => requests.extend(self.restore_request(partition, committed, disagreements)),
                Some(Err(error)) => self.start_later(Action::ReadCommittedOffsets, &error.text),
                None => self.start_later(Action::ReadCommittedOffsets, "the broker left one out"),
            }
        }
        if !requests.is_empty() {
            self.restorer.send(requests);
        }
        Ok(())
    }

    /// What has to be restored for a partition to run. `None`: the broker does not tell now, or the partition cannot
    /// run.
    fn restore_request(
        &mut self,
        partition: PartitionId,
        found: &CommittedOffset,
        disagreements: u32,
    ) -> Option<RestoreRequest> {
        let note = OffsetMetadata::read(&found.metadata);
        if let Some(error) = self.topic_watch.refuse(self.plan.topology.topic(partition.topic), note.topic) {
            self.stop(partition, error);
            return None;
        }
        let (role, committed) = (self.topology().plan(partition.topic).role, found.offset);
        let bounds = match self.consumer.bounds(partition, BOUNDS_PATIENCE) {
            Ok(bounds) => bounds,
            Err(error) => {
                self.start_later(Action::ReadPartitionEnds, &error.text);
                return None;
            }
        };
        // Forwarded records are read from their beginning.
        let start = if let Role::Merged(_) = role { Start::Earliest } else { self.plan.settings.input.start };
        let mut state_use = StateUse::Continue;
        let next = match (committed, start) {
            (Some(offset), _) => self.find_start(partition, offset, bounds),
            (None, Start::Earliest) => Ok(StartPoint::at(bounds.low)),
            (None, Start::Latest) => Ok(StartPoint::at(bounds.high)),
        };
        let next_offset = match next {
            Ok(start) if role == Role::Forwarded => {
                self.run_repartition_task(partition, found, start);
                return None;
            }
            Ok(start) => start.next_offset,
            // The state tells at which offset the gap begins.
            Err(PartitionError::RecordsGone { .. }) if role != Role::Forwarded => bounds.low,
            Err(error) => {
                if let PartitionError::BeyondEnd { .. } = error
                    && role != Role::Forwarded
                {
                    state_use = self.allowed_state_use(partition, committed);
                }
                if state_use == StateUse::Continue {
                    self.stop(partition, error);
                    return None;
                }
                self.report_discarded(partition, state_use, &error);
                bounds.high
            }
        };
        let cancel = Cancel::default();
        let ahead = note.ahead;
        let restore = RestoringTask {
            committed,
            next_offset,
            low: bounds.low,
            disagreements,
            state_use,
            ahead,
            cancel: cancel.clone(),
        };
        self.tasks.insert(partition, Task::Restoring(restore));
        Some(RestoreRequest { partition, committed, state_use, cancel })
    }

    /// Runs a partition whose state was read back, if the state and the committed offset belong together.
    pub(super) fn run_restored(&mut self, result: RestoreResult) {
        let partition = result.partition;
        let Some(Task::Restoring(restore)) = self.tasks.get(&partition) else { return };
        if !result.answers(&restore.cancel) {
            return;
        }
        let RestoringTask { committed, next_offset, low, disagreements, state_use, ahead, .. } = *restore;
        let asked = (committed, StartPoint::at(next_offset), low);
        let found = match result.result {
            Ok(found) => found,
            Err(error @ RestoreError::Whole { .. }) if disagreements < DISAGREEMENTS_MAX => {
                // The end may have been within a transaction of a former member of the group.
                return self.start_again(partition, disagreements + 1, Action::Restore, &error.to_string());
            }
            Err(error @ RestoreError::ThreadEnded) => {
                return self.start_again(partition, disagreements, Action::Restore, &error.to_string());
            }
            Err(RestoreError::Client(error)) => return self.stop(partition, PartitionError::Client(error)),
            Err(error) => {
                let at = self.recovery_point(partition, committed);
                return self.discard_or_stop(partition, PartitionError::Restore { at, error: Box::new(error) });
            }
        };
        // The state knows its topics also where the brokers have deleted the offsets.
        if let Some(note) = &found.position
            && state_use == StateUse::Continue
        {
            match self.topic_watch.compare_noted(&note.facts.topics) {
                Ok(grown) => grown.into_iter().for_each(|(topic, was, is)| {
                    self.report(Occurrence::OutputResized { topic, was, is });
                }),
                Err(error) => return self.stop(partition, error),
            }
        }
        let noted = found.position.as_ref().map(|note| note.next_offset);
        let is_used = state_use == StateUse::Continue;
        if is_used && !agree(committed, noted, low) && disagreements < DISAGREEMENTS_MAX {
            let name = self.topology().name(partition);
            let why = format!("the changelog of partition {name} and the committed offset differ; reading both again");
            return self.start_again(partition, disagreements + 1, Action::Restore, &why);
        }
        let start = match self.start_of_state(partition, asked, noted, state_use) {
            Ok(start) => start,
            Err(NoStart::Ever(error)) => return self.discard_or_stop(partition, error),
            Err(NoStart::Now(error)) => {
                return self.start_again(partition, disagreements, Action::ReadPartitionEnds, &error.text);
            }
        };
        let name = self.topology().name(partition);
        self.report(Occurrence::Restored {
            partition: name.clone(),
            entities: found.state.entities(),
            bytes: found.bytes,
            snapshot_bytes: found.snapshot_bytes,
            foreign: found.foreign,
            took: found.took,
        });
        if let Some(change) = found.catalog_change {
            self.report(Occurrence::CatalogChanged { partition: name, change });
        }
        let log_id = found.position.map_or_else(|| fastrand::u64(..), |note| note.log_id);
        let role = self.topology().plan(partition.topic).role;
        let mut running = RunningTask::new(role, found.state, log_id, start.next_offset, committed);
        self.attach_repartition(&mut running, partition, found.sources, ahead);
        self.begin_rollout(partition, &mut running, found.rollout);
        self.note_gap(partition, &mut running, start);
        if state_use != StateUse::Continue {
            running.replace_state(&found.cleared);
        }
        self.run_task(partition, running, start.next_offset);
    }

    /// Runs a task. One whose last owner was far ahead of the other sources pauses at once.
    pub(super) fn run_task(&mut self, partition: PartitionId, mut running: RunningTask, next_offset: i64) {
        running.room = self.cycle.limit.bytes();
        let topic = self.plan.topology.topic(partition.topic);
        running.topic = self.topic_watch.id(topic);
        running.topics = self.topic_watch.facts(topic);
        let must_pause = running.is_ahead();
        self.tasks.insert(partition, Task::Running(Box::new(running)));
        self.fetch(partition, next_offset);
        if must_pause {
            self.pause_for_alignment(partition);
        }
    }

    /// Adds a task that is ready to run to the consumer.
    fn fetch(&mut self, partition: PartitionId, next_offset: i64) {
        if let Err(error) = self.consumer.fetch(&[(partition, next_offset)]) {
            return self.start_again(partition, 0, Action::Fetch, &error.text);
        }
        // A client that has not ended what it read before tells the position of then, which may be ahead of the state.
        if self.consumer.positions().is_ok_and(|positions| positions.contains_key(&partition)) {
            self.close_tasks(&[partition]);
            return self.start_again(partition, 0, Action::Fetch, "the client has not ended what it read before");
        }
        let name = self.topology().name(partition);
        self.report(Occurrence::Running { partition: name, offset: next_offset });
        // A start that was not committed yet, such as the end of the topic, has to hold after a restart too.
        self.commit_later();
    }

    /// Starts a partition later, from the beginning of what that takes.
    fn start_again(&mut self, partition: PartitionId, disagreements: u32, action: Action, why: &str) {
        self.tasks.insert(partition, Task::Assigned { disagreements });
        self.start_later(action, why);
    }

    fn start_later(&mut self, action: Action, why: &str) {
        self.start_at = Some(self.clients.now() + START_AGAIN);
        self.report(Occurrence::Failed { action, why: why.to_owned() });
    }

    fn answer(&self, result: Result<(), BrokerError>) {
        if let Err(error) = result {
            self.report(Occurrence::Failed { action: Action::AnswerGroup, why: error.text });
        }
    }
}
