//! A transactional producer: from its transactional id to the certain end of each transaction, in steps of bounded
//! time.
//!
//! ```text
//!          create         init_transactions            begin, send
//!   Down ─────────▶ Starting ─────────────▶ Idle ───────────────────────▶ Open
//!    ▲                                       ▲ ▲   committed or aborted     │
//!    │                 faults seen           │ └────────────────────────────┤
//!    ├───────────────────────────────────────┘                              │
//!    └──────────────────────────────────────────────────────────────────────┘
//!                     in doubt: only the committed offsets tell
//! ```
//!
//! A broker obeys a request that arrives late, from a broken connection, even if it then hits the *next* transaction: a
//! late commit makes visible what was sent so far, and late offsets take the group back. (A late record does no harm:
//! its sequence number shows that it is a repeat.) The client may have sent such a request twice without telling; only
//! its statistics show it. So between two transactions the worker waits for statistics that cover the end of the first
//! one, and replaces a producer that has repeated a request: the new one has a new epoch, and a late request has the
//! old one.

use std::time::{Duration, Instant};

use rdkafka::error::RDKafkaErrorCode;

use crate::kafka::broker::{
    BrokerError, ClientError, ErrorClass, KafkaClients, OutgoingRecord, PartitionOffset, RefusedRecord,
    TransactionalProducer,
};
use crate::kafka::events::{EventListener, Occurrence, ProducerReset, WorkerId};
use crate::kafka::failpoint::{self, Failpoint};

/// A commit that takes longer counts as repeated.
const SLOW_COMMIT: Duration = Duration::from_secs(1);
/// How many statistics must come after a commit until one certainly covers it: the first may have been on its way.
const REPORTS_AFTER_COMMIT: u64 = 2;
/// The pause between two looks whether the brokers have acknowledged everything.
const DRAIN_PAUSE: Duration = Duration::from_micros(500);
const QUEUE_FULL_PAUSE: Duration = Duration::from_millis(1);

/// A step that does not end, and what Kafka says about it.
#[derive(Clone, Debug)]
pub(crate) struct Blocked {
    pub step: &'static str,
    pub why: String,
}

/// Whether a transaction can begin.
#[derive(Clone, Debug)]
pub(crate) enum Readiness {
    Ready,
    /// Not yet; the same call goes on with it.
    Blocked(Blocked),
}

/// How a transaction stands after a step.
#[derive(Clone, Debug)]
pub(crate) enum TransactionOutcome {
    Committed,
    /// Not yet; the same call goes on with it.
    Blocked(Blocked),
    /// It was aborted for certain; the same output is to be sent again.
    Aborted {
        why: String,
        refused: Option<RefusedRecord>,
    },
    /// It was aborted for certain: the group knows another member of this instance's name, so it takes no offsets.
    Fenced {
        why: String,
    },
    /// It is not known. The producer is gone; the committed offsets tell.
    InDoubt {
        why: String,
        refused: Option<RefusedRecord>,
    },
}

enum ProducerState<P> {
    Down,
    Starting(P, Instant),
    Idle(P, Option<EndedTransaction>),
    Open(P, OpenTransaction),
}

/// The end of the last transaction, until statistics have covered it.
struct EndedTransaction {
    /// The number of statistics at that time.
    reports: u64,
    /// The number of faults when the transaction began.
    faults: u64,
    slow: bool,
}

struct OpenTransaction {
    stage: TransactionStage,
    faults: u64,
    /// A record that the client itself refused.
    refused: Option<RefusedRecord>,
}

enum TransactionStage {
    /// Records are on their way. They must have arrived before the offsets are sent: then a torn transaction can repeat
    /// output, but cannot lose output whose offsets were committed.
    Delivering,
    Committing(Instant),
    Aborting(AbortCause),
}

/// Why a transaction is aborted.
enum AbortCause {
    /// In words.
    Failure(String),
    /// The group refuses the member that sends offsets, not the producer.
    Fenced(String),
}

impl AbortCause {
    fn of(step: &'static str, error: &BrokerError) -> Self {
        let why = format!("{step}: {error}");
        match error.code {
            Some(RDKafkaErrorCode::FencedInstanceId) => AbortCause::Fenced(why),
            _ => AbortCause::Failure(why),
        }
    }
}

/// The producer of a worker.
pub(crate) struct TransactionManager<W: KafkaClients> {
    clients: W,
    worker: WorkerId,
    listener: EventListener,
    state: ProducerState<W::Producer>,
}

impl<W: KafkaClients> TransactionManager<W> {
    pub(crate) fn new(clients: W, worker: WorkerId, listener: EventListener) -> Self {
        TransactionManager { clients, worker, listener, state: ProducerState::Down }
    }

