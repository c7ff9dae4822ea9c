//! `where`: expressions over one event, and the values that counters and attributes take from it.

use super::ops::{calculate, compare_values, test_text};
use crate::catalog::{Comparison, Expr, Source, TimeName};
use crate::model::{Event, Property, Scalar};

/// Whether an event passes a `where`.
pub(crate) fn passes(filter: Option<&Expr>, event: &Event) -> bool {
    filter.is_none_or(|filter| value(filter, event).holds())
}

fn value<'a>(expr: &'a Expr, event: &'a Event) -> Scalar<'a> {
    match expr {
        Expr::Literal(literal) => literal.as_scalar(),
        Expr::Property(path) => scalar(event.property(*path), event),
        Expr::EventType => Scalar::String(event.type_name()),
        Expr::Time(TimeName::Event) => Scalar::Time(event.time),
        Expr::Between { .. } => Scalar::Number(0.0),
        Expr::Negate(x) => number(value(x, event), |n| -n),
        Expr::Abs(x) => number(value(x, event), f64::abs),
        Expr::Arithmetic(op, sides) => match (value(&sides[0], event), value(&sides[1], event)) {
            (Scalar::Number(a), Scalar::Number(b)) => calculate(*op, a, b),
            _ => Scalar::Absent,
        },
        Expr::Compare { op, sides, .. } => {
            Scalar::Bool(compare_values(*op, value(&sides[0], event), value(&sides[1], event)))
        }
        Expr::And(sides) => Scalar::Bool(sides.iter().all(|side| value(side, event).holds())),
        Expr::Or(sides) => Scalar::Bool(sides.iter().any(|side| value(side, event).holds())),
        Expr::Not(x) => Scalar::Bool(!value(x, event).holds()),
        Expr::Conditional(parts) => {
            let taken = if value(&parts[0], event).holds() { &parts[1] } else { &parts[2] };
            value(taken, event)
        }
        Expr::In(x, list) => {
            let needle = value(x, event);
            Scalar::Bool(list.iter().any(|item| compare_values(Comparison::Equal, needle, value(item, event))))
        }
        Expr::Contains(x, path) => {
            let needle = value(x, event);
            let found = elements(event.property(*path), event)
                .iter()
                .any(|element| compare_values(Comparison::Equal, needle, scalar(*element, event)));
            Scalar::Bool(found)
        }
        Expr::Has(x) => Scalar::Bool(match &**x {
            Expr::Property(path) => !matches!(event.property(*path), Property::Missing | Property::Null),
            other => !value(other, event).is_absent(),
        }),
        Expr::Text(test, sides) => test_text(*test, value(&sides[0], event), value(&sides[1], event)),
        // Only an entity has these.
        Expr::Attribute(_)
        | Expr::Counter(_)
        | Expr::Tag(_)
        | Expr::Time(_)
        | Expr::Since { .. }
        | Expr::Until { .. } => Scalar::Absent,
    }
}

fn number(value: Scalar<'_>, apply: impl Fn(f64) -> f64) -> Scalar<'_> {
    match value {
        Scalar::Number(number) => Scalar::Number(apply(number)),
        _ => Scalar::Absent,
    }
}

/// A property as a value; arrays and objects are absent.
pub(crate) fn scalar(property: Property, event: &Event) -> Scalar<'_> {
    match property {
        Property::Bool(b) => Scalar::Bool(b),
        Property::Number(number, _) => Scalar::Number(number),
        Property::String(span) => Scalar::String(event.text(span)),
        Property::Missing | Property::Null | Property::Array { .. } | Property::Object => Scalar::Absent,
    }
}

/// The elements of an array; of any other property, none.
pub(crate) fn elements(property: Property, event: &Event) -> &[Property] {
    match property {
        Property::Array { start, len } => event.elements(start, len),
        _ => &[],
    }
}

/// The value that an event has at a source.
pub(crate) fn source(of: Source, event: &Event) -> Scalar<'_> {
    match of {
        Source::Property(path) => scalar(event.property(path), event),
        Source::Time => Scalar::Time(event.time),
        Source::EventType => Scalar::String(event.type_name()),
    }
}
