//! The calendar functions `dates_since`, `dates_until`, `years_since`, `dates_to_anniversary` as whole numbers of local
//! days: their values, and the day on which a comparison with a number turns.
//!
//! They move only at local midnights, so all here is computed on days; the zone turns a day into an instant.

use super::ops::compare;
use crate::catalog::{CalendarFunction, Comparison};
use crate::engine::aggregate::Day;
use crate::model::{civil_from_days, days_from_civil, days_in_month};

/// Bounds beyond this many days or years are never reached.
const FAR: f64 = 1e7;

/// The most days from one anniversary to the next, that one excluded.
const SPAN_MAX: Day = 365;

/// Anniversaries are 365 or 366 days apart, and among this many in a row there are both.
const SPANS_LOOKED_AT: usize = 10;

/// The value on a local day.
pub(crate) fn value(function: CalendarFunction, of: Day, today: Day) -> i64 {
    match function {
        CalendarFunction::DatesSince => today - of,
        CalendarFunction::DatesUntil => of - today,
        CalendarFunction::YearsSince => {
            let year = civil_from_days(today).0;
            year - civil_from_days(of).0 - i64::from(today < anniversary(of, year))
        }
        CalendarFunction::DatesToAnniversary => next_anniversary(of, today) - today,
    }
}

/// The first day after `today` with another value.
pub(super) fn next_step(function: CalendarFunction, of: Day, today: Day) -> Day {
    match function {
        CalendarFunction::YearsSince => next_anniversary(of, today + 1),
        _ => today + 1,
    }
}

/// The least and the greatest value from one day to another, or bounds of them.
pub(crate) fn over(function: CalendarFunction, of: Day, first: Day, last: Day) -> (i64, i64) {
    let (at_first, at_last) = (value(function, of, first), value(function, of, last));
    match function {
        CalendarFunction::DatesSince | CalendarFunction::YearsSince => (at_first, at_last),
        CalendarFunction::DatesUntil => (at_last, at_first),
        CalendarFunction::DatesToAnniversary if first + at_first == last + at_last => (at_last, at_first),
        CalendarFunction::DatesToAnniversary => (0, SPAN_MAX),
    }
}

/// The least and the greatest value on a day for all dates from one to another, or bounds of them.
pub(crate) fn of_dates(function: CalendarFunction, (first, last): (Day, Day), today: Day) -> (i64, i64) {
    let (of_first, of_last) = (value(function, first, today), value(function, last, today));
    match function {
        CalendarFunction::DatesSince | CalendarFunction::YearsSince => (of_last, of_first),
        CalendarFunction::DatesUntil => (of_first, of_last),
        // Later dates are farther ahead, until the anniversary is today.
        CalendarFunction::DatesToAnniversary if last - first < SPAN_MAX && of_first <= of_last => (of_first, of_last),
        CalendarFunction::DatesToAnniversary => (0, SPAN_MAX),
    }
}

/// The first day after `today` on which a comparison with `bound` has another result; `None` for never.
pub(super) fn turns(function: CalendarFunction, of: Day, op: Comparison, bound: f64, today: Day) -> Option<Day> {
    if bound.abs() > FAR {
        return None;
    }
    let holds = compare(op, value(function, of, today) as f64, bound);
    // The number that is looked for: the first on the way at which the comparison has another result.
    let rising = |from: i64| {
        let near = [bound.ceil() as i64, bound.floor() as i64 + 1, from];
        near.into_iter().filter(|n| *n >= from && compare(op, *n as f64, bound) != holds).min()
    };
    let falling = |from: i64| {
        let near = [bound.floor() as i64, bound.ceil() as i64 - 1, from];
        near.into_iter().filter(|n| *n <= from && compare(op, *n as f64, bound) != holds).max()
    };
    match function {
        CalendarFunction::DatesSince => rising(today + 1 - of).map(|number| of + number),
        CalendarFunction::DatesUntil => falling(of - today - 1).map(|number| of - number),
        CalendarFunction::YearsSince => {
            let years = rising(value(function, of, today) + 1)?;
            Some(anniversary(of, civil_from_days(of).0 + years))
        }
        CalendarFunction::DatesToAnniversary => {
            let mut from = today + 1;
            for _ in 0..SPANS_LOOKED_AT {
                let next = next_anniversary(of, from);
                if let Some(number) = falling(next - from).filter(|number| *number >= 0) {
                    return Some(next - number);
                }
                from = next + 1;
            }
            None
        }
    }
}

/// The day in a year that has the month and day of a date; 29 February is kept on 28 February in common years.
fn anniversary(of: Day, year: i64) -> Day {
    let (_, month, day) = civil_from_days(of);
    days_from_civil(year, month, day.min(days_in_month(year, month)))
}

/// The first anniversary that is not before a day.
fn next_anniversary(of: Day, from: Day) -> Day {
    let year = civil_from_days(from).0;
    let this_year = anniversary(of, year);
    if this_year >= from { this_year } else { anniversary(of, year + 1) }
}
