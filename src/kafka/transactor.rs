//! One transactional producer: from its transactional id to the certain end of each transaction, in bounded steps.
//!
//! ```text
//!          create         init_transactions            begin, send
//!   Down ─────────▶ Starting ─────────────▶ Idle ───────────────────────▶ Open
//!    ▲                                       ▲ ▲   committed or aborted     │
//!    │                 faults seen           │ └────────────────────────────┤
//!    ├───────────────────────────────────────┘                              │
//!    └──────────────────────────────────────────────────────────────────────┘
//!                                  in doubt: only the committed offsets know
//! ```
//!
//! A broker obeys an end-of-transaction request that comes late, on a broken connection, even when it hits the *next*
//! transaction, and the client may have sent such a request twice without a word: only its statistics show it. So
//! between two transactions we wait for statistics that cover the end of the first, and a producer that had to repeat
//! itself is replaced: the new one has a new epoch, which the late request does not.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, Producer};
use rdkafka::util::Timeout;

use super::clients::{self, ClientError, Failures, WorkerConsumer, WorkerProducer};
use super::notice::{Notice, Notices, WorkerId};
use super::rights;
use crate::settings::Settings;

/// A commit that takes longer is taken for one that was repeated.
const SLOW_COMMIT: Duration = Duration::from_secs(1);
/// How many statistics must come after a commit until they are sure to cover it: one may have been on its way.
const REPORTS_AFTER_COMMIT: u64 = 2;
/// How often to look whether the brokers have acknowledged everything.
const DRAIN_PAUSE: Duration = Duration::from_micros(200);
const QUEUE_FULL_PAUSE: Duration = Duration::from_millis(1);

/// Why nothing moves: the step that does not end, and what Kafka says about it.
#[derive(Clone, Debug)]
pub struct Blocked {
    pub step: &'static str,
    pub why: String,
}

/// How a transaction stands after a step.
#[derive(Clone, Debug)]
pub enum Outcome {
    Committed,
    /// Not yet; the same call goes on with it.
    Blocked(Blocked),
    /// Nothing of it will ever be seen; it is to be sent again.
    Aborted {
        why: String,
    },
    /// Nobody here knows. The producer is gone; the committed offsets tell.
    InDoubt {
        why: String,
    },
}

/// What an error of a transactional call asks for.
enum Verdict {
    CallAgain,
    Abort,
    Doubt,
}

enum State {
    Down,
    Starting(WorkerProducer, Instant),
    Idle(WorkerProducer, Option<Ended>),
    Open(WorkerProducer, Open),
}

/// The end of the last transaction, until statistics have covered it.
struct Ended {
    /// How many statistics there were then.
    reports: u64,
    /// The faults counted when the transaction began.
    faults: u64,
    slow: bool,
}

struct Open {
    stage: Stage,
    faults: u64,
}

enum Stage {
    /// Records are on their way. They must have arrived before the offsets are sent: a torn transaction can then only
    /// be repeated, it cannot lose outputs whose offsets were committed.
    Delivering,
    Committing(Instant),
    Aborting(String),
}

/// The producer of a worker.
pub struct Transactor {
    settings: Arc<Settings>,
    worker: WorkerId,
    notices: Notices,
    failures: Arc<Failures>,
    state: State,
}

impl Transactor {
    pub fn new(settings: Arc<Settings>, worker: WorkerId, notices: Notices) -> Self {
        Transactor { settings, worker, notices, failures: Arc::default(), state: State::Down }
    }

