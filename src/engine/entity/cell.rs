//! The cells of an entity, and where their content is while the entity is unpacked.

use std::ops::Range;

/// A cell's number: attributes, then series, then tags, then the remembered ids, then the retired tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CellNumber(pub(super) u16);

/// Where a cell's content is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum CellState {
    #[default]
    Empty,
    /// In the packed bytes.
    Packed(CellPlace),
    /// Decoded from there, and unchanged.
    Read(CellPlace),
    /// Decoded or new, and changed since.
    Changed,
}

/// A cell in the packed bytes: its number and length from `head` on, its content from `start` to `end`.
#[derive(Clone, Copy, Debug)]
pub(super) struct CellPlace {
    pub head: u32,
    pub start: u32,
    pub end: u32,
}

impl CellPlace {
    /// Between two cells.
    pub(super) fn nothing_at(at: u32) -> Self {
        CellPlace { head: at, start: at, end: at }
    }

    pub(super) fn content(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A cell that has changed, and what it replaces in the packed bytes: nothing where it was empty.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChangedCell {
    pub number: CellNumber,
    pub replaces: CellPlace,
}

/// What was found where a cell was to be decoded.
pub(super) enum Opened {
    Empty,
    Packed(Range<usize>),
    Already,
}
