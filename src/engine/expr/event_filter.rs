//! `where`: expressions over one event, and the values that counters and attributes take from it.

use super::event_part::EventPart;
use super::ops::{
    calculate, compare_values, fold_case, instant, magnitude, match_text, negate, test_text, text_size, without_decimal,
};
use super::text_arena::TextArena;
use crate::catalog::{Catalog, Comparison, Expr, FormulaId, Source, TimeName, WallClockPart};
use crate::engine::aggregate::Zone;
use crate::model::{DAY_MS, HOUR_MS, Number, Property, Scalar, Timestamp, civil_from_days};

/// Whether an event passes a `where`.
pub(crate) fn passes<'a>(filter: Option<&Expr>, event: impl Into<EventPart<'a>>, zone: &Zone) -> bool {
    filter.is_none_or(|filter| event_value(filter, event, zone, |value| value.holds()))
}

/// Passes on the value that an expression has over an event; a text that it makes lives no longer.
pub(crate) fn event_value<'a, R>(
    expr: &Expr,
    event: impl Into<EventPart<'a>>,
    zone: &Zone,
    look: impl FnOnce(Scalar<'_>) -> R,
) -> R {
    look(value(expr, EventView { event: event.into(), zone, texts: &TextArena::default() }))
}

/// What an expression over an event sees.
#[derive(Clone, Copy)]
struct EventView<'a> {
    event: EventPart<'a>,
    /// The catalog's time zone.
    zone: &'a Zone,
    texts: &'a TextArena,
}

fn value<'a>(expr: &'a Expr, view: EventView<'a>) -> Scalar<'a> {
    let EventView { event, zone, texts } = view;
    match expr {
        Expr::Literal(literal) => literal.as_scalar(),
        Expr::Property(path) => scalar(event.property(*path), event),
        Expr::Item(path) => scalar(event.item(*path), event),
        Expr::EventType => Scalar::String(event.type_name()),
        Expr::Time(name) => time(*name, event),
        Expr::Between { unit, from, to } => {
            match (instant(time(*from, event), zone), instant(time(*to, event), zone)) {
                (Some(from), Some(to)) => Scalar::double(to.since(from) as f64 / unit.ms() as f64),
                _ => Scalar::Absent,
            }
        }
        Expr::WallClock(part) => Scalar::double(wall_clock(*part, event.time(), zone) as f64),
        Expr::Negate(x) => wanted_number(value(x, view), event).map_or(Scalar::Absent, |n| Scalar::Number(negate(n))),
        Expr::Abs(x) => wanted_number(value(x, view), event).map_or(Scalar::Absent, |n| Scalar::Number(magnitude(n))),
        Expr::ToDouble(x) => without_decimal(value(x, view)),
        Expr::Arithmetic(op, sides) => {
            let side = |side: &'a Expr| wanted_number(value(side, view), event);
            match (side(&sides[0]), side(&sides[1])) {
                (Some(a), Some(b)) => calculate(*op, a, b),
                _ => Scalar::Absent,
            }
        }
        Expr::Compare { op, sides, .. } => {
            Scalar::Bool(compare_in_event(*op, value(&sides[0], view), value(&sides[1], view), view))
        }
        Expr::And(sides) => Scalar::Bool(sides.iter().all(|side| value(side, view).holds())),
        Expr::Or(sides) => Scalar::Bool(sides.iter().any(|side| value(side, view).holds())),
        Expr::Not(x) => Scalar::Bool(!value(x, view).holds()),
        Expr::Conditional(parts) => {
            let taken = if value(&parts[0], view).holds() { &parts[1] } else { &parts[2] };
            value(taken, view)
        }
        Expr::In(x, list) => {
            let needle = value(x, view);
            Scalar::Bool(list.iter().any(|item| compare_in_event(Comparison::Equal, needle, value(item, view), view)))
        }
        Expr::Contains(x, of) => {
            let needle = value(x, view);
            let found = elements(event.at(*of), event)
                .iter()
                .any(|element| compare_in_event(Comparison::Equal, needle, scalar(*element, event), view));
            Scalar::Bool(found)
        }
        Expr::Has(x) => Scalar::Bool(match &**x {
            Expr::Property(path) => !matches!(event.property(*path), Property::Missing | Property::Null),
            Expr::Item(path) => !matches!(event.item(*path), Property::Missing | Property::Null),
            other => !value(other, view).is_absent(),
        }),
        Expr::Text(test, sides) => test_text(*test, value(&sides[0], view), value(&sides[1], view)),
        Expr::Case(case, x) => fold_case(*case, value(x, view), texts),
        Expr::Matches(x, pattern) => match_text(value(x, view), pattern),
        Expr::Size(x) => match &**x {
            Expr::Property(path) if let Property::Array { len, .. } = event.property(*path) => {
                Scalar::double(f64::from(len))
            }
            Expr::Item(path) if let Property::Array { len, .. } = event.item(*path) => Scalar::double(f64::from(len)),
            x => text_size(value(x, view)),
        },
        // Only an entity has these.
        Expr::Attribute(_)
        | Expr::Counter(_)
        | Expr::Tag(_)
        | Expr::Calendar(..)
        | Expr::Since { .. }
        | Expr::Until { .. }
        | Expr::Share(_) => Scalar::Absent,
    }
}

