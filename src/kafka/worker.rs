//! A worker: one thread, one consumer, one producer, and the partitions that the group gives it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message, OwnedMessage};
use rdkafka::{Offset, TopicPartitionList};

use super::clients::{self, ClientError, Rebalance, WorkerConsumer};
use super::clock::Clock;
use super::counts::Counts;
use super::cycle::{Fate, Names};
use super::notice::{Notice, Notices, WorkerId};
use super::pulse::Pulse;
use super::rights;
use super::sending::Outlet;
use super::slot::{Bench, Running, Slot, Taken};
use super::transactor::Transactor;
use crate::codec::Decoder;
use crate::engine::Program;
use crate::model::{Event, Timestamp};
use crate::settings::Settings;

/// How long a turn of the loop may wait for a record: how soon a stop is noticed.
const POLL: Duration = Duration::from_millis(100);
/// How often partitions that were read to their end are looked for, to follow the wall clock.
const TICK: Duration = Duration::from_millis(500);
/// How often a worker tells what it has done.
const PROGRESS: Duration = Duration::from_secs(60);
/// What the bodies of all partitions may hold together before they are committed.
const UNSENT_BYTES_MAX: usize = 32 << 20;
/// How long a worker that is asked to stop tries to commit what it has.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// Tells workers to finish their cycle and leave.
#[derive(Clone, Debug, Default)]
pub struct StopSignal(Arc<AtomicBool>);

impl StopSignal {
    pub fn give(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_given(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Why a worker cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("cannot join the group: {0}")]
    Join(KafkaError),
    #[error(
        "another process runs as instance \"{instance}\" of this application; give each its own service.instance ({code})"
    )]
    Fenced { instance: String, code: RDKafkaErrorCode },
    #[error("the consumer has failed for good: {0}")]
    Fatal(RDKafkaErrorCode),
    #[error(
        "the group stands at offset {offset} of partition {partition} of {topic}, which holds {low} to {high}: the \
         records were deleted or the topic was made anew; nothing is skipped silently, so reset the group's offsets \
         (kafka-consumer-groups --reset-offsets) or take another kafka.application"
    )]
    OffsetGone { topic: String, partition: i32, offset: i64, low: i64, high: i64 },
    #[error(
        "records that the group has yet to read were deleted from {topic}: nothing is skipped silently, so reset the \
         group's offsets (kafka-consumer-groups --reset-offsets) or take another kafka.application"
    )]
    RecordsGone { topic: String },
}

/// What a worker is made from.
pub struct WorkerPlan {
    pub id: WorkerId,
    pub settings: Arc<Settings>,
    pub program: Arc<Program>,
    pub notices: Notices,
    pub clock: Clock,
    pub pulse: Arc<Pulse>,
    pub stop: StopSignal,
}

/// What the next turn of the loop is about.
enum Turn<'a> {
    Rebalance(Rebalance),
    Stop,
    /// Partitions that were assigned wait for their start.
    Start,
    Commit,
    /// Time to look at the clock.
    Tick,
    /// A record that could not be applied when it came.
    Parked(OwnedMessage),
    Record(BorrowedMessage<'a>),
    Trouble(KafkaError),
    Quiet,
}

/// Whether the loop goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Turn,
    Leave,
}

pub struct Worker {
    pub(super) plan: WorkerPlan,
    pub(super) consumer: Arc<WorkerConsumer>,
    pub(super) slots: BTreeMap<i32, Slot>,
    pub(super) bench: Bench,
    pub(super) transactor: Transactor,
    pub(super) outlet: Outlet,
    pub(super) fate: Fate,
    pub(super) names: Names,
    /// Whether the consumer is paused since a commit does not end.
    pub(super) held: bool,
    /// Records that came while they could not be applied, in their order.
    pub(super) parked: VecDeque<OwnedMessage>,
    /// What the bodies hold, about.
    pub(super) unsent_bytes: usize,
    pub(super) commit_at: Option<Instant>,
    pub(super) start_at: Option<Instant>,
    pub(super) aborts_in_a_row: u32,
    /// The wall clock when the last event was accepted.
    pub(super) accepted_at: Option<Timestamp>,
    tick_at: Instant,
    progress_at: Instant,
    told: Counts,
}

