//! From JSON values to the values of an event: keys, numbers, properties.

use std::str::FromStr;

use super::json::{JsonType, RawValue, Scanner, text};
use crate::model::{Event, Property, Span};

/// The longest key and id, in bytes.
pub(super) const KEY_BYTES_MAX: usize = 256;

/// The key, if the value can be one.
pub(super) fn key(record: &str, raw: RawValue, event: &mut Event, scratch: &mut String) -> Option<Span> {
    let key = match raw.json_type() {
        JsonType::Plain | JsonType::Escaped => text(record, raw, scratch),
        JsonType::Number => {
            let digits = raw.of(record);
            let fits = |n: i128| i64::try_from(n).is_ok() || u64::try_from(n).is_ok();
            integer(digits).is_some_and(fits).then(|| unsigned_zero(digits))?
        }
        _ => return None,
    };
    let is_fine = !key.is_empty() && key.len() <= KEY_BYTES_MAX;
    is_fine.then(|| keep(key, raw, event))
}

pub(super) fn is_text(raw: RawValue, record: &str, expected: &str, scratch: &mut String) -> bool {
    matches!(raw.json_type(), JsonType::Plain | JsonType::Escaped) && text(record, raw, scratch) == expected
}

pub(super) fn is_integer(digits: &str) -> bool {
    !digits.bytes().any(|b| matches!(b, b'.' | b'e' | b'E'))
}

/// The value of a number without fraction and exponent, if it has no more digits than 64 bits can have, and the type can
/// hold it.
pub(super) fn integer<N: FromStr>(digits: &str) -> Option<N> {
    /// `-9223372036854775808` and `18446744073709551615`.
    const LEN_MAX: usize = 20;
    (digits.len() <= LEN_MAX && is_integer(digits)).then(|| digits.parse().ok()).flatten()
}

/// Zero has no sign as a key: `-0` and `0` are the same key.
pub(super) fn unsigned_zero(digits: &str) -> &str {
    if digits == "-0" { "0" } else { digits }
}

/// A property that is not an array.
pub(super) fn scalar(record: &str, raw: RawValue, event: &mut Event, scratch: &mut String) -> Property {
    match raw.json_type() {
        JsonType::Missing | JsonType::Array => Property::Missing,
        JsonType::Null => Property::Null,
        JsonType::False => Property::Bool(false),
        JsonType::True => Property::Bool(true),
        JsonType::Number => number(record, raw, event),
        JsonType::Plain | JsonType::Escaped => Property::String(keep(text(record, raw, scratch), raw, event)),
        JsonType::Object => Property::Object,
    }
}

fn number(record: &str, raw: RawValue, event: &mut Event) -> Property {
    let digits = raw.of(record);
    if let Some(integer) = integer(digits) {
        return Property::Integer(integer, event.piece(raw.start(), raw.end()));
    }
    match short_decimal(digits).map_or_else(|| digits.parse(), Ok) {
        Ok(double) if double.is_finite() => Property::Number(double, event.piece(raw.start(), raw.end())),
        _ => Property::Missing,
    }
}

/// The double of a number with at most 15 digits and no exponent.
///
/// Most numbers are so short. Then digits and power of ten are exact as doubles, and the division rounds only once.
fn short_decimal(text: &str) -> Option<f64> {
    const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    if unsigned.len() >= POWERS.len() {
        return None;
    }
    let (mut value, mut decimals, mut is_decimal) = (0_u64, 0, 0);
    for byte in unsigned.bytes() {
        match byte {
            b'0'..=b'9' => {
                value = value * 10 + u64::from(byte - b'0');
                decimals += is_decimal;
            }
            b'.' => is_decimal = 1,
            _ => return None,
        }
    }
    let double = value as f64 / POWERS[decimals];
    Some(if unsigned.len() < text.len() { -double } else { double })
}

/// The span of a string's text in the event: in the record itself, unless escapes had to be resolved. Then the text is
/// shorter, since every escape is longer than its character.
pub(super) fn keep(text: &str, raw: RawValue, event: &mut Event) -> Span {
    if text.len() == raw.end() - raw.start() { event.piece(raw.start(), raw.end()) } else { event.keep(text) }
}

/// A property.
pub(super) fn property(record: &str, raw: RawValue, event: &mut Event, scratch: &mut String) -> Property {
    match raw.json_type() {
        JsonType::Array => array(record, raw, event, scratch),
        _ => scalar(record, raw, event, scratch),
    }
}

/// The array at a wanted path: its elements, in order.
fn array(record: &str, raw: RawValue, event: &mut Event, scratch: &mut String) -> Property {
    let start = event.element_count();
    let mut scanner = Scanner::new(record, raw.start());
    // The record is known to be JSON, so an error can only mean the end.
    let mut more = scanner.open(0).is_ok() && !scanner.take(b']');
    while more {
        let raw = scanner.value(1).unwrap_or_default();
        let element = scalar(record, raw, event, scratch);
        event.push_element(element);
        more = scanner.another(b']').unwrap_or(false);
    }
    Property::Array { start, len: event.element_count() - start }
}
