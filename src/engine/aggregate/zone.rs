//! Local dates of a time zone as day numbers that never go back, and the instants at which they begin.

use jiff::tz::TimeZone;

use crate::catalog::WeekStart;
use crate::model::{DAY_MS, Timestamp, civil_from_days, days_from_civil};

/// Transitions are tabulated up to this instant, 3000-01-01. The rules of a zone repeat with the calendar, every 400
/// years, so later instants are looked up a number of cycles before.
const TABLE_END: Timestamp = Timestamp::from_ms(32_503_680_000_000);

/// 400 years of the calendar: whole weeks, too.
const CYCLE_DAYS: Day = 146_097;
const CYCLE_MS: i64 = CYCLE_DAYS * DAY_MS;

/// Days since 1970-01-01 of a local date.
pub(crate) type Day = i64;

/// A period with one offset from UTC.
#[derive(Clone, Copy, Debug)]
struct OffsetPeriod {
    start_ms: i64,
    offset_ms: i64,
    /// The greatest local date before this period.
    day_before: Day,
}

/// A time zone, laid out so that an instant's day and a day's first instant are one binary search each.
///
/// The day of an instant is the greatest local date of any instant up to it (spec 3): where clocks are set back across
/// midnight, the day does not go back with them.
#[derive(Clone, Debug)]
pub struct Zone {
    periods: Vec<OffsetPeriod>,
}

impl Zone {
    pub fn new(zone: &TimeZone) -> Self {
        let start = jiff::Timestamp::MIN;
        let mut periods =
            vec![OffsetPeriod { start_ms: i64::MIN, offset_ms: offset_ms(zone, start), day_before: Day::MIN }];
        for transition in zone.following(start) {
            let at = transition.timestamp();
            if at.as_millisecond() >= TABLE_END.ms() {
                break;
            }
            let offset = i64::from(transition.offset().seconds()) * 1_000;
            let last = periods[periods.len() - 1];
            if offset == last.offset_ms {
                continue;
            }
            let last_day = (at.as_millisecond() - 1 + last.offset_ms).div_euclid(DAY_MS);
            periods.push(OffsetPeriod {
                start_ms: at.as_millisecond(),
                offset_ms: offset,
                day_before: last.day_before.max(last_day),
            });
        }
        Zone { periods }
    }

    /// The local date of an instant.
    pub fn day(&self, at: Timestamp) -> Day {
        let cycles = cycles_after(at.ms(), TABLE_END.ms(), CYCLE_MS);
        let at_ms = at.ms() - cycles * CYCLE_MS;
        let period = self.period(at_ms);
        (at_ms + period.offset_ms).div_euclid(DAY_MS).max(period.day_before) + cycles * CYCLE_DAYS
    }

    /// The first instant whose day is `day` or, where that date was skipped, a later one.
    pub fn start(&self, day: Day) -> Timestamp {
        let cycles = cycles_after(day, TABLE_END.ms() / DAY_MS, CYCLE_DAYS);
        let day = day - cycles * CYCLE_DAYS;
        // The last period that begins before the day was reached.
        let behind = self.periods.partition_point(|s| s.day_before < day);
        let period = self.periods[behind - 1];
        let midnight = day * DAY_MS - period.offset_ms;
        Timestamp::from_ms(midnight.max(period.start_ms) + cycles * CYCLE_MS)
    }

    /// What the wall clock shows at an instant, in milliseconds since 1970-01-01 began on it.
    pub(crate) fn wall_clock_ms(&self, at: Timestamp) -> i64 {
        let cycles = cycles_after(at.ms(), TABLE_END.ms(), CYCLE_MS);
        at.ms() + self.period(at.ms() - cycles * CYCLE_MS).offset_ms
    }

    fn period(&self, at_ms: i64) -> OffsetPeriod {
        let behind = self.periods.partition_point(|s| s.start_ms <= at_ms);
        self.periods[behind - 1]
    }
}

/// The least number of cycles that, taken from a place at or after `end`, leads before it.
fn cycles_after(place: i64, end: i64, cycle: i64) -> i64 {
    if place < end { 0 } else { (place - end) / cycle + 1 }
}

fn offset_ms(zone: &TimeZone, at: jiff::Timestamp) -> i64 {
    i64::from(zone.to_offset(at).seconds()) * 1_000
}

/// Week 0 holds 1970-01-01, a Thursday.
pub(super) fn week(day: Day, starts: WeekStart) -> i64 {
    (day + days_into_week(starts)).div_euclid(7)
}

pub(super) fn week_start(week: i64, starts: WeekStart) -> Day {
    week * 7 - days_into_week(starts)
}

/// How many days of week 0 lie before 1970-01-01.
fn days_into_week(starts: WeekStart) -> Day {
    match starts {
        WeekStart::Monday => 3,
        WeekStart::Sunday => 4,
        WeekStart::Saturday => 5,
    }
}

/// Months since year 0.
pub(super) fn month(day: Day) -> i64 {
    let (year, month, _) = civil_from_days(day);
    year * 12 + month - 1
}

pub(super) fn month_start(month: i64) -> Day {
    days_from_civil(month.div_euclid(12), month.rem_euclid(12) + 1, 1)
}

pub(super) fn year(day: Day) -> i64 {
    civil_from_days(day).0
}

pub(super) fn year_start(year: i64) -> Day {
    days_from_civil(year, 1, 1)
}
