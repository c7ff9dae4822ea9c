//! Instants in whole milliseconds, read and written as strict RFC 3339.

use std::fmt;

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The text is not an RFC 3339 instant with an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 timestamp with an offset, such as 2026-03-15T08:00:00Z")]
pub struct TimestampError;

/// The units in which `days_since`, `hours_until` and their like count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    Days,
    Hours,
    Minutes,
    Seconds,
}

impl Unit {
    pub fn ms(self) -> i64 {
        match self {
            Unit::Days => DAY_MS,
            Unit::Hours => HOUR_MS,
            Unit::Minutes => MINUTE_MS,
            Unit::Seconds => 1_000,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Unit::Days => "days",
            Unit::Hours => "hours",
            Unit::Minutes => "minutes",
            Unit::Seconds => "seconds",
        }
    }
}

pub(crate) const MINUTE_MS: i64 = 60_000;
pub(crate) const HOUR_MS: i64 = 60 * MINUTE_MS;
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;

impl Timestamp {
    /// Later than every instant that can be written; for a timer it means never.
    pub const FOREVER: Timestamp = Timestamp(i64::MAX);
    /// 0000-01-01T00:00:00.000Z, the first instant that RFC 3339 can write.
    pub const MIN: Timestamp = Timestamp(-62_167_219_200_000);
    /// 9999-12-31T23:59:59.999Z, the last instant that RFC 3339 can write.
    pub const MAX: Timestamp = Timestamp(253_402_300_799_999);
    /// 1990-01-01T00:00:00Z: events from before it are rejected as `too_old`.
    pub const OLDEST_EVENT: Timestamp = Timestamp(631_152_000_000);

    pub const fn from_ms(ms: i64) -> Self {
        Timestamp(ms)
    }

    pub const fn ms(self) -> i64 {
        self.0
    }

    /// This instant moved by `ms`, staying within what an `i64` holds.
    pub const fn plus(self, ms: i64) -> Self {
        Timestamp(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this instant.
    pub const fn since(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Whether RFC 3339 can write this instant in UTC: in years 0000 to 9999.
    pub fn is_writable(self) -> bool {
        (Timestamp::MIN..=Timestamp::MAX).contains(&self)
    }

    /// Whether this instant lies in the years 1 to 9999 in UTC: so do the times of attributes and constants.
    pub fn has_calendar_year(self) -> bool {
        /// 0001-01-01T00:00:00.000Z
        const FIRST: Timestamp = Timestamp(-62_135_596_800_000);
        (FIRST..=Timestamp::MAX).contains(&self)
    }

    /// Parses RFC 3339 with an offset; a space may replace the `T`; digits after the millisecond are cut off. The offset
    /// may lead to an instant that is not [writable](Timestamp::is_writable).
    ///
    /// # Errors
    /// Any other text, the second 60, and dates that do not exist.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let (local, rest) = date_and_time(text.as_bytes()).ok_or(TimestampError)?;
        offset(rest).map(|offset_ms| local.plus(-offset_ms)).ok_or(TimestampError)
    }
}

/// Days since 1970-01-01 of a proleptic Gregorian date. Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`]: (year, month, day).
pub(crate) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The number of days of a month.
pub(crate) fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Four decimal digits.
pub(super) fn four(b: &[u8; 4]) -> Option<i64> {
    Some(two(&[b[0], b[1]])? * 100 + two(&[b[2], b[3]])?)
}

/// Two decimal digits.
pub(super) fn two(b: &[u8; 2]) -> Option<i64> {
    let [tens, ones] = b.map(|digit| digit.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| i64::from(tens) * 10 + i64::from(ones))
}

/// A time as events may write it (spec 9.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrittenTime {
    Instant(Timestamp),
    /// Without an offset: what a wall clock shows, as if it were that of UTC.
    Local(Timestamp),
}

impl WrittenTime {
    /// As [`Timestamp::parse`], but the offset may also be `+hhmm` or `+hh`, or missing.
    pub fn parse(text: &str) -> Option<Self> {
        let (local, rest) = date_and_time(text.as_bytes())?;
        if rest.is_empty() {
            return Some(WrittenTime::Local(local));
        }
        let offset_ms = offset(rest).or_else(|| short_offset(rest))?;
        Some(WrittenTime::Instant(local.plus(-offset_ms)))
    }
}

/// The date and the time of day, as if in UTC, and what follows.
fn date_and_time(b: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (&[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, t, h0, h1, b':', n0, n1, b':', s0, s1], rest) =
        b.split_first_chunk::<19>()?
    else {
        return None;
    };
    if !matches!(t, b'T' | b't' | b' ') {
        return None;
    }
    let (year, month, day) = (four(&[y0, y1, y2, y3])?, two(&[m0, m1])?, two(&[d0, d1])?);
    let (hour, minute, second) = (two(&[h0, h1])?, two(&[n0, n1])?, two(&[s0, s1])?);
    let date_exists = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
    if !date_exists || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (ms, rest) = fraction(rest)?;
    let days = days_from_civil(year, month, day);
    let clock_ms = ((hour * 60 + minute) * 60 + second) * 1_000 + ms;
    Some((Timestamp(days * DAY_MS + clock_ms), rest))
}

/// An optional `.digits`: its milliseconds, rounded down, and the rest of the text.
fn fraction(b: &[u8]) -> Option<(i64, &[u8])> {
    if b.first() != Some(&b'.') {
        return Some((0, b));
    }
    let count = b[1..].iter().take_while(|c| c.is_ascii_digit()).count();
    if count == 0 {
        return None;
    }
    let mut ms = 0;
    for place in 0..3 {
        let digit = if place < count { i64::from(b[1 + place] - b'0') } else { 0 };
        ms = ms * 10 + digit;
    }
    Some((ms, &b[1 + count..]))
}

/// `+hhmm` or `+hh`, in milliseconds east of UTC.
fn short_offset(b: &[u8]) -> Option<i64> {
    match *b {
        [sign @ (b'+' | b'-'), h0, h1, m0, m1] => offset(&[sign, h0, h1, b':', m0, m1]),
        [sign @ (b'+' | b'-'), h0, h1] => offset(&[sign, h0, h1, b':', b'0', b'0']),
        _ => None,
    }
}

/// `Z` or `+hh:mm`, in milliseconds east of UTC.
fn offset(b: &[u8]) -> Option<i64> {
    let (sign, hours, minutes) = match *b {
        [b'Z' | b'z'] => return Some(0),
        [b'+', h0, h1, b':', m0, m1] => (1, two(&[h0, h1])?, two(&[m0, m1])?),
        [b'-', h0, h1, b':', m0, m1] => (-1, two(&[h0, h1])?, two(&[m0, m1])?),
        _ => return None,
    };
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes) * 60_000)
}

