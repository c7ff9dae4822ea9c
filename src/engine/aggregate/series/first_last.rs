//! The first and the last value: what `first` and `last` show.

use super::panes::Panes;
use crate::engine::aggregate::Pane;
use crate::engine::encoding::{ByteReader, StoredValue, put_signed, put_timestamp, put_value};
use crate::model::{Scalar, Timestamp};

/// The latest event's value; of events with equal times, the one that arrived last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latest {
    event: Option<(Timestamp, StoredValue)>,
    pane: Pane,
    text: String,
}

impl Latest {
    pub(crate) fn clear(&mut self) {
        self.event = None;
        self.text.clear();
    }

    /// The time of the event, in the window or not.
    pub(crate) fn event_time(&self) -> Option<Timestamp> {
        self.event.map(|(time, _)| time)
    }

    pub(crate) fn add(&mut self, time: Timestamp, pane: Pane, value: Scalar<'_>) -> bool {
        if self.event.is_some_and(|(latest, _)| time < latest) {
            return false;
        }
        self.text.clear();
        self.event = Some((time, StoredValue::new(value, &mut self.text)));
        self.pane = pane;
        true
    }

    pub(crate) fn prune(&mut self, least: Pane) -> bool {
        let expired = self.event.is_some() && self.pane < least;
        if expired {
            self.clear();
        }
        expired
    }

    /// The value, and the pane with which it leaves the window.
    pub(crate) fn get(&self, least: Pane) -> Option<(Pane, Scalar<'_>)> {
        let (_, value) = self.event?;
        (self.pane >= least).then(|| (self.pane, value.get(&self.text)))
    }

    /// The time of the event.
    pub(crate) fn time(&self, least: Pane) -> Option<Timestamp> {
        let (time, _) = self.event?;
        (self.pane >= least).then_some(time)
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let Some((time, value)) = self.event else {
            return;
        };
        put_timestamp(out, time);
        // A series of times needs no value beside the time.
        if value != StoredValue::Time(time) {
            put_value(out, value, &self.text);
        }
    }

    pub(crate) fn decode(&mut self, reader: &mut ByteReader<'_>, pane_of: impl Fn(Timestamp) -> Pane) {
        self.clear();
        if reader.is_empty() {
            return;
        }
        let time = reader.timestamp();
        let value = if reader.is_empty() { StoredValue::Time(time) } else { reader.value(&mut self.text) };
        self.event = Some((time, value));
        self.pane = pane_of(time);
    }
}

/// The time of the latest event, in the cell of a series of times; `None` for an empty cell.
pub(crate) fn packed_latest(cell: &[u8]) -> Option<Timestamp> {
    (!cell.is_empty()).then(|| ByteReader::new(cell).timestamp())
}

/// Appends the content of such a cell, as [`Latest::encode`] does.
pub(crate) fn put_latest(time: Timestamp, out: &mut Vec<u8>) {
    put_timestamp(out, time);
}

/// The earliest event of one pane.
#[derive(Clone, Copy, Debug)]
struct PaneFirst {
    time: Timestamp,
    value: StoredValue,
}

/// The earliest event's value of every pane; of events with equal times, the one that arrived first.
///
/// When the oldest pane leaves, the first event of the next one becomes the first of the window, so each pane keeps its
/// own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Earliest {
    panes: Panes<PaneFirst>,
    text: String,
}

impl Earliest {
    pub(crate) fn clear(&mut self) {
        self.panes.clear();
        self.text.clear();
    }

    pub(crate) fn add(&mut self, time: Timestamp, pane: Pane, value: Scalar<'_>) -> bool {
        let (opening, is_new) = self.panes.entry(pane, PaneFirst { time, value: StoredValue::Absent });
        let earlier = is_new || time < opening.time;
        if earlier {
            *opening = PaneFirst { time, value: StoredValue::new(value, &mut self.text) };
        }
        earlier
    }

    pub(crate) fn prune(&mut self, least: Pane) -> bool {
        self.panes.prune(least)
    }

    /// The value, and the pane with which it leaves the window.
    pub(crate) fn get(&self, least: Pane) -> Option<(Pane, Scalar<'_>)> {
        let (pane, opening) = self.panes.from(least).first()?;
        Some((*pane, opening.value.get(&self.text)))
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        for (pane, opening) in self.panes.from(Pane::MIN) {
            put_signed(out, *pane);
            put_timestamp(out, opening.time);
            put_value(out, opening.value, &self.text);
        }
    }

    pub(crate) fn decode(&mut self, reader: &mut ByteReader<'_>) {
        self.clear();
        while !reader.is_empty() {
            let pane = reader.signed();
            let time = reader.timestamp();
            let value = reader.value(&mut self.text);
            self.panes.entry(pane, PaneFirst { time, value });
        }
    }
}
