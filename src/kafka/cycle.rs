//! The commit cycle: bodies into a transaction, and the transaction to its certain end.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

use rdkafka::types::RDKafkaErrorCode;

use super::failpoint::{self, Step};
use super::note::OffsetNote;
use super::notice::{Notice, Recycle};
use super::slot::Slot;
use super::streams::PartitionId;
use super::transactor::{Blocked, Outcome};
use super::wire::{Committed, GroupConsumer, Part, Refused, Wire, WireError};
use super::worker::{Worker, WorkerError};

/// How long one step may take before the loop has to look at other things.
const SLICE: Duration = Duration::from_secs(3);
/// The pause before a step that did not end is taken up again.
const RETRY: Duration = Duration::from_millis(100);
const ABORT_PAUSE_MIN: Duration = Duration::from_millis(20);
const ABORT_PAUSE_MAX: Duration = Duration::from_secs(5);
/// After this many aborts in a row the producer is made anew.
const ABORTS_MAX: u32 = 3;

/// What is known of the last transaction.
///
/// ```text
///           sent                   committed, aborted
///   Clear ───────▶ Open ──────────────────────────────▶ Clear
///                    │                                     ▲
///                    └────────▶ Doubt ─────────────────────┘
///                      fatal          committed offsets read back
/// ```
pub(super) enum Fate {
    /// It ended; the bodies are what was not sent yet, or is to be sent again.
    Clear,
    Open(Sent),
    Doubt(Sent),
}

/// A transaction as it was sent.
pub(super) struct Sent {
    /// Stands in the metadata of each committed offset: by it the transaction is known again.
    name: String,
    /// Of each partition that has something in it.
    parts: Vec<Part>,
    begun: Instant,
}

impl<W: Wire> Worker<W> {
    /// One step of the cycle. It begins a transaction if there is something to say and none is open.
    pub(super) fn commit(&mut self) -> Result<(), WorkerError> {
        self.commit_step(self.wire.now() + SLICE)
    }

    /// Takes steps until everything is committed, or for this long.
    pub(super) fn settle_within(&mut self, patience: Duration) -> Result<(), WorkerError> {
        let deadline = self.wire.now() + patience;
        while !self.is_settled() && self.wire.now() < deadline {
            self.commit_step(deadline.min(self.wire.now() + SLICE))?;
            if let Some(wait) = self.commit_at.map(|at| at.saturating_duration_since(self.wire.now())) {
                self.wire.sleep(wait.min(RETRY));
            }
        }
        Ok(())
    }

    pub(super) fn is_settled(&self) -> bool {
        matches!(self.fate, Fate::Clear) && !self.slots.values().any(Slot::is_dirty)
    }

    fn commit_step(&mut self, until: Instant) -> Result<(), WorkerError> {
        self.commit_at = None;
        self.heed_membership();
        if let Err(blocked) = self.transactor.prepare(until)? {
            self.hold(blocked);
            return Ok(());
        }
        if let Err(blocked) = self.await_heralded(until)? {
            self.hold(blocked);
            return Ok(());
        }
        let sent = match std::mem::replace(&mut self.fate, Fate::Clear) {
            Fate::Open(sent) => Some(sent),
            Fate::Doubt(sent) => match self.read_back(&sent, until) {
                Ok(()) => self.begin(until),
                Err(blocked) => {
                    self.fate = Fate::Doubt(sent);
                    self.hold(blocked);
                    return Ok(());
                }
            },
            Fate::Clear => self.begin(until),
        };
        match sent {
            Some(sent) => self.finish(sent, until),
            None => {
                self.release();
                Ok(())
            }
        }
    }

