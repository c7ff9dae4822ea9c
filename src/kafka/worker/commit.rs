//! The commit cycle: the outputs of all tasks go into a transaction, and the transaction to its certain end.
//!
//! ```text
//!   records    ──── 1 ────┬──── 2 ─────┬──── 3 ────  applied; their output is sealed where the next transaction begins
//!   worker              seal,        seal,
//!                       send 1       send 2
//!   committer             └─ commit 1 ┘└─ commit 2 ─
//! ```
//!
//! While a transaction ends, records are applied, and their output waits for the next one. They wait instead where there is
//! no more room for output; where a snapshot is due, which copies what is committed; and after a commit that has not
//! succeeded, until one has.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::types::RDKafkaErrorCode;

use super::Worker;
use super::early_delivery::EarlyOutcome;
use super::plan::{WorkerError, WorkerPlan};
use crate::kafka::broker::{BrokerError, CommittedOffset, GroupConsumer, KafkaClients, PartitionOffset, RefusedRecord};
use crate::kafka::events::{Occurrence, ProducerReset};
use crate::kafka::failpoint::{self, Failpoint};
use crate::kafka::task::{
    Blocked, Committer, OffsetMetadata, Readiness, RecordWriter, StepEnd, Task, TransactionLimit, TransactionNames,
    TransactionOutcome,
};
use crate::kafka::topology::PartitionId;

/// How long one step may take; then the loop looks at other things.
const SLICE: Duration = Duration::from_secs(3);
/// The pause before a step that did not end is tried again.
const RETRY: Duration = Duration::from_millis(100);
/// The outputs of all tasks are committed when they hold this much together.
const UNSENT_BYTES_MAX: usize = 32 << 20;
const ABORT_PAUSE_MIN: Duration = Duration::from_millis(20);
const ABORT_PAUSE_MAX: Duration = Duration::from_secs(5);
/// After this many aborts in a row the producer is replaced.
const ABORTS_MAX: u32 = 3;

/// A worker's transactions: the producer, what is known of the last transaction, and when the next step is due.
pub(super) struct CommitCycle<W: KafkaClients> {
    pub(super) committer: Committer<W>,
    state: TransactionState,
    names: TransactionNames,
    pub(super) writer: RecordWriter,
    aborts_in_a_row: u32,
    /// Whether the last step has aborted its transaction since another process is the member of this instance's name. Then
    /// nothing can be committed before the group has told more. Another producer would not help, and would fence that
    /// process's producer, which has the same transactional id.
    is_fenced: bool,
    /// When the next step is due; `None`: there is nothing to commit.
    pub(super) commit_at: Option<Instant>,
    /// Whether no records are taken, since a commit does not end.
    pub(super) is_input_paused: bool,
    /// Whether there is no room for more output until the next transaction has begun.
    pub(super) is_full: bool,
    /// Whether no records are applied while this transaction is open: when it has ended, a snapshot is taken.
    stands_still: bool,
    /// About how many bytes the outputs of all tasks hold.
    pub(super) unsent_bytes: usize,
    /// How many of them go into one transaction.
    pub(super) limit: TransactionLimit,
    /// The last partition that took part in a transaction without room for all: the next one begins behind it.
    last_sent: Option<PartitionId>,
    /// Whether the wall clock has stepped back since the producer was made.
    pub(super) is_producer_outdated: bool,
}

impl<W: KafkaClients> CommitCycle<W> {
    pub(super) fn new(plan: &WorkerPlan, clients: &W, consumer: &Arc<W::Consumer>) -> Self {
        CommitCycle {
            committer: Committer::new(clients.clone(), Arc::clone(consumer), plan.id, Arc::clone(&plan.listener)),
            state: TransactionState::Clear,
            names: TransactionNames::new(),
            writer: RecordWriter::new(&plan.settings, Arc::clone(&plan.topology)),
            aborts_in_a_row: 0,
            is_fenced: false,
            // At once: a new transactional producer ends the transaction that its last owner has left open. Otherwise
            // restoring would wait until that transaction times out.
            commit_at: Some(clients.now()),
            is_input_paused: false,
            is_full: false,
            stands_still: false,
            unsent_bytes: 0,
            limit: TransactionLimit::new(UNSENT_BYTES_MAX),
            last_sent: None,
            is_producer_outdated: false,
        }
    }

