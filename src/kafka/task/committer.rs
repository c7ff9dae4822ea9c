//! A transactional producer whose slow steps run on a thread beside the worker, so that the worker goes on meanwhile.
//!
//! ```text
//!   worker      begin, send ──▶ finish ──────── applies records ────────▶ notes the end
//!                                  │                                        ▲        ▲
//!   thread                         └▶ delivery, offsets, commit or abort ───┘        │
//!                                                        └▶ if committed: prepare ───┘
//! ```
//!
//! The producer has one owner at each time: it goes to the thread with the step, and comes back when the thread is done.
//! There is one thread for each step, which ends within the step's time. Who gives partitions up has to wait for it: a
//! broker takes offsets from every member, also for a partition that is another member's by then.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::time::{Duration, Instant};

use super::transaction::{Readiness, TransactionManager, TransactionOutcome};
use crate::kafka::broker::{ClientError, GroupConsumer, KafkaClients, PartitionOffset};
use crate::kafka::events::{EventListener, WorkerId};

/// How long a step may take that follows a commit: then it is begun again when it is needed.
const PREPARE_PATIENCE: Duration = Duration::from_secs(3);
/// A client should have returned so long after the end of a step's time.
const OVERDUE: Duration = Duration::from_secs(5);
/// How often the end of a step is looked for where nothing else can be done.
const LOOK: Duration = Duration::from_micros(200);

/// How a step has ended.
pub(crate) enum StepEnd {
    /// How the transaction stands, and since when.
    Transaction(TransactionOutcome, Instant),
    /// Whether a transaction can begin, for who waits for it.
    Prepared(Result<Readiness, ClientError>),
    /// A transaction can begin, perhaps; nobody waits for it.
    Returned,
    /// The thread has ended without a word, and with it the producer.
    Lost,
}

/// The producer of a worker, here or on its way.
pub(crate) struct Committer<W: KafkaClients> {
    clients: W,
    worker: WorkerId,
    listener: EventListener,
    consumer: Arc<W::Consumer>,
    place: Place<W>,
}

enum Place<W: KafkaClients> {
    Here(Box<TransactionManager<W>>),
    Away { news: Receiver<News<W>>, until: Instant },
}

/// What the thread tells.
enum News<W: KafkaClients> {
    /// The producer comes with it, unless it is prepared for the next transaction first.
    Ended { outcome: TransactionOutcome, at: Instant, back: Option<Box<TransactionManager<W>>> },
    Prepared {
        /// `None`: nobody waits for it.
        readiness: Option<Result<Readiness, ClientError>>,
        back: Box<TransactionManager<W>>,
    },
}

impl<W: KafkaClients> Committer<W> {
    pub(crate) fn new(clients: W, consumer: Arc<W::Consumer>, worker: WorkerId, listener: EventListener) -> Self {
        let transactions = TransactionManager::new(clients.clone(), worker, Arc::clone(&listener));
        Committer { clients, worker, listener, consumer, place: Place::Here(Box::new(transactions)) }
    }

    /// The producer; `None`: a step is running.
    pub(crate) fn here(&mut self) -> Option<&mut TransactionManager<W>> {
        match &mut self.place {
            Place::Here(transactions) => Some(transactions),
            Place::Away { .. } => None,
        }
    }

    pub(crate) fn is_here(&self) -> bool {
        matches!(self.place, Place::Here(_))
    }

    /// Whether the running step should have ended long ago.
    pub(crate) fn is_overdue(&self) -> bool {
        matches!(&self.place, Place::Away { until, .. } if self.clients.now() >= *until + OVERDUE)
    }

    /// Takes all steps up to where a transaction can begin.
    pub(crate) fn prepare(&mut self, until: Instant) {
        self.run("prepare", until, move |mut transactions, tell| {
            let readiness = Some(transactions.prepare(until));
            tell(News::Prepared { readiness, back: transactions });
        });
    }

    /// Goes on with the open transaction.
    pub(crate) fn finish(&mut self, offsets: Arc<[PartitionOffset]>, member: String, until: Instant) {
        let (clients, consumer) = (self.clients.clone(), Arc::clone(&self.consumer));
        self.run("commit", until + PREPARE_PATIENCE, move |mut transactions, tell| {
            let outcome = transactions.finish(&offsets, (&consumer, &member), until);
            drop(consumer);
            let at = clients.now();
            if !matches!(outcome, TransactionOutcome::Committed) {
                return tell(News::Ended { outcome, at, back: Some(transactions) });
            }
            tell(News::Ended { outcome, at, back: None });
            // What fails here is done again, and reported, when the next transaction is to begin.
            drop(transactions.prepare(at + PREPARE_PATIENCE));
            tell(News::Prepared { readiness: None, back: transactions });
        });
    }

    fn run(
        &mut self,
        name: &str,
        until: Instant,
        step: impl FnOnce(Box<TransactionManager<W>>, &dyn Fn(News<W>)) + Send + 'static,
    ) {
        let (sender, news) = mpsc::channel();
        let transactions = match std::mem::replace(&mut self.place, Place::Away { news, until }) {
            Place::Here(transactions) => transactions,
            // A step begins only when the one before has ended.
            away @ Place::Away { .. } => return self.place = away,
        };
        let wake = self.consumer.waker();
        let job = move || {
            let tell = |news| {
                // The worker waits for it before it ends.
                let _ = sender.send(news);
                wake();
            };
            step(transactions, &tell);
        };
        self.clients.spawn(name, Box::new(job));
    }

    /// Waits for what the running step comes to. `None`: none is running, or the time is up.
    pub(crate) fn await_step_end(&mut self, deadline: Option<Instant>) -> Option<StepEnd> {
        while !self.is_here() {
            if let Some(end) = self.step_end() {
                return Some(end);
            }
            if deadline.is_some_and(|deadline| self.clients.now() >= deadline) {
                return None;
            }
            self.clients.sleep(LOOK);
        }
        None
    }

    /// What the running step has come to; `None`: nothing yet.
    pub(crate) fn step_end(&mut self) -> Option<StepEnd> {
        let Place::Away { news, .. } = &self.place else { return None };
        match news.try_recv() {
            Ok(News::Ended { outcome, at, back }) => {
                if let Some(transactions) = back {
                    self.place = Place::Here(transactions);
                }
                Some(StepEnd::Transaction(outcome, at))
            }
            Ok(News::Prepared { readiness, back }) => {
                self.place = Place::Here(back);
                Some(readiness.map_or(StepEnd::Returned, StepEnd::Prepared))
            }
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                let (clients, listener) = (self.clients.clone(), Arc::clone(&self.listener));
                self.place = Place::Here(Box::new(TransactionManager::new(clients, self.worker, listener)));
                Some(StepEnd::Lost)
            }
        }
    }
}
