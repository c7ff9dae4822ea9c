//! What a counter's `where` says of the numbers that its aggregate takes: a sum over `properties.amount > 0` only grows.

use super::number_range::{greater_of, lesser_of};
use crate::catalog::{Aggregate, Comparison, Counter, Expr, NumberSource};
use crate::model::{Decimal, Number, Value};

/// Numbers beyond this do not count in `avg`, `min`, `max` and `sum` (spec 9.1).
const MAGNITUDE_MAX: i64 = 1_000_000_000_000_000;

/// Between which numbers the number of an event that counts lies, both ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct CountedRange {
    pub low: Number,
    pub high: Number,
}

impl CountedRange {
    /// Whatever counts.
    pub(super) const ALL: Self = CountedRange {
        low: Number::Decimal(Decimal::whole(-MAGNITUDE_MAX)),
        high: Number::Decimal(Decimal::whole(MAGNITUDE_MAX)),
    };

    /// Of a counter's events.
    pub(super) fn of(counter: &Counter) -> Self {
        let own = match counter.aggregate {
            Aggregate::Sum(of) | Aggregate::Avg(of) | Aggregate::Min(of) | Aggregate::Max(of) => of,
            _ => return Self::ALL,
        };
        counter.filter.as_ref().map_or(Self::ALL, |filter| Self::where_is(filter, own, true).both(Self::ALL))
    }

    /// Where a condition is true, or is not.
    fn where_is(condition: &Expr, own: NumberSource, holds: bool) -> Self {
        let sides = |sides: &[Expr; 2]| [0, 1].map(|side| Self::where_is(&sides[side], own, holds));
        match condition {
            Expr::Not(x) => Self::where_is(x, own, !holds),
            Expr::And(parts) | Expr::Or(parts) => {
                let [a, b] = sides(parts);
                let is_all = matches!(condition, Expr::And(_)) == holds;
                if is_all { a.both(b) } else { a.either(b) }
            }
            Expr::Compare { op, sides, .. } => match (&sides[0], &sides[1]) {
                (of, Expr::Literal(literal)) if is_number_of(of, own) => Self::compared(*op, literal, holds),
                (Expr::Literal(literal), of) if is_number_of(of, own) => Self::compared(op.mirrored(), literal, holds),
                _ => Self::ALL,
            },
            Expr::In(x, list) if holds && is_number_of(x, own) => {
                let items = list.iter().filter_map(|item| match item {
                    Expr::Literal(literal) => rounded(literal).map(|number| CountedRange { low: number, high: number }),
                    _ => Some(Self::ALL),
                });
                items.reduce(Self::either).unwrap_or(Self::ALL)
            }
            _ => Self::ALL,
        }
    }

    fn compared(op: Comparison, literal: &Value, holds: bool) -> Self {
        let Some(bound) = rounded(literal) else { return Self::ALL };
        let (up_to, from) = (CountedRange { high: bound, ..Self::ALL }, CountedRange { low: bound, ..Self::ALL });
        match (op, holds) {
            (Comparison::Equal, true) | (Comparison::NotEqual, false) => CountedRange { low: bound, high: bound },
            (Comparison::Equal, false) | (Comparison::NotEqual, true) => Self::ALL,
            (Comparison::Less | Comparison::LessOrEqual, true)
            | (Comparison::Greater | Comparison::GreaterOrEqual, false) => up_to,
            (Comparison::Less | Comparison::LessOrEqual, false)
            | (Comparison::Greater | Comparison::GreaterOrEqual, true) => from,
        }
    }

    fn both(self, other: Self) -> Self {
        CountedRange { low: greater_of(self.low, other.low), high: lesser_of(self.high, other.high) }
    }

    fn either(self, other: Self) -> Self {
        CountedRange { low: lesser_of(self.low, other.low), high: greater_of(self.high, other.high) }
    }
}

/// Whether a piece of a `where` is the path from which the aggregate takes its number.
fn is_number_of(expr: &Expr, own: NumberSource) -> bool {
    match *expr {
        Expr::Property(path) => own == NumberSource::Property(path),
        Expr::Item(path) => own == NumberSource::Item(path),
        _ => false,
    }
}

/// A literal that is a number, as aggregates round numbers.
fn rounded(literal: &Value) -> Option<Number> {
    match literal {
        Value::Number(Number::Double(number)) => Decimal::rounded(&number.to_string()).map(Number::Decimal),
        Value::Number(number) => Some(*number),
        _ => None,
    }
}
