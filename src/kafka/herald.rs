//! Delivery at least once: tag changes leave as soon as they are true, before the transaction that makes them certain.
//!
//! State and offsets are committed as ever, but only after the changes have arrived: a crash in between lets them be
//! found again, from the same state and the same records, so that a repeat bears the same id.

use std::time::{Duration, Instant};

use rdkafka::types::RDKafkaErrorCode;

use super::slot::Slot;
use super::transactor::Blocked;
use super::wire::{PlainProducer, Wire};
use super::worker::{Worker, WorkerError};

const STEP: &str = "sending tag changes";
/// How often to look whether the brokers have acknowledged everything.
const DRAIN_PAUSE: Duration = Duration::from_micros(200);

impl<W: Wire> Worker<W> {
    /// Sends the changes that have not left yet, as far as there is room for them.
    pub(super) fn herald(&mut self) {
        let Some(herald) = &self.herald else { return };
        self.unheralded = false;
        for slot in self.slots.values_mut() {
            let Slot::Running(running) = slot else { continue };
            let mut sent = running.body.heralded;
            for (change, key, value) in running.body.changes_from(sent) {
                if herald.send(self.outlet.change(change, key, value)).is_err() {
                    // The commit waits for it, and tells.
                    break;
                }
                sent += 1;
            }
            running.body.heralded = sent;
        }
    }

    /// Waits until all changes have arrived.
    pub(super) fn await_heralded(&mut self, until: Instant) -> Result<Result<(), Blocked>, WorkerError> {
        loop {
            self.herald();
            let Some(herald) = &self.herald else { return Ok(Ok(())) };
            if let Some(refused) = herald.take_refused() {
                if refused.code == Some(RDKafkaErrorCode::MessageSizeTooLarge) {
                    return Err(WorkerError::TooLarge { topic: refused.topic });
                }
                // Which of them it was does not matter: those that have arrived are repeated.
                self.herald_again();
                return Ok(Err(Blocked { step: STEP, why: refused.text }));
            }
            let left = herald.in_flight();
            if left == 0 && self.is_heralded() {
                return Ok(Ok(()));
            }
            if self.wire.now() >= until {
                return Ok(Err(Blocked { step: STEP, why: format!("{left} records are not acknowledged") }));
            }
            self.wire.sleep(DRAIN_PAUSE);
        }
    }

    fn is_heralded(&self) -> bool {
        self.slots.values().all(|slot| match slot {
            Slot::Running(running) => running.body.heralded as u64 == running.body.change_count(),
            _ => true,
        })
    }

    fn herald_again(&mut self) {
        for slot in self.slots.values_mut() {
            if let Slot::Running(running) = slot {
                running.body.heralded = 0;
            }
        }
    }
}
