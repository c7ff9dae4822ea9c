//! What a counter may be that has not seen its whole window: every value that the unseen events could still give it.

use std::collections::BTreeSet;

use super::catalog::{Aggregate, Counter, Operand};
use super::counter::{History, Taken};
use super::expression::{Comparison, Expression, Name};
use super::number::{COUNTED_MAX, Number};
use super::possible::{ENDLESS, Possible};
use super::range::{May, less, more};
use super::value::Value;
use super::window::{NEVER, Window};
use super::zone::Zone;

/// The numbers that an event's number may be, both ends included.
type Bounds = (Number, Number);

const COUNTED: Bounds = (Number::Decimal(-COUNTED_MAX), Number::Decimal(COUNTED_MAX));

impl Counter {
    /// The instant from which the counter has seen all that its window holds.
    fn complete(&self, zone: &Zone, history: &History, added: i64) -> i64 {
        if history.reset.is_some() { i64::MIN } else { self.window.complete(zone, added) }
    }

    /// All that the counter may be at a clock; `added` is the clock at which it was added, after which nothing was
    /// missed, or `None` where nothing ever was.
    pub fn possible(&self, zone: &Zone, history: &History, clock: i64, added: Option<i64>) -> Possible {
        let seen = self.value(zone, history, clock);
        let Some(added) = added.filter(|added| clock < self.complete(zone, history, *added)) else {
            return Possible::only(seen);
        };
        let held = self.held(zone, history, clock);
        let none = May::is(held.is_empty());
        let number = seen.number();
        let zero = Number::Decimal(0);
        let at_least = number.unwrap_or(zero);
        let (low, high) = self.bounds();
        match self.aggregate {
            Aggregate::Count => Possible::whole(at_least, ENDLESS),
            Aggregate::Sessions | Aggregate::Sequence => Possible::whole(zero, ENDLESS),
            Aggregate::Sum => Possible::numbers(
                if low < zero { ENDLESS.negated() } else { at_least },
                if high > zero { ENDLESS } else { at_least },
            ),
            Aggregate::Average => {
                let own = |end: Number| Number::Double(end.double());
                let (low, high) = (own(low), own(high));
                let (low, high) = number.map_or((low, high), |own| (less(own, low), more(own, high)));
                Possible::numbers(low, high).or_absent(none)
            }
            Aggregate::Least => {
                let most = number.unwrap_or(high);
                Possible::numbers(less(low, most), most).or_absent(none)
            }
            Aggregate::Greatest => {
                let least = number.unwrap_or(low);
                Possible::numbers(least, more(high, least)).or_absent(none)
            }
            Aggregate::Distinct => Possible::whole(at_least, Number::count(self.limit)),
            Aggregate::ActiveDays => {
                let more = self.days_without(zone, &held, clock, added);
                Possible::whole(Number::count(seen_days(&held)), Number::count(seen_days(&held) + more))
            }
            Aggregate::Top => Possible::any_text().or_absent(none),
            Aggregate::Last => {
                let begins = self.window.begins(zone, clock);
                let latest = held.iter().map(|one| one.time).max();
                let from = latest.map_or(begins, |latest| latest.max(begins));
                match latest {
                    Some(latest) if latest >= added => Possible::only(seen),
                    _ if from > added => Possible::only(seen),
                    _ if self.is_of_times() => Possible::times(from, added).or_absent(none),
                    _ => Possible::any_scalar().or_absent(none),
                }
            }
            Aggregate::First => {
                let begins = self.window.begins(zone, clock);
                let to = held.iter().map(|one| one.time).min().unwrap_or(added);
                match self.is_of_times() {
                    _ if begins > to => Possible::only(seen),
                    true => Possible::times(begins, to).or_absent(none),
                    false => Possible::any_scalar().or_absent(none),
                }
            }
        }
    }

    fn is_of_times(&self) -> bool {
        matches!(&self.operand, Operand::Path(Name::Fact(name)) if name == "time")
    }

