//! What a partition writes to its changelog in each transaction, and how it is restored from that.
//!
//! # The format
//!
//! One record per entity would cost a client and a broker more than everything else together, so a record is a
//! [`Segment`]: the packed states of many entities. The changelog is compacted by key and segments are not rewritten in
//! place, so it works as a log-structured file system does (Rosenblum and Ousterhout, "The Design and Implementation of
//! a Log-Structured File System", 1992), cleaned first in, first out:
//!
//! - Each transaction writes the entities that were written since the last one, each once, as new segments. Segments
//!   are numbered for ever, without a gap; the store keeps, for each entity, the number of the segment with its latest
//!   state.
//! - When the live segments are larger than twice the state, the oldest ones are *cleaned*: those of their states that
//!   are still the latest are written again, with the new segments. Then the segment is dead.
//! - A record's key is a *slot*. A new segment takes the slot of the segment that has been dead longest, so that
//!   compaction removes that one; where too many dead segments wait for that, a tombstone clears a slot.
//!
//! # Why a reader finds the right state, whatever compaction has removed
//! 1. The live segments are numbered from `oldest` up to `next`; the same transaction writes both numbers. Nothing is
//!    written to the slot of a live segment, so compaction cannot remove it: all of them are there, in order.
//! 2. The latest state of every entity is in a live segment: writing the entity put it into a new one, and so did
//!    cleaning the segment where it was. So among the states in live segments the last one is right, and an erasure
//!    behind it means that there is none.
//! 3. Dead segments may be there or not. A state that only they hold is that of an erased entity. It must not come
//!    back, although the note of its erasure may be gone before it is: a reader may have passed the state when
//!    compaction removes both. So at the end [`StateRestorer`](crate::engine::StateRestorer) drops what only dead
//!    segments hold. For the same reason cleaning need not write notes of erasures again: all older states are in older
//!    segments, which died before.
//!
//! Slots are overwritten or cleared in the order in which their segments died. So what a dead segment holds leaves the
//! changelog before anything written after it, and the bytes of an erased entity are gone once every segment from
//! before the erasure has been cleaned and overwritten. That must not wait for traffic: after an erasure the changelog
//! is *purged*, a part of it with each transaction that has nothing else to write, until everything written up to the
//! erasure, its note included, is dead and its slots are cleared
//! ([`Partition::is_purging`](crate::engine::Partition::is_purging)). With traffic the same happens anyway.
//!
//! # A snapshot
//!
//! A snapshot of the state that covers the changelog up to segment n spares a reader those segments;
//! [`SnapshotSink`](crate::engine::SnapshotSink) says why that is right. It is of use as long as `oldest <= n + 1`.
//!
//! # What it costs
//!
//! Where entities are written at random, the share x of states that are still the latest when their segment is cleaned
//! solves x = exp(-2(1-x)): x is 0.20, so for every byte written 0.25 are written again. Where some entities are
//! written more often than others it is less. Cleaning reads at most 4 times what a transaction writes, so that no
//! transaction is much larger because of a row of segments whose states are all still the latest; the changelog may
//! then grow to 2 + 1/4 times the state.
//!
//! # A changed catalog
//!
//! The cells of a state are numbered by the catalog. Each segment names its [`Schema`](crate::engine::Schema), which
//! says what the numbers mean; the schema has a record of its own as long as live segments need it.
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
