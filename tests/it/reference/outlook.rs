//! What an expression may be while the clock goes from one instant to another, and so its first change.
//!
//! At one instant an expression has a set of possible values: one, where nothing is unknown. Of a stretch of time that
//! much is known as is so at each of its instants. Halving a stretch until that is enough finds the first changed
//! millisecond, with no epsilon and however the expression bends.

use super::evaluate::{Scope, evaluate, of_date};
use super::expression::{Expression, Name, OfDate, Way};
use super::number::Number;
use super::possible::Possible;
use super::range::{May, Range};
use super::value::Value;
use super::zone::Zone;

/// A search that asks more often than this has met an expression that hovers at its bound for years.
const STRETCHES_MAX: usize = 2_000_000;

/// What each name may be, as long as no counter changes and no local date begins.
#[derive(Clone, Copy)]
pub struct Outlook<'a> {
    pub names: &'a dyn Fn(&Name) -> Possible,
    pub zone: &'a Zone,
}

/// A stretch of time, with both its ends.
#[derive(Clone, Copy)]
pub struct Stretch {
    pub from: i64,
    pub to: i64,
}

/// A condition's answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    Holds,
    Fails,
    Unknown,
}

/// The first instant from `from` to `to` at which the test is true. Of a stretch the test may say that it does not
/// know, but not of a single instant.
pub fn first(from: i64, to: i64, test: &dyn Fn(Stretch) -> Option<bool>) -> Option<i64> {
    let mut stretches = vec![Stretch { from, to }];
    for _ in 0..STRETCHES_MAX {
        let stretch @ Stretch { from, to } = stretches.pop()?;
        if from > to {
            continue;
        }
        match test(stretch) {
            Some(true) => return Some(from),
            Some(false) => {}
            None => {
                assert!(from < to, "an instant is certain");
                let middle = from + (to - from) / 2;
                stretches.extend([Stretch { from: middle + 1, to }, Stretch { from, to: middle }]);
            }
        }
    }
    panic!("no end of the search for a change");
}

/// All that the expression may be at that clock.
pub fn possible_at(expression: &Expression, names: Outlook, clock: i64) -> Possible {
    let found = possible(expression, names, Stretch { from: clock, to: clock });
    check_against_the_plain_way(expression, names, clock, &found);
    found
}

pub fn verdict_at(condition: &Expression, names: Outlook, clock: i64) -> Verdict {
    verdict(&possible_at(condition, names, clock)).expect("an instant is certain")
}

/// The condition's answer throughout the stretch, if that much is certain.
pub fn verdict_over(condition: &Expression, names: Outlook, stretch: Stretch) -> Option<Verdict> {
    verdict(&possible(condition, names, stretch))
}

fn verdict(condition: &Possible) -> Option<Verdict> {
    match (condition.holds(), condition.fails()) {
        (May { some: true, .. }, May { some: false, .. }) => Some(Verdict::Holds),
        (May { some: false, .. }, May { some: true, .. }) => Some(Verdict::Fails),
        (May { each: true, .. }, May { each: true, .. }) => Some(Verdict::Unknown),
        _ => None,
    }
}

