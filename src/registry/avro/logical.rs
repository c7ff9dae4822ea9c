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

/// The digits of a whole number of `10^-scale`, which is big-endian in two's complement.
pub(super) fn push_decimal(bytes: &[u8], scale: usize, out: &mut Vec<u8>) {
    let is_negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let digits = magnitude(bytes, is_negative);
    if is_negative {
        out.push(b'-');
    }
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    out.extend_from_slice(whole.as_bytes());
    if !fraction.is_empty() {
        out.push(b'.');
        out.extend_from_slice(fraction.as_bytes());
    }
}

/// The decimal digits of a number's magnitude.
fn magnitude(bytes: &[u8], is_negative: bool) -> String {
    if bytes.len() <= 16 {
        let sign = if is_negative { 0xff } else { 0 };
        let mut wide = [sign; 16];
        wide[16 - bytes.len()..].copy_from_slice(bytes);
        return i128::from_be_bytes(wide).unsigned_abs().to_string();
    }
    // Two's complement: all bits the other way, and one more.
    let mut rest: Vec<u8> = bytes.iter().map(|byte| if is_negative { !byte } else { *byte }).collect();
    if is_negative {
        for byte in rest.iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
    }
    /// Nine digits at a time.
    const GROUP: u64 = 1_000_000_000;
    let mut groups = Vec::new();
    while rest.iter().any(|byte| *byte != 0) {
        let mut remainder = 0;
        for byte in &mut rest {
            let value = remainder << 8 | u64::from(*byte);
            *byte = (value / GROUP) as u8;
            remainder = value % GROUP;
        }
        groups.push(remainder);
    }
    let mut digits = groups.pop().unwrap_or_default().to_string();
    digits.extend(groups.iter().rev().map(|group| format!("{group:09}")));
    digits
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
