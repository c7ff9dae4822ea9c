//! What the group wants: partitions that come are started at their committed offset, those that go are committed first.
//!
//! librdkafka's callback only queues what is wanted; it is answered here, between two polls, and the group waits for
//! the answer. An assignment is accepted empty at once; a partition is added to the consumer, with its explicit start,
//! when its state has been read back.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::Message;
use rdkafka::message::OwnedMessage;

use super::cycle::random;
use super::failpoint::{self, Step};
use super::note::OffsetNote;
use super::notice::Notice;
use super::restore::{Cancel, Finding, RestoreError, Task};
use super::slot::{PartitionError, Restore, Running, Slot};
use super::streams::{PartitionId, Role};
use super::wire::{Bounds, Committed, GroupConsumer, Rebalance, Wire, WireError};
use super::worker::{Worker, WorkerError};
use crate::settings::Start;

/// How long a revocation may wait for the last commit. Heartbeats go on meanwhile.
const REVOKE_PATIENCE: Duration = Duration::from_secs(5);
/// How long it may wait for snapshots after that: they are of use only if the partition comes back.
const LAST_SNAPSHOTS_PATIENCE: Duration = Duration::from_secs(2);
/// One look for committed offsets: it ends late while a predecessor's transaction is still open.
const COMMITTED_PATIENCE: Duration = Duration::from_millis(400);
const BOUNDS_PATIENCE: Duration = Duration::from_secs(2);
const START_AGAIN: Duration = Duration::from_millis(200);
/// How often a state and a committed offset may differ in a row before they are taken not to belong together: between
/// the looks somebody may have committed who is not of the group any more.
const DISAGREEMENTS_MAX: u32 = 5;

impl<W: Wire> Worker<W> {
    pub(super) fn rebalance(&mut self, rebalance: Rebalance) -> Result<(), WorkerError> {
        self.heed_membership();
        match rebalance {
            Rebalance::Assign(partitions) => {
                self.answer(self.consumer.accept());
                for partition in &partitions {
                    self.slots.insert(*partition, Slot::Assigned { disagreements: 0 });
                }
                if !partitions.is_empty() {
                    self.start_at = Some(self.wire.now());
                }
                let partitions = self.streams().names(&partitions);
                self.say(Notice::Assigned { worker: self.plan.id, partitions });
            }
            Rebalance::Revoke { partitions, lost } => {
                let lost = std::mem::take(&mut self.unasked) || lost;
                failpoint::pass(Step::RevokeWanted);
                if !lost {
                    self.settle_within(REVOKE_PATIENCE)?;
                    self.snapshot_last(&partitions, LAST_SNAPSHOTS_PATIENCE);
                }
                failpoint::pass(Step::RevokeCommitted);
                self.forget(&partitions);
                self.give_up(&partitions);
                failpoint::pass(Step::RevokeAnswered);
                if !partitions.is_empty() {
                    let partitions = self.streams().names(&partitions);
                    self.say(Notice::Revoked { worker: self.plan.id, partitions, lost });
                }
            }
            Rebalance::Failed(why) => self.say(Notice::Trouble { worker: self.plan.id, what: "rebalance", why }),
        }
        Ok(())
    }

    /// Starts all partitions anew from what is committed, if the membership under which they came has ended: somebody
    /// else may have worked on them since. Where it ends during a rebalance nobody is told, and the new membership's
    /// offsets would be taken.
    pub(super) fn heed_membership(&mut self) {
        let member = self.consumer.member();
        if member.is_none() || member == self.member {
            return;
        }
        if std::mem::replace(&mut self.member, member).is_none() {
            return;
        }
        let stopped = |slot: &Slot| matches!(slot, Slot::Stopped(_));
        let held: Vec<PartitionId> =
            self.slots.iter().filter(|(_, slot)| !stopped(slot)).map(|(partition, _)| *partition).collect();
        if held.is_empty() {
            return;
        }
        let why = "the membership has ended and another has begun; partitions start again from what is committed";
        self.say(Notice::Trouble { worker: self.plan.id, what: "rebalance", why: why.to_owned() });
        self.forget(&held);
        for partition in held {
            self.begin_again(partition);
        }
    }

