//! What an expression may be while the clock goes from one instant to another, and so its first change.
//!
//! At one instant an expression has a set of possible values: one, where nothing is unknown. Over a stretch of time two
//! sets enclose all of these, one below and one above. Halving a stretch until both say the same finds the first
//! changed millisecond, with no epsilon and however the expression bends.

use super::evaluate::evaluate;
use super::expression::{Expression, Name, Way};
use super::possible::Possible;
use super::value::Value;

/// A search that asks more often than this has met an expression that hovers at its bound for years.
const STRETCHES_MAX: usize = 2_000_000;

/// What each name may be, as long as no counter changes.
pub type Outlook<'a> = &'a dyn Fn(&Name) -> Possible;

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

/// Which of the sets of a stretch's instants.
#[derive(Clone, Copy)]
enum Of {
    /// What is possible at one of them, and perhaps more.
    Some,
    /// What is possible at each of them, or less.
    Each,
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
    let found = possible(expression, names, Stretch { from: clock, to: clock }, Of::Each);
    check_against_the_plain_way(expression, names, clock, &found);
    found
}

/// Sets that enclose what the expression may be at any instant of the stretch: one that is possible at each of them,
/// and one beyond which nothing is possible at any. At a single instant they are the same.
pub fn enclosed(expression: &Expression, names: Outlook, stretch: Stretch) -> (Possible, Possible) {
    [Of::Each, Of::Some].map(|of| possible(expression, names, stretch, of)).into()
}

pub fn verdict_at(condition: &Expression, names: Outlook, clock: i64) -> Verdict {
    let found = possible_at(condition, names, clock);
    verdict(&found, &found).expect("an instant is certain")
}

/// The condition's answer throughout the stretch, if that much is certain.
pub fn verdict_over(condition: &Expression, names: Outlook, stretch: Stretch) -> Option<Verdict> {
    let (each, some) = enclosed(condition, names, stretch);
    verdict(&each, &some)
}

fn verdict(each: &Possible, some: &Possible) -> Option<Verdict> {
    match (some.may_hold(), some.may_fail()) {
        (true, false) => Some(Verdict::Holds),
        (false, true) => Some(Verdict::Fails),
        _ => (each.may_hold() && each.may_fail()).then_some(Verdict::Unknown),
    }
}

fn possible(expression: &Expression, names: Outlook, stretch: Stretch, of: Of) -> Possible {
    let part = |part: &Expression| possible(part, names, stretch, of);
    match expression {
        Expression::Literal(literal) => Possible::only(literal.clone()),
        Expression::List(_) => panic!("a list stands behind `in`"),
        Expression::Name(name) => names(name),
        Expression::Has(name) => {
            let named = names(name);
            Possible::either(named != Possible::ABSENT, named.absent)
        }
        Expression::Not(a) => {
            let a = part(a);
            Possible::either(a.may_fail(), a.may_hold())
        }
        Expression::And(a, b) => {
            let (a, b) = (part(a), part(b));
            Possible::either(a.may_hold() && b.may_hold(), a.may_fail() || b.may_fail())
        }
        Expression::Or(a, b) => {
            let (a, b) = (part(a), part(b));
            Possible::either(a.may_hold() || b.may_hold(), a.may_fail() && b.may_fail())
        }
        Expression::Choose(condition, a, b) => {
            let condition = part(condition);
            let chosen = |may: bool, of: &Expression| if may { part(of) } else { Possible::NOTHING };
            chosen(condition.may_hold(), a).or(chosen(condition.may_fail(), b))
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
        Expression::Moving { way, unit_ms, time, .. } => moving(*way, *unit_ms, &names(time), stretch, of),
        Expression::Between { unit_ms, from, to } => {
            let (from, to) = (names(from), names(to));
            let found = match (from.times, to.times) {
                (Some(from), Some(to)) => {
                    Possible::numbers((to.0 - from.1) as f64 / unit_ms, (to.1 - from.0) as f64 / unit_ms)
                }
                _ => Possible::NOTHING,
            };
            found.or_absent(from.may_be_no_time() || to.may_be_no_time())
        }
    }
}

/// At each instant a range of numbers, which the clock moves.
fn moving(way: Way, unit_ms: f64, time: &Possible, stretch: Stretch, of: Of) -> Possible {
    let absent = time.may_be_no_time();
    let Some(times) = time.times else { return Possible::NOTHING.or_absent(absent) };
    // Either end moves from its value at the beginning of the stretch to that at the end.
    let (earlier, later) = match of {
        Of::Some => (stretch.from, stretch.to),
        Of::Each => (stretch.to, stretch.from),
    };
    let (least_ms, greatest_ms) = match way {
        Way::Since => (earlier - times.1, later - times.0),
        Way::Until => (times.0 - later, times.1 - earlier),
    };
    let (least, greatest) = (least_ms as f64 / unit_ms, greatest_ms as f64 / unit_ms);
    let found = if least <= greatest { Possible::numbers(least, greatest) } else { Possible::NOTHING };
    found.or_absent(absent)
}

/// Where every name has one value, so has the expression: that which the plain evaluation finds.
fn check_against_the_plain_way(expression: &Expression, names: Outlook, clock: i64, found: &Possible) {
    let mut leaves = Vec::new();
    expression.leaves(&mut leaves);
    let all: Vec<Name> = leaves.into_iter().flat_map(Expression::names).collect();
    if all.iter().all(|name| names(name).single().is_some()) {
        let plain = evaluate(expression, &|name| names(name).single().unwrap_or(Value::Absent), clock);
        assert_eq!(found.single(), Some(plain), "{expression:?}");
    }
}
