//! Delivery at least once: tag changes leave as soon as they are true, before the transaction that makes them certain.
//!
//! State and offsets are committed as ever, but only after the changes have arrived: a crash in between lets them be
//! found again, from the same state and the same records, so that a repeat bears the same id.

use std::time::{Duration, Instant};

use rdkafka::types::RDKafkaErrorCode;

use super::Worker;
use super::plan::WorkerError;
use crate::kafka::broker::{KafkaClients, NonTransactionalProducer};
use crate::kafka::task::{Blocked, Task};

const STEP: &str = "sending tag changes";
/// How often to look whether the brokers have acknowledged everything.
const DRAIN_PAUSE: Duration = Duration::from_micros(200);

impl<W: KafkaClients> Worker<W> {
    /// Sends the changes that have not left yet, as far as there is room for them.
    pub(super) fn send_early(&mut self) {
        let Some(early_producer) = &self.early_producer else { return };
        self.has_unsent_changes = false;
        for task in self.tasks.values_mut() {
            let Task::Running(running) = task else { continue };
            let mut sent = running.output.sent_early;
            for (change, key, value) in running.output.changes_from(sent) {
                if early_producer.send(self.writer.change(change, key, value)).is_err() {
                    // The commit waits for it, and tells.
                    break;
                }
                sent += 1;
            }
            running.output.sent_early = sent;
        }
    }

    /// Waits until all changes have arrived.
    pub(super) fn await_early_delivery(&mut self, until: Instant) -> Result<Result<(), Blocked>, WorkerError> {
        loop {
            self.send_early();
            let Some(early_producer) = &self.early_producer else { return Ok(Ok(())) };
            if let Some(refused) = early_producer.take_refused() {
                if refused.code == Some(RDKafkaErrorCode::MessageSizeTooLarge) {
                    return Err(WorkerError::TooLarge { topic: refused.topic });
                }
                // Which of them it was does not matter: those that have arrived are repeated.
                self.resend_early();
                return Ok(Err(Blocked { step: STEP, why: refused.text }));
            }
            let left = early_producer.in_flight();
            if left == 0 && self.is_all_sent_early() {
                return Ok(Ok(()));
            }
            if self.clients.now() >= until {
                return Ok(Err(Blocked { step: STEP, why: format!("{left} records are not acknowledged") }));
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