    /// What `where` says of the numbers that the aggregate takes.
    fn bounds(&self) -> Bounds {
        match (&self.operand, &self.only) {
            (Operand::Path(path), Some(only)) => {
                let (low, high) = bounds(only, path, true);
                (more(low, COUNTED.0), less(high, COUNTED.1))
            }
            _ => COUNTED,
        }
    }

    /// How many local dates, up to that on which the counter was added, lie in the window and have no seen event.
    fn days_without(&self, zone: &Zone, held: &[&Taken], clock: i64, added: i64) -> usize {
        let (first, last) = self.window.dates(zone, clock);
        let last = last.min(zone.day(added));
        let seen: BTreeSet<i64> = held.iter().map(|one| one.local_date).filter(|date| *date <= last).collect();
        ((last - first + 1).max(0) as usize).saturating_sub(seen.len())
    }

    /// The first instant after the clock at which what may be unseen is less with no event.
    pub fn unseen_changes(&self, zone: &Zone, history: &History, clock: i64, added: Option<i64>) -> i64 {
        let complete = added.map(|added| self.complete(zone, history, added));
        let Some(complete) = complete.filter(|end| clock < *end) else { return NEVER };
        match (self.window, self.aggregate) {
            (Window::Rolling { .. }, Aggregate::ActiveDays | Aggregate::Last | Aggregate::First)
            | (Window::Calendar(..), Aggregate::ActiveDays) => complete.min(self.window.moves(zone, clock)),
            _ => complete,
        }
    }
}

fn seen_days(held: &[&Taken]) -> usize {
    held.iter().map(|one| one.local_date).collect::<BTreeSet<_>>().len()
}

/// Between what the number at the path lies where the condition gives that answer.
fn bounds(condition: &Expression, path: &Name, answer: bool) -> Bounds {
    let all = COUNTED;
    let of = |part: &Expression, answer: bool| bounds(part, path, answer);
    let both = |a: Bounds, b: Bounds| (more(a.0, b.0), less(a.1, b.1));
    let either = |a: Bounds, b: Bounds| (less(a.0, b.0), more(a.1, b.1));
    match (condition, answer) {
        (Expression::Not(a), _) => of(a, !answer),
        (Expression::And(a, b), true) | (Expression::Or(a, b), false) => both(of(a, answer), of(b, answer)),
        (Expression::And(a, b), false) | (Expression::Or(a, b), true) => either(of(a, answer), of(b, answer)),
        (Expression::Compare(comparison, a, b), _) => match (literal(a), literal(b)) {
            (None, Some(bound)) if is_path(a, path) => compared(*comparison, answer, bound),
            (Some(bound), None) if is_path(b, path) => compared(mirrored(*comparison), answer, bound),
            _ => all,
        },
        (Expression::In(a, list), true) if is_path(a, path) => match &**list {
            Expression::List(items) => {
                let points = items.iter().filter_map(literal).map(|bound| (bound, bound));
                points.reduce(either).unwrap_or(all)
            }
            _ => all,
        },
        _ => all,
    }
}

fn is_path(part: &Expression, path: &Name) -> bool {
    matches!(part, Expression::Name(name) if name == path)
}

/// A number of the catalog, rounded as aggregates round.
fn literal(part: &Expression) -> Option<Number> {
    match part {
        Expression::Literal(Value::Number(number @ Number::Decimal(_))) => Some(*number),
        Expression::Literal(Value::Number(number)) => number.counted().map(Number::Decimal),
        _ => None,
    }
}

fn mirrored(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        same => same,
    }
}

fn compared(comparison: Comparison, answer: bool, bound: Number) -> Bounds {
    match (comparison, answer) {
        (Comparison::Equal, true) | (Comparison::Unequal, false) => (bound, bound),
        (Comparison::Equal, false) | (Comparison::Unequal, true) => COUNTED,
        (Comparison::Less | Comparison::LessOrEqual, true)
        | (Comparison::Greater | Comparison::GreaterOrEqual, false) => (COUNTED.0, bound),
        (Comparison::Less | Comparison::LessOrEqual, false)
        | (Comparison::Greater | Comparison::GreaterOrEqual, true) => (bound, COUNTED.1),
    }
}
