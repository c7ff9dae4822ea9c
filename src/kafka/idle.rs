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

/// The answer is late or there is none: then no clock moves.
const ENDS_PATIENCE: Duration = Duration::from_millis(500);

impl Worker {
    pub(super) fn follow_wall_clock(&mut self) {
        let asked = self.list_running(|_| Offset::End);
        if asked.count() == 0 {
            return;
        }
        let now = self.plan.pulse.followed(self.plan.clock.now());
        let grace_ms = self.plan.settings.service.idle_grace.as_millis() as i64;
        let to = now.plus(-grace_ms);
        let Ok(ends) = self.consumer.offsets_for_times(asked, ENDS_PATIENCE) else { return };
        let Ok(positions) = self.consumer.position() else { return };
        let mut full = false;
        for (partition, slot) in &mut self.slots {
            let Slot::Running(running) = slot else { continue };
            let topic = &self.plan.settings.input.topic;
            let Some(end) = offset(&ends, topic, *partition) else { continue };
            // A position steps over what is no record, such as the marks of transactions.
            let position = offset(&positions, topic, *partition).unwrap_or(0).max(running.next_offset());
            if position >= end {
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
}

fn offset(list: &TopicPartitionList, topic: &str, partition: i32) -> Option<i64> {
    let element = list.find_partition(topic, partition)?;
    match (element.error(), element.offset()) {
        (Ok(()), Offset::Offset(offset)) => Some(offset),
        _ => None,
    }
}
