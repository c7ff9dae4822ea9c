//! A worker: one thread, one consumer, one producer, and the partitions that the group gives it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::message::{Message, OwnedMessage};
use rdkafka::types::RDKafkaErrorCode;

use super::breaker::Breaker;
use super::clients::ClientError;
use super::clock::Clock;
use super::counts::Counts;
use super::cycle::{Fate, Names};
use super::notice::{Notice, Notices, WorkerId};
use super::pulse::Pulse;
use super::rebuild::Backfill;
use super::renewal::Renewal;
use super::restore::{Finding, Restorer};
use super::scribe::Scribe;
use super::sending::Outlet;
use super::slot::{Bench, Slot, Taken};
use super::snapshots::Snapshots;
use super::streams::{PartitionId, Streams};
use super::transactor::Transactor;
use super::wire::{Class, GroupConsumer, Rebalance, Record, Wire, WireError};
use crate::codec::Decoder;
use crate::engine::CompiledCatalog;
use crate::model::{Event, Timestamp};
use crate::settings::{Delivery, Settings};

/// How long a turn of the loop may wait for a record: how soon a stop is noticed.
const POLL: Duration = Duration::from_millis(100);
/// The same while states are being read back: how soon a partition runs that could.
const POLL_RESTORING: Duration = Duration::from_millis(10);
/// While records keep coming, tag changes that need not wait for their transaction leave together, this often.
const HERALDED_TOGETHER: Duration = Duration::from_millis(10);
/// How often partitions that were read to their end are looked for, to follow the wall clock.
const TICK: Duration = Duration::from_millis(500);
/// How often a worker tells what it has done.
const PROGRESS: Duration = Duration::from_secs(60);
/// What the bodies of all partitions may hold together before they are committed.
const UNSENT_BYTES_MAX: usize = 32 << 20;
/// How long a worker that is asked to stop tries to commit what it has.
const STOP_PATIENCE: Duration = Duration::from_secs(10);
/// How long it writes snapshots after that. Those that are not written then are of no more use than older ones.
const LAST_SNAPSHOTS_PATIENCE: Duration = Duration::from_secs(7);

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
    Join(WireError),
    #[error(
        "another process runs as instance \"{instance}\" of this application; give each its own service.instance ({code})"
    )]
    Fenced { instance: String, code: RDKafkaErrorCode },
    /// Nobody is to blame, and a new consumer can join: see [`Worker::fenced`].
    #[error("the session has ended, and its consumer cannot join again ({code})")]
    Expired { code: RDKafkaErrorCode },
    #[error("the consumer has failed for good: {0}")]
    Fatal(String),
    #[error(
        "a record is too large for the topic {topic}: raise its max.message.bytes (kafka-configs --alter --add-config); \
         nothing was lost, and the service goes on where it stood"
    )]
    TooLarge { topic: String },
}

/// What a worker is made from.
#[derive(Clone)]
pub struct WorkerPlan {
    pub id: WorkerId,
    pub settings: Arc<Settings>,
    /// What the group reads.
    pub streams: Arc<Streams>,
    pub programs: Arc<CompiledCatalog>,
    pub breaker: Arc<Breaker>,
    pub backfill: Backfill,
    pub notices: Notices,
    pub clock: Clock,
    pub pulse: Arc<Pulse>,
    pub stop: StopSignal,
}

/// What the next turn of the loop is about.
enum Turn<R> {
    Rebalance(Rebalance),
    Stop,
    /// There is something new about the catalog.
    Catalog,
    /// Entities are to be looked at under a catalog to come.
    Survey,
    /// Partitions that were assigned wait for their start.
    Start,
    /// What reading a state back has come to.
    Restored(Box<Finding>),
    Commit,
    /// Time to look at the clock.
    Tick,
    /// A record that could not be applied when it came.
    Parked(OwnedMessage),
    Record(R),
    Trouble(WireError),
    Quiet,
}

/// Whether the loop goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Turn,
    Leave,
}

pub struct Worker<W: Wire> {
    pub(super) plan: WorkerPlan,
    pub(super) wire: W,
    pub(super) consumer: Arc<W::Consumer>,
    pub(super) slots: BTreeMap<PartitionId, Slot>,
    /// Who the consumer was to the group when the partitions came.
    pub(super) member: Option<String>,
    /// Whether partitions were given up since the consumer was last found with nothing to say. If the group had just
    /// wanted some back, that was the answer, and whoever has them now may be at work.
    pub(super) unasked: bool,
    pub(super) bench: Bench,
    pub(super) transactor: Transactor<W>,
    pub(super) outlet: Outlet,
    /// Sends tag changes at once, where they need not wait for their transaction.
    pub(super) herald: Option<W::Plain>,
    /// Whether there may be changes that have not been sent so, and when it is time although records keep coming.
    pub(super) unheralded: bool,
    pub(super) herald_at: Instant,
    pub(super) restorer: Restorer<W>,
    /// Takes snapshots, if there is a place for them.
    pub(super) scribe: Option<Scribe<W>>,
    pub(super) renewal: Renewal,
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
    /// When the end of the whole input was last looked at, and what it was.
    pub(super) looked: Option<(Instant, i64)>,
    tick_at: Instant,
    progress_at: Instant,
    told: Counts,
}

