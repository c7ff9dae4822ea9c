//! Delivery at least once: tag changes leave as soon as they are found, before the transaction that makes them certain.
//!
//! State and offsets are committed in transactions, as always, but only after the changes have arrived. After a crash
//! in between, the same changes are found again from the same state and the same records, so a repeat has the same id.

use std::time::{Duration, Instant};

use rdkafka::types::RDKafkaErrorCode;

use super::Worker;
use super::plan::WorkerError;
use crate::kafka::broker::{ClientError, KafkaClients, NonTransactionalProducer};
use crate::kafka::task::{Blocked, Task};

const STEP: &str = "sending tag changes";
/// The pause between two looks whether the brokers have acknowledged everything.
const DRAIN_PAUSE: Duration = Duration::from_micros(200);

/// While records keep coming, tag changes leave together at this interval.
const SEND_INTERVAL: Duration = Duration::from_millis(10);

/// A producer outside of transactions, and whether it has something to send.
pub(super) struct EarlyDelivery<W: KafkaClients> {
    producer: W::NonTransactionalProducer,
    /// Whether there may be changes that were not sent.
    has_unsent: bool,
    /// When they are sent even if records keep coming.
    send_at: Instant,
}

/// What became of the changes that were sent early.
pub(super) enum EarlyOutcome {
    /// The brokers have all of them.
    Arrived,
    Blocked(Blocked),
}

impl<W: KafkaClients> EarlyDelivery<W> {
    /// # Errors
    /// The producer cannot be created.
    pub(super) fn new(clients: &W) -> Result<Self, ClientError> {
        Ok(EarlyDelivery { producer: clients.non_transactional_producer()?, has_unsent: false, send_at: clients.now() })
    }

    pub(super) fn has_unsent(&self) -> bool {
        self.has_unsent
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.has_unsent && self.send_at <= now
    }

    /// There may be changes to send.
    pub(super) fn notice_changes(&mut self) {
        self.has_unsent = true;
    }
}

impl<W: KafkaClients> Worker<W> {
    /// Sends the changes that were not sent yet, as far as the client has room.
    pub(super) fn send_early(&mut self) {
        let Some(early) = &mut self.early else { return };
        early.has_unsent = false;
        for task in self.tasks.values_mut() {
            let Task::Running(running) = task else { continue };
            let mut sent = running.output.sent_early;
            for (change, key, value) in running.output.changes_from(sent) {
                if early.producer.send(self.cycle.writer.change(change, key, value)).is_err() {
                    // The commit waits for it, and reports it.
                    break;
                }
                sent += 1;
            }
            running.output.sent_early = sent;
        }
    }

    /// Sends the changes although records keep coming.
    pub(super) fn send_early_on_time(&mut self) {
        self.send_early();
        if let Some(early) = &mut self.early {
            early.send_at = self.clients.now() + SEND_INTERVAL;
        }
    }

    /// Waits until all changes have arrived.
    pub(super) fn await_early_delivery(&mut self, until: Instant) -> Result<EarlyOutcome, WorkerError> {
        loop {
            self.send_early();
            let Some(early) = &self.early else { return Ok(EarlyOutcome::Arrived) };
            if let Some(refused) = early.producer.take_refused() {
                if refused.code == Some(RDKafkaErrorCode::MessageSizeTooLarge) {
                    return Err(WorkerError::TooLarge { topic: refused.topic });
                }
                // It does not matter which one was refused: those that have arrived are repeated.
                self.resend_early();
                return Ok(EarlyOutcome::Blocked(Blocked { step: STEP, why: refused.text }));
            }
            let left = early.producer.in_flight();
            if left == 0 && self.is_all_sent_early() {
                return Ok(EarlyOutcome::Arrived);
            }
            if self.clients.now() >= until {
                return Ok(EarlyOutcome::Blocked(Blocked {
                    step: STEP,
                    why: format!("{left} records are not acknowledged"),
                }));
            }
            self.clients.sleep(DRAIN_PAUSE);
        }
    }

    fn is_all_sent_early(&self) -> bool {
        self.tasks.values().all(|task| match task {
            Task::Running(running) => running.output.sent_early as u64 == running.output.change_count(),
            _ => true,
        })
    }

    fn resend_early(&mut self) {
        for task in self.tasks.values_mut() {
            if let Task::Running(running) = task {
                running.output.sent_early = 0;
            }
        }
    }
}