    /// Drops the producer: the next step makes another one. Does nothing while a step is running.
    pub(super) fn abandon_producer(&mut self) {
        if let Some(transactions) = self.committer.here() {
            transactions.abandon();
        }
    }

    /// Whether it is known how the last transaction ended.
    pub(super) fn is_clear(&self) -> bool {
        matches!(self.state, TransactionState::Clear)
    }

    /// Whether records are applied now.
    pub(super) fn applies_records(&self) -> bool {
        let waits_for_room = self.is_full && !self.committer.is_here();
        let waits_for_snapshot = self.stands_still && !self.is_clear();
        !(self.is_input_paused || waits_for_room || waits_for_snapshot)
    }
}

/// What is known of the last transaction.
///
/// ```text
///           sent                   committed, aborted
///   Clear ───────▶ Open ──────────────────────────────▶ Clear
///                    │                                     ▲
///                    └────────▶ InDoubt ───────────────────┘
///                      fatal          committed offsets read back
/// ```
enum TransactionState {
    /// It has ended; the tasks hold what was not sent yet, or is to be sent again.
    Clear,
    /// The committer works on it, or has to go on with it.
    Open(SentTransaction),
    InDoubt(SentTransaction),
}

/// A transaction as it was sent.
struct SentTransaction {
    /// Stands beside each committed offset: by it the transaction is found again.
    name: String,
    /// Of each partition that takes part.
    offsets: Arc<[PartitionOffset]>,
    begun: Instant,
    /// About how many bytes its records have.
    bytes: usize,
    /// Whether there was no room for some of the partitions that were due.
    is_partial: bool,
}

impl<W: KafkaClients> Worker<W> {
    /// Takes one step of the cycle, which ends later: see [`Worker::end_step`]. It begins a transaction if there is
    /// something to commit and none is open.
    pub(super) fn commit(&mut self) -> Result<(), WorkerError> {
        self.commit_step(self.clients.now() + SLICE)
    }

    /// Takes steps until everything is committed, the group refuses this member, or the time is up.
    pub(super) fn commit_all_within(&mut self, patience: Duration) -> Result<(), WorkerError> {
        self.pass_markers();
        let deadline = self.clients.now() + patience;
        while !self.is_all_committed() && self.clients.now() < deadline {
            if self.cycle.committer.is_here() {
                self.commit_step(deadline.min(self.clients.now() + SLICE))?;
            }
            if let Some(end) = self.cycle.committer.await_step_end(Some(deadline)) {
                self.end_step(end)?;
            }
            if self.cycle.is_fenced {
                break;
            }
            if let Some(at) = self.cycle.commit_at.filter(|_| self.cycle.is_input_paused) {
                self.clients.sleep(at.saturating_duration_since(self.clients.now()).min(RETRY));
            }
        }
        Ok(())
    }

    pub(super) fn is_all_committed(&self) -> bool {
        self.cycle.is_clear() && !self.tasks.values().any(Task::is_dirty)
    }

    fn commit_step(&mut self, until: Instant) -> Result<(), WorkerError> {
        self.cycle.is_fenced = false;
        self.check_membership()?;
        match self.cycle.committer.here() {
            // The end of that step is awaited first.
            None => return Ok(()),
            Some(transactions) if !transactions.is_ready() => {
                self.cycle.committer.prepare(until);
                // If it is to do more than that, the step is due still, and begins again when the producer is ready.
                let is_due =
                    self.cycle.is_input_paused || !self.cycle.is_clear() || self.tasks.values().any(Task::is_due);
                self.cycle.commit_at = is_due.then(|| self.clients.now());
                return Ok(());
            }
            Some(_) => self.cycle.commit_at = None,
        }
        if let EarlyOutcome::Blocked(blocked) = self.await_early_delivery(until)? {
            self.report_blocked(blocked);
            return Ok(());
        }
        let sent = match std::mem::replace(&mut self.cycle.state, TransactionState::Clear) {
            TransactionState::Open(sent) => Some(sent),
            TransactionState::InDoubt(sent) => match self.read_back(&sent, until) {
                Ok(()) => self.begin(until),
                Err(blocked) => {
                    self.cycle.state = TransactionState::InDoubt(sent);
                    self.report_blocked(blocked);
                    return Ok(());
                }
            },
            TransactionState::Clear => self.begin(until),
        };
        match sent {
            Some(sent) => {
                let member = self.member.clone().unwrap_or_default();
                self.cycle.committer.finish(Arc::clone(&sent.offsets), member, until);
                self.cycle.state = TransactionState::Open(sent);
            }
            None if self.cycle.commit_at.is_none() => self.cycle.is_input_paused = false,
            None => {}
        }
        Ok(())
    }

