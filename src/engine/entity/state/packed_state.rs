//! An entity's bytes: what comes before the cells, and cells replaced without unpacking the entity.

use std::ops::Range;

use super::cell::{CellNumber, CellPlace, cell_at, put_cell};
use super::lifespan::Lifespan;
use super::tag_state::{TagState, find_state};
use crate::catalog::TagId;
use crate::engine::encoding::ByteReader;
use crate::engine::program::{Program, SeriesId};
use crate::model::Timestamp;

/// What comes before the cells in packed bytes.
pub(super) struct StateHead {
    pub key: Range<usize>,
    pub seq: u64,
    pub lifespan: Lifespan,
    /// Up to here, with the time of the first event, it is as it is until an earlier event comes or a tag changes.
    pub begins: usize,
    pub len: usize,
}

impl StateHead {
    pub(super) fn read(packed: &[u8]) -> Self {
        let mut reader = ByteReader::new(packed);
        let key_len = reader.unsigned() as usize;
        let key_start = packed.len() - reader.remaining();
        reader.take(key_len);
        let (seq, first_seen) = (reader.unsigned(), reader.timestamp());
        let begins = packed.len() - reader.remaining();
        let lifespan = Lifespan::read_since(first_seen, &mut reader);
        let len = packed.len() - reader.remaining();
        StateHead { key: key_start..key_start + key_len, seq, lifespan, begins, len }
    }
}

/// Writes an entity's bytes again, with an event noted and the cells of some series replaced.
#[derive(Debug)]
pub(crate) struct StateRewriter<'a> {
    packed: &'a [u8],
    out: &'a mut Vec<u8>,
    lifespan: Lifespan,
    /// The number of the first series' cell, of the first tag's, and of the cell with the states of all tags.
    first_series: usize,
    first_tag: usize,
    tag_states: usize,
    /// The cell that was looked for last, or where it would stand.
    found: (CellNumber, CellPlace),
    /// From here on the bytes have not been copied.
    copied_to: usize,
}

impl<'a> StateRewriter<'a> {
    /// Begins with an event at this time; `None` where it is the entity's earliest.
    pub(crate) fn begin(packed: &'a [u8], event: Timestamp, program: &Program, out: &'a mut Vec<u8>) -> Option<Self> {
        let StateHead { mut lifespan, begins, len, .. } = StateHead::read(packed);
        if lifespan.see(event) {
            return None;
        }
        out.clear();
        out.extend_from_slice(&packed[..begins]);
        lifespan.put_since(out);
        let found = (CellNumber(0), CellPlace::nothing_at(len as u32));
        let first_series = program.catalog.attributes.len();
        let first_tag = first_series + program.series.len();
        // Behind the tags are the remembered ids and the retired tags.
        let tag_states = first_tag + program.catalog.tags.len() + 2;
        Some(StateRewriter { packed, out, lifespan, first_series, first_tag, tag_states, found, copied_to: len })
    }

    /// The time of the last sign of the entity.
    pub(crate) fn silent_since(&self) -> Timestamp {
        self.lifespan.silent_since()
    }

    /// The content of a series' cell, empty where there is none. Series are looked for in the order of their numbers.
    pub(crate) fn series(&mut self, id: SeriesId) -> &'a [u8] {
        self.cell(CellNumber::of_series(id, self.first_series))
    }

    /// The state of a tag, once all series have been looked for. Its strings are appended to `text`.
    pub(crate) fn tag(&mut self, id: TagId, text: &mut String) -> TagState {
        let states = match self.found {
            (number, place) if usize::from(number.0) == self.tag_states => &self.packed[place.content()],
            _ => self.cell(CellNumber(self.tag_states as u16)),
        };
        find_state(states, self.first_tag as u16 + id.0, text)
    }

    fn cell(&mut self, number: CellNumber) -> &'a [u8] {
        let mut head = self.found.1.end as usize;
        while head < self.packed.len() {
            let (known, place) = cell_at(self.packed, head);
            if known == number {
                self.found = (number, place);
                return &self.packed[place.content()];
            }
            if known > number {
                break;
            }
            head = place.end as usize;
        }
        self.found = (number, CellPlace::nothing_at(head as u32));
        &[]
    }

    /// Replaces the content of the cell that was looked for last.
    pub(crate) fn replace(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let (number, place) = self.found;
        self.out.extend_from_slice(&self.packed[self.copied_to..place.head as usize]);
        put_cell(number, self.out, write);
        self.copied_to = place.end as usize;
    }

    /// Copies the rest.
    pub(crate) fn finish(self) {
        self.out.extend_from_slice(&self.packed[self.copied_to..]);
    }
}
