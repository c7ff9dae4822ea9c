//! The commit cycle: the buffers of all tasks go into a transaction, and the transaction to its certain end.

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
    Blocked, OffsetMetadata, Readiness, RecordWriter, Task, TransactionLimit, TransactionManager, TransactionOutcome,
};
use crate::kafka::topology::PartitionId;

/// How long one step may take; then the loop looks at other things.
const SLICE: Duration = Duration::from_secs(3);
/// The pause before a step that did not end is tried again.
const RETRY: Duration = Duration::from_millis(100);
/// The buffers of all tasks are committed when they hold this much together.
const UNSENT_BYTES_MAX: usize = 32 << 20;
const ABORT_PAUSE_MIN: Duration = Duration::from_millis(20);
const ABORT_PAUSE_MAX: Duration = Duration::from_secs(5);
/// After this many aborts in a row the producer is replaced.
const ABORTS_MAX: u32 = 3;

/// A worker's transactions: the producer, what is known of the last transaction, and when the next step is due.
pub(super) struct CommitCycle<W: KafkaClients> {
    transactions: TransactionManager<W>,
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
    /// About how many bytes the buffers of all tasks hold.
    pub(super) unsent_bytes: usize,
    /// How many of them go into one transaction.
    pub(super) limit: TransactionLimit,
    /// The last partition that took part in a transaction without room for all: the next one begins behind it.
    last_sent: Option<PartitionId>,
    /// Whether the wall clock has stepped back since the producer was made.
    pub(super) is_producer_outdated: bool,
}

impl<W: KafkaClients> CommitCycle<W> {
    pub(super) fn new(plan: &WorkerPlan, clients: &W) -> Self {
        CommitCycle {
            transactions: TransactionManager::new(clients.clone(), plan.id, Arc::clone(&plan.listener)),
            state: TransactionState::Clear,
            names: TransactionNames::new(),
            writer: RecordWriter::new(&plan.settings, Arc::clone(&plan.topology)),
            aborts_in_a_row: 0,
            is_fenced: false,
            // At once: a new transactional producer ends the transaction that its last owner has left open. Otherwise
            // restoring would wait until that transaction times out.
            commit_at: Some(clients.now()),
            is_input_paused: false,
            unsent_bytes: 0,
            limit: TransactionLimit::new(UNSENT_BYTES_MAX),
            last_sent: None,
            is_producer_outdated: false,
        }
    }

    /// Drops the producer: the next step makes another one.
    pub(super) fn abandon_producer(&mut self) {
        self.transactions.abandon();
    }

    /// Whether it is known how the last transaction ended.
    pub(super) fn is_clear(&self) -> bool {
        matches!(self.state, TransactionState::Clear)
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
    /// It has ended; the buffers hold what was not sent yet, or is to be sent again.
    Clear,
    Open(SentTransaction),
    InDoubt(SentTransaction),
}

/// A transaction as it was sent.
struct SentTransaction {
    /// Stands beside each committed offset: by it the transaction is found again.
    name: String,
    /// Of each partition that takes part.
    offsets: Vec<PartitionOffset>,
    begun: Instant,
    /// About how many bytes its records have.
    bytes: usize,
    /// Whether there was no room for some of the partitions that were due.
    is_partial: bool,
}

impl<W: KafkaClients> Worker<W> {
    /// Takes one step of the cycle. It begins a transaction if there is something to commit and none is open.
    pub(super) fn commit(&mut self) -> Result<(), WorkerError> {
        self.commit_step(self.clients.now() + SLICE)
    }

    /// Takes steps until everything is committed, the group refuses this member, or the time is up.
    pub(super) fn commit_all_within(&mut self, patience: Duration) -> Result<(), WorkerError> {
        self.pass_markers();
        let deadline = self.clients.now() + patience;
        while !self.is_all_committed() && self.clients.now() < deadline {
            self.commit_step(deadline.min(self.clients.now() + SLICE))?;
            if self.cycle.is_fenced {
                break;
            }
            if let Some(wait) = self.cycle.commit_at.map(|at| at.saturating_duration_since(self.clients.now())) {
                self.clients.sleep(wait.min(RETRY));
            }
        }
        Ok(())
    }

    pub(super) fn is_all_committed(&self) -> bool {
        self.cycle.is_clear() && !self.tasks.values().any(Task::is_dirty)
    }

    fn commit_step(&mut self, until: Instant) -> Result<(), WorkerError> {
        self.cycle.commit_at = None;
        self.cycle.is_fenced = false;
        self.check_membership();
        if let Readiness::Blocked(blocked) = self.cycle.transactions.prepare(until)? {
            self.report_blocked(blocked);
            return Ok(());
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
            Some(sent) => self.finish(sent, until),
            None => {
                self.resume_input();
                Ok(())
            }
        }
    }

    /// Sends the buffers of all tasks that are due. `None`: there are none, or a transaction cannot begin.
    fn begin(&mut self, until: Instant) -> Option<SentTransaction> {
        if !self.tasks.values().any(Task::is_due) {
            return None;
        }
        failpoint::pass(Failpoint::Applied);
        if let Err(blocked) = self.cycle.transactions.begin() {
            self.report_blocked(blocked);
            return None;
        }
        failpoint::pass(Failpoint::Begun);
        let (name, begun) = (self.cycle.names.next_name(), self.clients.now());
        let (mut offsets, mut bytes, mut is_partial) = (Vec::new(), 0, false);
        for partition in self.due_partitions() {
            let Some(Task::Running(running)) = self.tasks.get_mut(&partition) else { continue };
            if !offsets.is_empty() && bytes + running.unsent_bytes() > self.cycle.limit.bytes() {
                is_partial = true;
                break;
            }
            running.seal(self.cycle.writer.writes_tags());
            bytes += running.unsent_bytes();
            self.cycle.writer.send(partition, &running.output, &name, &mut self.cycle.transactions, until);
            let (next_offset, metadata) = (running.next_offset(), running.offset_metadata(&name));
            offsets.push(PartitionOffset { partition, next_offset, metadata });
            self.cycle.last_sent = Some(partition);
        }
        failpoint::pass(Failpoint::OutputSent);
        Some(SentTransaction { name, offsets, begun, bytes, is_partial })
    }