    /// Sends the bodies of all partitions that have something to say. `None`: there is nothing, or it cannot begin.
    fn begin(&mut self, until: Instant) -> Option<Sent> {
        if !self.slots.values().any(Slot::is_due) {
            return None;
        }
        failpoint::pass(Step::Applied);
        if let Err(blocked) = self.transactor.begin() {
            self.hold(blocked);
            return None;
        }
        failpoint::pass(Step::Begun);
        let (name, begun) = (self.names.next_name(), self.wire.now());
        let mut parts = Vec::new();
        for (partition, slot) in &mut self.slots {
            if let Slot::Running(running) = slot
                && running.is_due()
            {
                self.outlet.send(*partition, running, &name, &mut self.transactor, until);
                let (next_offset, metadata) = (running.next_offset(), running.note(&name));
                parts.push(Part { partition: *partition, next_offset, metadata });
            }
        }
        failpoint::pass(Step::BodySent);
        Some(Sent { name, parts, begun })
    }

    fn finish(&mut self, sent: Sent, until: Instant) -> Result<(), WorkerError> {
        let member = self.member.as_deref().unwrap_or_default();
        match self.transactor.finish(&sent.parts, (&self.consumer, member), until) {
            Outcome::Committed => {
                failpoint::pass(Step::Committed);
                for Part { partition, next_offset, .. } in &sent.parts {
                    self.settle(*partition, *next_offset);
                }
                self.bench.counts.commits += 1;
                self.aborts_in_a_row = 0;
                self.unsent_bytes = 0;
                let (took, counts) = (self.wire.now().saturating_duration_since(sent.begun), self.bench.counts.clone());
                self.say(Notice::Committed { worker: self.plan.id, took, counts });
                self.snapshot_if_due();
                self.release();
                self.go_on_merging();
                self.wake_rested();
            }
            Outcome::Blocked(blocked) => {
                self.fate = Fate::Open(sent);
                self.hold(blocked);
            }
            Outcome::Aborted { why, refused } => {
                self.heed(refused)?;
                self.aborted(why);
            }
            Outcome::InDoubt { why, refused } => {
                self.say(Notice::Waiting { worker: self.plan.id, step: "the last transaction", why });
                self.say(Notice::Recycled { worker: self.plan.id, why: Recycle::Doubt });
                self.fate = Fate::Doubt(sent);
                self.heed(refused)?;
                self.hold_until(self.wire.now());
            }
        }
        Ok(())
    }

    /// Nothing of the transaction will be seen: the same bodies are sent again, with what the group says then.
    fn aborted(&mut self, why: String) {
        self.bench.counts.aborts += 1;
        self.aborts_in_a_row += 1;
        if self.aborts_in_a_row.is_multiple_of(ABORTS_MAX) {
            self.transactor.abandon();
            self.say(Notice::Recycled { worker: self.plan.id, why: Recycle::Aborts });
        }
        let doubled = ABORT_PAUSE_MIN.saturating_mul(1 << self.aborts_in_a_row.min(16));
        let retry_in = doubled.min(ABORT_PAUSE_MAX);
        self.say(Notice::Aborted { worker: self.plan.id, why, retry_in });
        self.hold_until(self.wire.now() + retry_in);
    }

    /// A record that was refused for its size will be refused again: a dead letter can be cut, anything else cannot.
    fn heed(&mut self, refused: Option<Refused>) -> Result<(), WorkerError> {
        let too_large = |refused: &Refused| refused.code == Some(RDKafkaErrorCode::MessageSizeTooLarge);
        match refused.filter(too_large) {
            None => Ok(()),
            Some(Refused { topic, .. }) if topic == self.plan.settings.dead_letter_topic() => {
                let bytes_max = self.outlet.cut_letters();
                self.say(Notice::LettersCut { worker: self.plan.id, bytes_max });
                Ok(())
            }
            Some(Refused { topic, .. }) => Err(WorkerError::TooLarge { topic }),
        }
    }

