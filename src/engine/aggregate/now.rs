//! The instant of an evaluation, with its local day at hand.

use super::window::{Frame, Grid, LiveWindow, Pane};
use super::zone::{Day, Zone};
use crate::model::Timestamp;

/// The instant of an evaluation, with its local day at hand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub at: Timestamp,
    day: Day,
    day_ends: Timestamp,
}

impl Now {
    pub(crate) fn new(at: Timestamp, zone: &Zone) -> Self {
        let day = zone.day(at);
        Now { at, day, day_ends: zone.start(day + 1) }
    }

    /// Moves to a later instant.
    pub(crate) fn advance(&mut self, at: Timestamp, zone: &Zone) {
        if at >= self.day_ends {
            *self = Now::new(at, zone);
        }
        self.at = at;
    }

    /// The local date.
    pub(crate) fn day(&self) -> Day {
        self.day
    }

    pub(crate) fn pane(&self, grid: Grid) -> Pane {
        grid.pane_on(self.at, self.day)
    }

    /// The pane of an event's time, which is this instant most often.
    pub(crate) fn pane_of(&self, time: Timestamp, grid: Grid, zone: &Zone) -> Pane {
        if time == self.at { self.pane(grid) } else { grid.pane(time, zone) }
    }

    /// A window as it is now.
    pub(crate) fn window(&self, frame: Frame) -> LiveWindow {
        let present = self.pane(frame.grid);
        LiveWindow { frame, least: frame.least(present), greatest: frame.greatest(present) }
    }

    /// The oldest pane that counts now.
    pub(crate) fn least(&self, frame: Frame) -> Pane {
        frame.least(self.pane(frame.grid))
    }
}
