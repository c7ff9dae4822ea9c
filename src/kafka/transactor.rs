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
//! A broker obeys a request that comes late, on a broken connection, even when it hits the *next* transaction: a late
//! commit makes visible what was sent by then, a late request with offsets takes the group back to them. (A late record
//! is harmless: its number tells that it is a repeat.) The client may have sent such a request twice without a word: only
//! its statistics show it. So between two transactions we wait for statistics that cover the end of the first, and a
//! producer that had to repeat itself is replaced: the new one has a new epoch, which the late request does not.

use std::time::{Duration, Instant};

use rdkafka::error::RDKafkaErrorCode;

use super::clients::ClientError;
use super::failpoint::{self, Step};
use super::notice::{Notice, Notices, Recycle, WorkerId};
use super::wire::{Class, Outgoing, Part, Refused, TransactionalProducer, Wire, WireError};

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
        refused: Option<Refused>,
    },
    /// Nobody here knows. The producer is gone; the committed offsets tell.
    InDoubt {
        why: String,
        refused: Option<Refused>,
    },
}

enum State<P> {
    Down,
    Starting(P, Instant),
    Idle(P, Option<Ended>),
    Open(P, Open),
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
    /// A record that the client itself would not take.
    refused: Option<Refused>,
}

enum Stage {
    /// Records are on their way. They must have arrived before the offsets are sent: a torn transaction can then only
    /// be repeated, it cannot lose outputs whose offsets were committed.
    Delivering,
    Committing(Instant),
    Aborting(String),
}

/// The producer of a worker.
pub struct Transactor<W: Wire> {
    wire: W,
    worker: WorkerId,
    notices: Notices,
    state: State<W::Producer>,
}

impl<W: Wire> Transactor<W> {
    pub fn new(wire: W, worker: WorkerId, notices: Notices) -> Self {
        Transactor { wire, worker, notices, state: State::Down }
    }

