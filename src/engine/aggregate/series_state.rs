//! A series with what it remembers: the content of one cell of an entity.

use super::memory::Memory;
use super::series::{Series, SeriesForm, SeriesType};
use super::window::{Frame, Pane};
use crate::catalog::Intake;
use crate::engine::encoding::ByteReader;
use crate::model::Timestamp;

/// What an entity keeps for one or several counters.
#[derive(Clone, Debug)]
pub(crate) struct SeriesState {
    pub memory: Memory,
    pub series: Series,
}

impl SeriesState {
    pub(crate) fn new(series_type: SeriesType, intake: &Intake, frame: Frame) -> Self {
        SeriesState { memory: Memory::new(intake), series: Series::new(series_type, frame) }
    }

    pub(crate) fn clear(&mut self) {
        self.memory.clear();
        self.series.clear();
    }

    /// Writes nothing where there is neither a pane nor anything to remember. `old` is the cell from which the series was
    /// decoded, if it was.
    pub(crate) fn encode(&self, old: &[u8], out: &mut Vec<u8>) {
        let before = out.len();
        self.memory.encode(out);
        let counted = out.len();
        self.series.encode(old, out);
        if out.len() == counted && self.memory.is_empty() {
            out.truncate(before);
        }
    }

    /// Replaces the content by what a cell holds.
    pub(crate) fn decode(&mut self, cell: &[u8], pane_of: impl Fn(Timestamp) -> Pane) {
        let reader = &mut ByteReader::new(cell);
        self.memory.decode(reader);
        self.series.decode(reader, pane_of);
    }

    /// As [`SeriesState::decode`], from what an earlier version wrote.
    pub(crate) fn decode_earlier(&mut self, cell: &[u8], form: SeriesForm) {
        let reader = &mut ByteReader::new(cell);
        self.memory.decode(reader);
        self.series.decode_earlier(reader, form);
    }
}
