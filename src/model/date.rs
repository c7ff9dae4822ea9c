//! Dates of the calendar, as they are written: without a time and a zone.

use std::fmt;

use super::time::{civil_from_days, days_from_civil, days_in_month, four, two};

/// A date of the years 1 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i32);

impl Date {
    /// 0001-01-01
    pub const MIN: Date = Date(-719_162);
    /// 9999-12-31
    pub const MAX: Date = Date(2_932_896);

    /// From days since 1970-01-01; `None` in other years than 1 to 9999.
    pub fn from_days(days: i64) -> Option<Self> {
        let date = Date(i32::try_from(days).ok()?);
        (Date::MIN..=Date::MAX).contains(&date).then_some(date)
    }

    /// Days since 1970-01-01.
    pub fn days(self) -> i64 {
        i64::from(self.0)
    }

    /// Parses `YYYY-MM-DD`; `None` for all other texts, and for dates that the calendar does not have.
    pub fn parse(text: &str) -> Option<Self> {
        let &[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = text.as_bytes() else { return None };
        let (year, month, day) = (four(&[y0, y1, y2, y3])?, two(&[m0, m1])?, two(&[d0, d1])?);
        let exists = year >= 1 && (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
        if exists { Date::from_days(days_from_civil(year, month, day)) } else { None }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.days());
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}
