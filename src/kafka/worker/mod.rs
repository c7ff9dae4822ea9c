//! A worker: one thread, one consumer, one producer, and the partitions that the group gives it.
//!
//! | file | holds |
//! | --- | --- |
//! | [`liveness`] | whether the whole input is silent; shared by the workers of a process |
//! | [`plan`] | what a worker is made from, and why it ends |
//! | [`early_delivery`] | tag changes that leave before their transaction |
//! | [`commit`] | the commit cycle |
//! | [`gaps`] | offsets without records, and records that are gone |
//! | [`rebalance`] | partitions that come and go |
//! | [`catalog_switch`] | a changed catalog: its impact is measured, then all tasks switch at once |
//! | [`merge_driver`] | merged partitions; partitions that pause for alignment, or for a schema |
//! | [`snapshot_scheduler`] | when snapshots are taken |
//! | [`idleness`] | clocks that follow the wall clock while nothing comes |
//! | [`topic_watch`] | topics that change while the worker runs stop it |
//! | [`status`] | how the partitions stand |

mod liveness;
mod plan;
mod early_delivery;
mod commit;
mod gaps;
mod rebalance;
mod catalog_switch;
mod merge_driver;
mod snapshot_scheduler;
mod idleness;
mod topic_watch;
mod status;

pub use liveness::InputLiveness;
pub use plan::{StopSignal, WorkerError, WorkerPlan};

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::message::Message;
use rdkafka::types::RDKafkaErrorCode;

use crate::codec::{Decoder, InputAudit, RecordDecoder};
use crate::kafka::broker::{BrokerError, ErrorClass, GroupConsumer, KafkaClients, Rebalance, RecordBatch};
use crate::kafka::clock::ClockWatch;
use crate::kafka::events::{Action, Occurrence, WorkerStats};
use crate::kafka::failpoint::{self, Failpoint};
use crate::kafka::state::{RestoreResult, Restorer, SnapshotStore};
use crate::kafka::task::{DecodedAhead, StepEnd, TakeOutcome, Task, WorkerScratch};
use crate::kafka::topology::{PartitionId, Topology};
use crate::model::{Event, Timestamp};
use crate::settings::Delivery;
use catalog_switch::CatalogSwitch;
use commit::CommitCycle;
use early_delivery::EarlyDelivery;
use idleness::FutureEvents;
use snapshot_scheduler::SnapshotScheduler;
use topic_watch::TopicWatch;

/// How long a turn may wait for a record, and how late a stop is seen.
const POLL: Duration = Duration::from_millis(100);
/// The same while states are read back, so that a partition runs as soon as it can.
const POLL_RESTORING: Duration = Duration::from_millis(10);
/// How often the worker looks for partitions that were read to their end, and reports its status.
const TICK: Duration = Duration::from_millis(500);
/// How often a worker reports what it has done.
const PROGRESS: Duration = Duration::from_secs(60);
/// How long a worker that is told to stop tries to commit what it has.
const STOP_PATIENCE: Duration = Duration::from_secs(10);
/// How long it writes snapshots after that. A snapshot that is not written then is only older.
const FINAL_SNAPSHOTS_PATIENCE: Duration = Duration::from_secs(7);

/// What the next turn of the loop is about.
enum Turn {
    /// A step of the commit cycle has ended.
    StepEnded(StepEnd),
    Rebalance(Rebalance),
    Stop,
    /// The catalog rollout has changed.
    Catalog,
    /// The impact of a pending catalog is to be measured on some more entities.
    MeasureImpact,
    /// Assigned partitions wait for their start.
    Start,
    /// A state was read back, or could not be.
    Restored(Box<RestoreResult>),
    Commit,
    /// Tag changes are due that need not wait for their transaction.
    SendEarly,
    /// Time for what is done at intervals.
    Tick,
    /// There are records to apply.
    Records,
    Trouble(BrokerError),
    Quiet,
}

/// Whether the loop goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Turn,
    Leave,
}