    /// The partitions that are due, beginning behind the last one that was sent: all have their turn.
    fn due_partitions(&self) -> Vec<PartitionId> {
        let due = self.tasks.iter().filter(|(_, task)| task.is_due()).map(|(partition, _)| *partition);
        let (mut after, before): (Vec<_>, Vec<_>) = due.partition(|partition| Some(*partition) > self.cycle.last_sent);
        after.extend(before);
        after
    }

    fn finish(&mut self, sent: SentTransaction, until: Instant) -> Result<(), WorkerError> {
        let member = self.member.as_deref().unwrap_or_default();
        match self.cycle.transactions.finish(&sent.offsets, (&self.consumer, member), until) {
            TransactionOutcome::Committed => {
                failpoint::pass(Failpoint::Committed);
                for PartitionOffset { partition, next_offset, .. } in &sent.offsets {
                    self.mark_committed(*partition, *next_offset);
                }
                self.scratch.counts.commits += 1;
                self.cycle.aborts_in_a_row = 0;
                let (took, counts) =
                    (self.clients.now().saturating_duration_since(sent.begun), self.scratch.counts.clone());
                self.cycle.limit.note_commit(took);
                self.give_room();
                if sent.is_partial {
                    self.cycle.commit_at = Some(self.clients.now());
                }
                self.report(Occurrence::Committed { took, counts });
                self.snapshot_if_due();
                self.resume_input();
                self.apply_merged_tasks();
                self.resume_aligned();
            }
            TransactionOutcome::Blocked(blocked) => {
                self.cycle.state = TransactionState::Open(sent);
                self.report_blocked(blocked);
            }
            TransactionOutcome::Aborted { why, refused } => {
                self.handle_refused(refused)?;
                self.aborted(why);
                self.note_failure(&sent);
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
        Ok(())
    }

    /// The transaction was aborted: the same buffers are sent again, with the group membership of that time.
    fn aborted(&mut self, why: String) {
        self.scratch.counts.aborts += 1;
        self.cycle.aborts_in_a_row += 1;
        if !self.cycle.is_fenced && self.cycle.aborts_in_a_row.is_multiple_of(ABORTS_MAX) {
            self.cycle.transactions.abandon();
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
                let next_offset = running.next_offset();
                self.mark_committed(partition, next_offset);
            } else if found.offset == running.committed() {
                open += 1;
            } else {
                elsewhere += 1;
                self.restart_task(partition);
            }
        }
        self.report(Occurrence::DoubtResolved { committed, open, elsewhere });
        if open > 0 {
            self.note_failure(sent);
        }
        Ok(())
    }

    /// A transaction was not committed. If it was too large for the brokers' pace, less goes into the next ones, and
    /// the partitions whose output is larger than that begin again from what is committed.
    fn note_failure(&mut self, sent: &SentTransaction) {
        let took = self.clients.now().saturating_duration_since(sent.begun);
        if !self.cycle.limit.note_failure(sent.bytes, took) {
            return;
        }
        let bytes_max = self.cycle.limit.bytes();
        self.report(Occurrence::TransactionsLimited { bytes_max, took });
        for PartitionOffset { partition, .. } in &sent.offsets {
            let task = self.tasks.get(partition);
            if matches!(task, Some(Task::Running(running)) if running.unsent_bytes() > bytes_max) {
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

    /// The partition's output was committed.
    fn mark_committed(&mut self, partition: PartitionId, next_offset: i64) {
        if let Some(Task::Running(running)) = self.tasks.get_mut(&partition) {
            debug_assert_eq!(running.next_offset(), next_offset, "a record was applied while a transaction was open");
            let owes_rollout = running.owes_rollout();
            self.scratch.counts.work.add(running.mark_committed());
            if owes_rollout {
                self.plan.rollout.note_committed(partition, running.rollout());
            }
        }
    }

    /// Removes partitions that are given up from the open transaction. It is then in doubt for the others.
    pub(super) fn drop_from_transaction(&mut self, partitions: &[PartitionId]) {
        if let TransactionState::Open(_) = self.cycle.state {
            self.cycle.transactions.abandon();
        }
        if let TransactionState::Open(mut sent) | TransactionState::InDoubt(mut sent) =
            std::mem::replace(&mut self.cycle.state, TransactionState::Clear)
        {
            sent.offsets.retain(|offset| !partitions.contains(&offset.partition));
            if !sent.offsets.is_empty() {
                self.cycle.state = TransactionState::InDoubt(sent);
                self.pause_input_until(self.clients.now());
            }
        }
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

    fn resume_input(&mut self) {
        if self.cycle.commit_at.is_none() {
            self.cycle.is_input_paused = false;
        }
    }
}

/// Names transactions: a random number per worker, and a counter.
struct TransactionNames {
    run: u64,
    count: u64,
}

impl TransactionNames {
    fn new() -> Self {
        TransactionNames { run: fastrand::u64(..), count: 0 }
    }

    fn next_name(&mut self) -> String {
        self.count += 1;
        format!("tagstream {:016x} {}", self.run, self.count)
    }
}