impl<W: Wire> Worker<W> {
    /// # Errors
    /// A client cannot be made.
    pub fn new(plan: WorkerPlan, wire: W) -> Result<Self, WorkerError> {
        let consumer = wire.consumer()?;
        let herald = match plan.settings.service.delivery {
            Delivery::ExactlyOnce => None,
            Delivery::AtLeastOnce => Some(wire.plain_producer()?),
        };
        let transactor = Transactor::new(wire.clone(), plan.id, Arc::clone(&plan.notices));
        let decoder = Decoder::new(&plan.programs.catalog);
        let now = wire.now();
        let snapshots = Snapshots::of(&plan.settings).map(Arc::new);
        let scribe = snapshots.clone().zip(plan.settings.state.as_ref());
        let scribe = scribe.map(|(snapshots, state)| {
            Scribe::new(wire.clone(), snapshots, Arc::clone(&plan.streams), state.snapshot_interval)
        });
        Ok(Worker {
            consumer: Arc::new(consumer),
            slots: BTreeMap::new(),
            member: None,
            unasked: false,
            bench: Bench { decoder, event: Event::default(), counts: Counts::default() },
            transactor,
            outlet: Outlet::new(&plan.settings, Arc::clone(&plan.streams)),
            herald,
            unheralded: false,
            herald_at: now,
            restorer: Restorer::new(wire.clone(), &plan, snapshots),
            scribe,
            renewal: Renewal::new(),
            fate: Fate::Clear,
            names: Names::new(),
            held: false,
            parked: VecDeque::new(),
            unsent_bytes: 0,
            // At once: getting the transactional id ends what a predecessor of that name has left open. Restoring would
            // otherwise wait until that transaction is too old.
            commit_at: Some(now),
            start_at: None,
            aborts_in_a_row: 0,
            accepted_at: None,
            looked: None,
            tick_at: now + TICK,
            progress_at: now + PROGRESS,
            told: Counts::default(),
            plan,
            wire,
        })
    }

