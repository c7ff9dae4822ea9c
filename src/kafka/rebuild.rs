//! The history of a partition read from its input once more, so that new counters need not begin empty.
//!
//! It is part of reading a state back: the errand's own thread does it, and the partition runs when it is done. All
//! records are read that the state has behind it: from the first one that is retained up to the committed offset.

use std::ops::Range;
use std::time::Duration;

use rdkafka::Message;

use super::failpoint::{self, Step};
use super::notice::Notice;
use super::restore::{CALL_PATIENCE, Errand, Interrupted, POLL, PROGRESS, RestoreError, Task};
use super::streams::Role;
use super::wire::{Bounds, ChangelogReader, Wire};
use crate::codec::Decoder;
use crate::engine::{CellName, MigrationReport, Partition, RetainedHistory, StateBackfill};
use crate::model::Event;

/// What counters begin with that a catalog has new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backfill {
    /// They begin empty, and fill.
    #[default]
    Off,
    /// What the input topic retains is counted when a state is read back.
    On,
}

/// How reading a history has ended.
enum Reading {
    /// At the committed offset.
    Whole(Box<StateBackfill>),
    /// It goes less far back than the state.
    Futile,
    /// Its first records were deleted meanwhile.
    Gone,
}

impl<W: Wire> Errand<W> {
    /// Counts the history of a state that ends at an offset, if there is something to gain; whether there was.
    pub(super) fn rebuild(
        &self,
        task: &Task,
        state: &mut Partition,
        end: i64,
        change: Option<&MigrationReport>,
    ) -> Result<bool, Interrupted> {
        let partition = task.partition;
        if self.backfill == Backfill::Off || self.streams.plan(partition.stream).role != Role::Direct {
            return Ok(false);
        }
        let attributes =
            change.is_some_and(|change| change.new.iter().any(|name| matches!(name, CellName::Attribute(_))));
        if StateBackfill::new(state, RetainedHistory::Whole, attributes).is_none() {
            return Ok(false);
        }
        let reader = self.wire.history().map_err(RestoreError::Client)?;
        let started = self.wire.now();
        loop {
            let Bounds { low, .. } = self.insist(task, || reader.stable(partition, CALL_PATIENCE))?;
            let retained = if low == 0 { RetainedHistory::Whole } else { RetainedHistory::Rest };
            let Some(rebuild) = StateBackfill::new(state, retained, attributes) else { return Ok(false) };
            let rebuild = match self.read_history(&reader, task, low..end, rebuild)? {
                Reading::Whole(rebuild) => rebuild,
                Reading::Futile => return Ok(false),
                Reading::Gone => continue,
            };
            let Some(rebuilt) = state.merge_backfill(*rebuild) else { return Ok(false) };
            let (worker, name) = (self.worker, self.streams.name(partition));
            let took = self.wire.now().duration_since(started);
            (self.notices)(Notice::Rebuilt { worker, partition: name, rebuilt, took });
            return Ok(true);
        }
    }

    fn read_history(
        &self,
        reader: &W::Changelog,
        task: &Task,
        range: Range<i64>,
        mut rebuild: StateBackfill,
    ) -> Result<Reading, Interrupted> {
        let partition = task.partition;
        let mut decoder = Decoder::new(&self.program(partition).catalog);
        let (mut event, now) = (Event::default(), self.clock.now());
        let (started, mut position) = (self.wire.now(), range.start);
        let mut tell_at = started + PROGRESS;
        if !range.is_empty() {
            self.insist(task, || reader.open(partition, range.start))?;
        }
        while position < range.end {
            if task.cancel.is_given() {
                return Err(Interrupted::Cancelled);
            }
            match reader.poll(POLL) {
                Some(Ok(record)) if record.offset() >= range.end => break,
                Some(Ok(record)) => {
                    position = record.offset() + 1;
                    failpoint::pass(Step::RebuildRecord);
                    // What is no event was rejected when the state met it.
                    if record.payload().is_some_and(|value| decoder.decode(value, now, &mut event).is_ok()) {
                        rebuild.apply(&event);
                    }
                }
                answer => {
                    if let Some(Err(error)) = answer {
                        self.trouble(error.text);
                        if self.insist(task, || reader.stable(partition, CALL_PATIENCE))?.low > position {
                            return Ok(Reading::Gone);
                        }
                    }
                    position = self.insist(task, || reader.position(partition))?.unwrap_or(position).max(position);
                }
            }
            if rebuild.is_futile() {
                return Ok(Reading::Futile);
            }
            let now = self.wire.now();
            if now >= tell_at {
                tell_at = now + PROGRESS;
                self.tell(task, rebuild.events(), position - range.start, range.clone(), now.duration_since(started));
            }
        }
        Ok(Reading::Whole(Box::new(rebuild)))
    }

    fn tell(&self, task: &Task, events: u64, read: i64, range: Range<i64>, took: Duration) {
        let share = read as f64 / (range.end - range.start) as f64;
        let left = (share > 0.0).then(|| took.mul_f64((1.0 - share) / share));
        let (worker, partition) = (self.worker, self.streams.name(task.partition));
        (self.notices)(Notice::Rebuilding { worker, partition, events, left });
    }
}