    /// Whether a transaction can begin, or is open, without any further step.
    pub(crate) fn is_ready(&self) -> bool {
        matches!(self.state, ProducerState::Idle(_, None) | ProducerState::Open(..))
    }

    /// Takes all steps up to where a transaction can begin.
    ///
    /// # Errors
    /// A client cannot be created.
    pub(crate) fn prepare(&mut self, until: Instant) -> Result<Readiness, ClientError> {
        loop {
            match std::mem::replace(&mut self.state, ProducerState::Down) {
                ProducerState::Down => {
                    self.state = ProducerState::Starting(self.clients.producer()?, self.clients.now())
                }
                ProducerState::Starting(producer, since) => match producer.init(self.remaining(until)) {
                    Ok(()) => {
                        let took = self.clients.now().duration_since(since);
                        (self.listener)(Occurrence::ProducerReady { took }.of(self.worker));
                        self.state = ProducerState::Idle(producer, None);
                    }
                    Err(error) => {
                        if error.class == ErrorClass::Retriable {
                            self.state = ProducerState::Starting(producer, since);
                        }
                        return Ok(Readiness::Blocked(blocked("getting the transactional id", error)));
                    }
                },
                ProducerState::Idle(producer, None) => {
                    self.state = ProducerState::Idle(producer, None);
                    return Ok(Readiness::Ready);
                }
                ProducerState::Idle(producer, Some(ended)) => match self.suspicion(&producer, &ended, until) {
                    Some(why) => (self.listener)(Occurrence::ProducerReset { why }.of(self.worker)),
                    None => self.state = ProducerState::Idle(producer, None),
                },
                ProducerState::Open(producer, open) => {
                    self.state = ProducerState::Open(producer, open);
                    return Ok(Readiness::Ready);
                }
            }
        }
    }

    /// Begins a transaction; [`TransactionManager::prepare`] must have returned `Ready`. No request is sent.
    pub(crate) fn begin(&mut self) -> Result<(), Blocked> {
        let ProducerState::Idle(producer, None) = std::mem::replace(&mut self.state, ProducerState::Down) else {
            return Err(Blocked { step: "beginning a transaction", why: "the producer is not ready".to_owned() });
        };
        let faults = producer.fault_count();
        // A producer that cannot begin is not used again. Nothing was sent, so nothing is in doubt.
        producer.begin().map_err(|error| blocked("beginning a transaction", error))?;
        self.state = ProducerState::Open(
            producer,
            OpenTransaction { stage: TransactionStage::Delivering, faults, refused: None },
        );
        Ok(())
    }

    /// Sends a record in the transaction, and waits for room if the queue is full.
    ///
    /// After an error [`TransactionManager::finish`] aborts the transaction.
    pub(crate) fn send(&mut self, mut record: OutgoingRecord<'_>, until: Instant) {
        let ProducerState::Open(producer, open) = &mut self.state else { return };
        if !matches!(open.stage, TransactionStage::Delivering) {
            return;
        }
        let (error, topic) = loop {
            let Err((error, back)) = producer.send(record) else { return failpoint::pass(Failpoint::RecordSent) };
            if error.code != Some(RDKafkaErrorCode::QueueFull) || self.clients.now() >= until {
                break (error, back.topic);
            }
            self.clients.sleep(QUEUE_FULL_PAUSE);
            record = back;
        };
        open.stage = TransactionStage::Aborting(AbortCause::Failure(format!("cannot send to {topic}: {error}")));
        open.refused = Some(RefusedRecord { topic: topic.to_owned(), code: error.code, text: error.text });
    }

