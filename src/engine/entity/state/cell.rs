//! The cells of an entity, and where their content is while the entity is unpacked.

use std::ops::Range;

use crate::engine::encoding::{ByteReader, put_unsigned};
use crate::engine::program::SeriesId;

/// A cell's number: attributes, then series, then tags, then the remembered ids, the retired tags and the states of all
/// tags. The numbers of tags have no cells: they are those of the states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine::entity) struct CellNumber(pub(in crate::engine::entity) u16);

impl CellNumber {
    /// The cell of a series, behind those of so many attributes.
    pub(super) fn of_series(SeriesId(id): SeriesId, attributes: usize) -> Self {
        CellNumber((attributes + usize::from(id)) as u16)
    }
}

/// Where a cell's content is.
#[derive(Clone, Copy, Debug)]
pub(super) enum CellState {
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

/// The cell whose number begins at `head`.
pub(super) fn cell_at(packed: &[u8], head: usize) -> (CellNumber, CellPlace) {
    let (number, len, start) = match packed[head..] {
        // Most numbers and lengths take a byte.
        [number @ 0..0x80, len @ 0..0x80, ..] => (u16::from(number), usize::from(len), head + 2),
        _ => {
            let mut reader = ByteReader::new(&packed[head..]);
            let (number, len) = (reader.unsigned() as u16, reader.unsigned() as usize);
            (number, len, packed.len() - reader.remaining())
        }
    };
    let place = CellPlace { head: head as u32, start: start as u32, end: (start + len) as u32 };
    (CellNumber(number), place)
}

/// Appends a cell, or nothing where `write` appends no content.
pub(super) fn put_cell(number: CellNumber, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let before = out.len();
    put_unsigned(out, u64::from(number.0));
    let header = out.len();
    out.push(0);
    let start = out.len();
    write(out);
    let len = out.len() - start;
    if len == 0 {
        out.truncate(before);
    } else if len < 0x80 {
        out[header] = len as u8;
    } else {
        let (mut prefix, mut digits, mut rest) = ([0; 5], 0, len);
        while rest > 0 {
            prefix[digits] = (rest & 0x7f) as u8 | if rest >= 0x80 { 0x80 } else { 0 };
            rest >>= 7;
            digits += 1;
        }
        out.splice(header..start, prefix.into_iter().take(digits));
    }
}

/// Where a cell that is not there would stand among those that begin at `first`.
pub(in crate::engine::entity) fn place_of_missing(packed: &[u8], first: usize, number: CellNumber) -> usize {
    let mut head = first;
    while head < packed.len() {
        let (known, place) = cell_at(packed, head);
        if known > number {
            break;
        }
        head = place.end as usize;
    }
    head
}

/// The states of the cells of one entity after another.
#[derive(Debug)]
pub(super) struct CellStates {
    /// The number of the present entity. What another one had counts as empty, so that nothing has to be cleared.
    entity: u32,
    /// By number, with the entity whose cell it is.
    states: Vec<(u32, CellState)>,
}

impl CellStates {
    pub(super) fn new(cells: usize) -> Self {
        CellStates { entity: 1, states: vec![(0, CellState::Changed); cells] }
    }

    pub(super) fn len(&self) -> usize {
        self.states.len()
    }

    /// Begins with another entity: all cells are empty.
    pub(super) fn begin(&mut self) {
        self.entity = self.entity.wrapping_add(1);
        if self.entity == 0 {
            self.states.fill((0, CellState::Changed));
            self.entity = 1;
        }
    }

    /// `None` for an empty cell.
    pub(super) fn get(&self, number: CellNumber) -> Option<CellState> {
        let (entity, state) = self.states[usize::from(number.0)];
        (entity == self.entity).then_some(state)
    }

    /// Whether there is a cell with this number.
    pub(super) fn set(&mut self, number: CellNumber, state: CellState) -> bool {
        let Some(known) = self.states.get_mut(usize::from(number.0)) else { return false };
        *known = (self.entity, state);
        true
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