    /// Seals and sends the outputs of all tasks that are due. `None`: there are none, or a transaction cannot begin.
    fn begin(&mut self, until: Instant) -> Option<SentTransaction> {
        if !self.tasks.values().any(Task::is_due) {
            return None;
        }
        failpoint::pass(Failpoint::Applied);
        let stands_still = self.is_snapshot_due();
        let due = self.due_partitions();
        let CommitCycle { committer, names, writer, limit, last_sent, .. } = &mut self.cycle;
        let transactions = committer.here()?;
        if let Err(blocked) = transactions.begin() {
            self.report_blocked(blocked);
            return None;
        }
        failpoint::pass(Failpoint::Begun);
        let (name, begun) = (names.next_name(), self.clients.now());
        let (mut offsets, mut bytes, mut is_partial) = (Vec::new(), 0, false);
        for partition in due {
            let Some(Task::Running(running)) = self.tasks.get_mut(&partition) else { continue };
            if !offsets.is_empty() && bytes + running.next_bytes() > limit.bytes() {
                is_partial = true;
                break;
            }
            let sealed = running.seal(writer.writes_tags());
            failpoint::pass(Failpoint::Sealed);
            bytes += sealed.buffer.bytes();
            writer.send(partition, &sealed.buffer, &name, transactions, until);
            offsets.push(sealed.offset(partition, &name));
            *last_sent = Some(partition);
        }
        failpoint::pass(Failpoint::OutputSent);
        (self.cycle.is_full, self.cycle.stands_still) = (false, stands_still);
        Some(SentTransaction { name, offsets: offsets.into(), begun, bytes, is_partial })
    }

    /// The partitions that are due, beginning behind the last one that was sent: all have their turn.
    fn due_partitions(&self) -> Vec<PartitionId> {
        let due = self.tasks.iter().filter(|(_, task)| task.is_due()).map(|(partition, _)| *partition);
        let (mut after, before): (Vec<_>, Vec<_>) = due.partition(|partition| Some(*partition) > self.cycle.last_sent);
        after.extend(before);
        after
    }

    /// Notes how a step has ended, and goes on with what has waited for it.
    pub(super) fn end_step(&mut self, end: StepEnd) -> Result<(), WorkerError> {
        if self.note_step_end(end)? {
            self.snapshot_if_due();
            self.apply_merged_tasks();
            self.resume_aligned();
            // What was applied while the transaction was open.
            if self.tasks.values().any(Task::is_dirty) {
                self.commit_later();
            }
        }
        Ok(())
    }

