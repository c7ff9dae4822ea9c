//! Silence: the clock of a partition that was read to its end follows the wall clock.
//!
//! That a partition was read to its end must be known of *now*: while a broker is away, events may wait there. So the
//! ends are asked for, all in one request, and only what was asked before the answer counts. A wall clock that jumps
//! back moves nothing, since a partition's clock does not go back.

use std::time::Duration;

use super::slot::{Reached, Slot};
use super::wire::{GroupConsumer, Wire};
use super::worker::Worker;

/// The answer is late or there is none: then no clock moves.
const ENDS_PATIENCE: Duration = Duration::from_millis(500);

impl<W: Wire> Worker<W> {
    pub(super) fn follow_wall_clock(&mut self) {
        let asked = self.running();
        if asked.is_empty() {
            return;
        }
        self.look_around();
        let now = self.plan.pulse.followed(self.plan.clock.now());
        let grace_ms = self.plan.settings.service.idle_grace.as_millis() as i64;
        let to = now.plus(-grace_ms);
        let Ok(ends) = self.consumer.ends(&asked, ENDS_PATIENCE) else { return };
        let Ok(positions) = self.consumer.positions() else { return };
        let mut full = false;
        for (partition, slot) in &mut self.slots {
            let Slot::Running(running) = slot else { continue };
            let Some(end) = ends.get(partition) else { continue };
            // A position steps over what is no record, such as the marks of transactions.
            let position = positions.get(partition).copied().unwrap_or(0).max(running.next_offset());
            if position >= *end {
                full |= running.advance_to(to) == Reached::No;
            }
        }
        let dirty = |slot: &Slot| matches!(slot, Slot::Running(running) if running.is_dirty());
        if full {
            self.commit_at = Some(self.wire.now());
        } else if self.slots.values().any(dirty) {
            self.commit_later();
        }
    }

    /// Takes records that come to other processes for a sign of life of the input.
    fn look_around(&mut self) {
        let (wall, now) = (self.plan.clock.now(), self.wire.now());
        let Some(every) = self.plan.pulse.look_around(wall) else {
            self.looked = None;
            return;
        };
        if self.looked.is_some_and(|(at, _)| now < at + every) {
            return;
        }
        let Ok(end) = self.consumer.input_end(ENDS_PATIENCE) else { return };
        if self.looked.is_some_and(|(_, before)| end > before) {
            self.plan.pulse.beat(wall);
        }
        self.looked = Some((now, end));
    }
}
