//! Windows: the pane in which an instant lies, the panes that a window holds, and when a pane leaves it.

use super::zone::{Day, Zone, month, month_start, week, week_start, year, year_start};
use crate::catalog::{Aggregate, CalendarUnit, Resolution, Window};
use crate::model::Timestamp;

/// How time is cut into panes. Panes are numbered in the order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grid {
    /// Panes of this many milliseconds, from the epoch in UTC.
    Fixed(i64),
    /// One pane per local day, week, month or year.
    Local(CalendarUnit),
    /// One pane for all time.
    Whole,
}

/// A pane's number in its grid.
pub(crate) type Pane = i64;

/// How far back a window looks from the pane of the current instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// This many panes before the current one, and the current one.
    Back(u32),
    /// The panes of the current calendar period, on a grid of days.
    Period(CalendarUnit),
    Forever,
}

impl Reach {
    /// Whether panes kept for this reach include all that the other reach needs.
    pub fn covers(self, other: Reach) -> bool {
        match (self, other) {
            (Reach::Forever, _) => true,
            (Reach::Back(kept), Reach::Back(wanted)) => kept >= wanted,
            (kept, wanted) => kept == wanted,
        }
    }

    /// About how many panes it holds.
    pub fn width(self) -> u64 {
        match self {
            Reach::Back(panes) => u64::from(panes) + 1,
            Reach::Period(CalendarUnit::Day) => 1,
            Reach::Period(CalendarUnit::Week(_)) => 7,
            Reach::Period(CalendarUnit::Month) => 31,
            Reach::Period(CalendarUnit::Year) => 366,
            Reach::Forever => u64::MAX,
        }
    }
}

/// A window as the engine keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    pub grid: Grid,
    pub reach: Reach,
}

impl Frame {
    pub fn new(aggregate: Aggregate, window: Window) -> Self {
        let by_day = Grid::Local(CalendarUnit::Day);
        let (grid, reach) = match (aggregate, window) {
            (Aggregate::ActiveDays, Window::Rolling { panes, .. }) => (by_day, Reach::Back(panes.saturating_sub(1))),
            (Aggregate::ActiveDays, Window::Calendar(unit)) => (by_day, Reach::Period(unit)),
            (Aggregate::ActiveDays, Window::Lifetime) => (by_day, Reach::Forever),
            (_, Window::Lifetime) => (Grid::Whole, Reach::Forever),
            (_, Window::Rolling { panes, resolution }) => (Grid::of(resolution), Reach::Back(panes)),
            (_, Window::Calendar(unit)) => (Grid::Local(unit), Reach::Back(0)),
        };
        Frame { grid, reach }
    }

    /// Whether the window slides over panes; otherwise it holds a calendar period or everything.
    pub fn slides(self) -> bool {
        matches!((self.grid, self.reach), (Grid::Fixed(_), _) | (Grid::Local(_), Reach::Back(1..)))
    }
}

impl Grid {
    fn of(resolution: Resolution) -> Self {
        match resolution {
            Resolution::Second => Grid::Fixed(1_000),
            Resolution::Minute => Grid::Fixed(60_000),
            Resolution::Hour => Grid::Fixed(3_600_000),
            Resolution::Day => Grid::Local(CalendarUnit::Day),
        }
    }

    pub fn pane(self, at: Timestamp, zone: &Zone) -> Pane {
        let day = if matches!(self, Grid::Local(_)) { zone.day(at) } else { 0 };
        self.pane_on(at, day)
    }

    /// The pane of an instant whose local day is known.
    pub fn pane_on(self, at: Timestamp, day: Day) -> Pane {
        match self {
            Grid::Fixed(length_ms) => at.ms().div_euclid(length_ms),
            Grid::Local(unit) => period(unit, day),
            Grid::Whole => 0,
        }
    }

    /// The instant at which a pane begins.
    pub fn start(self, pane: Pane, zone: &Zone) -> Timestamp {
        match self {
            Grid::Fixed(length_ms) => Timestamp::from_ms(pane * length_ms),
            Grid::Local(unit) => zone.start(period_start(unit, pane)),
            Grid::Whole => Timestamp::FOREVER,
        }
    }
}

impl Frame {
    /// The oldest pane that still counts when the current instant lies in pane `present` of the grid.
    pub fn least(self, present: Pane) -> Pane {
        match self.reach {
            Reach::Back(panes) => present - Pane::from(panes),
            Reach::Period(unit) => period_start(unit, period(unit, present)),
            Reach::Forever => Pane::MIN,
        }
    }

    /// The first instant at which a pane no longer counts.
    pub fn leaves(self, pane: Pane, zone: &Zone) -> Timestamp {
        match self.reach {
            Reach::Back(panes) => self.grid.start(pane + Pane::from(panes) + 1, zone),
            Reach::Period(unit) => zone.start(period_start(unit, period(unit, pane) + 1)),
            Reach::Forever => Timestamp::FOREVER,
        }
    }
}

fn period(unit: CalendarUnit, day: Day) -> i64 {
    match unit {
        CalendarUnit::Day => day,
        CalendarUnit::Week(starts) => week(day, starts),
        CalendarUnit::Month => month(day),
        CalendarUnit::Year => year(day),
    }
}

fn period_start(unit: CalendarUnit, period: i64) -> Day {
    match unit {
        CalendarUnit::Day => period,
        CalendarUnit::Week(starts) => week_start(period, starts),
        CalendarUnit::Month => month_start(period),
        CalendarUnit::Year => year_start(period),
    }
}