    /// Drops the state of partitions and everything that is meant for them. Nothing of theirs is sent after this.
    fn give_up(&mut self, partitions: &[PartitionId]) {
        let mut ran = Vec::new();
        for partition in partitions {
            self.plan.breaker.gave_up(*partition);
            if let Some(scribe) = &mut self.scribe {
                scribe.forget(*partition);
            }
            match self.slots.remove(partition) {
                Some(Slot::Running(_)) => ran.push(*partition),
                Some(Slot::Restoring(restore)) => restore.cancel.give(),
                Some(Slot::Assigned { .. } | Slot::Stopped(_)) | None => {}
            }
        }
        let streams = &self.plan.streams;
        let given_up = |message: &OwnedMessage| {
            let partition = streams.partition(message.topic(), message.partition());
            partition.is_none_or(|partition| partitions.contains(&partition))
        };
        self.parked.retain(|message| !given_up(message));
        self.answer(self.consumer.give_up(&ran));
    }

    /// Drops the state of a partition that somebody else has worked on, and starts it from what they committed.
    pub(super) fn begin_again(&mut self, partition: PartitionId) {
        self.give_up(&[partition]);
        self.unasked = true;
        self.slots.insert(partition, Slot::Assigned { disagreements: 0 });
        self.start_at = Some(self.wire.now());
    }

    /// Takes a partition out of work until a person has done something. It stays assigned.
    pub(super) fn stop(&mut self, partition: PartitionId, error: PartitionError) {
        let name = self.streams().name(partition);
        self.say(Notice::Stopped { worker: self.plan.id, partition: name, why: error.to_string() });
        self.give_up(&[partition]);
        self.unasked = true;
        self.slots.insert(partition, Slot::Stopped(error));
    }

    /// Has the states read back of the partitions that were assigned, as far as their committed offsets are known.
    pub(super) fn start_assigned(&mut self) {
        self.start_at = None;
        let assigned = |(partition, slot): (&PartitionId, &Slot)| match slot {
            Slot::Assigned { disagreements } => Some((*partition, *disagreements)),
            _ => None,
        };
        let waiting: BTreeMap<PartitionId, u32> = self.slots.iter().filter_map(assigned).collect();
        if waiting.is_empty() {
            return;
        }
        let asked: Vec<PartitionId> = waiting.keys().copied().collect();
        let found = match self.consumer.committed(&asked, COMMITTED_PATIENCE) {
            Ok(found) => found,
            Err(error) => return self.start_later("looking for committed offsets", &error.text),
        };
        let mut tasks = Vec::new();
        for (partition, disagreements) in waiting {
            match found.get(&partition) {
                Some(Ok(committed)) => tasks.extend(self.task(partition, committed, disagreements)),
                Some(Err(error)) => self.start_later("looking for committed offsets", &error.text),
                None => self.start_later("looking for committed offsets", "the broker left one out"),
            }
        }
        if !tasks.is_empty() {
            self.restorer.send(tasks);
        }
    }

    /// What has to be restored for a partition to run. `None`: the broker does not tell now, or it cannot run.
    fn task(&mut self, partition: PartitionId, found: &Committed, disagreements: u32) -> Option<Task> {
        let (role, committed) = (self.streams().plan(partition.stream).role, found.offset);
        let bounds = match self.consumer.bounds(partition, BOUNDS_PATIENCE) {
            Ok(bounds) => bounds,
            Err(error) => {
                self.start_later("looking for the ends of a partition", &error.text);
                return None;
            }
        };
        // What we have passed on ourselves is read from its beginning.
        let start = if let Role::Merged(_) = role { Start::Earliest } else { self.plan.settings.input.start };
        let next_offset = match (committed, start) {
            (Some(offset), _) if (bounds.low..=bounds.high).contains(&offset) => offset,
            (Some(offset), _) => {
                self.stop(partition, self.offset_gone(partition, offset, bounds));
                return None;
            }
            (None, Start::Earliest) => bounds.low,
            (None, Start::Latest) => bounds.high,
        };
        if role == Role::PassedOn {
            self.pass_on(partition, found, next_offset);
            return None;
        }
        let cancel = Cancel::default();
        let ahead = OffsetNote::read(&found.metadata).ahead;
        let restore = Restore { committed, next_offset, low: bounds.low, disagreements, ahead, cancel: cancel.clone() };
        self.slots.insert(partition, Slot::Restoring(restore));
        Some(Task { partition, committed, cancel })
    }

