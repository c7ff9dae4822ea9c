//! What the group wants: partitions that come are started at their committed offset, those that go are committed first.
//!
//! librdkafka's callback only queues what is wanted; it is answered here, between two polls, and the group waits for
//! the answer. An assignment is accepted empty at once; a partition is added to the consumer, with its explicit start,
//! when it is ready to run.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::Message;

use super::notice::Notice;
use super::slot::{Running, Slot};
use super::wire::{Bounds, GroupConsumer, Rebalance, Wire, WireError};
use super::worker::{Worker, WorkerError};
use crate::engine::Partition;
use crate::settings::Start;

/// How long a revocation may wait for the last commit. Heartbeats go on meanwhile.
const REVOKE_PATIENCE: Duration = Duration::from_secs(5);
/// One look for committed offsets: it ends late while a predecessor's transaction is still open.
const COMMITTED_PATIENCE: Duration = Duration::from_millis(400);
const BOUNDS_PATIENCE: Duration = Duration::from_secs(2);
const START_AGAIN: Duration = Duration::from_millis(200);

impl<W: Wire> Worker<W> {
    pub(super) fn rebalance(&mut self, rebalance: Rebalance) -> Result<(), WorkerError> {
        match rebalance {
            Rebalance::Assign(partitions) => {
                self.answer(self.consumer.accept());
                for partition in &partitions {
                    self.slots.insert(*partition, Slot::Assigned);
                }
                if !partitions.is_empty() {
                    self.start_at = Some(self.wire.now());
                }
                self.say(Notice::Assigned { worker: self.plan.id, partitions });
            }
            Rebalance::Revoke { partitions, lost } => {
                if !lost {
                    self.settle_within(REVOKE_PATIENCE)?;
                }
                self.forget(&partitions);
                self.give_up(&partitions);
                if !partitions.is_empty() {
                    self.say(Notice::Revoked { worker: self.plan.id, partitions, lost });
                }
            }
            Rebalance::Failed(why) => self.say(Notice::Trouble { worker: self.plan.id, what: "rebalance", why }),
        }
        Ok(())
    }

    /// Drops the state of partitions and everything that is meant for them. Nothing of theirs is sent after this.
    fn give_up(&mut self, partitions: &[i32]) {
        let ran: Vec<i32> = partitions
            .iter()
            .copied()
            .filter(|partition| matches!(self.slots.remove(partition), Some(Slot::Running(_))))
            .collect();
        self.parked.retain(|message| !partitions.contains(&message.partition()));
        self.answer(self.consumer.give_up(&ran));
    }

    /// Drops the state of a partition that somebody else has worked on, and starts it from what they committed.
    pub(super) fn begin_again(&mut self, partition: i32) {
        self.give_up(&[partition]);
        self.slots.insert(partition, Slot::Assigned);
        self.start_at = Some(self.wire.now());
    }

    /// Starts the partitions that were assigned, as far as their committed offsets are known.
    pub(super) fn start_assigned(&mut self) -> Result<(), WorkerError> {
        self.start_at = None;
        let assigned = |(partition, slot): (&i32, &Slot)| matches!(slot, Slot::Assigned).then_some(*partition);
        let waiting: Vec<i32> = self.slots.iter().filter_map(assigned).collect();
        if waiting.is_empty() {
            return Ok(());
        }
        let found = match self.consumer.committed(&waiting, COMMITTED_PATIENCE) {
            Ok(found) => found,
            Err(error) => {
                self.start_later("looking for committed offsets", &error.text);
                return Ok(());
            }
        };
        let mut ready = Vec::new();
        for (partition, found) in found {
            let committed = match found {
                Ok(committed) => committed.offset,
                Err(error) => {
                    self.start_later("looking for committed offsets", &error.text);
                    continue;
                }
            };
            if let Some(running) = self.start(partition, committed)? {
                ready.push((partition, running.next_offset()));
                self.slots.insert(partition, Slot::Running(Box::new(running)));
            }
        }
        self.fetch(&ready);
        Ok(())
    }

    /// The state of a partition and where it goes on. `None`: the broker does not tell now.
    fn start(&mut self, partition: i32, committed: Option<i64>) -> Result<Option<Running>, WorkerError> {
        let Bounds { low, high } = match self.consumer.bounds(partition, BOUNDS_PATIENCE) {
            Ok(bounds) => bounds,
            Err(error) => {
                self.start_later("looking for the ends of a partition", &error.text);
                return Ok(None);
            }
        };
        let next_offset = match (committed, self.plan.settings.input.start) {
            (Some(offset), _) if (low..=high).contains(&offset) => offset,
            (Some(offset), _) => {
                let topic = self.plan.settings.input.topic.clone();
                return Err(WorkerError::OffsetGone { topic, partition, offset, low, high });
            }
            (None, Start::Earliest) => low,
            (None, Start::Latest) => high,
        };
        // Restoring: there is no changelog yet, so the state begins empty.
        let state = Partition::new(Arc::clone(&self.plan.program));
        Ok(Some(Running::new(state, next_offset, committed)))
    }

    /// Has the consumer fetch partitions that are ready to run.
    fn fetch(&mut self, ready: &[(i32, i64)]) {
        if ready.is_empty() {
            return;
        }
        if let Err(error) = self.consumer.fetch(ready) {
            for (partition, _) in ready {
                self.slots.insert(*partition, Slot::Assigned);
            }
            self.start_later("fetching", &error.text);
            return;
        }
        for (partition, offset) in ready {
            self.say(Notice::Running { worker: self.plan.id, partition: *partition, offset: *offset });
        }
        // A start that was not committed yet, such as the end of the topic, has to hold after a restart too.
        self.commit_later();
    }

    fn start_later(&mut self, what: &'static str, why: &str) {
        self.start_at = Some(self.wire.now() + START_AGAIN);
        self.say(Notice::Trouble { worker: self.plan.id, what, why: why.to_owned() });
    }

    fn answer(&self, result: Result<(), WireError>) {
        if let Err(error) = result {
            self.say(Notice::Trouble { worker: self.plan.id, what: "answering the group", why: error.text });
        }
    }
}
