//! Idle partitions: the clock of a partition that was read to its end follows the wall clock.
//!
//! A partition was read to its end when nothing is written behind the position, not even in a transaction: a sender's
//! open transaction holds back everything behind its first record, also the events of other senders. As long as it is
//! open, the users only seem to be silent, so the clock stands.
//!
//! It must be known that the partition was read to its end *now*: while a broker is away, events may wait there. So the
//! ends are requested, all at once, and compared with positions that are read after the answer.
//!
//! A wall clock that steps back moves nothing, since a partition's clock does not go back. But librdkafka's threads wait
//! by the wall clock: after a step back by an hour they would sleep for that long. So the worker never waits inside of
//! librdkafka, wakes the consumer's thread at each tick, and replaces the producer.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Worker;
use crate::codec::Reject;
use crate::kafka::broker::{GroupConsumer, KafkaClients};
use crate::kafka::events::{Occurrence, ProducerReset, WorkerId};
use crate::kafka::task::{Advanced, Task};
use crate::kafka::topology::PartitionId;
use crate::model::Timestamp;

/// Without an answer in this time no clock moves, and the lag is not known.
const ENDS_PATIENCE: Duration = Duration::from_millis(500);
/// A batch that cannot be decompressed is reported again within this time, as long as it is there.
const UNREADABLE_FOR: Duration = Duration::from_secs(5);
/// A partition that stands still for this long meanwhile is the one that has it.
const UNREADABLE_AFTER: Duration = Duration::from_secs(3);
/// Of a minute's events, more than this share that lie in the future are an alarm.
const FUTURE_SHARE: f64 = 0.1;
/// Fewer than this are never.
const FUTURE_MIN: u64 = 10;
const FUTURE_EVERY: Duration = Duration::from_secs(60);
/// The transactions of most senders end before this; one that holds events back for longer is reported.
const HELD_REPORT_AFTER: Duration = Duration::from_secs(5);

/// What the records of a minute have come to.
#[derive(Debug, Default)]
pub(super) struct FutureEvents {
    since: Option<Instant>,
    accepted: u64,
    refused: u64,
    /// Whether the share of the last minute was too large.
    is_reported: bool,
}

impl<W: KafkaClients> Worker<W> {
    /// Looks whether the wall clock has stepped.
    pub(super) fn watch_clock(&mut self) {
        // Its thread handles timers, such as heartbeats, when it is woken.
        let _ = self.consumer.member();
        if !self.plan.clock.is_real() {
            return;
        }
        let (wall, now) = (self.plan.clock.now(), self.clients.now());
        let Some(step_ms) = self.clock_watch.look(wall, now) else { return };
        if step_ms < 0 {
            self.plan.liveness.step_back(wall);
            self.cycle.is_producer_outdated = true;
        }
        // All workers of the process see the same.
        if self.plan.id == WorkerId(0) {
            self.report(Occurrence::ClockStepped { step_ms });
        }
    }

    /// Replaces the producer after a step of the clock, as soon as no transaction is open.
    pub(super) fn replace_outdated_producer(&mut self) {
        if self.cycle.is_producer_outdated && self.cycle.is_clear() && self.cycle.committer.is_here() {
            self.cycle.is_producer_outdated = false;
            self.cycle.abandon_producer();
            self.report(Occurrence::ProducerReset { why: ProducerReset::ClockStep });
            // The new one is made by the next step of the cycle.
            self.cycle.commit_at = Some(self.clients.now());
        }
    }

    /// Looks once a minute how many events were refused since they lie in the future. Where they are many, a clock is
    /// wrong: this one, or that of a sender of many.
    pub(super) fn watch_future_events(&mut self) {
        let now = self.clients.now();
        let since = *self.future_events.since.get_or_insert(now);
        if now < since + FUTURE_EVERY {
            return;
        }
        let work = &self.scratch.counts.work;
        let refused = work.rejected.get(Reject::InFuture.code()).copied().unwrap_or_default();
        let FutureEvents { accepted, refused: before, is_reported, .. } = self.future_events;
        let (of, count) = (work.events - accepted + refused - before, refused - before);
        let is_alarm = count >= FUTURE_MIN && count as f64 > FUTURE_SHARE * of as f64;
        self.future_events = FutureEvents { since: Some(now), accepted: work.events, refused, is_reported: is_alarm };
        if is_alarm || is_reported {
            self.report(Occurrence::FutureEvents { refused: count, of, is_alarm });
        }
    }

    /// Moves the clocks of partitions that were read to their end, and notes the lag of all.
    pub(super) fn follow_wall_clock(&mut self) {
        let asked = self.running();
        if asked.is_empty() {
            return;
        }
        // No time passes while records wait for a commit.
        let may_follow = self.cycle.applies_records() && self.batch.is_empty();
        let to = if may_follow { self.clock_limit() } else { None };
        let ends = self.consumer.ends(&asked, ENDS_PATIENCE).unwrap_or_default();
        let positions = self.consumer.positions().unwrap_or_default();
        self.pass_to(&positions);
        let mut full = false;
        let mut behind = BTreeMap::new();
        for (partition, task) in &mut self.tasks {
            let Task::Running(running) = task else { continue };
            // A position skips transaction markers, but also records that are not applied.
            let is_applied = self.batch.is_empty() && !running.is_paused();
            let position = positions.get(partition).copied().filter(|_| is_applied);
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
        self.notice_unreadable(&behind);
        self.notice_holds(behind);
        if full {
            self.cycle.commit_at = Some(self.clients.now());
        } else if self.tasks.values().any(Task::is_due) {
            self.commit_later();
        }
    }

    /// Finds the partitions that have a batch of records which cannot be decompressed, among those that are not read to
    /// their end and stand at these positions: the ones that stay there while the error comes.
    fn notice_unreadable(&mut self, behind: &BTreeMap<PartitionId, i64>) {
        let now = self.clients.now();
        let is_recent = self.unreadable_at.is_some_and(|at| now < at + UNREADABLE_FOR);
        // A paused consumer reads nothing.
        if !self.cycle.applies_records() {
            return;
        }
        let before = std::mem::take(&mut self.suspects);
        let mut events = Vec::new();
        for (partition, task) in &mut self.tasks {
            let Task::Running(running) = task else { continue };
            running.unreadable_from = None;
            let Some(position) = behind.get(partition).filter(|_| is_recent && !running.is_paused()) else {
                continue;
            };
            let since = before.get(partition).filter(|(at, _)| at == position).map_or(now, |(_, since)| *since);
            self.suspects.insert(*partition, (*position, since));
            if now >= since + UNREADABLE_AFTER {
                running.unreadable_from = Some(*position);
                let partition = self.plan.topology.name(*partition);
                events.push(Occurrence::Unreadable { partition, offset: *position });
            }
        }
        events.into_iter().for_each(|event| self.report(event));
    }

    /// Finds the partitions that a sender's open transaction holds back, among those that are not read to their end and
    /// stand at these positions. One whose position has moved since the last tick is held back by nobody: then the broker is
    /// not asked, since its answer waits until the consumer's fetch has come back, and the records wait for the answer.
    fn notice_holds(&mut self, behind: BTreeMap<PartitionId, i64>) {
        let stood_at = std::mem::take(&mut self.stood_at);
        let stands = |(partition, position): &(&PartitionId, &i64)| stood_at.get(partition) == Some(*position);
        let asked: Vec<PartitionId> = behind.iter().filter(stands).map(|(partition, _)| *partition).collect();
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
            match (behind.get(partition).filter(|_| asked.contains(partition)), &stable) {
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
        self.stood_at = behind;
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
