//! The cells of an entity, and where their content is while the entity is unpacked.

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

/// What was found where a cell was to be decoded.
pub(super) enum Opened {
    Empty,
    Packed(std::ops::Range<usize>),
    Already,
}