    /// Works until it is told to stop.
    ///
    /// # Errors
    /// What only a person can mend. Everything else is waited for.
    pub fn run(&mut self) -> Result<Counts, WorkerError> {
        self.consumer.join().map_err(WorkerError::Join)?;
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

    fn select<'a>(&mut self, consumer: &'a W::Consumer) -> Turn<<W::Consumer as GroupConsumer>::Record<'a>> {
        if let Some(rebalance) = consumer.next_rebalance() {
            return Turn::Rebalance(rebalance);
        }
        if self.plan.stop.is_given() {
            return Turn::Stop;
        }
        if self.renewal.is_behind(self.plan.breaker.version()) && !self.held {
            return Turn::Catalog;
        }
        let now = self.wire.now();
        if self.renewal.surveying.as_ref().is_some_and(|surveying| surveying.next_at <= now) {
            return Turn::Survey;
        }
        if self.commit_at.is_some_and(|at| at <= now) {
            return Turn::Commit;
        }
        if !self.held && self.start_at.is_some_and(|at| at <= now) {
            return Turn::Start;
        }
        if let Some(finding) = self.restorer.next() {
            return Turn::Restored(Box::new(finding));
        }
        if self.tick_at <= now {
            return Turn::Tick;
        }
        if !self.held
            && let Some(message) = self.parked.pop_front()
        {
            return Turn::Parked(message);
        }
        if self.unheralded && self.herald_at <= now {
            self.herald();
            self.herald_at = now + HERALDED_TOGETHER;
        }
        match consumer.poll(self.poll_wait(now)) {
            None => Turn::Quiet,
            Some(Ok(message)) => Turn::Record(message),
            Some(Err(error)) => Turn::Trouble(error),
        }
    }

    /// How long there may be nothing else to do than to wait for a record.
    fn poll_wait(&self, now: Instant) -> Duration {
        let restores = self.slots.values().any(|slot| matches!(slot, Slot::Restoring(_)));
        let longest = if restores { POLL_RESTORING } else { POLL };
        // Where no record is at hand the changes leave.
        let longest = if self.unheralded { Duration::ZERO } else { longest };
        self.commit_at.map_or(longest, |at| at.saturating_duration_since(now).min(longest))
    }

    fn apply(&mut self, turn: Turn<impl Record>) -> Result<Next, WorkerError> {
        match turn {
            Turn::Quiet => {
                self.unasked = false;
                self.herald();
            }
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
            Turn::Catalog => self.heed_breaker()?,
            Turn::Survey => self.survey(),
            Turn::Start => self.start_assigned(),
            Turn::Restored(finding) => self.restored(*finding),
            Turn::Commit => self.commit()?,
            Turn::Tick => self.tick(),
            Turn::Trouble(error) => self.trouble(error)?,
            Turn::Stop => {
                self.settle_within(STOP_PATIENCE)?;
                self.snapshot_last(&self.running(), LAST_SNAPSHOTS_PATIENCE);
                return Ok(Next::Leave);
            }
        }
        Ok(Next::Turn)
    }

    /// Offers a record to its partition. One whose partition is not here any more is not ours to apply.
    fn offer(&mut self, message: &impl Message) -> Taken {
        let partition = self.plan.streams.partition(message.topic(), message.partition());
        let Some(Slot::Running(running)) = partition.and_then(|partition| self.slots.get_mut(&partition)) else {
            return Taken::Done { accepted: false };
        };
        let now = self.plan.clock.now();
        let before = running.unsent_bytes();
        let taken = running.take(message, now, &mut self.bench);
        self.unsent_bytes = (self.unsent_bytes + running.unsent_bytes()).saturating_sub(before);
        let has_to_rest = running.is_ahead() && !running.rests;
        match taken {
            Taken::Done { accepted } => {
                if accepted {
                    self.accepted_at = Some(now);
                }
                self.commit_later();
                if self.unsent_bytes >= UNSENT_BYTES_MAX {
                    self.commit_at = Some(self.wire.now());
                }
            }
            Taken::Full => self.commit_at = Some(self.wire.now()),
        }
        if has_to_rest && let Some(partition) = partition {
            self.rest(partition);
        }
        taken
    }

    fn tick(&mut self) {
        if let Some(at) = self.accepted_at.take() {
            self.plan.pulse.beat(at);
        }
        self.snapshot_if_due();
        self.follow_wall_clock();
        self.go_on_merging();
        self.keep_pace();
        self.say(self.standing());
        // From the end of this one, which may take long: the group has to be heard between two of them.
        let now = self.wire.now();
        self.tick_at = now + TICK;
        if now >= self.progress_at {
            self.progress_at = now + PROGRESS;
            if self.told != self.bench.counts {
                self.told = self.bench.counts.clone();
                self.say(Notice::Progress(self.plan.id, self.told.clone()));
            }
        }
    }

    fn trouble(&mut self, error: WireError) -> Result<(), WorkerError> {
        match (error.class, error.code) {
            (
                Class::Fatal,
                Some(code @ (RDKafkaErrorCode::FencedInstanceId | RDKafkaErrorCode::UnreleasedInstanceId)),
            ) => return Err(self.fenced(code)),
            (Class::Fatal, _) => return Err(WorkerError::Fatal(error.text)),
            (_, Some(RDKafkaErrorCode::AutoOffsetReset)) => self.stop_where_records_are_gone()?,
            (_, Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic)) => {
                let topics: Vec<&str> = self.streams().iter().map(|(_, plan)| &*plan.topic).collect();
                let topics = topics.join(" or ");
                let why = format!("the topic {topics} is gone; see `tagstream topics create`");
                self.say(Notice::Trouble { worker: self.plan.id, what: "reading", why });
            }
            _ => self.say(Notice::Trouble { worker: self.plan.id, what: "reading", why: error.text }),
        }
        Ok(())
    }

    /// Who has fenced the consumer. Its session may have ended while brokers were away: its member id is gone then, and
    /// until the revocation is answered librdkafka goes on with heartbeats, which name the instance and no member. The
    /// brokers take them for another process's, and the consumer takes that for its end.
    fn fenced(&self, code: RDKafkaErrorCode) -> WorkerError {
        match self.consumer.member() {
            Some(_) => WorkerError::Fenced { instance: self.plan.settings.service.instance.clone(), code },
            None => WorkerError::Expired { code },
        }
    }

    /// Sees to it that what there is now is committed within the commit interval.
    pub(super) fn commit_later(&mut self) {
        self.unheralded = self.herald.is_some();
        if self.commit_at.is_none() {
            self.commit_at = Some(self.wire.now() + self.plan.settings.service.commit_interval);
        }
    }

    /// The partitions that run.
    pub(super) fn running(&self) -> Vec<PartitionId> {
        let running = |(partition, slot): (&PartitionId, &Slot)| matches!(slot, Slot::Running(_)).then_some(*partition);
        self.slots.iter().filter_map(running).collect()
    }

    pub(super) fn streams(&self) -> &Streams {
        &self.plan.streams
    }

    pub(super) fn say(&self, notice: Notice) {
        (self.plan.notices)(notice);
    }
}

impl<W: Wire> Drop for Worker<W> {
    fn drop(&mut self) {
        for slot in self.slots.values() {
            if let Slot::Restoring(restore) = slot {
                restore.cancel.give();
            }
        }
        // Whatever the group still wants is answered in the callback from now on: nobody selects any more.
        if let Err(error) = self.consumer.leave() {
            self.say(Notice::Trouble { worker: self.plan.id, what: "giving partitions up", why: error.text });
        }
    }
}
