//! The ids of an entity that remembers many, beside its packed bytes.

use crate::engine::encoding::{put_unsigned, unsigned_len};
use crate::engine::entity::seen_ids::SeenIds;
use crate::engine::entity::state::{CellNumber, EntityState, place_of_missing};

/// The remembered ids of an entity that has many.
#[derive(Debug)]
pub(super) struct ManyIds {
    /// The cell that they are in the changelog.
    pub(super) cell: CellNumber,
    pub(super) ids: SeenIds,
}

impl ManyIds {
    /// The length of the cell, with its number and its length.
    pub(super) fn cell_len(&self) -> usize {
        let len = self.ids.encoded_len();
        unsigned_len(self.cell.0.into()) + unsigned_len(len as u64) + len
    }

    /// Appends the state of which `packed` is the rest: the cell comes before those with greater numbers.
    pub(super) fn put_whole(&self, packed: &[u8], out: &mut Vec<u8>) {
        let before = place_of_missing(packed, EntityState::head_len(packed), self.cell);
        out.extend_from_slice(&packed[..before]);
        put_unsigned(out, self.cell.0.into());
        put_unsigned(out, self.ids.encoded_len() as u64);
        self.ids.encode(out);
        out.extend_from_slice(&packed[before..]);
    }
}
