//! Why a changelog cannot be restored.

use super::format::Extent;
use super::segments::Slot;
use crate::engine::program::SchemaError;

/// Why a log cannot be restored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangelogError {
    #[error("an entry of a segment is not one")]
    ChangelogEntry,
    #[error("a segment says that it has {said} entries, and has {found}")]
    Count { said: u32, found: u32 },
    #[error("slot {slot} is none that a log has")]
    Slot { slot: Slot },
    #[error("segment {number}, which is needed, is missing")]
    Missing { number: u64 },
    #[error("the schema {schema:016x} of segment {number}, which is needed, is missing")]
    NoSchema { number: u64, schema: u64 },
    #[error(transparent)]
    Schema(#[from] SchemaError),
    #[error("the notes of the meta record are none")]
    Notes,
    #[error("segment {number} is none that a log has")]
    Number { number: u64 },
    #[error("the copy ends in front of segment {snapshot_to}, and of the log only what begins with {oldest} is needed")]
    Outdated { snapshot_to: u64, oldest: u64 },
    #[error("the log says that segments {} to {} are needed", extent.oldest, extent.next)]
    Extent { extent: Extent },
}
