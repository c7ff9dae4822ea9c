//! Comparisons, arithmetic and tests of text, as the spec defines them for values.

use std::cmp::Ordering;

use xxhash_rust::xxh3::Xxh3;

use super::text_arena::TextArena;
use crate::catalog::{Arithmetic, AsciiCase, Comparison, Pattern, TextTest};
use crate::engine::aggregate::{Day, Zone};
use crate::model::{Decimal, Number, Scalar, Timestamp};

pub(super) fn compare(op: Comparison, left: f64, right: f64) -> bool {
    match op {
        Comparison::Equal => left == right,
        Comparison::NotEqual => left != right,
        Comparison::Less => left < right,
        Comparison::LessOrEqual => left <= right,
        Comparison::Greater => left > right,
        Comparison::GreaterOrEqual => left >= right,
    }
}

/// Whether a comparison holds where its sides are in this order.
pub(super) fn holds(op: Comparison, ordering: Ordering) -> bool {
    match op {
        Comparison::Equal => ordering.is_eq(),
        Comparison::NotEqual => ordering.is_ne(),
        Comparison::Less => ordering.is_lt(),
        Comparison::LessOrEqual => ordering.is_le(),
        Comparison::Greater => ordering.is_gt(),
        Comparison::GreaterOrEqual => ordering.is_ge(),
    }
}

/// Arithmetic (spec 9.1): exact on decimals where the operation allows it, else on doubles. Absent where the result is
/// too large.
pub(crate) fn calculate(op: Arithmetic, a: Number, b: Number) -> Scalar<'static> {
    if let (Number::Decimal(a), Number::Decimal(b)) = (a, b)
        && let Some(result) = calculate_decimals(op, a, b)
    {
        return result.map_or(Scalar::Absent, |decimal| Scalar::Number(Number::Decimal(decimal)));
    }
    Scalar::double(calculate_doubles(op, a.to_f64(), b.to_f64()))
}

/// `None` for an operation that works on doubles; within, `None` for a result that is too large.
pub(crate) fn calculate_decimals(op: Arithmetic, a: Decimal, b: Decimal) -> Option<Option<Decimal>> {
    Some(match op {
        Arithmetic::Add => a.plus(b),
        Arithmetic::Subtract => a.minus(b),
        Arithmetic::Scale => a.times_whole(b),
        Arithmetic::Min => Some(a.min(b)),
        Arithmetic::Max => Some(a.max(b)),
        Arithmetic::Multiply | Arithmetic::Divide | Arithmetic::Remainder => return None,
    })
}

fn calculate_doubles(op: Arithmetic, a: f64, b: f64) -> f64 {
    match op {
        Arithmetic::Add => a + b,
        Arithmetic::Subtract => a - b,
        Arithmetic::Multiply | Arithmetic::Scale => a * b,
        Arithmetic::Divide => a / b,
        Arithmetic::Remainder => a % b,
        Arithmetic::Min => a.min(b),
        Arithmetic::Max => a.max(b),
    }
}

/// `-x`: exact for a decimal, else in doubles.
pub(crate) fn negate(x: Number) -> Number {
    match x {
        Number::Decimal(decimal) => Number::Decimal(decimal.negated()),
        other => Number::Double(-other.to_f64()),
    }
}

/// `abs(x)`: exact for a decimal, else in doubles.
pub(crate) fn magnitude(x: Number) -> Number {
    match x {
        Number::Decimal(decimal) => Number::Decimal(decimal.magnitude()),
        other => Number::Double(other.to_f64().abs()),
    }
}