pub struct Worker<W: KafkaClients> {
    plan: WorkerPlan,
    /// Records that were taken and are not applied yet. They go before the consumer.
    batch: RecordBatch<<W::Consumer as GroupConsumer>::Record>,
    clients: W,
    consumer: Arc<W::Consumer>,
    tasks: BTreeMap<PartitionId, Task>,
    /// The member id of the consumer when the partitions were assigned.
    member: Option<String>,
    /// Whether partitions were given up without a request since the consumer last had nothing to say. If the group
    /// requested some just then, this was taken for the answer, and their next owner may already work.
    gave_up_unasked: bool,
    scratch: WorkerScratch,
    cycle: CommitCycle<W>,
    /// Sends tag changes before their transaction, if the settings allow it.
    early: Option<EarlyDelivery<W>>,
    restorer: Restorer<W>,
    /// Takes snapshots; `None`: the settings name no directory.
    snapshots: Option<SnapshotScheduler<W>>,
    topic_watch: TopicWatch<W>,
    catalog_switch: CatalogSwitch<W>,
    start_at: Option<Instant>,
    /// The wall clock when the last event was accepted.
    accepted_at: Option<Timestamp>,
    /// When the end of the whole input was last asked for, and what it was.
    last_probe: Option<(Instant, i64)>,
    /// When a batch of records could not be decompressed, and the positions of partitions that may have it.
    unreadable_at: Option<Instant>,
    suspects: BTreeMap<PartitionId, (i64, Instant)>,
    /// Where the partitions stood at the last tick that were not read to their end.
    stood_at: BTreeMap<PartitionId, i64>,
    clock_watch: ClockWatch,
    future_events: FutureEvents,
    tick_at: Instant,
    progress_at: Instant,
    reported: WorkerStats,
}

impl<W: KafkaClients> Worker<W> {
    /// # Errors
    /// A client cannot be created.
    pub fn new(plan: WorkerPlan, clients: W) -> Result<Self, WorkerError> {
        let consumer = Arc::new(clients.consumer()?);
        plan.rollout.know_topology(&plan.topology);
        let early = match plan.settings.service.delivery {
            Delivery::ExactlyOnce => None,
            Delivery::AtLeastOnce => Some(EarlyDelivery::new(&clients)?),
        };
        let payloads = plan.payloads.as_ref().map(|format| format.reader());
        let decoder = RecordDecoder::new(Decoder::new(&plan.compiled.catalog), payloads);
        let audit = InputAudit::new(Arc::clone(plan.compiled.user()));
        let now = clients.now();
        let mut clock_watch = ClockWatch::default();
        clock_watch.look(plan.clock.now(), now);
        let store = SnapshotStore::of(&plan.settings).map(Arc::new);
        let snapshots = store.clone().zip(plan.settings.state.as_ref());
        let snapshots = snapshots.map(|(store, state)| {
            SnapshotScheduler::new(clients.clone(), store, Arc::clone(&plan.topology), state.snapshot_interval)
        });
        Ok(Worker {
            batch: RecordBatch::default(),
            tasks: BTreeMap::new(),
            member: None,
            gave_up_unasked: false,
            scratch: WorkerScratch {
                decoder,
                audit,
                ahead: DecodedAhead::default(),
                event: Event::default(),
                counts: WorkerStats::default(),
            },
            cycle: CommitCycle::new(&plan, &clients, &consumer),
            consumer,
            early,
            restorer: Restorer::new(clients.clone(), plan.restore_context(), store),
            snapshots,
            topic_watch: TopicWatch::new(clients.clone(), &plan.settings, &plan.topology),
            catalog_switch: CatalogSwitch::new(clients.clone()),
            start_at: None,
            accepted_at: None,
            last_probe: None,
            unreadable_at: None,
            suspects: BTreeMap::new(),
            stood_at: BTreeMap::new(),
            clock_watch,
            future_events: FutureEvents::default(),
            tick_at: now + TICK,
            progress_at: now + PROGRESS,
            reported: WorkerStats::default(),
            plan,
            clients,
        })
    }

    /// Works until it is told to stop.
    ///
    /// # Errors
    /// What only the operator can repair. Everything else is waited for.
    pub fn run(&mut self) -> Result<WorkerStats, WorkerError> {
        self.consumer.join().map_err(WorkerError::Join)?;
        self.report(Occurrence::Started);
        self.watch_topics()?;
        loop {
            let turn = self.select();
            if self.apply(turn)? == Next::Leave {
                break;
            }
        }
        let counts = self.scratch.counts.clone();
        self.report(Occurrence::Ended(counts.clone()));
        Ok(counts)
    }

    fn select(&mut self) -> Turn {
        if let Some(end) = self.cycle.committer.step_end() {
            return Turn::StepEnded(end);
        }
        if let Some(rebalance) = self.consumer.next_rebalance() {
            return Turn::Rebalance(rebalance);
        }
        if self.plan.stop.is_given() {
            return Turn::Stop;
        }
        if self.catalog_switch.is_behind(self.plan.rollout.revision()) && !self.cycle.is_input_paused {
            return Turn::Catalog;
        }
        let now = self.clients.now();
        if self.catalog_switch.measurement.as_ref().is_some_and(|measurement| measurement.next_at <= now) {
            return Turn::MeasureImpact;
        }
        if self.cycle.committer.is_here() && self.cycle.commit_at.is_some_and(|at| at <= now) {
            return Turn::Commit;
        }
        if !self.cycle.is_input_paused && self.start_at.is_some_and(|at| at <= now) {
            return Turn::Start;
        }
        if let Some(result) = self.restorer.next() {
            return Turn::Restored(Box::new(result));
        }
        if self.tick_at <= now {
            return Turn::Tick;
        }
        if self.early.as_ref().is_some_and(|early| early.is_due(now)) {
            return Turn::SendEarly;
        }
        let applies_records = self.cycle.applies_records();
        let polled = if !applies_records {
            self.consumer.poll_group(self.poll_wait(now))
        } else if self.batch.is_empty() {
            self.consumer.poll(self.poll_wait(now), &mut self.batch)
        } else {
            Ok(())
        };
        match polled {
            Err(error) => Turn::Trouble(error),
            Ok(()) if self.batch.is_empty() || !applies_records => Turn::Quiet,
            Ok(()) => Turn::Records,
        }
    }

