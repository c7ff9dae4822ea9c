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
    /// That many days before Monday.
    Week(i64),
    Month,
    Year,
}

/// How far before the present the window of a counter lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ago {
    pub panes: i64,
    pub length_ms: i64,
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
        /// With it the window has an upper bound, too.
        ago: Option<Ago>,
    },
    /// And that many periods before the present one.
    Calendar(Calendar, i64),
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
            Self::Week(earlier) => day - (day + 3 + earlier).rem_euclid(7), // day 0 was a Thursday
            Self::Month => day_of_civil(year, month, 1),
            Self::Year => day_of_civil(year, 1, 1),
        }
    }

    /// The first day of the period after that.
    fn next_first_day(self, day: i64) -> i64 {
        let (year, month, _) = civil_of_day(day);
        match self {
            Self::Day => day + 1,
            Self::Week(_) => self.first_day(day) + 7,
            Self::Month if month == 12 => day_of_civil(year + 1, 1, 1),
            Self::Month => day_of_civil(year, month + 1, 1),
            Self::Year => day_of_civil(year + 1, 1, 1),
        }
    }

    /// The first day of the period that comes so many periods after that of a day.
    fn later(self, day: i64, periods: i64) -> i64 {
        (0..periods).fold(self.first_day(day), |first, _| self.next_first_day(first))
    }

    /// The first day of the period that lies so many periods before that of a day.
    fn earlier(self, day: i64, periods: i64) -> i64 {
        (0..periods).fold(self.first_day(day), |first, _| self.first_day(first - 1))
    }
}

impl Window {
    /// The number of the slice or period that an instant lies in; windows compare only these.
    pub fn place(self, zone: &Zone, ms: i64) -> i64 {
        match self {
            Self::Lifetime => 0,
            Self::Rolling { resolution, .. } => resolution.pane(zone, ms),
            Self::Calendar(calendar, _) => calendar.first_day(zone.day(ms)),
        }
    }

    /// Whether at a clock in place `now` the window holds an event that is in place `event`.
    pub fn holds(self, event: i64, now: i64) -> bool {
        match self {
            Self::Lifetime => true,
            Self::Rolling { panes, ago: None, .. } => event >= now - panes,
            Self::Rolling { panes, ago: Some(ago), .. } => (now - panes - ago.panes..=now - ago.panes).contains(&event),
            Self::Calendar(calendar, periods) => event == calendar.earlier(now, periods),
        }
    }

    /// The first instant at which the window holds an event of that time, as far as its place goes.
    pub fn enters(self, zone: &Zone, ms: i64) -> i64 {
        match self {
            Self::Rolling { resolution, ago: Some(ago), .. } => {
                resolution.start(zone, resolution.pane(zone, ms) + ago.panes)
            }
            Self::Calendar(calendar, periods) if periods > 0 => {
                zone.start_of_day(calendar.later(zone.day(ms), periods))
            }
            _ => i64::MIN,
        }
    }

    /// The first instant at which the window no longer holds an event of that time.
    pub fn leaves(self, zone: &Zone, ms: i64) -> i64 {
        match self {
            Self::Lifetime => NEVER,
            Self::Rolling { resolution, panes, ago, .. } => {
                let all = panes + ago.map_or(0, |ago| ago.panes);
                resolution.start(zone, resolution.pane(zone, ms) + all + 1)
            }
            Self::Calendar(calendar, periods) => zone.start_of_day(calendar.later(zone.day(ms), periods + 1)),
        }
    }

    /// The instant from which a counter that was added at `added` has seen all that the window holds.
    pub fn complete(self, zone: &Zone, added: i64) -> i64 {
        match self {
            Self::Lifetime => NEVER,
            Self::Rolling { length_ms, ago, .. } => added + length_ms + ago.map_or(0, |ago| ago.length_ms),
            // A period that begins then has been seen whole.
            Self::Calendar(..) => self.leaves(zone, added - 1),
        }
    }

    /// The first instant that a window holds at a clock.
    pub fn begins(self, zone: &Zone, clock: i64) -> i64 {
        match self {
            Self::Lifetime => OLDEST_MS,
            Self::Rolling { resolution, panes, .. } => resolution.start(zone, resolution.pane(zone, clock) - panes),
            Self::Calendar(calendar, _) => zone.start_of_day(calendar.first_day(zone.day(clock))),
        }
    }

    /// The first instant whose events a counter with this window still keeps at a clock, those included that only a window
    /// some time ago holds.
    pub fn keeps_from(self, zone: &Zone, clock: i64) -> i64 {
        match self {
            Self::Lifetime => i64::MIN,
            Self::Rolling { resolution, panes, ago, .. } => {
                resolution.start(zone, resolution.pane(zone, clock) - panes - ago.map_or(0, |ago| ago.panes))
            }
            Self::Calendar(calendar, periods) => zone.start_of_day(calendar.earlier(zone.day(clock), periods)),
        }
    }

    /// Whether a counter with this window keeps at any time what the other window needs.
    pub fn covers(self, other: Self) -> bool {
        match (self, other) {
            (Self::Lifetime, _) => true,
            (Self::Rolling { panes, ago, .. }, Self::Rolling { panes: wanted, ago: back, .. }) => {
                let whole = |panes, ago: Option<Ago>| panes + ago.map_or(0, |ago| ago.panes);
                whole(panes, ago) >= whole(wanted, back)
            }
            (Self::Calendar(calendar, periods), Self::Calendar(same, wanted)) => calendar == same && periods >= wanted,
            _ => false,
        }
    }

    /// The first and the last local date that a window of whole days holds at a clock.
    pub fn dates(self, zone: &Zone, clock: i64) -> (i64, i64) {
        match self {
            Self::Lifetime => (zone.day(OLDEST_MS), i64::MAX),
            Self::Rolling { panes, ago, .. } => {
                let (today, back) = (zone.day(clock), ago.map_or(0, |ago| ago.panes));
                (today - back - panes, if ago.is_some() { today - back } else { i64::MAX })
            }
            Self::Calendar(calendar, periods) => {
                let first = calendar.earlier(zone.day(clock), periods);
                (first, calendar.next_first_day(first) - 1)
            }
        }
    }

    /// The first instant after the clock at which the window begins later than now.
    pub fn moves(self, zone: &Zone, clock: i64) -> i64 {
        match self {
            Self::Lifetime => NEVER,
            Self::Rolling { resolution, .. } => resolution.start(zone, resolution.pane(zone, clock) + 1),
            Self::Calendar(calendar, _) => zone.start_of_day(calendar.later(zone.day(clock), 1)),
        }
    }

    /// What "most recent" means for the window: its pane or, without panes, the time itself.
    pub fn recency(self, zone: &Zone, ms: i64) -> i64 {
        match self {
            Self::Rolling { .. } => self.place(zone, ms),
            Self::Lifetime | Self::Calendar(..) => ms,
        }
    }
}