    /// Notes how a step has ended. Returns whether a transaction was committed.
    fn note_step_end(&mut self, end: StepEnd) -> Result<bool, WorkerError> {
        let (outcome, at) = match end {
            StepEnd::Returned | StepEnd::Prepared(Ok(Readiness::Ready)) => return Ok(false),
            StepEnd::Prepared(Ok(Readiness::Blocked(blocked))) => {
                self.report_blocked(blocked);
                return Ok(false);
            }
            StepEnd::Prepared(Err(error)) => return Err(error.into()),
            StepEnd::Transaction(outcome, at) => (outcome, at),
            StepEnd::Lost => {
                let why = "the thread of the producer has ended".to_owned();
                (TransactionOutcome::InDoubt { why, refused: None }, self.clients.now())
            }
        };
        let sent = match std::mem::replace(&mut self.cycle.state, TransactionState::Clear) {
            TransactionState::Open(sent) => sent,
            // The thread has ended while no transaction was open: there is only another producer to be made.
            state => {
                self.cycle.state = state;
                self.pause_input_until(self.clients.now());
                return Ok(false);
            }
        };
        match outcome {
            TransactionOutcome::Committed => {
                failpoint::pass(Failpoint::Committed);
                self.note_commit(&sent, at);
                return Ok(true);
            }
            TransactionOutcome::Blocked(blocked) => {
                self.cycle.state = TransactionState::Open(sent);
                self.report_blocked(blocked);
            }
            TransactionOutcome::Aborted { why, refused } => {
                self.handle_refused(refused)?;
                self.aborted(why);
                self.note_failure(&sent, at);
            }
            TransactionOutcome::Fenced { why } => {
                self.cycle.is_fenced = true;
                self.aborted(why);
            }
            TransactionOutcome::InDoubt { why, refused } => {
                self.report(Occurrence::Waiting { step: "the last transaction", why });
                self.report(Occurrence::ProducerReset { why: ProducerReset::InDoubt });
                self.cycle.state = TransactionState::InDoubt(sent);
                self.handle_refused(refused)?;
                self.pause_input_until(self.clients.now());
            }
        }
        Ok(false)
    }

    /// Notes that a transaction was committed at this instant.
    fn note_commit(&mut self, sent: &SentTransaction, at: Instant) {
        for PartitionOffset { partition, .. } in &*sent.offsets {
            self.mark_committed(*partition);
        }
        self.scratch.counts.commits += 1;
        self.cycle.aborts_in_a_row = 0;
        let (took, counts) = (at.saturating_duration_since(sent.begun), self.scratch.counts.clone());
        self.cycle.limit.note_commit(took);
        self.give_room();
        if sent.is_partial {
            self.cycle.commit_at = Some(self.clients.now());
        } else {
            self.cycle.is_input_paused = false;
        }
        self.report(Occurrence::Committed { took, counts });
    }

    /// The transaction was aborted: the same sealed outputs are sent again, with the group membership of that time.
    fn aborted(&mut self, why: String) {
        self.scratch.counts.aborts += 1;
        self.cycle.aborts_in_a_row += 1;
        if !self.cycle.is_fenced && self.cycle.aborts_in_a_row.is_multiple_of(ABORTS_MAX) {
            self.cycle.abandon_producer();
            self.report(Occurrence::ProducerReset { why: ProducerReset::Aborts });
        }
        let doubled = ABORT_PAUSE_MIN.saturating_mul(1 << self.cycle.aborts_in_a_row.min(16));
        let retry_in = doubled.min(ABORT_PAUSE_MAX);
        self.report(Occurrence::Aborted { why, retry_in });
        self.pause_input_until(self.clients.now() + retry_in);
    }

    /// A record that was refused for its size will be refused again: a dead letter can be cut, other records cannot.
    fn handle_refused(&mut self, refused: Option<RefusedRecord>) -> Result<(), WorkerError> {
        let too_large = |refused: &RefusedRecord| refused.code == Some(RDKafkaErrorCode::MessageSizeTooLarge);
        match refused.filter(too_large) {
            None => Ok(()),
            Some(RefusedRecord { topic, .. }) if topic == self.plan.settings.dead_letter_topic() => {
                let bytes_max = self.cycle.writer.cut_dead_letters();
                self.report(Occurrence::DeadLettersCut { bytes_max });
                Ok(())
            }
            Some(RefusedRecord { topic, .. }) => Err(WorkerError::TooLarge { topic }),
        }
    }