    /// Goes on with the open transaction: delivery, offsets (each with the transaction's name), commit; or abort.
    pub(crate) fn finish(
        &mut self,
        offsets: &[PartitionOffset],
        (consumer, member): (&W::Consumer, &str),
        until: Instant,
    ) -> TransactionOutcome {
        let ProducerState::Open(producer, mut open) = std::mem::replace(&mut self.state, ProducerState::Down) else {
            return TransactionOutcome::InDoubt { why: "the producer was dropped".to_owned(), refused: None };
        };
        loop {
            let patience = self.remaining(until);
            let (step, result) = match &open.stage {
                TransactionStage::Delivering => match self.drain(&producer, until) {
                    Ok(DeliveryOutcome::Complete) => {
                        failpoint::pass(Failpoint::Delivered);
                        ("sending offsets", producer.send_offsets(offsets, consumer, member, self.remaining(until)))
                    }
                    Ok(DeliveryOutcome::Failed(refused)) => {
                        let why = format!("a record to {} was not written", refused.topic);
                        open.stage = TransactionStage::Aborting(AbortCause::Failure(why));
                        open.refused = Some(refused);
                        continue;
                    }
                    Err(blocked) => {
                        self.state = ProducerState::Open(producer, open);
                        return TransactionOutcome::Blocked(blocked);
                    }
                },
                TransactionStage::Committing(_) => ("committing", producer.commit(patience)),
                TransactionStage::Aborting(_) => ("aborting", producer.abort(patience)),
            };
            match (result, &open.stage) {
                (Ok(()), TransactionStage::Delivering) => {
                    failpoint::pass(Failpoint::OffsetsSent);
                    open.stage = TransactionStage::Committing(self.clients.now());
                }
                (Ok(()), TransactionStage::Committing(since)) => {
                    let slow = self.clients.now().duration_since(*since) > SLOW_COMMIT;
                    self.state = ended(producer, open.faults, slow);
                    return TransactionOutcome::Committed;
                }
                (Ok(()), TransactionStage::Aborting(cause)) => {
                    let outcome = match cause {
                        AbortCause::Failure(why) => {
                            TransactionOutcome::Aborted { why: why.clone(), refused: open.refused }
                        }
                        AbortCause::Fenced(why) => TransactionOutcome::Fenced { why: why.clone() },
                    };
                    self.state = ended(producer, open.faults, false);
                    return outcome;
                }
                (Err(error), stage) => match error.class {
                    ErrorClass::Retriable if self.clients.now() >= until || !error.timed_out() => {
                        self.state = ProducerState::Open(producer, open);
                        return TransactionOutcome::Blocked(blocked(step, error));
                    }
                    ErrorClass::Retriable => {}
                    ErrorClass::Abortable if !matches!(stage, TransactionStage::Aborting(_)) => {
                        open.stage = TransactionStage::Aborting(AbortCause::of(step, &error));
                    }
                    ErrorClass::Abortable | ErrorClass::Fatal => {
                        let refused = open.refused.or_else(|| producer.refused());
                        return TransactionOutcome::InDoubt { why: format!("{step}: {error}"), refused };
                    }
                },
            }
        }
    }

    /// Drops the producer, whatever it was doing. An open transaction is then in doubt.
    pub(crate) fn abandon(&mut self) {
        self.state = ProducerState::Down;
    }

    /// Why a producer should not be used for another transaction. Waits until its statistics cover the last one.
    fn suspicion(&self, producer: &W::Producer, ended: &EndedTransaction, until: Instant) -> Option<ProducerReset> {
        let patience = until.saturating_duration_since(self.clients.now());
        if !producer.await_reports(ended.reports + REPORTS_AFTER_COMMIT, patience) {
            return Some(ProducerReset::NoStatistics);
        }
        if ended.slow {
            return Some(ProducerReset::SlowCommit);
        }
        (producer.fault_count() != ended.faults).then_some(ProducerReset::Repeated)
    }

    /// Waits until every record was acknowledged or one failed. (A commit waits too, but in steps of 100 ms.)
    fn drain(&self, producer: &W::Producer, until: Instant) -> Result<DeliveryOutcome, Blocked> {
        loop {
            if let Some(refused) = producer.refused() {
                return Ok(DeliveryOutcome::Failed(refused));
            }
            let outstanding = producer.in_flight();
            if outstanding == 0 {
                return Ok(DeliveryOutcome::Complete);
            }
            if self.clients.now() >= until {
                return Err(Blocked { step: "delivery", why: format!("{outstanding} records are not acknowledged") });
            }
            self.clients.sleep(DRAIN_PAUSE);
        }
    }

    fn remaining(&self, until: Instant) -> Duration {
        const LEAST: Duration = Duration::from_millis(100);
        until.saturating_duration_since(self.clients.now()).max(LEAST)
    }
}

/// What became of the records of a transaction.
enum DeliveryOutcome {
    Complete,
    /// One was refused. The others would be tried again until they are too old, so the transaction is aborted.
    Failed(RefusedRecord),
}

fn ended<C, P: TransactionalProducer<C>>(producer: P, faults: u64, slow: bool) -> ProducerState<P> {
    let reports = producer.report_count();
    ProducerState::Idle(producer, Some(EndedTransaction { reports, faults, slow }))
}

fn blocked(step: &'static str, error: BrokerError) -> Blocked {
    Blocked { step, why: error.text }
}

/// Names transactions: a random number per worker, and a counter.
pub(crate) struct TransactionNames {
    run: u64,
    count: u64,
}

impl TransactionNames {
    pub(crate) fn new() -> Self {
        TransactionNames { run: fastrand::u64(..), count: 0 }
    }

    pub(crate) fn next_name(&mut self) -> String {
        self.count += 1;
        format!("tagstream {:016x} {}", self.run, self.count)
    }
}
