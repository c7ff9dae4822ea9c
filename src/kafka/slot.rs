//! A partition in the hands of a worker: its life cycle, its state, and what it has not committed yet.

use rdkafka::message::Message;

use super::body::Body;
use super::counts::{Counts, Work};
use crate::codec::Decoder;
use crate::engine::Partition;
use crate::model::{CurrentTag, Event, Timestamp};

/// The life cycle of a partition.
///
/// ```text
///             committed offset,           state read back
///             or else input.start         from the changelog
///   Assigned ────────────────▶ Restoring ────────────────▶ Running
///      ▲                           │                          │ revoked: committed, then dropped
///      │ assigned by the group     │ revoked: dropped         │ lost: dropped
///      └───────────────────────────┴──────────────────────────┘
/// ```
///
/// There is no changelog yet: restoring gives an empty state at once, and has no variant of its own. A partition
/// is fetched from only while it runs, and no transaction holds one that does not.
pub enum Slot {
    Assigned,
    Running(Box<Running>),
}

/// What became of a record that was offered to a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It was applied, rejected or skipped; the next offset stands behind it.
    Done { accepted: bool },
    /// The body is full and has to be committed first; the record is to be offered again.
    Full,
}

/// A partition whose state is whole.
pub struct Running {
    state: Partition,
    pub body: Body,
    /// The offset behind the last record that was applied.
    next_offset: i64,
    /// The offset that the group has committed, as far as we know; `None`: none at all.
    committed: Option<i64>,
    /// What was done and is not committed.
    work: Work,
    /// Records that were not applied when the broker last told where the partition ends; `None`: it did not.
    pub lag: Option<u64>,
}

/// What a worker needs to apply a record, whichever partition it is from.
pub struct Bench {
    pub decoder: Decoder,
    pub event: Event,
    pub counts: Counts,
}

impl Running {
    pub fn new(state: Partition, next_offset: i64, committed: Option<i64>) -> Self {
        Running { state, body: Body::default(), next_offset, committed, work: Work::default(), lag: None }
    }

    pub fn next_offset(&self) -> i64 {
        self.next_offset
    }

    pub fn committed(&self) -> Option<i64> {
        self.committed
    }

    /// Whether there is something to commit: records to write, or an offset that moved.
    pub fn is_dirty(&self) -> bool {
        !self.body.is_empty() || self.committed != Some(self.next_offset)
    }

    /// What was sent is committed. Returns what was done for it.
    pub fn settle(&mut self) -> Work {
        self.committed = Some(self.next_offset);
        let mut work = std::mem::take(&mut self.work);
        work.engine(&self.state.take_stats());
        work.changes = self.body.clear();
        work
    }

    pub fn state(&self) -> &Partition {
        &self.state
    }

    /// Applies one record of the partition.
    pub fn take(&mut self, message: &impl Message, now: Timestamp, bench: &mut Bench) -> Taken {
        if message.offset() < self.next_offset {
            // Never apply a record to state that has seen it.
            return Taken::Done { accepted: false };
        }
        if self.body.is_full() {
            return Taken::Full;
        }
        let accepted = match message.payload() {
            None => {
                self.work.tombstones += 1;
                false
            }
            Some(payload) => match bench.decoder.decode(payload, now, &mut bench.event) {
                Ok(()) => {
                    if self.advance_to(bench.event.time) == Reached::No {
                        return Taken::Full;
                    }
                    self.state.apply(&bench.event, &mut self.body);
                    self.work.events += 1;
                    true
                }
                Err(reason) => {
                    *self.work.rejected.entry(reason.code()).or_default() += 1;
                    self.body.reject(message, reason);
                    false
                }
            },
        };
        self.work.records += 1;
        self.next_offset = message.offset() + 1;
        Taken::Done { accepted }
    }

    /// Lets time pass, one due instant after the other, as far as the body has room.
    pub fn advance_to(&mut self, to: Timestamp) -> Reached {
        loop {
            let due = self.state.next_due();
            if due > to {
                self.state.advance(to, &mut self.body);
                return Reached::Yes;
            }
            if self.body.is_full() {
                return Reached::No;
            }
            self.state.advance(due, &mut self.body);
        }
    }

    /// Writes the current tags of an entity whose tags have changed.
    pub fn current_tags<R>(&mut self, key: &str, with: impl FnOnce(&[CurrentTag<'_>]) -> R) -> Option<R> {
        self.state.current_tags(key, with)
    }
}

/// Whether time has passed as far as was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    Yes,
    /// The body is full: commit, then ask again.
    No,
}
