//! A partition in the hands of a worker: its life cycle, its state, and what it has not committed yet.

use rdkafka::message::Message;

use super::body::Body;
use super::counts::{Counts, Work};
use super::restore::{Cancel, RestoreError};
use super::wire::Bounds;
use crate::codec::{Decoder, Meta};
use crate::engine::{Copyist, Extent, NoCopy, Partition};
use crate::model::{CurrentTag, Event, Timestamp};

/// The life cycle of a partition.
///
/// ```text
///             committed offset        state read back from the changelog
///   Assigned ────────────────▶ Restoring ────────────────▶ Running
///      ▲ ▲                       │ │ │                        │ revoked: committed, then dropped
///      │ └───────────────────────┘ │ │ revoked: dropped       │ lost: dropped
///      │   somebody has committed  │ │                        │
///      └───────────────────────────┼─┴────────────────────────┘
///        assigned by the group     ▼ nothing can be done without a person
///                               Stopped
/// ```
///
/// A partition is fetched from only while it runs, and no transaction holds one that does not. One that is stopped stays
/// assigned, so that nobody else tries the same; the others go on.
pub enum Slot {
    /// `disagreements`: how often in a row the state that was read back did not belong to the committed offset.
    Assigned {
        disagreements: u32,
    },
    Restoring(Restore),
    Running(Box<Running>),
    Stopped(PartitionError),
}

impl Slot {
    /// Whether the partition has a part in the next transaction.
    pub fn is_dirty(&self) -> bool {
        matches!(self, Slot::Running(running) if running.is_dirty())
    }
}

/// A partition whose state is being read back.
pub struct Restore {
    pub committed: Option<i64>,
    /// Where it will go on.
    pub next_offset: i64,
    /// Where the partition began when that was found out.
    pub low: i64,
    pub disagreements: u32,
    pub cancel: Cancel,
}

/// Why a partition cannot go on until a person has done something.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PartitionError {
    #[error(
        "the group stands at offset {offset} of partition {partition} of {topic}, which holds {} to {}: the records were \
         deleted or the topic was made anew; nothing is skipped silently, so reset the group's offsets \
         (kafka-consumer-groups --reset-offsets) or take another kafka.application", bounds.low, bounds.high
    )]
    OffsetGone { topic: String, partition: i32, offset: i64, bounds: Bounds },
    #[error(
        "the group stands at {} of partition {partition} of {topic}, the state in {changelog} at {}: offsets were reset \
         or a topic was made anew; nothing is guessed, so set the group's offset to that of the state \
         (kafka-consumer-groups --reset-offsets --to-offset), or take another kafka.application to begin with no state",
        offset_words(*committed), offset_words(*noted)
    )]
    Disagreement { topic: String, changelog: String, partition: i32, committed: Option<i64>, noted: Option<i64> },
    #[error("the state cannot be read back: {0}")]
    Restore(RestoreError),
}

fn offset_words(offset: Option<i64>) -> String {
    offset.map_or_else(|| "no offset".to_owned(), |offset| format!("offset {offset}"))
}

/// What became of a record that was offered to a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It was applied, rejected or skipped; the next offset stands behind it.
    Done { accepted: bool },
    /// The body is full and has to be committed first; the record is to be offered again.
    Full,
}

/// A transaction has so much of the changelog of one partition at most, about.
const LOG_BYTES_MAX: usize = 8 << 20;

/// A partition whose state is whole.
pub struct Running {
    state: Partition,
    pub body: Body,
    /// Whether the body holds what the changelog needs: from then on it stays as it is until it is committed.
    sealed: bool,
    /// Tells this changelog from another that was there before under the same name.
    log_id: u64,
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
    pub fn new(state: Partition, log_id: u64, next_offset: i64, committed: Option<i64>) -> Self {
        let (body, work) = (Body::default(), Work::default());
        Running { state, body, sealed: false, log_id, next_offset, committed, work, lag: None }
    }

    /// Completes the body, which is about to be sent, if it is not complete yet.
    pub fn seal(&mut self) {
        if !self.sealed {
            self.sealed = true;
            self.state.journal(&mut self.body);
        }
    }

    /// The changelog's note of what a transaction of this name leads to.
    pub fn meta<'a>(&self, transaction: &'a str, notes: &'a [u8]) -> Meta<'a> {
        let program = self.state.program();
        Meta {
            log: self.log_id,
            next_offset: self.next_offset,
            clock: self.state.clock(),
            extent: self.state.extent(),
            catalog: program.catalog.fingerprint,
            schema: program.schema.id(),
            transaction,
            notes,
        }
    }

    /// Copies what the changelog holds.
    pub fn copy(&self, out: &mut impl Copyist) -> Result<(), NoCopy> {
        self.state.copy(out)
    }

    pub fn extent(&self) -> Extent {
        self.state.extent()
    }

    pub fn log_id(&self) -> u64 {
        self.log_id
    }

    pub fn state_bytes(&self) -> usize {
        self.state.state_bytes() as usize
    }

    /// Whether the changelog holds all that was applied.
    pub fn is_committed(&self) -> bool {
        !self.is_dirty() && self.state.pending_bytes() == 0
    }

    /// What the body holds and will hold.
    pub fn unsent_bytes(&self) -> usize {
        self.body.bytes() + if self.sealed { 0 } else { self.state.pending_bytes() }
    }

    fn is_full(&self) -> bool {
        self.body.is_full() || self.state.pending_bytes() >= LOG_BYTES_MAX
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
        self.sealed = false;
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
        debug_assert!(!self.sealed, "nothing is applied while a transaction's fate is open");
        if self.is_full() {
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
                    self.body.reject(message, reason, bench.decoder.detail());
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
            if self.is_full() {
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
