//! Windows: the pane in which an instant lies, the panes that a window holds, and when a pane leaves it.

use super::zone::{Day, Zone, month, month_start, week, week_start, year, year_start};
use crate::catalog::{Aggregate, CalendarUnit, Resolution, Window};
use crate::model::{HOUR_MS, Timestamp};

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
    /// The panes of this many calendar periods before the current one, and of the current one, on a grid of days.
    Period {
        unit: CalendarUnit,
        back: u32,
    },
    Forever,
}

impl Reach {
    /// Whether panes kept for this reach include all that the other reach needs.
    pub fn covers(self, other: Reach) -> bool {
        match (self, other) {
            (Reach::Forever, _) => true,
            (Reach::Back(kept), Reach::Back(wanted)) => kept >= wanted,
            (Reach::Period { unit, back }, Reach::Period { unit: same, back: wanted }) => {
                unit == same && back >= wanted
            }
            (kept, wanted) => kept == wanted,
        }
    }

    /// About how many panes it holds.
    pub fn width(self) -> u64 {
        match self {
            Reach::Back(panes) => u64::from(panes) + 1,
            Reach::Period { unit, back } => {
                let days = match unit {
                    CalendarUnit::Day => 1,
                    CalendarUnit::Week(_) => 7,
                    CalendarUnit::Month => 31,
                    CalendarUnit::Year => 366,
                };
                days * (u64::from(back) + 1)
            }
            Reach::Forever => u64::MAX,
        }
    }
}

/// A window as the engine keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    pub grid: Grid,
    pub reach: Reach,
    /// How many panes, or periods of [`Reach::Period`], the window lies before the current one; 0 for a window that ends
    /// with the current instant and has no upper bound.
    pub ago: u32,
}

impl Frame {
    pub fn new(aggregate: Aggregate, window: Window, ago: u32) -> Self {
        let by_day = Grid::Local(CalendarUnit::Day);
        let (grid, reach) = match (aggregate, window) {
            (Aggregate::ActiveDays, Window::Rolling { panes, .. }) => (by_day, Reach::Back(panes.saturating_sub(1))),
            (Aggregate::ActiveDays, Window::Calendar(unit)) => (by_day, Reach::Period { unit, back: 0 }),
            (Aggregate::ActiveDays, Window::Lifetime) => (by_day, Reach::Forever),
            (_, Window::Lifetime) => (Grid::Whole, Reach::Forever),
            (_, Window::Rolling { panes, resolution }) => (Grid::of(resolution), Reach::Back(panes)),
            (_, Window::Calendar(unit)) => (Grid::Local(unit), Reach::Back(0)),
        };
        Frame { grid, reach, ago }
    }

    /// What a series must keep for this window: all panes up to the current one.
    pub fn kept(self) -> Frame {
        let reach = match self.reach {
            Reach::Back(panes) => Reach::Back(panes + self.ago),
            Reach::Period { unit, back } => Reach::Period { unit, back: back + self.ago },
            Reach::Forever => Reach::Forever,
        };
        Frame { grid: self.grid, reach, ago: 0 }
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
            Resolution::Hour => Grid::Fixed(HOUR_MS),
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
            Reach::Back(panes) => present - Pane::from(panes) - Pane::from(self.ago),
            Reach::Period { unit, back } => {
                period_start(unit, period(unit, present) - i64::from(back) - i64::from(self.ago))
            }
            Reach::Forever => Pane::MIN,
        }
    }

    /// The newest pane that counts already.
    pub fn greatest(self, present: Pane) -> Pane {
        match self.reach {
            _ if self.ago == 0 => Pane::MAX,
            Reach::Back(_) => present - Pane::from(self.ago),
            Reach::Period { unit, .. } => period_start(unit, period(unit, present) - i64::from(self.ago) + 1) - 1,
            Reach::Forever => Pane::MAX,
        }
    }

    /// The first present pane in which a pane counts, for a window that lies some time ago.
    pub(crate) fn entry(self, pane: Pane) -> Pane {
        match self.reach {
            Reach::Period { unit, .. } => period_start(unit, period(unit, pane) + i64::from(self.ago)),
            Reach::Back(_) | Reach::Forever => pane + Pane::from(self.ago),
        }
    }

    /// The first present pane in which a pane no longer counts; `None` for never.
    pub(crate) fn exit(self, pane: Pane) -> Option<Pane> {
        match self.reach {
            Reach::Back(panes) => Some(pane + Pane::from(panes) + Pane::from(self.ago) + 1),
            Reach::Period { unit, back } => {
                Some(period_start(unit, period(unit, pane) + i64::from(back) + i64::from(self.ago) + 1))
            }
            Reach::Forever => None,
        }
    }

    /// The first instant at which a pane no longer counts.
    pub fn leaves(self, pane: Pane, zone: &Zone) -> Timestamp {
        self.exit(pane).map_or(Timestamp::FOREVER, |exit| self.grid.start(exit, zone))
    }
}

/// A window at an instant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LiveWindow {
    pub frame: Frame,
    /// The oldest pane that still counts.
    pub least: Pane,
    /// The newest pane that counts already.
    pub greatest: Pane,
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