/// A decimal as the double nearest to it; other values as they are.
pub(crate) fn without_decimal(value: Scalar<'_>) -> Scalar<'_> {
    match value {
        Scalar::Number(Number::Decimal(decimal)) => Scalar::Number(Number::Double(decimal.to_f64())),
        other => other,
    }
}

/// A comparison: false where a value is absent, and between values of different types (spec 4.2).
///
/// A date is compared with a time by the instant at which it begins in the zone.
pub(crate) fn compare_values(op: Comparison, left: Scalar<'_>, right: Scalar<'_>, zone: &Zone) -> bool {
    let ordering = match (left, right) {
        (Scalar::Number(a), Scalar::Number(b)) => a.compare(b),
        (Scalar::String(a), Scalar::String(b)) => a.cmp(b),
        (Scalar::Time(a), Scalar::Time(b)) => a.cmp(&b),
        (Scalar::Date(a), Scalar::Date(b)) => a.cmp(&b),
        (Scalar::Date(a), Scalar::Time(b)) => zone.start(a.days()).cmp(&b),
        (Scalar::Time(a), Scalar::Date(b)) => a.cmp(&zone.start(b.days())),
        (Scalar::Bool(a), Scalar::Bool(b)) => {
            return match op {
                Comparison::Equal => a == b,
                Comparison::NotEqual => a != b,
                _ => false,
            };
        }
        _ => return false,
    };
    holds(op, ordering)
}

/// A test of strings: absent where one of the values is not a string.
pub(crate) fn test_text(test: TextTest, text: Scalar<'_>, part: Scalar<'_>) -> Scalar<'static> {
    let (Scalar::String(text), Scalar::String(part)) = (text, part) else {
        return Scalar::Absent;
    };
    Scalar::Bool(match test {
        TextTest::StartsWith => text.starts_with(part),
        TextTest::EndsWith => text.ends_with(part),
        TextTest::Contains => text.contains(part),
    })
}

/// A text with its letters a to z in one case; absent where the value is not a text.
pub(crate) fn fold_case<'a>(case: AsciiCase, text: Scalar<'a>, texts: &'a TextArena) -> Scalar<'a> {
    let Scalar::String(text) = text else {
        return Scalar::Absent;
    };
    let is_so = match case {
        AsciiCase::Lower => !text.bytes().any(|b| b.is_ascii_uppercase()),
        AsciiCase::Upper => !text.bytes().any(|b| b.is_ascii_lowercase()),
    };
    if is_so {
        return Scalar::String(text);
    }
    Scalar::String(texts.keep(match case {
        AsciiCase::Lower => text.to_ascii_lowercase(),
        AsciiCase::Upper => text.to_ascii_uppercase(),
    }))
}

/// Whether a pattern matches anywhere in a text; absent where the value is not a text.
pub(crate) fn match_text(text: Scalar<'_>, pattern: &Pattern) -> Scalar<'static> {
    match text {
        Scalar::String(text) => Scalar::Bool(pattern.is_match(text)),
        _ => Scalar::Absent,
    }
}

/// The number of a text's code points; absent where the value is not a text.
pub(crate) fn text_size(text: Scalar<'_>) -> Scalar<'static> {
    match text {
        Scalar::String(text) => Scalar::double(text.chars().count() as f64),
        _ => Scalar::Absent,
    }
}

/// `share(name)` of an entity (spec 9.4).
pub(super) fn share(name: &str, key: &str) -> f64 {
    /// The bits of a double's fraction.
    const BITS: u32 = 53;
    let mut hasher = Xxh3::new();
    hasher.update(name.as_bytes());
    hasher.update(&[0]);
    hasher.update(key.as_bytes());
    (hasher.digest() >> (u64::BITS - BITS)) as f64 / (1_u64 << BITS) as f64
}

/// A time, or the instant at which a date begins; `None` for all else.
pub(crate) fn instant(value: Scalar<'_>, zone: &Zone) -> Option<Timestamp> {
    match value {
        Scalar::Time(at) => Some(at),
        Scalar::Date(date) => Some(zone.start(date.days())),
        _ => None,
    }
}

/// A date, or the local date of a time; `None` for all else.
pub(crate) fn local_day(value: Scalar<'_>, zone: &Zone) -> Option<Day> {
    match value {
        Scalar::Time(at) => Some(zone.day(at)),
        Scalar::Date(date) => Some(date.days()),
        _ => None,
    }
}