impl Worker {
    /// # Errors
    /// A client cannot be made.
    pub fn new(plan: WorkerPlan) -> Result<Self, WorkerError> {
        let consumer = clients::consumer(&plan.settings, plan.id, Arc::clone(&plan.notices))?;
        let transactor = Transactor::new(Arc::clone(&plan.settings), plan.id, Arc::clone(&plan.notices));
        let decoder = Decoder::new(&plan.program.catalog);
        let now = Instant::now();
        Ok(Worker {
            consumer: Arc::new(consumer),
            slots: BTreeMap::new(),
            bench: Bench { decoder, event: Event::default(), counts: Counts::default() },
            transactor,
            outlet: Outlet::new(&plan.settings),
            fate: Fate::Clear,
            names: Names::new(),
            held: false,
            parked: VecDeque::new(),
            unsent_bytes: 0,
            commit_at: None,
            start_at: None,
            aborts_in_a_row: 0,
            accepted_at: None,
            tick_at: now + TICK,
            progress_at: now + PROGRESS,
            told: Counts::default(),
            plan,
        })
    }

    /// Works until it is told to stop.
    ///
    /// # Errors
    /// What only a person can mend. Everything else is waited for.
    pub fn run(&mut self) -> Result<Counts, WorkerError> {
        let topic = self.plan.settings.input.topic.clone();
        self.consumer.subscribe(&[&topic]).map_err(WorkerError::Join)?;
        self.say(Notice::WorkerStarted(self.plan.id));
        let consumer = Arc::clone(&self.consumer);
        loop {
            let turn = self.select(&consumer);
            if self.apply(turn)? == Next::Leave {
                break;
            }
        }
        let counts = self.bench.counts.clone();
        self.say(Notice::WorkerStopped(self.plan.id, counts.clone()));
        Ok(counts)
    }

