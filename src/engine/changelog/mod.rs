//! What a partition writes to its changelog in each transaction, and how it is made again from that.
//!
//! # The log
//! One record an entity would cost a client and a broker more than everything else together, so a record is a
//! [`Segment`]: the packed states of many entities. The changelog is compacted by key, and segments are not rewritten in
//! place, so it is kept as a log-structured file system keeps its disk (Rosenblum and Ousterhout, "The Design and
//! Implementation of a Log-Structured File System", 1992), cleaned first in, first out:
//!
//! - Each transaction writes the entities touched since the last one, each once, as new segments. Segments are numbered
//!   for ever, without a gap; the store keeps of each entity the number of the segment that has its latest state.
//! - When the live segments are larger than twice the state, the oldest ones are *cleaned*: of their states those that
//!   are still the latest are written again, with the new segments. Then the segment is dead.
//! - A record's key is a *slot*. A new segment takes the slot of the longest dead one, so that compaction removes that
//!   one; slots of which there are too many are cleared by a tombstone.
//!
//! # Why a reader finds the right state, however far compaction has come
//! 1. The live segments are those numbered from `oldest` up to `next`; the same transaction writes both numbers down.
//!    The slot of a live segment is not written to, so compaction cannot remove it: all of them are there, in order.
//! 2. The latest state of every entity stands in a live segment: touching it put it into a new one, and cleaning the one
//!    where it stood put it into a new one. So of the states in live segments the last one is right, and an erasure
//!    behind it means that there is none.
//! 3. Dead segments may be there or not. A state that only they hold is that of an entity that was erased; it must not
//!    come back, though the note of its erasure may be gone before it is: a reader may have passed the state when
//!    compaction goes over the log and removes both. So at the end [`StateRestorer`] drops what only dead segments hold.
//!    That is also why cleaning need not write notes of erasures again: all older states are in older segments, which
//!    are dead before.
//!
//! Slots are overwritten or cleared in the order in which their segments died. So what a dead segment holds leaves the
//! log before anything that was written after it, and the bytes of an erased entity are gone when the log has gone round
//! once. That must not wait for traffic: behind an erasure the log is *purged*, a piece with each transaction that has
//! nothing else to write, until all that was written up to the erasure, the note of it included, is dead and its slots
//! are cleared ([`Partition::is_purging`]). With traffic the log goes round anyway.
//!
//! # A copy
//! A copy of the state that covers the log up to segment n spares a reader what stands there ([`SnapshotSink`] says why that is
//! right). It is of use as long as `oldest <= n + 1`.
//!
//! # What it costs
//! With entities touched at random, the share x of states that are still the latest when their segment is cleaned
//! solves x = exp(-2(1-x)), 0.20, so for every byte written 0.25 are written again. Where some are touched more often
//! than others it is less. Cleaning goes over at most [`CLEANED_PER_WRITTEN`] times what a transaction writes, so that
//! none of them is much larger for a row of cold segments; the log may then grow to 2 + 1/4 times the state.
//!
//! # A changed catalog
//! The cells of a state are numbered by the catalog. Each segment names its [`Schema`], which says what the numbers
//! mean; a record of its own holds it for as long as live segments need it.
//!
//! # Map
//! | file | holds |
//! | --- | --- |
//! | [`error`] | why a changelog cannot be restored |
//! | [`format`] | segments, the live part of a changelog, where a partition stands in it |
//! | [`entry`] | the entries of a segment |
//! | [`notes`] | what the meta record says of a partition beside where it stands |
//! | [`segments`] | which segments are live, in which slots, and which slots are free |
//! | [`migration`] | states of one schema read under another |

mod error;
mod format;
mod entry;
mod notes;
mod segments;
mod migration;

pub(crate) use entry::{ChangelogEntry, ENTRY_HEAD_BYTES, put_erased, put_state};
pub use error::ChangelogError;
pub use format::{ChangelogSink, Checkpoint, Extent, Segment};
pub(crate) use migration::Migration;
pub use migration::MigrationReport;
pub(crate) use notes::Notes;
pub use segments::Slot;
pub(crate) use segments::{SLOT_MAX, SegmentRing};
