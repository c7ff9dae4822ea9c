//! Which events a window holds, and the instant at which each leaves.

use super::input::OLDEST_MS;
use super::instant::{civil_of_day, day_of_civil};
use super::zone::Zone;

/// Later than any instant.
pub const NEVER: i64 = i64::MAX;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Resolution {
    /// Slices of this many milliseconds since 1970 in UTC.
    Fixed(i64),
    /// Local dates.
    LocalDay,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Calendar {
    Day,
    Week,
    Month,
    Year,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Window {
    Lifetime,
    /// The present pane and `panes` before it.
    Rolling {
        resolution: Resolution,
        panes: i64,
        /// As the catalog writes it.
        length_ms: i64,
    },
    Calendar(Calendar),
}

impl Resolution {
    fn pane(self, zone: &Zone, ms: i64) -> i64 {
        match self {
            Self::Fixed(length) => ms.div_euclid(length),
            Self::LocalDay => zone.day(ms),
        }
    }

    fn start(self, zone: &Zone, pane: i64) -> i64 {
        match self {
            Self::Fixed(length) => pane * length,
            Self::LocalDay => zone.start_of_day(pane),
        }
    }
}

impl Calendar {
    /// The first day of the period that a day lies in.
    fn first_day(self, day: i64) -> i64 {
        let (year, month, _) = civil_of_day(day);
        match self {
            Self::Day => day,
            Self::Week => day - (day + 3).rem_euclid(7), // day 0 was a Thursday
            Self::Month => day_of_civil(year, month, 1),
            Self::Year => day_of_civil(year, 1, 1),
        }
    }

    /// The first day of the period after that.
    fn next_first_day(self, day: i64) -> i64 {
        let (year, month, _) = civil_of_day(day);
        match self {
            Self::Day => day + 1,
            Self::Week => self.first_day(day) + 7,
            Self::Month if month == 12 => day_of_civil(year + 1, 1, 1),
            Self::Month => day_of_civil(year, month + 1, 1),
            Self::Year => day_of_civil(year + 1, 1, 1),
        }
    }
}

impl Window {
    /// The number of the slice or period that an instant lies in; windows compare only these.
    pub fn place(self, zone: &Zone, ms: i64) -> i64 {
        match self {
            Self::Lifetime => 0,
            Self::Rolling { resolution, .. } => resolution.pane(zone, ms),
            Self::Calendar(calendar) => calendar.first_day(zone.day(ms)),
        }
    }

    /// Whether at a clock in place `now` the window holds an event that is in place `event`.
    pub fn holds(self, event: i64, now: i64) -> bool {
        match self {
            Self::Lifetime => true,
            Self::Rolling { panes, .. } => event >= now - panes,
            Self::Calendar(_) => event == now,
        }
    }

    /// The first instant at which the window no longer holds an event of that time.
    pub fn leaves(self, zone: &Zone, ms: i64) -> i64 {
        match self {
            Self::Lifetime => NEVER,
            Self::Rolling { resolution, panes, .. } => resolution.start(zone, resolution.pane(zone, ms) + panes + 1),
            Self::Calendar(calendar) => zone.start_of_day(calendar.next_first_day(zone.day(ms))),
        }
    }

    /// The instant from which a counter that was added at `added` has seen all that the window holds.
    pub fn complete(self, zone: &Zone, added: i64) -> i64 {
        match self {
            Self::Lifetime => NEVER,
            Self::Rolling { length_ms, .. } => added + length_ms,
            // A period that begins then has been seen whole.
            Self::Calendar(_) => self.leaves(zone, added - 1),
        }
    }

    /// The first instant that a window holds at a clock.
    pub fn begins(self, zone: &Zone, clock: i64) -> i64 {
        match self {
            Self::Lifetime => OLDEST_MS,
            Self::Rolling { resolution, panes, .. } => resolution.start(zone, resolution.pane(zone, clock) - panes),
            Self::Calendar(calendar) => zone.start_of_day(calendar.first_day(zone.day(clock))),
        }
    }

    /// The first local date that a window of whole days holds at a clock.
    pub fn first_date(self, zone: &Zone, clock: i64) -> i64 {
        match self {
            Self::Lifetime => zone.day(OLDEST_MS),
            Self::Rolling { resolution, panes, .. } => resolution.pane(zone, clock) - panes,
            Self::Calendar(calendar) => calendar.first_day(zone.day(clock)),
        }
    }

    /// The first instant after the clock at which the window begins later than now.
    pub fn moves(self, zone: &Zone, clock: i64) -> i64 {
        match self {
            Self::Lifetime => NEVER,
            Self::Rolling { resolution, .. } => resolution.start(zone, resolution.pane(zone, clock) + 1),
            Self::Calendar(_) => self.leaves(zone, clock),
        }
    }

    /// What "most recent" means for the window: its pane or, without panes, the time itself.
    pub fn recency(self, zone: &Zone, ms: i64) -> i64 {
        match self {
            Self::Rolling { .. } => self.place(zone, ms),
            Self::Lifetime | Self::Calendar(_) => ms,
        }
    }
}
