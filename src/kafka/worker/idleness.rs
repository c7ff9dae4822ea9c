//! Idle partitions: the clock of a partition that was read to its end follows the wall clock.
//!
//! It must be known that the partition was read to its end *now*: while a broker is away, events may wait there. So the
//! ends are requested, all at once, and compared with positions that are read after the answer. A wall clock that jumps
//! back moves nothing, since a partition's clock does not go back.

use std::time::Duration;

use super::Worker;
use crate::kafka::broker::{GroupConsumer, KafkaClients};
use crate::kafka::task::{Advanced, Task};
use crate::model::Timestamp;

/// Without an answer in this time no clock moves, and the lag is not known.
const ENDS_PATIENCE: Duration = Duration::from_millis(500);

impl<W: KafkaClients> Worker<W> {
    /// Moves the clocks of partitions that were read to their end, and notes the lag of all.
    pub(super) fn follow_wall_clock(&mut self) {
        let asked = self.running();
        if asked.is_empty() {
            return;
        }
        // No time passes while records wait for a commit.
        let may_follow = !self.cycle.is_input_paused && self.parked.is_empty();
        let to = if may_follow { self.clock_limit() } else { None };
        let ends = self.consumer.ends(&asked, ENDS_PATIENCE).unwrap_or_default();
        let positions = self.consumer.positions().unwrap_or_default();
        let mut full = false;
        for (partition, task) in &mut self.tasks {
            let Task::Running(running) = task else { continue };
            // A position skips transaction markers, but also records that are parked.
            let position = positions.get(partition).copied().filter(|_| self.parked.is_empty());
            let position = position.unwrap_or(0).max(running.position());
            running.lag = ends.get(partition).map(|end| end.saturating_sub(position).max(0).unsigned_abs());
            // A merged partition follows its sources.
            if let (Some(0), Some(to), None) = (running.lag, to, &running.merge) {
                full |= running.advance_to(to) == Advanced::UntilFull;
            }
        }
        if full {
            self.cycle.commit_at = Some(self.clients.now());
        } else if self.tasks.values().any(Task::is_due) {
            self.commit_later();
        }
    }

    /// The instant up to which clocks may follow the wall clock; `None`: they move with their events alone.
    fn clock_limit(&mut self) -> Option<Timestamp> {
        let grace_ms = self.plan.settings.service.idle_grace?.as_millis() as i64;
        self.probe_input_activity();
        Some(self.plan.liveness.clock_limit(self.plan.clock.now()).plus(-grace_ms))
    }

    /// Counts records that come to other processes as activity of the input.
    fn probe_input_activity(&mut self) {
        let (wall, now) = (self.plan.clock.now(), self.clients.now());
        let Some(every) = self.plan.liveness.probe_interval(wall) else {
            self.last_probe = None;
            return;
        };
        if self.last_probe.is_some_and(|(at, _)| now < at + every) {
            return;
        }
        let Ok(end) = self.consumer.input_end(ENDS_PATIENCE) else { return };
        if self.last_probe.is_some_and(|(_, before)| end > before) {
            self.plan.liveness.record_event(wall);
        }
        self.last_probe = Some((now, end));
    }
}
