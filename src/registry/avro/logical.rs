//! Values of Avro's logical types as JSON.

use std::io::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::avro_type::Fraction;

const DAY_S: i64 = 86_400;
const NS_A_SECOND: i128 = 1_000_000_000;

impl Fraction {
    /// How many nanoseconds one of them has.
    fn ns(self) -> i128 {
        match self {
            Fraction::Milliseconds => 1_000_000,
            Fraction::Microseconds => 1_000,
            Fraction::Nanoseconds => 1,
        }
    }
}

/// An instant as RFC 3339 writes it, in UTC, or a local time without an offset; one outside of the years that it knows stays
/// a number.
pub(super) fn push_timestamp(count: i64, fraction: Fraction, is_local: bool, out: &mut Vec<u8>) {
    let written = match Timestamp::from_nanosecond(i128::from(count) * fraction.ns()) {
        Ok(at) if is_local => write!(out, "\"{}\"", at.to_zoned(TimeZone::UTC).datetime()),
        Ok(at) => write!(out, "\"{at}\""),
        Err(_) => write!(out, "{count}"),
    };
    debug_assert!(written.is_ok(), "a buffer takes everything");
}

/// A date `2026-03-01`; one outside of the years that are known stays a number.
pub(super) fn push_date(days: i32, out: &mut Vec<u8>) {
    let written = match Timestamp::from_second(i64::from(days) * DAY_S) {
        Ok(at) => write!(out, "\"{}\"", at.to_zoned(TimeZone::UTC).date()),
        Err(_) => write!(out, "{days}"),
    };
    debug_assert!(written.is_ok(), "a buffer takes everything");
}

/// A time of the day `08:30:00.250`; one outside of a day stays a number.
pub(super) fn push_time_of_day(count: i64, fraction: Fraction, out: &mut Vec<u8>) {
    let ns = i128::from(count) * fraction.ns();
    let written = if (0..i128::from(DAY_S) * NS_A_SECOND).contains(&ns) {
        let (seconds, rest) = (ns / NS_A_SECOND, ns % NS_A_SECOND);
        let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        let (rest, digits) = (rest / fraction.ns(), if fraction == Fraction::Milliseconds { 3 } else { 6 });
        write!(out, "\"{hours:02}:{minutes:02}:{seconds:02}.{rest:0digits$}\"")
    } else {
        write!(out, "{count}")
    };
    debug_assert!(written.is_ok(), "a buffer takes everything");
}

/// A UUID of 16 bytes.
pub(super) fn push_uuid(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        out.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    out.push(b'"');
}