    /// How long this turn may wait for a record.
    fn poll_wait(&self, now: Instant) -> Duration {
        let restores = self.tasks.values().any(|task| matches!(task, Task::Restoring(_)));
        let longest = if restores { POLL_RESTORING } else { POLL };
        // With no record at hand, waiting changes are sent.
        let longest = if self.early.as_ref().is_some_and(EarlyDelivery::has_unsent) { Duration::ZERO } else { longest };
        // The end of a step wakes the consumer.
        let commit_at = self.cycle.commit_at.filter(|_| self.cycle.committer.is_here());
        commit_at.map_or(longest, |at| at.saturating_duration_since(now).min(longest))
    }

    fn apply(&mut self, turn: Turn) -> Result<Next, WorkerError> {
        match turn {
            Turn::StepEnded(end) => self.end_step(end)?,
            Turn::Quiet => {
                self.gave_up_unasked = false;
                self.send_early();
            }
            Turn::Records => self.apply_batch(),
            Turn::Rebalance(rebalance) => self.rebalance(rebalance)?,
            Turn::Catalog => self.apply_rollout()?,
            Turn::MeasureImpact => self.measure_impact(),
            Turn::Start => self.start_assigned()?,
            Turn::Restored(result) => self.run_restored(*result),
            Turn::Commit => self.commit()?,
            Turn::SendEarly => self.send_early_on_time(),
            Turn::Tick => self.tick()?,
            Turn::Trouble(error) => self.trouble(error)?,
            Turn::Stop => {
                self.commit_all_within(STOP_PATIENCE)?;
                self.take_final_snapshots(&self.running(), FINAL_SNAPSHOTS_PATIENCE);
                return Ok(Next::Leave);
            }
        }
        Ok(Next::Turn)
    }

    /// Applies the records of the batch, up to one for which there is no room.
    fn apply_batch(&mut self) {
        let now = self.plan.clock.now();
        if self.clock_watch.is_behind(now) {
            self.watch_clock();
        }
        while let Some((partition, _)) = self.batch.first() {
            let taken = self.apply_run(partition, now);
            if let Some(Task::Running(running)) = self.tasks.get(&partition)
                && running.is_ahead()
                && !running.paused_for_alignment
            {
                self.pause_for_alignment(partition);
            }
            if let TakeOutcome::Done { accepted } = taken {
                if !self.cycle.is_clear() {
                    failpoint::pass(Failpoint::AppliedMeanwhile);
                }
                if accepted {
                    self.accepted_at = Some(now);
                }
                self.commit_later();
            }
            if taken == TakeOutcome::Waits {
                self.pause_for_schema(partition);
            }
            if taken == TakeOutcome::Full || self.cycle.unsent_bytes >= self.cycle.limit.bytes() {
                (self.cycle.is_full, self.cycle.commit_at) = (true, Some(self.clients.now()));
                return;
            }
        }
    }

    /// Applies the records of one partition that come one after the other. Those of a partition that does not run, since
    /// it is not assigned any more, or that is paused, are dropped.
    fn apply_run(&mut self, partition: PartitionId, now: Timestamp) -> TakeOutcome {
        let mut taken = TakeOutcome::Done { accepted: false };
        let running = match self.tasks.get_mut(&partition) {
            Some(Task::Running(running)) if !running.is_paused() => running,
            _ => {
                self.batch.pass_all_of(partition);
                return taken;
            }
        };
        let before = running.unsent_bytes();
        self.scratch.ahead.clear();
        let present = |record: &_| self.clock_watch.present(now, Message::timestamp(record), || self.clients.now());
        while let Some(record) = self.batch.first_of(partition) {
            if self.scratch.ahead.is_empty() {
                let run = self.batch.run_of(partition).map(|record| (record, present(record)));
                running.decode_ahead(run, &mut self.scratch);
            }
            let outcome = running.take(record, &mut self.scratch);
            match outcome {
                TakeOutcome::Full | TakeOutcome::Waits => {
                    taken = outcome;
                    break;
                }
                TakeOutcome::Done { accepted } if accepted => taken = TakeOutcome::Done { accepted },
                TakeOutcome::Done { .. } => {}
            }
            self.batch.pass();
            if running.is_ahead() {
                break;
            }
        }
        self.cycle.unsent_bytes = (self.cycle.unsent_bytes + running.unsent_bytes()).saturating_sub(before);
        taken
    }