/// All that the expression may be in that stretch.
pub fn possible(expression: &Expression, names: Outlook, stretch: Stretch) -> Possible {
    let part = |part: &Expression| possible(part, names, stretch);
    match expression {
        Expression::Literal(literal) => Possible::only(literal.clone()),
        Expression::List(_) => panic!("a list stands behind `in`"),
        Expression::Name(name) => (names.names)(name),
        Expression::Has(name) => {
            let named = (names.names)(name);
            Possible::condition(named.is_there(), named.absent)
        }
        Expression::Not(a) => {
            let a = part(a);
            Possible::condition(a.fails(), a.holds())
        }
        Expression::And(a, b) => {
            let (a, b) = (part(a), part(b));
            Possible::condition(a.holds().and(b.holds()), a.fails().or(b.fails()))
        }
        Expression::Or(a, b) => {
            let (a, b) = (part(a), part(b));
            Possible::condition(a.holds().or(b.holds()), a.fails().and(b.fails()))
        }
        Expression::Choose(condition, a, b) => {
            let condition = part(condition);
            part(a).when(condition.holds()).or(part(b).when(condition.fails()))
        }
        Expression::Compare(comparison, a, b) => part(a).compared(*comparison, &part(b)),
        Expression::In(a, list) => match &**list {
            Expression::List(items) => part(a).is_in(&items.iter().map(part).collect::<Vec<_>>()),
            other => panic!("no list: {other:?}"),
        },
        Expression::Negate(a) => part(a).negated(),
        Expression::Absolute(a) => part(a).absolute(),
        Expression::Arithmetic(operation, a, b) => part(a).calculated(*operation, &part(b)),
        Expression::TextTest(test, a, b) => part(a).tested(*test, &part(b)),
        Expression::OfText(what, a) => part(a).of_text(*what),
        Expression::Matches(a, pattern) => part(a).matched(pattern),
        Expression::AsDouble(a) => part(a).into_doubles(),
        Expression::Moving { way, unit_ms, time, .. } => moving(*way, *unit_ms, &part(time), stretch),
        Expression::OfDate { what, date, .. } => dated(*what, &part(date), names.zone, stretch),
        Expression::OfTime(..) => panic!("no event"),
        Expression::Between { unit_ms, from, to } => {
            let (from, to) = (part(from), part(to));
            let found = match (from.instants(), to.instants()) {
                (Some(a), Some(b)) => {
                    let [least, greatest] = [b.least.0 - a.greatest.0, b.greatest.0 - a.least.0];
                    Possible::doubles(least as f64 / unit_ms, greatest as f64 / unit_ms).when(a.there.and(b.there))
                }
                _ => Possible::NOTHING,
            };
            found.or_absent(from.is_no_instant().or(to.is_no_instant()))
        }
    }
}

/// At each instant a range of numbers, which the clock moves.
fn moving(way: Way, unit_ms: f64, time: &Possible, stretch: Stretch) -> Possible {
    let Some(times) = time.instants() else { return Possible::only(Value::Absent) };
    let (earliest, latest) = (times.least.0, times.greatest.0);
    let Stretch { from, to } = stretch;
    let (least, greatest) = match way {
        Way::Since => ((from - latest, to - latest), (from - earliest, to - earliest)),
        Way::Until => ((earliest - to, earliest - from), (latest - to, latest - from)),
    };
    let unit = |ms: i64| Number::Double(ms as f64 / unit_ms);
    let units = |end: (i64, i64)| (unit(end.0), unit(end.1));
    let numbers = Range { there: times.there, least: units(least), greatest: units(greatest), whole: false };
    Possible { numbers: Some(numbers), ..Possible::NOTHING }.one_is_whole().or_absent(time.is_no_instant())
}

/// What a function of dates gives throughout one local date of the clock.
fn dated(what: OfDate, date: &Possible, zone: &Zone, stretch: Stretch) -> Possible {
    let today = zone.day(stretch.from);
    assert_eq!(zone.day(stretch.to), today, "a local date begins");
    let mut found = Possible::NOTHING;
    let days = [
        date.dates.map(|own| (own.there, own.least.0.day, own.greatest.1.day)),
        date.times.map(|own| (own.there, zone.day(own.least.0), zone.day(own.greatest.1))),
    ];
    for (there, first, last) in days.into_iter().flatten() {
        let at = |day| Number::Double(of_date(what, day, today) as f64);
        let range = match what {
            OfDate::DatesToAnniversary if first < last => Possible::whole(Number::Double(0.0), Number::Double(366.0)),
            _ if at(first) <= at(last) => Possible::whole(at(first), at(last)),
            _ => Possible::whole(at(last), at(first)),
        };
        found = found.or(range.when(there));
    }
    found.or_absent(date.is_no_instant())
}

/// Where every name has one value, so has the expression: that which the plain evaluation finds.
fn check_against_the_plain_way(expression: &Expression, names: Outlook, clock: i64, found: &Possible) {
    let mut leaves = Vec::new();
    expression.leaves(&mut leaves);
    let all: Vec<Name> = leaves.into_iter().flat_map(Expression::names).collect();
    if all.iter().all(|name| (names.names)(name).single().is_some()) {
        let single = |name: &Name| (names.names)(name).single().unwrap_or(Value::Absent);
        let scope = Scope { names: &single, clock, zone: names.zone, numbers_in_text: false };
        let plain = evaluate(expression, scope);
        assert_eq!(found.single(), Some(plain), "{expression:?}");
    }
}