    /// Comes to where a transaction can begin.
    ///
    /// # Errors
    /// The outer one: a client cannot be made. The inner one: it takes longer than `until`; call again.
    pub fn prepare(&mut self, until: Instant) -> Result<Result<(), Blocked>, ClientError> {
        loop {
            match std::mem::replace(&mut self.state, State::Down) {
                State::Down => {
                    let (notices, failures) = (Arc::clone(&self.notices), Arc::clone(&self.failures));
                    let producer = clients::producer(&self.settings, self.worker, notices, failures)?;
                    self.state = State::Starting(producer, Instant::now());
                }
                State::Starting(producer, since) => match producer.init_transactions(remaining(until)) {
                    Ok(()) => {
                        (self.notices)(Notice::ProducerReady { worker: self.worker, took: since.elapsed() });
                        self.state = State::Idle(producer, None);
                    }
                    Err(error) => {
                        if matches!(verdict(&error), Verdict::CallAgain) {
                            self.state = State::Starting(producer, since);
                        }
                        return Ok(Err(self.blocked("getting the transactional id", &error)));
                    }
                },
                State::Idle(producer, None) => {
                    self.state = State::Idle(producer, None);
                    return Ok(Ok(()));
                }
                State::Idle(producer, Some(ended)) => match suspicion(&producer, &ended, until) {
                    Some(why) => (self.notices)(Notice::Recycled { worker: self.worker, why }),
                    None => self.state = State::Idle(producer, None),
                },
                State::Open(producer, open) => {
                    self.state = State::Open(producer, open);
                    return Ok(Ok(()));
                }
            }
        }
    }

    /// Begins a transaction; [`Transactor::prepare`] must have succeeded. Local: no broker hears of it yet.
    pub fn begin(&mut self) -> Result<(), Blocked> {
        let State::Idle(producer, None) = std::mem::replace(&mut self.state, State::Down) else {
            return Err(Blocked { step: "beginning a transaction", why: "the producer is not ready".to_owned() });
        };
        let faults = producer.context().link.faults();
        self.failures.begin();
        match producer.begin_transaction() {
            Ok(()) => {
                self.state = State::Open(producer, Open { stage: Stage::Delivering, faults });
                Ok(())
            }
            // The producer is of no use any more. Nothing was sent, so nothing is in doubt.
            Err(error) => Err(self.blocked("beginning a transaction", &error)),
        }
    }

    /// Sends a record within the transaction, waiting for room if there is none.
    ///
    /// An error ends the transaction: [`Transactor::finish`] aborts it.
    pub fn send(&mut self, mut record: BaseRecord<'_, [u8], [u8]>, until: Instant) {
        let State::Open(producer, open) = &mut self.state else { return };
        if !matches!(open.stage, Stage::Delivering) {
            return;
        }
        let (error, topic) = loop {
            let Err((error, back)) = producer.send(record) else { return };
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) || Instant::now() >= until {
                break (error, back.topic);
            }
            thread::sleep(QUEUE_FULL_PAUSE);
            record = back;
        };
        self.failures.record(error.rdkafka_error_code());
        open.stage = Stage::Aborting(format!("cannot send to {topic}: {}", rights::not_written(&error, topic)));
    }

    /// Whether a record was refused for its size since the last call.
    pub fn take_oversize(&self) -> bool {
        self.failures.take_oversize()
    }

    /// Goes on with the open transaction: delivery, offsets, commit; or abort.
    pub fn finish(&mut self, offsets: &TopicPartitionList, consumer: &WorkerConsumer, until: Instant) -> Outcome {
        let State::Open(producer, mut open) = std::mem::replace(&mut self.state, State::Down) else {
            return Outcome::InDoubt { why: "the producer is gone".to_owned() };
        };
        loop {
            let (step, result) = match &open.stage {
                Stage::Delivering => match drain(&producer, until) {
                    Ok(Delivery::Complete) => ("sending offsets", send_offsets(&producer, offsets, consumer, until)),
                    Ok(Delivery::Failed) => {
                        open.stage = Stage::Aborting("a record was not written".to_owned());
                        continue;
                    }
                    Err(blocked) => {
                        self.state = State::Open(producer, open);
                        return Outcome::Blocked(blocked);
                    }
                },
                Stage::Committing(_) => ("committing", producer.commit_transaction(remaining(until))),
                Stage::Aborting(_) => ("aborting", producer.abort_transaction(remaining(until))),
            };
            match (result, &open.stage) {
                (Ok(()), Stage::Delivering) => open.stage = Stage::Committing(Instant::now()),
                (Ok(()), Stage::Committing(since)) => {
                    self.state = ended(producer, open.faults, since.elapsed() > SLOW_COMMIT);
                    return Outcome::Committed;
                }
                (Ok(()), Stage::Aborting(why)) => {
                    let why = why.clone();
                    self.state = ended(producer, open.faults, false);
                    return Outcome::Aborted { why };
                }
                (Err(error), stage) => match verdict(&error) {
                    Verdict::CallAgain if Instant::now() >= until || !timed_out(&error) => {
                        self.state = State::Open(producer, open);
                        return Outcome::Blocked(self.blocked(step, &error));
                    }
                    Verdict::CallAgain => {}
                    Verdict::Abort if !matches!(stage, Stage::Aborting(_)) => {
                        open.stage = Stage::Aborting(format!("{step}: {}", self.words(&error)));
                    }
                    Verdict::Abort | Verdict::Doubt => {
                        return Outcome::InDoubt { why: format!("{step}: {}", self.words(&error)) };
                    }
                },
            }
        }
    }

    /// What an error comes to, in words: the right that is missing, if it is about one.
    fn words(&self, error: &KafkaError) -> String {
        match (rights::missing(error, &self.settings), error) {
            (Some(right), _) => right,
            (None, KafkaError::Transaction(error)) => error.string(),
            (None, other) => other.to_string(),
        }
    }

    fn blocked(&self, step: &'static str, error: &KafkaError) -> Blocked {
        Blocked { step, why: self.words(error) }
    }

    /// Gives the producer up, whatever it was doing. An open transaction is then in doubt.
    pub fn abandon(&mut self) {
        self.state = State::Down;
    }
}