    fn tick(&mut self) -> Result<(), WorkerError> {
        if self.cycle.committer.is_overdue()
            && let Some(end) = self.cycle.committer.await_step_end(None)
        {
            // A client that does not come back stands in the way of everything: the worker is not alive without it.
            self.end_step(end)?;
        }
        if let Some(at) = self.accepted_at.take() {
            self.plan.liveness.record_event(at);
        }
        self.watch_clock();
        self.replace_outdated_producer();
        self.watch_future_events();
        self.watch_topics()?;
        self.watch_rollout();
        self.snapshot_if_due();
        self.follow_wall_clock();
        self.apply_merged_tasks();
        self.align_sources();
        self.watch_schema_waits();
        self.report(self.status());
        // Counted from the end of this tick, which may take long: between two ticks the group has to be answered.
        let now = self.clients.now();
        self.tick_at = now + TICK;
        if now >= self.progress_at {
            self.progress_at = now + PROGRESS;
            if self.reported != self.scratch.counts {
                self.reported = self.scratch.counts.clone();
                self.report(Occurrence::Progress(self.reported.clone()));
            }
        }
        for words in self.scratch.audit.words_if_due() {
            self.report(Occurrence::InputMismatch { words });
        }
        Ok(())
    }

    fn trouble(&mut self, error: BrokerError) -> Result<(), WorkerError> {
        match (error.class, error.code) {
            (
                ErrorClass::Fatal,
                Some(code @ (RDKafkaErrorCode::FencedInstanceId | RDKafkaErrorCode::UnreleasedInstanceId)),
            ) => return Err(self.fenced(code)),
            (ErrorClass::Fatal, _) => return Err(WorkerError::Fatal(error.text)),
            // It comes again several times a second, and does not tell the partition: see `notice_unreadable`.
            (_, Some(RDKafkaErrorCode::BadCompression)) => {
                self.unreadable_at = Some(self.clients.now());
            }
            (_, Some(RDKafkaErrorCode::AutoOffsetReset)) => self.stop_where_records_are_gone()?,
            (_, Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic)) => {
                let topics: Vec<&str> = self.topology().iter().map(|(_, plan)| &*plan.topic).collect();
                let topics = topics.join(" or ");
                let why = format!("the topic {topics} does not exist any more; see `tagstream topics create`");
                self.report(Occurrence::Failed { action: Action::Read, why });
                // It may be created again at any moment.
                self.topic_watch.hurry();
            }
            _ => self.report(Occurrence::Failed { action: Action::Read, why: error.text }),
        }
        Ok(())
    }

    /// The error of a fenced consumer. Its session may have ended while the brokers were away: then it has no member
    /// id, and until the revocation is answered librdkafka sends heartbeats with the instance's name only. The brokers
    /// take these for another process's, and refuse them.
    fn fenced(&self, code: RDKafkaErrorCode) -> WorkerError {
        match self.consumer.member() {
            Some(_) => WorkerError::Fenced { instance: self.plan.settings.service.instance.name().to_owned(), code },
            None => WorkerError::Expired { code },
        }
    }

    /// Makes sure that what there is now is committed within the commit interval.
    fn commit_later(&mut self) {
        if let Some(early) = &mut self.early {
            early.notice_changes();
        }
        if self.cycle.commit_at.is_none() {
            self.cycle.commit_at = Some(self.clients.now() + self.plan.settings.service.commit_interval);
        }
    }

    /// The partitions that run.
    fn running(&self) -> Vec<PartitionId> {
        let running = |(partition, task): (&PartitionId, &Task)| matches!(task, Task::Running(_)).then_some(*partition);
        self.tasks.iter().filter_map(running).collect()
    }

    fn topology(&self) -> &Topology {
        &self.plan.topology
    }

    fn report(&self, what: Occurrence) {
        (self.plan.listener)(what.of(self.plan.id));
    }
}

impl<W: KafkaClients> Drop for Worker<W> {
    fn drop(&mut self) {
        // The producer and the consumer are closed here, and not by a thread that nobody waits for.
        while !std::thread::panicking() && self.cycle.committer.await_step_end(None).is_some() {}
        for task in self.tasks.values() {
            if let Task::Restoring(restore) = task {
                restore.cancel.give();
            }
        }
        // From now on the callback answers the group: no turn will.
        if let Err(error) = self.consumer.leave() {
            self.report(Occurrence::Failed { action: Action::LeaveGroup, why: error.text });
        }
    }
}