    /// Finds out from the committed offsets whether a transaction was committed.
    ///
    /// The offsets alone do not tell, since a transaction in which only time has passed does not move them. So each
    /// carries the name of the transaction that wrote it.
    fn read_back(&mut self, sent: &SentTransaction, until: Instant) -> Result<(), Blocked> {
        let step = "reading the committed offsets back";
        let patience = until.saturating_duration_since(self.clients.now()).max(RETRY);
        let asked: Vec<PartitionId> = sent.offsets.iter().map(|offset| offset.partition).collect();
        let blocked = |error: BrokerError| Blocked { step, why: error.text };
        let found = self.consumer.committed(&asked, patience).map_err(blocked)?;
        let found: BTreeMap<PartitionId, CommittedOffset> = found
            .into_iter()
            .map(|(partition, found)| Ok((partition, found?)))
            .collect::<Result<_, _>>()
            .map_err(blocked)?;
        let (mut committed, mut open, mut elsewhere) = (0, 0, 0);
        for (partition, found) in found {
            let Some(Task::Running(running)) = self.tasks.get(&partition) else { continue };
            if OffsetMetadata::read(&found.metadata).transaction == sent.name {
                committed += 1;
                self.mark_committed(partition);
            } else if found.offset == running.committed() {
                open += 1;
            } else {
                elsewhere += 1;
                self.restart_task(partition);
            }
        }
        self.report(Occurrence::DoubtResolved { committed, open, elsewhere });
        if open > 0 {
            self.note_failure(sent, self.clients.now());
        }
        Ok(())
    }

    /// A transaction was not committed. If it was too large for the brokers' pace, less goes into the next ones, and
    /// the partitions whose output is larger than that begin again from what is committed.
    fn note_failure(&mut self, sent: &SentTransaction, at: Instant) {
        let took = at.saturating_duration_since(sent.begun);
        if !self.cycle.limit.note_failure(sent.bytes, took) {
            return;
        }
        let bytes_max = self.cycle.limit.bytes();
        self.report(Occurrence::TransactionsLimited { bytes_max, took });
        for PartitionOffset { partition, .. } in &*sent.offsets {
            let task = self.tasks.get(partition);
            if matches!(task, Some(Task::Running(running)) if running.largest_output_bytes() > bytes_max) {
                self.restart_task(*partition);
            }
        }
        self.give_room();
    }

    /// Tells all tasks the limit of a transaction, and counts what they hold.
    fn give_room(&mut self) {
        self.cycle.unsent_bytes = 0;
        for task in self.tasks.values_mut() {
            if let Task::Running(running) = task {
                running.room = self.cycle.limit.bytes();
                self.cycle.unsent_bytes += running.unsent_bytes();
            }
        }
    }

    /// The partition's sealed output was committed.
    fn mark_committed(&mut self, partition: PartitionId) {
        if let Some(Task::Running(running)) = self.tasks.get_mut(&partition)
            && let Some((work, rollout)) = running.mark_committed()
        {
            self.scratch.counts.work.add(work);
            if let Some(rollout) = rollout {
                self.plan.rollout.note_committed(partition, &rollout);
            }
        }
    }

    /// Removes partitions that are given up from the open transaction. It is then in doubt for the others. If the
    /// committer works on it, the step has to end first: after this nothing of these partitions is sent.
    pub(super) fn drop_from_transaction(&mut self, partitions: &[PartitionId]) -> Result<(), WorkerError> {
        while let TransactionState::Open(_) = self.cycle.state
            && let Some(end) = self.cycle.committer.await_step_end(None)
        {
            self.note_step_end(end)?;
        }
        if let TransactionState::Open(_) = self.cycle.state {
            self.cycle.abandon_producer();
        }
        if let TransactionState::Open(mut sent) | TransactionState::InDoubt(mut sent) =
            std::mem::replace(&mut self.cycle.state, TransactionState::Clear)
        {
            let left = sent.offsets.iter().filter(|offset| !partitions.contains(&offset.partition));
            sent.offsets = left.cloned().collect();
            if !sent.offsets.is_empty() {
                self.cycle.state = TransactionState::InDoubt(sent);
                self.pause_input_until(self.clients.now());
            }
        }
        Ok(())
    }

    fn report_blocked(&mut self, blocked: Blocked) {
        let Blocked { step, why } = blocked;
        self.report(Occurrence::Waiting { step, why });
        self.pause_input_until(self.clients.now() + RETRY);
    }

    /// Takes no more records until a commit has succeeded. The consumer is still polled, so that the group keeps it.
    fn pause_input_until(&mut self, retry_at: Instant) {
        self.cycle.commit_at = Some(retry_at);
        self.cycle.is_input_paused = true;
    }
}