    fn select<'a>(&mut self, consumer: &'a WorkerConsumer) -> Turn<'a> {
        if let Some(rebalance) = consumer.context().next_rebalance() {
            return Turn::Rebalance(rebalance);
        }
        if self.plan.stop.is_given() {
            return Turn::Stop;
        }
        let now = Instant::now();
        if self.commit_at.is_some_and(|at| at <= now) {
            return Turn::Commit;
        }
        if !self.held && self.start_at.is_some_and(|at| at <= now) {
            return Turn::Start;
        }
        if self.tick_at <= now {
            return Turn::Tick;
        }
        if !self.held
            && let Some(message) = self.parked.pop_front()
        {
            return Turn::Parked(message);
        }
        let wait = self.commit_at.map_or(POLL, |at| at.saturating_duration_since(now).min(POLL));
        match consumer.poll(wait) {
            None => Turn::Quiet,
            Some(Ok(message)) => Turn::Record(message),
            Some(Err(error)) => Turn::Trouble(error),
        }
    }

    fn apply(&mut self, turn: Turn<'_>) -> Result<Next, WorkerError> {
        match turn {
            Turn::Quiet => {}
            Turn::Record(message) => {
                if self.held || self.offer(&message) == Taken::Full {
                    self.parked.push_back(message.detach());
                }
            }
            Turn::Parked(message) => {
                if self.offer(&message) == Taken::Full {
                    self.parked.push_front(message);
                }
            }
            Turn::Rebalance(rebalance) => self.rebalance(rebalance)?,
            Turn::Start => self.start_assigned()?,
            Turn::Commit => self.commit()?,
            Turn::Tick => self.tick(),
            Turn::Trouble(error) => self.trouble(error)?,
            Turn::Stop => {
                self.settle_within(STOP_PATIENCE)?;
                return Ok(Next::Leave);
            }
        }
        Ok(Next::Turn)
    }

    /// Offers a record to its partition. One whose partition is not here any more is not ours to apply.
    fn offer(&mut self, message: &impl Message) -> Taken {
        let Some(Slot::Running(running)) = self.slots.get_mut(&message.partition()) else {
            return Taken::Done { accepted: false };
        };
        let now = self.plan.clock.now();
        let bytes_before = running.body.bytes();
        let taken = running.take(message, now, &mut self.bench);
        self.unsent_bytes += running.body.bytes() - bytes_before;
        match taken {
            Taken::Done { accepted } => {
                if accepted {
                    self.accepted_at = Some(now);
                }
                self.commit_later();
                if self.unsent_bytes >= UNSENT_BYTES_MAX {
                    self.commit_at = Some(Instant::now());
                }
            }
            Taken::Full => self.commit_at = Some(Instant::now()),
        }
        taken
    }

    fn tick(&mut self) {
        let now = Instant::now();
        self.tick_at = now + TICK;
        if let Some(at) = self.accepted_at.take() {
            self.plan.pulse.beat(at);
        }
        if !self.held && self.parked.is_empty() {
            self.follow_wall_clock();
        }
        if now >= self.progress_at {
            self.progress_at = now + PROGRESS;
            if self.told != self.bench.counts {
                self.told = self.bench.counts.clone();
                self.say(Notice::Progress(self.plan.id, self.told.clone()));
            }
        }
    }

    fn trouble(&mut self, error: KafkaError) -> Result<(), WorkerError> {
        let topic = self.plan.settings.input.topic.clone();
        match error {
            KafkaError::MessageConsumptionFatal(
                code @ (RDKafkaErrorCode::FencedInstanceId | RDKafkaErrorCode::UnreleasedInstanceId),
            ) => Err(WorkerError::Fenced { instance: self.plan.settings.service.instance.clone(), code }),
            KafkaError::MessageConsumptionFatal(code) => Err(WorkerError::Fatal(code)),
            KafkaError::MessageConsumption(RDKafkaErrorCode::AutoOffsetReset) => {
                Err(WorkerError::RecordsGone { topic })
            }
            KafkaError::MessageConsumption(
                RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic,
            ) => {
                let why = format!("the topic {topic} is gone; see `tagstream topics create`");
                self.say(Notice::Trouble { worker: self.plan.id, what: "reading", why });
                Ok(())
            }
            other => {
                let why = rights::not_read(&other, &self.plan.settings);
                self.say(Notice::Trouble { worker: self.plan.id, what: "reading", why });
                Ok(())
            }
        }
    }

    /// Sees to it that what there is now is committed within the commit interval.
    pub(super) fn commit_later(&mut self) {
        if self.commit_at.is_none() {
            self.commit_at = Some(Instant::now() + self.plan.settings.service.commit_interval);
        }
    }

    /// The partitions that run, with an offset each.
    pub(super) fn list_running(&self, offset: impl Fn(&Running) -> Offset) -> TopicPartitionList {
        self.list(self.slots.iter().filter_map(|(partition, slot)| match slot {
            Slot::Running(running) => Some((*partition, offset(running))),
            Slot::Assigned => None,
        }))
    }

    pub(super) fn list(&self, partitions: impl IntoIterator<Item = (i32, Offset)>) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in partitions {
            // Every offset that is written here is a real one or one of librdkafka's own names.
            let _ = list.add_partition(&self.plan.settings.input.topic, partition).set_offset(offset);
        }
        list
    }

    pub(super) fn say(&self, notice: Notice) {
        (self.plan.notices)(notice);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Whatever the group still wants is answered in the callback from now on: nobody selects any more.
        self.consumer.context().close();
        let given_up = self.consumer.assignment().and_then(|assigned| self.consumer.incremental_unassign(&assigned));
        if let Err(error) = given_up {
            self.say(Notice::Trouble { worker: self.plan.id, what: "giving partitions up", why: error.to_string() });
        }
    }
}