/// Writes a number below 10^N in N digits.
fn put_digits<const N: usize>(out: &mut [u8], mut number: i64) {
    for place in out[..N].iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// As in a tag change's `at`: RFC 3339 in UTC with milliseconds. Other years have a sign and at least six digits, as in
/// ECMAScript.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(self.text().bytes()).map_err(|_| fmt::Error)?)
    }
}

impl Timestamp {
    /// The bytes that [`fmt::Display`] writes.
    pub fn text(self) -> TimestampText {
        const CLOCK: &[u8; 20] = b"-00-00T00:00:00.000Z";
        let (year, month, day) = civil_from_days(self.0.div_euclid(DAY_MS));
        let ms = self.0.rem_euclid(DAY_MS);
        let mut text = [b'0'; TimestampText::LEN];
        let (before, clock) = text.split_at_mut(TimestampText::LEN - CLOCK.len());
        clock.copy_from_slice(CLOCK);
        put_digits::<2>(&mut clock[1..], month);
        put_digits::<2>(&mut clock[4..], day);
        put_digits::<2>(&mut clock[7..], ms / 3_600_000);
        put_digits::<2>(&mut clock[10..], ms / 60_000 % 60);
        put_digits::<2>(&mut clock[13..], ms / 1_000 % 60);
        put_digits::<3>(&mut clock[16..], ms % 1_000);
        if (0..=9999).contains(&year) {
            let begin = before.len() - 4;
            put_digits::<4>(&mut before[begin..], year);
            return TimestampText { text, begin };
        }
        let (mut rest, mut begin) = (year.unsigned_abs(), before.len());
        while rest > 0 || begin > before.len() - 6 {
            begin -= 1;
            before[begin] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        begin -= 1;
        before[begin] = if year < 0 { b'-' } else { b'+' };
        TimestampText { text, begin }
    }
}

/// A timestamp as text.
pub struct TimestampText {
    text: [u8; TimestampText::LEN],
    begin: usize,
}

impl TimestampText {
    const LEN: usize = 31;

    pub fn bytes(&self) -> &[u8] {
        &self.text[self.begin..]
    }
}
