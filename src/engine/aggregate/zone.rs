//! Local dates of a time zone as day numbers that never go back, and the instants at which they begin.

use jiff::tz::TimeZone;

use crate::catalog::WeekStart;
use crate::model::{Timestamp, civil_from_days, days_from_civil};

const DAY_MS: i64 = 86_400_000;

/// Transitions are tabulated up to this instant; later instants keep the last offset.
const TABLE_END: Timestamp = Timestamp::from_ms(32_503_680_000_000); // 3000-01-01

/// Days since 1970-01-01 of a local date.
pub(super) type Day = i64;

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
        // Events are not older than 1990, but a window of N days may reach back before that.
        let start = jiff::Timestamp::from_second(0).unwrap_or_default();
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
        let behind = self.periods.partition_point(|s| s.start_ms <= at.ms());
        let period = self.periods[behind - 1];
        (at.ms() + period.offset_ms).div_euclid(DAY_MS).max(period.day_before)
    }

    /// The first instant whose day is `day` or, where that date was skipped, a later one.
    pub fn start(&self, day: Day) -> Timestamp {
        // The last period that begins before the day was reached.
        let behind = self.periods.partition_point(|s| s.day_before < day);
        let period = self.periods[behind - 1];
        let midnight = day * DAY_MS - period.offset_ms;
        Timestamp::from_ms(midnight.max(period.start_ms))
    }
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
