//! Comparisons, arithmetic and tests of text, as the spec defines them for values.

use crate::catalog::{Arithmetic, Comparison, TextTest};
use crate::model::Scalar;

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

/// Arithmetic (spec 4): absent where no finite double holds the result.
pub(crate) fn calculate(op: Arithmetic, a: f64, b: f64) -> Scalar<'static> {
    Scalar::number(match op {
        Arithmetic::Add => a + b,
        Arithmetic::Subtract => a - b,
        Arithmetic::Multiply => a * b,
        Arithmetic::Divide => a / b,
        Arithmetic::Remainder => a % b,
        Arithmetic::Min => a.min(b),
        Arithmetic::Max => a.max(b),
    })
}

/// A comparison: false where a value is absent, and between values of different types (spec 4.2).
pub(crate) fn compare_values(op: Comparison, left: Scalar<'_>, right: Scalar<'_>) -> bool {
    let ordering = match (left, right) {
        (Scalar::Number(a), Scalar::Number(b)) => return compare(op, a, b),
        (Scalar::String(a), Scalar::String(b)) => a.cmp(b),
        (Scalar::Time(a), Scalar::Time(b)) => a.cmp(&b),
        (Scalar::Bool(a), Scalar::Bool(b)) => {
            return match op {
                Comparison::Equal => a == b,
                Comparison::NotEqual => a != b,
                _ => false,
            };
        }
        _ => return false,
    };
    match op {
        Comparison::Equal => ordering.is_eq(),
        Comparison::NotEqual => ordering.is_ne(),
        Comparison::Less => ordering.is_lt(),
        Comparison::LessOrEqual => ordering.is_le(),
        Comparison::Greater => ordering.is_gt(),
        Comparison::GreaterOrEqual => ordering.is_ge(),
    }
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
