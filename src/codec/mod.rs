//! Bytes to model and back: input events in, tag changes and their companions out, state to the changelog and back.
//!
//! The decoder is the hot path. `plan` says which places of a record are wanted, `scanner` what JSON is, `capture` walks
//! a record once with both, `shape` spares it the walk where the record looks like earlier ones, and `decoder` turns
//! what was found into an event. It knows the catalog's input mapping, and of tags the names of those that commands set
//! (`commands`). The writers append to a buffer of the caller's. Neither allocates once its buffers have grown.
//!
//! `changelog` is the page on the format in which state is kept: what the engine hands out, framed and checked.
//! `snapshot` is that on the file with a copy of it, which is made of the same records.

mod capture;
mod changelog;
mod commands;
mod decoder;
mod names;
mod plan;
mod reader;
mod reject;
mod scanner;
mod shape;
mod snapshot;
mod text;
mod untimely;
mod values;
mod writer;

pub use changelog::{ChangelogKey, ChangelogRecord, Meta, SourceEntry, Unreadable, VERSION as CHANGELOG_VERSION};
pub use decoder::Decoder;
pub use reader::ReadChange;
pub use reject::{Reject, RejectedLine, write_reject};
pub use snapshot::{Progress, SnapshotError, SnapshotHead, SnapshotReader, SnapshotWriter};
pub use writer::{change_id, write_change, write_current_tags};