    /// Comes to where a transaction can begin.
    ///
    /// # Errors
    /// The outer one: a client cannot be made. The inner one: it takes longer than `until`; call again.
    pub fn prepare(&mut self, until: Instant) -> Result<Result<(), Blocked>, ClientError> {
        loop {
            match std::mem::replace(&mut self.state, State::Down) {
                State::Down => self.state = State::Starting(self.wire.producer()?, self.wire.now()),
                State::Starting(producer, since) => match producer.init(self.remaining(until)) {
                    Ok(()) => {
                        let took = self.wire.now().duration_since(since);
                        (self.notices)(Notice::ProducerReady { worker: self.worker, took });
                        self.state = State::Idle(producer, None);
                    }
                    Err(error) => {
                        if error.class == Class::Again {
                            self.state = State::Starting(producer, since);
                        }
                        return Ok(Err(blocked("getting the transactional id", error)));
                    }
                },
                State::Idle(producer, None) => {
                    self.state = State::Idle(producer, None);
                    return Ok(Ok(()));
                }
                State::Idle(producer, Some(ended)) => match self.suspicion(&producer, &ended, until) {
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
        let faults = producer.faults();
        // A producer that cannot begin is of no use any more. Nothing was sent, so nothing is in doubt.
        producer.begin().map_err(|error| blocked("beginning a transaction", error))?;
        self.state = State::Open(producer, Open { stage: Stage::Delivering, faults, refused: None });
        Ok(())
    }

    /// Sends a record within the transaction, waiting for room if there is none.
    ///
    /// An error ends the transaction: [`Transactor::finish`] aborts it.
    pub fn send(&mut self, mut record: Outgoing<'_>, until: Instant) {
        let State::Open(producer, open) = &mut self.state else { return };
        if !matches!(open.stage, Stage::Delivering) {
            return;
        }
        let (error, topic) = loop {
            let Err((error, back)) = producer.send(record) else { return failpoint::pass(Step::RecordSent) };
            if error.code != Some(RDKafkaErrorCode::QueueFull) || self.wire.now() >= until {
                break (error, back.topic);
            }
            self.wire.sleep(QUEUE_FULL_PAUSE);
            record = back;
        };
        open.stage = Stage::Aborting(format!("cannot send to {topic}: {error}"));
        open.refused = Some(Refused { topic: topic.to_owned(), code: error.code, text: error.text });
    }

    /// Goes on with the open transaction: delivery, offsets (each bearing the transaction's name), commit; or abort.
    pub fn finish(&mut self, parts: &[Part], (consumer, member): (&W::Consumer, &str), until: Instant) -> Outcome {
        let State::Open(producer, mut open) = std::mem::replace(&mut self.state, State::Down) else {
            return Outcome::InDoubt { why: "the producer is gone".to_owned(), refused: None };
        };
        loop {
            let patience = self.remaining(until);
            let (step, result) = match &open.stage {
                Stage::Delivering => match self.drain(&producer, until) {
                    Ok(Delivery::Complete) => {
                        failpoint::pass(Step::Delivered);
                        ("sending offsets", producer.send_offsets(parts, consumer, member, self.remaining(until)))
                    }
                    Ok(Delivery::Failed(refused)) => {
                        open.stage = Stage::Aborting(format!("a record to {} was not written", refused.topic));
                        open.refused = Some(refused);
                        continue;
                    }
                    Err(blocked) => {
                        self.state = State::Open(producer, open);
                        return Outcome::Blocked(blocked);
                    }
                },
                Stage::Committing(_) => ("committing", producer.commit(patience)),
                Stage::Aborting(_) => ("aborting", producer.abort(patience)),
            };
            match (result, &open.stage) {
                (Ok(()), Stage::Delivering) => {
                    failpoint::pass(Step::OffsetsSent);
                    open.stage = Stage::Committing(self.wire.now());
                }
                (Ok(()), Stage::Committing(since)) => {
                    let slow = self.wire.now().duration_since(*since) > SLOW_COMMIT;
                    self.state = ended(producer, open.faults, slow);
                    return Outcome::Committed;
                }
                (Ok(()), Stage::Aborting(why)) => {
                    let why = why.clone();
                    self.state = ended(producer, open.faults, false);
                    return Outcome::Aborted { why, refused: open.refused };
                }
                (Err(error), stage) => match error.class {
                    Class::Again if self.wire.now() >= until || !error.timed_out() => {
                        self.state = State::Open(producer, open);
                        return Outcome::Blocked(blocked(step, error));
                    }
                    Class::Again => {}
                    Class::Abort if !matches!(stage, Stage::Aborting(_)) => {
                        open.stage = Stage::Aborting(format!("{step}: {error}"));
                    }
                    Class::Abort | Class::Fatal => {
                        let refused = open.refused.or_else(|| producer.refused());
                        return Outcome::InDoubt { why: format!("{step}: {error}"), refused };
                    }
                },
            }
        }
    }

    /// Gives the producer up, whatever it was doing. An open transaction is then in doubt.
    pub fn abandon(&mut self) {
        self.state = State::Down;
    }

    /// Why a producer should not be used for another transaction, once its statistics have covered the last one.
    fn suspicion(&self, producer: &W::Producer, ended: &Ended, until: Instant) -> Option<Recycle> {
        while producer.reports() < ended.reports + REPORTS_AFTER_COMMIT {
            if self.wire.now() >= until {
                return Some(Recycle::NoStatistics);
            }
            self.wire.sleep(Duration::from_millis(1));
        }
        if ended.slow {
            return Some(Recycle::SlowCommit);
        }
        (producer.faults() != ended.faults).then_some(Recycle::Repeated)
    }

    /// Waits until every record was acknowledged or one failed. (Committing waits too, but in whole tenths of a
    /// second.)
    fn drain(&self, producer: &W::Producer, until: Instant) -> Result<Delivery, Blocked> {
        loop {
            if let Some(refused) = producer.refused() {
                return Ok(Delivery::Failed(refused));
            }
            let outstanding = producer.in_flight();
            if outstanding == 0 {
                return Ok(Delivery::Complete);
            }
            if self.wire.now() >= until {
                return Err(Blocked { step: "delivery", why: format!("{outstanding} records are not acknowledged") });
            }
            self.wire.sleep(DRAIN_PAUSE);
        }
    }

    fn remaining(&self, until: Instant) -> Duration {
        const LEAST: Duration = Duration::from_millis(100);
        until.saturating_duration_since(self.wire.now()).max(LEAST)
    }
}

/// How the records of a transaction have fared.
enum Delivery {
    Complete,
    /// One was refused, which dooms all: those behind it would be tried again until they are too old.
    Failed(Refused),
}

fn ended<C, P: TransactionalProducer<C>>(producer: P, faults: u64, slow: bool) -> State<P> {
    let reports = producer.reports();
    State::Idle(producer, Some(Ended { reports, faults, slow }))
}

fn blocked(step: &'static str, error: WireError) -> Blocked {
    Blocked { step, why: error.text }
}
