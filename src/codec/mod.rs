//! Bytes to model and back: input records in, tag changes and their companions out, state to the changelog and back.
//!
//! - `json_writer`: JSON values, appended to a buffer;
//! - `reject`: why a record is not an event, and the line that says so;
//! - `decode`: input records to events, by the catalog's input mapping;
//! - `audit`: what the events that came say about the catalog;
//! - `command_writer`: commands as input records;
//! - `change`: tag changes and current tags as JSON, in the formats that subscribers want, and read back from them;
//! - `explanation`: explanations and values as JSON documents;
//! - `changelog`: the page on the format in which state is kept: what the engine hands out, framed and checked;
//! - `rollout_note`, `partition_facts`: what a partition notes beside its position;
//! - `snapshot`: the page on the format of a snapshot file, which is made of the same records.
//!
//! The writers append to a buffer of the caller's and do not allocate once it has grown. Nothing here knows what the
//! values are for.

mod json_writer;
mod reject;
mod audit;
mod decode;
mod command_writer;
mod change;
mod explanation;
mod changelog;
mod rollout_note;
mod partition_facts;
mod snapshot;

pub use audit::{ClockLeap, ClosedFilter, InexactNumbers, InputAudit, LongTexts, MissingTypes, Owner};
#[cfg(feature = "kafka")]
pub(crate) use change::event_type;
pub use change::{ChangeFormat, ChangeRecord, ParsedChange, change_id, write_change, write_current_tags};
pub use changelog::{
    ChangelogDecodeError, ChangelogKey, ChangelogRecord, Meta, SourceEntry, VERSION as CHANGELOG_VERSION,
};
pub use command_writer::{CommandAction, NewCommand, write_command};
#[cfg(feature = "cli")]
pub(crate) use decode::ROW_CHANGES;
pub use decode::{
    DecodedRecord, Decoder, HeaderList, HeaderSource, InputRecord, OwnedRecord, Payload, PayloadFormat, PayloadReader,
    RecordDecoder, RecordHeaders, SchemaKey,
};
pub use explanation::{comparison_gap, explanation_document, value_document, values_document};
#[cfg(feature = "registry")]
pub(crate) use json_writer::{push_base64, push_string, read_base64};
pub use partition_facts::{PartitionFacts, TopicFacts};
pub use reject::{Reject, RejectedLine, write_reject};
pub use rollout_note::RolloutNote;
pub use snapshot::{SnapshotError, SnapshotHead, SnapshotProgress, SnapshotReader, SnapshotWriter};
