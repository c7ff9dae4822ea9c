//! Idle partitions: the clock of a partition that was read to its end follows the wall clock.
//!
//! A partition was read to its end when nothing is written behind the position, not even in a transaction: a sender's
//! open transaction holds back everything behind its first record, also the events of other senders. As long as it is
//! open, the users only seem to be silent, so the clock stands.
//!
//! It must be known that the partition was read to its end *now*: while a broker is away, events may wait there. So the
//! ends are requested, all at once, and compared with positions that are read after the answer. A wall clock that jumps
//! back moves nothing, since a partition's clock does not go back.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Worker;
use crate::kafka::broker::{GroupConsumer, KafkaClients};
use crate::kafka::events::Occurrence;
use crate::kafka::task::{Advanced, Task};
use crate::kafka::topology::PartitionId;
use crate::model::Timestamp;

/// Without an answer in this time no clock moves, and the lag is not known.
const ENDS_PATIENCE: Duration = Duration::from_millis(500);
/// The transactions of most senders end before this; one that holds events back for longer is reported.
const HELD_REPORT_AFTER: Duration = Duration::from_secs(5);

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
        self.pass_markers();
        let mut full = false;
        let mut behind = BTreeMap::new();
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
            if running.lag.is_some_and(|lag| lag > 0) && running.merge.is_none() {
                behind.insert(*partition, position);
            }
        }
        self.notice_holds(&behind);
        if full {
            self.cycle.commit_at = Some(self.clients.now());
        } else if self.tasks.values().any(Task::is_due) {
            self.commit_later();
        }
    }

    /// Finds the partitions that a sender's open transaction holds back, among those that are not read to their end and
    /// stand at these positions.
    fn notice_holds(&mut self, behind: &BTreeMap<PartitionId, i64>) {
        let asked: Vec<PartitionId> = behind.keys().copied().collect();
        let stable = match asked.is_empty() {
            true => Ok(BTreeMap::new()),
            false => self.consumer.stable_ends(&asked, ENDS_PATIENCE),
        };
        let now = self.clients.now();
        let mut events = Vec::new();
        for (partition, task) in &mut self.tasks {
            let Task::Running(running) = task else { continue };
            let held_for = |since| now.saturating_duration_since(since);
            let name = || self.plan.topology.name(*partition);
            match (behind.get(partition), &stable) {
                (Some(_), Err(_)) => {}
                (Some(position), Ok(stable)) if stable.get(partition).is_some_and(|stable| position >= stable) => {
                    let held_for = held_for(*running.held_since.get_or_insert(now));
                    if held_for >= HELD_REPORT_AFTER {
                        events.push(Occurrence::HeldBySender { partition: name(), offset: *position, held_for });
                    }
                }
                _ => {
                    let held_for = running.held_since.take().map(held_for);
                    if let Some(held_for) = held_for.filter(|held_for| *held_for >= HELD_REPORT_AFTER) {
                        events.push(Occurrence::Released { partition: name(), held_for });
                    }
                }
            }
        }
        events.into_iter().for_each(|event| self.report(event));
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