    /// Finds out whether a transaction was committed, from the offsets that are committed now.
    ///
    /// The offsets alone do not tell: a transaction in which only time has passed does not move them. So each bears the
    /// name of the transaction that wrote it.
    fn read_back(&mut self, sent: &Sent, until: Instant) -> Result<(), Blocked> {
        let step = "reading the committed offsets back";
        let patience = until.saturating_duration_since(self.wire.now()).max(RETRY);
        let asked: Vec<PartitionId> = sent.parts.iter().map(|part| part.partition).collect();
        let blocked = |error: WireError| Blocked { step, why: error.text };
        let found = self.consumer.committed(&asked, patience).map_err(blocked)?;
        let found: BTreeMap<PartitionId, Committed> = found
            .into_iter()
            .map(|(partition, found)| Ok((partition, found?)))
            .collect::<Result<_, _>>()
            .map_err(blocked)?;
        let (mut committed, mut open, mut elsewhere) = (0, 0, 0);
        for (partition, found) in found {
            let Some(Slot::Running(running)) = self.slots.get(&partition) else { continue };
            if OffsetNote::read(&found.metadata).transaction == sent.name {
                committed += 1;
                let next_offset = running.next_offset();
                self.settle(partition, next_offset);
            } else if found.offset == running.committed() {
                open += 1;
            } else {
                elsewhere += 1;
                self.begin_again(partition);
            }
        }
        self.say(Notice::DoubtResolved { worker: self.plan.id, committed, open, elsewhere });
        Ok(())
    }

    /// The partition's part of a transaction is committed.
    fn settle(&mut self, partition: PartitionId, next_offset: i64) {
        if let Some(Slot::Running(running)) = self.slots.get_mut(&partition) {
            debug_assert_eq!(running.next_offset(), next_offset, "a record was applied while a transaction was open");
            self.bench.counts.work.add(running.settle());
        }
    }

    /// What stays in doubt when partitions are given up: what concerns the others.
    pub(super) fn forget(&mut self, partitions: &[PartitionId]) {
        if let Fate::Open(_) = self.fate {
            self.transactor.abandon();
        }
        if let Fate::Open(mut sent) | Fate::Doubt(mut sent) = std::mem::replace(&mut self.fate, Fate::Clear) {
            sent.parts.retain(|part| !partitions.contains(&part.partition));
            if !sent.parts.is_empty() {
                self.fate = Fate::Doubt(sent);
                self.hold_until(self.wire.now());
            }
        }
    }

    fn hold(&mut self, blocked: Blocked) {
        let Blocked { step, why } = blocked;
        self.say(Notice::Waiting { worker: self.plan.id, step, why });
        self.hold_until(self.wire.now() + RETRY);
    }

    /// Takes no more records until a commit has succeeded. The consumer is polled on, so that the group keeps it.
    fn hold_until(&mut self, retry_at: Instant) {
        self.commit_at = Some(retry_at);
        if !self.held {
            self.held = true;
            self.pause_or_resume();
        }
    }

    fn release(&mut self) {
        if self.held && self.commit_at.is_none() {
            self.held = false;
            self.pause_or_resume();
        }
    }

    fn pause_or_resume(&self) {
        let result = if self.held {
            self.consumer.pause(&self.running())
        } else {
            let rests = |slot: &Slot| matches!(slot, Slot::Running(running) if running.rests);
            let mut active = self.running();
            active.retain(|partition| !self.slots.get(partition).is_some_and(rests));
            self.consumer.resume(&active)
        };
        if let Err(error) = result {
            self.say(Notice::Trouble { worker: self.plan.id, what: "pausing", why: error.to_string() });
        }
    }
}

/// Gives transactions their names: of this run of this worker, counted.
pub(super) struct Names {
    run: u64,
    count: u64,
}

impl Names {
    pub(super) fn new() -> Self {
        Names { run: random(), count: 0 }
    }

    fn next_name(&mut self) -> String {
        self.count += 1;
        format!("tagstream {:016x} {}", self.run, self.count)
    }
}

/// The standard library's hasher is seeded at random: no two are the same.
pub(super) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