fn time<'a>(name: TimeName, event: EventPart<'_>) -> Scalar<'a> {
    match name {
        TimeName::Event => Scalar::Time(event.time()),
        TimeName::Instant(at) => Scalar::Time(at),
        TimeName::Date(date) => Scalar::Date(date),
        TimeName::Attribute(_) | TimeName::Counter(_) | TimeName::FirstSeen | TimeName::LastSeen => Scalar::Absent,
    }
}

/// What the wall clock of the zone shows at an instant.
fn wall_clock(part: WallClockPart, at: Timestamp, zone: &Zone) -> i64 {
    let ms = zone.wall_clock_ms(at);
    let day = ms.div_euclid(DAY_MS);
    match part {
        WallClockPart::Hour => ms.rem_euclid(DAY_MS) / HOUR_MS,
        // 1970-01-01 was a Thursday.
        WallClockPart::Weekday => (day + 3).rem_euclid(7) + 1,
        WallClockPart::DayOfMonth => civil_from_days(day).2,
        WallClockPart::Month => civil_from_days(day).1,
    }
}

/// The result of an expression that an aggregate takes; `None` where it is absent.
pub(crate) fn computed_number(id: FormulaId, event: EventPart<'_>, catalog: &Catalog, zone: &Zone) -> Option<f64> {
    let formula = &catalog.formulas[usize::from(id.0)];
    event_value(formula, event, zone, |value| Some(wanted_number(value, event)?.to_f64()))
}

/// A value where a number is wanted.
fn wanted_number(value: Scalar<'_>, event: EventPart<'_>) -> Option<Number> {
    match value {
        Scalar::Number(number) => Some(number),
        Scalar::String(text) => event.number_in(text),
        _ => None,
    }
}

/// As [`compare_values`]; beside a number, a text that counts as one is a number.
fn compare_in_event(op: Comparison, left: Scalar<'_>, right: Scalar<'_>, view: EventView<'_>) -> bool {
    let EventView { event, zone, .. } = view;
    let wanted = |text: &str| event.number_in(text).map_or(Scalar::Absent, Scalar::Number);
    match (left, right) {
        (Scalar::String(text), Scalar::Number(_)) => compare_values(op, wanted(text), right, zone),
        (Scalar::Number(_), Scalar::String(text)) => compare_values(op, left, wanted(text), zone),
        _ => compare_values(op, left, right, zone),
    }
}

/// A property as a value; arrays and objects are absent.
pub(crate) fn scalar<'a>(property: Property, event: impl Into<EventPart<'a>>) -> Scalar<'a> {
    match property {
        Property::Bool(b) => Scalar::Bool(b),
        Property::Integer(integer, _) => Scalar::Number(Number::Integer(integer)),
        Property::Number(number, _) => Scalar::Number(Number::Double(number)),
        Property::String(span) => Scalar::String(event.into().text(span)),
        Property::Missing | Property::Null | Property::Array { .. } | Property::Object => Scalar::Absent,
    }
}

/// The elements of an array; of any other property, none.
pub(crate) fn elements(property: Property, event: EventPart<'_>) -> &[Property] {
    match property {
        Property::Array { start, len } => event.elements(start, len),
        _ => &[],
    }
}

/// The value that an event has at a source.
pub(crate) fn source<'a>(of: Source, event: impl Into<EventPart<'a>>) -> Scalar<'a> {
    let event = event.into();
    match of {
        Source::Property(_) | Source::Item(_) => scalar(event.at(of), event),
        Source::Time => Scalar::Time(event.time()),
        Source::EventType => Scalar::String(event.type_name()),
    }
}
