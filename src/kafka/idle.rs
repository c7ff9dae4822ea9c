//! Silence: the clock of a partition that was read to its end follows the wall clock.
//!
//! That a partition was read to its end must be known of *now*: while a broker is away, events may wait there. So the
//! ends are asked for, all in one request, and only what was asked before the answer counts. A wall clock that jumps
//! back moves nothing, since a partition's clock does not go back.

use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use rdkafka::{Offset, TopicPartitionList};

use super::slot::{Reached, Slot};
use super::worker::Worker;
use crate::model::Timestamp;

/// The answer is late or there is none: then no clock moves, and nobody knows how much there is to read.
const ENDS_PATIENCE: Duration = Duration::from_millis(500);

impl Worker {
    /// Has the clocks of partitions that were read to their end follow, and notes how much there is to read of the others.
    pub(super) fn follow_wall_clock(&mut self) {
        let asked = self.list_running(|_| Offset::End);
        if asked.count() == 0 {
            return;
        }
        // No time passes while records wait for a commit.
        let may_follow = !self.held && self.parked.is_empty();
        let to = may_follow.then(|| self.followed());
        let ends = self.consumer.offsets_for_times(asked, ENDS_PATIENCE).unwrap_or_default();
        let positions = self.consumer.position().unwrap_or_default();
        let mut full = false;
        for (partition, slot) in &mut self.slots {
            let Slot::Running(running) = slot else { continue };
            let topic = &self.plan.settings.input.topic;
            let end = offset(&ends, topic, *partition);
            // A position steps over what is no record, such as the marks of transactions; and over what is parked.
            let position = offset(&positions, topic, *partition).filter(|_| self.parked.is_empty());
            let position = position.unwrap_or(0).max(running.next_offset());
            running.lag = end.map(|end| end.saturating_sub(position).max(0).unsigned_abs());
            if let (Some(0), Some(to)) = (running.lag, to) {
                full |= running.advance_to(to) == Reached::No;
            }
        }
        let dirty = |slot: &Slot| matches!(slot, Slot::Running(running) if running.is_dirty());
        if full {
            self.commit_at = Some(Instant::now());
        } else if self.slots.values().any(dirty) {
            self.commit_later();
        }
    }

    /// The instant that the clocks may follow the wall clock to.
    fn followed(&self) -> Timestamp {
        let grace_ms = self.plan.settings.service.idle_grace.as_millis() as i64;
        self.plan.pulse.followed(self.plan.clock.now()).plus(-grace_ms)
    }
}

fn offset(list: &TopicPartitionList, topic: &str, partition: i32) -> Option<i64> {
    let element = list.find_partition(topic, partition)?;
    match (element.error(), element.offset()) {
        (Ok(()), Offset::Offset(offset)) => Some(offset),
        _ => None,
    }
}
