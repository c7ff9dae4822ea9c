//! Local dates of a time zone that never go back, and the instants at which they begin.

use std::cell::RefCell;
use std::collections::HashMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::instant::DAY_MS;

/// How far back a clock that was put back can still matter.
const PUT_BACK_MS_MAX: i64 = 3 * DAY_MS;

/// One catalog's time zone.
pub struct Zone {
    rules: TimeZone,
    /// By day, its first instant: asking takes many steps, and the same days are asked for again and again.
    starts: RefCell<HashMap<i64, i64>>,
}

impl Zone {
    pub fn named(name: &str) -> Self {
        let rules = if name == "UTC" { TimeZone::UTC } else { TimeZone::get(name).expect("a time zone") };
        Self { rules, starts: RefCell::default() }
    }

    /// The number of the local date that clocks on the wall show.
    fn shown(&self, ms: i64) -> i64 {
        let offset_s = i64::from(self.rules.to_offset(instant(ms)).seconds());
        (ms + offset_s * 1000).div_euclid(DAY_MS)
    }

    /// The number of the local date: the greatest that any instant up to this one has had.
    ///
    /// Between two changes of the offset local time only grows, so the greatest is shown now or just before a change.
    pub fn day(&self, ms: i64) -> i64 {
        let changes = self.rules.preceding(instant(ms + 1)).map(|change| change.timestamp().as_millisecond());
        let recent = changes.take_while(|change| *change > ms - PUT_BACK_MS_MAX);
        recent.map(|change| self.shown(change - 1)).fold(self.shown(ms), i64::max)
    }

    /// What clocks on the wall show, in milliseconds since 1970 as they count.
    pub fn wall(&self, ms: i64) -> i64 {
        ms + i64::from(self.rules.to_offset(instant(ms)).seconds()) * 1000
    }

    /// The instant at which clocks on the wall show that: of two the earlier; where they never do, the instant at which
    /// they jump over it.
    pub fn at_wall(&self, wall: i64) -> i64 {
        let from = wall - 2 * DAY_MS;
        let changes = self.rules.following(instant(from)).map(|change| change.timestamp().as_millisecond());
        let mut changes: Vec<i64> = changes.take_while(|change| *change <= wall + 2 * DAY_MS).collect();
        changes.push(wall + 2 * DAY_MS);
        let mut begins = from;
        for ends in changes {
            // Until `ends` the offset is one.
            let found = begins + (wall - self.wall(begins)).max(0);
            if found < ends {
                return found;
            }
            begins = ends;
        }
        panic!("clocks never show {wall}")
    }

    /// The first instant whose date is that day or, where the zone skipped it, a later one.
    pub fn start_of_day(&self, day: i64) -> i64 {
        if let Some(start) = self.starts.borrow().get(&day) {
            return *start;
        }
        let (mut before, mut within) = ((day - 2) * DAY_MS, (day + 2) * DAY_MS);
        while within - before > 1 {
            let middle = before + (within - before) / 2;
            if self.day(middle) >= day { within = middle } else { before = middle }
        }
        self.starts.borrow_mut().insert(day, within);
        within
    }
}

fn instant(ms: i64) -> Timestamp {
    // The years -9999 to 9999, less some hours.
    let known = Timestamp::MIN.as_second() + 1..=Timestamp::MAX.as_second() - 1;
    let ms = ms.clamp(known.start() * 1000, known.end() * 1000);
    Timestamp::from_millisecond(ms).expect("an instant that jiff knows")
}