fn ended(producer: WorkerProducer, faults: u64, slow: bool) -> State {
    let reports = producer.context().link.reports();
    State::Idle(producer, Some(Ended { reports, faults, slow }))
}

/// Why a producer should not be used for another transaction, once its statistics have covered the last one.
fn suspicion(producer: &WorkerProducer, ended: &Ended, until: Instant) -> Option<&'static str> {
    let link = &producer.context().link;
    while link.reports() < ended.reports + REPORTS_AFTER_COMMIT {
        if Instant::now() >= until {
            return Some("its statistics do not come");
        }
        thread::sleep(Duration::from_millis(1));
    }
    if ended.slow {
        return Some("the last commit took long and may have been sent twice");
    }
    (link.faults() != ended.faults).then_some("requests were repeated or a connection broke during the last commit")
}

/// How the records of a transaction have fared.
enum Delivery {
    Complete,
    /// One was refused, which dooms all: those behind it would be tried again until they are too old.
    Failed,
}

/// Waits until every record was acknowledged or one failed. (Committing waits too, but in whole tenths of a second.)
fn drain(producer: &WorkerProducer, until: Instant) -> Result<Delivery, Blocked> {
    loop {
        if producer.context().failures.any() {
            return Ok(Delivery::Failed);
        }
        let outstanding = producer.in_flight_count();
        if outstanding == 0 {
            return Ok(Delivery::Complete);
        }
        if Instant::now() >= until {
            return Err(Blocked { step: "delivery", why: format!("{outstanding} records are not acknowledged") });
        }
        thread::sleep(DRAIN_PAUSE);
    }
}

fn send_offsets(
    producer: &WorkerProducer,
    offsets: &TopicPartitionList,
    consumer: &WorkerConsumer,
    until: Instant,
) -> Result<(), KafkaError> {
    // Taken anew for each try: it carries the generation by which a broker tells members of today from those of yesterday.
    match consumer.group_metadata() {
        Some(group) => producer.send_offsets_to_transaction(offsets, &group, remaining(until)),
        None => Err(KafkaError::ClientCreation("the consumer has no group".to_owned())),
    }
}

fn verdict(error: &KafkaError) -> Verdict {
    match error {
        KafkaError::Transaction(error) if error.is_fatal() => Verdict::Doubt,
        KafkaError::Transaction(error) if error.txn_requires_abort() => Verdict::Abort,
        KafkaError::Transaction(error) if error.is_retriable() => Verdict::CallAgain,
        KafkaError::Flush(_) => Verdict::CallAgain,
        _ => Verdict::Doubt,
    }
}

/// Whether a call used its time up: others that are to be repeated came back at once, and need a pause.
fn timed_out(error: &KafkaError) -> bool {
    matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::OperationTimedOut))
}

fn remaining(until: Instant) -> Timeout {
    const LEAST: Duration = Duration::from_millis(100);
    Timeout::After(until.saturating_duration_since(Instant::now()).max(LEAST))
}
