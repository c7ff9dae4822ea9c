//! Why a changelog cannot be restored.

use super::format::Extent;
use super::segments::Slot;
use crate::engine::program::SchemaError;

/// Why a changelog cannot be restored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangelogError {
    #[error("an entry of a segment cannot be read")]
    ChangelogEntry,
    #[error("a segment says that it has {said} entries, and has {found}")]
    Count { said: u32, found: u32 },
    #[error("slot {slot} is out of range")]
    Slot { slot: Slot },
    #[error("segment {number}, which is needed, is missing")]
    Missing { number: u64 },
    #[error("the schema {schema:016x} of segment {number}, which is needed, is missing")]
    NoSchema { number: u64, schema: u64 },
    #[error(transparent)]
    Schema(#[from] SchemaError),
    #[error("the notes of the meta record cannot be read")]
    Notes,
    #[error("segment number {number} is out of range")]
    Number { number: u64 },
    #[error("the snapshot ends before segment {snapshot_to}, and the live segments begin with {oldest}")]
    Outdated { snapshot_to: u64, oldest: u64 },
    #[error("the live segments cannot be those from {} up to {}", extent.oldest, extent.next)]
    Extent { extent: Extent },
}