    /// Runs a partition whose state is there, if the state and the committed offset belong together.
    pub(super) fn restored(&mut self, finding: Finding) {
        let partition = finding.partition;
        let Some(Slot::Restoring(restore)) = self.slots.get(&partition) else { return };
        if !finding.answers(&restore.cancel) {
            return;
        }
        let Restore { committed, next_offset, low, disagreements, ahead, .. } = *restore;
        let found = match finding.result {
            Ok(found) => found,
            Err(error @ RestoreError::Whole { .. }) if disagreements < DISAGREEMENTS_MAX => {
                // The end may have stood within a transaction of somebody who is not of the group any more.
                self.slots.insert(partition, Slot::Assigned { disagreements: disagreements + 1 });
                return self.start_later("restoring", &error.to_string());
            }
            Err(error) => return self.stop(partition, PartitionError::Restore(error)),
        };
        let noted = found.note.as_ref().map(|note| note.next_offset);
        // Whoever stands at the beginning has nothing behind them that a state could hold.
        let agree = noted == committed || noted.is_none() && committed == Some(low);
        if !agree && disagreements < DISAGREEMENTS_MAX {
            self.slots.insert(partition, Slot::Assigned { disagreements: disagreements + 1 });
            let name = self.streams().name(partition);
            let why = format!("the changelog of partition {name} and the committed offset differ; looking again");
            return self.start_later("restoring", &why);
        }
        if !agree {
            let plan = self.streams().plan(partition.stream);
            let (topic, changelog) = (plan.topic.to_string(), plan.changelog.clone());
            let partition_number = partition.number;
            let error =
                PartitionError::Disagreement { topic, changelog, partition: partition_number, committed, noted };
            return self.stop(partition, error);
        }
        let name = self.streams().name(partition);
        self.say(Notice::Restored {
            worker: self.plan.id,
            partition: name.clone(),
            entities: found.state.entities(),
            bytes: found.bytes,
            snapshot_bytes: found.snapshot_bytes,
            took: found.took,
        });
        if let Some(change) = found.catalog_change {
            self.say(Notice::CatalogChanged { worker: self.plan.id, partition: name, change });
        }
        let log_id = found.note.map_or_else(random, |note| note.log_id);
        let role = self.streams().plan(partition.stream).role;
        let mut running = Running::new(role, found.state, log_id, next_offset, committed);
        self.equip(&mut running, partition, found.sources, ahead);
        self.set_going(partition, running, next_offset);
    }

    /// Runs a partition. One whose last owner was far ahead of the others rests at once.
    pub(super) fn set_going(&mut self, partition: PartitionId, running: Running, next_offset: i64) {
        let has_to_rest = running.is_ahead();
        self.slots.insert(partition, Slot::Running(Box::new(running)));
        self.fetch(partition, next_offset);
        if has_to_rest {
            self.rest(partition);
        }
    }

    /// Has the consumer fetch a partition that is ready to run.
    fn fetch(&mut self, partition: PartitionId, next_offset: i64) {
        if let Err(error) = self.consumer.fetch(&[(partition, next_offset)]) {
            self.slots.insert(partition, Slot::Assigned { disagreements: 0 });
            return self.start_later("fetching", &error.text);
        }
        if self.held
            && let Err(error) = self.consumer.pause(&[partition])
        {
            // Records that come too early wait their turn.
            self.say(Notice::Trouble { worker: self.plan.id, what: "pausing", why: error.text });
        }
        let name = self.streams().name(partition);
        self.say(Notice::Running { worker: self.plan.id, partition: name, offset: next_offset });
        // A start that was not committed yet, such as the end of the topic, has to hold after a restart too.
        self.commit_later();
    }

    fn offset_gone(&self, partition: PartitionId, offset: i64, bounds: Bounds) -> PartitionError {
        let topic = self.streams().topic(partition.stream).to_owned();
        PartitionError::OffsetGone { topic, partition: partition.number, offset, bounds }
    }

    fn start_later(&mut self, what: &'static str, why: &str) {
        self.start_at = Some(self.wire.now() + START_AGAIN);
        self.say(Notice::Trouble { worker: self.plan.id, what, why: why.to_owned() });
    }

    /// Stops the partitions of which records are gone that were still to be read.
    pub(super) fn stop_where_records_are_gone(&mut self) -> Result<(), WorkerError> {
        for partition in self.running() {
            let Some(Slot::Running(running)) = self.slots.get(&partition) else { continue };
            let offset = running.position();
            match self.consumer.bounds(partition, BOUNDS_PATIENCE) {
                Ok(bounds) if (bounds.low..=bounds.high).contains(&offset) => {}
                Ok(bounds) => {
                    self.settle_within(REVOKE_PATIENCE)?;
                    self.forget(&[partition]);
                    self.stop(partition, self.offset_gone(partition, offset, bounds));
                }
                Err(error) => {
                    let why = error.text;
                    self.say(Notice::Trouble {
                        worker: self.plan.id,
                        what: "looking for the ends of a partition",
                        why,
                    });
                }
            }
        }
        Ok(())
    }

    fn answer(&self, result: Result<(), WireError>) {
        if let Err(error) = result {
            self.say(Notice::Trouble { worker: self.plan.id, what: "answering the group", why: error.text });
        }
    }
}
