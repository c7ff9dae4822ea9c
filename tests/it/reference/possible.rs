//! Everything that an expression may be while the clock goes from one instant to another, and so its first change.
//!
//! Each operation on doubles, rounding included, never falls when an argument grows, or never grows. So the values at
//! the ends of the arguments' ranges bound what is computed in between, exactly and with no epsilon. Halving a stretch of
//! time until each part is certain finds the first changed millisecond, however the expression bends.

use super::evaluate::{calculate, compare, evaluate};
use super::expression::{Arithmetic, Comparison, Expression, Name};
use super::value::Value;

/// A search that asks more often than this has met an expression that hovers at its bound for years.
const STRETCHES_MAX: usize = 2_000_000;

/// What an expression may be.
#[derive(Clone, Debug, PartialEq)]
pub enum Possible {
    /// The same throughout.
    Fixed(Value),
    /// True at times and false at times.
    Either,
    /// Numbers from `least` to `greatest`, perhaps absent at times.
    Numbers { least: f64, greatest: f64, absent: bool },
    /// No telling.
    Anything,
}

/// The first instant from `from` to `to` at which the test is true. Of a stretch (both ends included) the test may say
/// that it does not know, but not of a single instant.
pub fn first(from: i64, to: i64, test: &dyn Fn(i64, i64) -> Option<bool>) -> Option<i64> {
    let mut stretches = vec![(from, to)];
    for _ in 0..STRETCHES_MAX {
        let (from, to) = stretches.pop()?;
        if from > to {
            continue;
        }
        match test(from, to) {
            Some(true) => return Some(from),
            Some(false) => {}
            None => {
                assert!(from < to, "an instant is certain");
                let middle = from + (to - from) / 2;
                stretches.extend([(middle + 1, to), (from, middle)]);
            }
        }
    }
    panic!("no end of the search for a change");
}

/// All that the expression may be from one instant to the other, both included.
pub fn possible(expression: &Expression, names: &dyn Fn(&Name) -> Value, from: i64, to: i64) -> Possible {
    if from == to || !expression.moves() {
        return Possible::Fixed(evaluate(expression, names, from));
    }
    let part = |part: &Expression| possible(part, names, from, to);
    match expression {
        Expression::Moving { .. } => {
            let ends = [evaluate(expression, names, from), evaluate(expression, names, to)];
            match ends {
                [Value::Number(a), Value::Number(b)] => numbers(&[a, b], false),
                _ => Possible::Fixed(Value::Absent),
            }
        }
        Expression::Not(a) => condition(truth(&part(a)).map(|holds| !holds)),
        Expression::And(a, b) => condition(match (truth(&part(a)), truth(&part(b))) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        }),
        Expression::Or(a, b) => condition(match (truth(&part(a)), truth(&part(b))) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        }),
        Expression::Choose(c, a, b) => match truth(&part(c)) {
            Some(true) => part(a),
            Some(false) => part(b),
            None => union(part(a), part(b)),
        },
        Expression::Compare(comparison, a, b) => compared(*comparison, &part(a), &part(b)),
        Expression::Negate(a) => on_range(part(a), |least, greatest| vec![-greatest, -least]),
        Expression::Absolute(a) => on_range(part(a), |least, greatest| {
            let nearest = if least <= 0.0 && greatest >= 0.0 { 0.0 } else { least.abs().min(greatest.abs()) };
            vec![nearest, least.abs(), greatest.abs()]
        }),
        Expression::Arithmetic(operation, a, b) => calculated(*operation, &part(a), &part(b)),
        _ => Possible::Anything,
    }
}

/// As a condition: certainly true, certainly false, or neither.
pub fn truth(possible: &Possible) -> Option<bool> {
    match possible {
        Possible::Fixed(value) => Some(value.holds()),
        Possible::Numbers { .. } => Some(false),
        Possible::Either | Possible::Anything => None,
    }
}

fn condition(certain: Option<bool>) -> Possible {
    certain.map_or(Possible::Either, |holds| Possible::Fixed(Value::Bool(holds)))
}

/// The range of these numbers; what is not finite counts as absent.
fn numbers(ends: &[f64], absent: bool) -> Possible {
    let least = ends.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = ends.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if least == f64::INFINITY || greatest == f64::NEG_INFINITY {
        return Possible::Fixed(Value::Absent);
    }
    let absent = absent || !least.is_finite() || !greatest.is_finite();
    Possible::Numbers { least: least.max(f64::MIN), greatest: greatest.min(f64::MAX), absent }
}

/// The range and whether it may be absent, or `None` for what is never a number.
fn range(possible: &Possible) -> Option<(f64, f64, bool)> {
    match possible {
        Possible::Fixed(Value::Number(number)) => Some((*number, *number, false)),
        Possible::Numbers { least, greatest, absent } => Some((*least, *greatest, *absent)),
        Possible::Fixed(_) | Possible::Either => None,
        Possible::Anything => Some((f64::MIN, f64::MAX, true)),
    }
}

fn on_range(a: Possible, ends: impl Fn(f64, f64) -> Vec<f64>) -> Possible {
    match range(&a) {
        Some((least, greatest, absent)) => numbers(&ends(least, greatest), absent),
        None => Possible::Fixed(Value::Absent),
    }
}

fn calculated(operation: Arithmetic, a: &Possible, b: &Possible) -> Possible {
    let (Some(a), Some(b)) = (range(a), range(b)) else { return Possible::Fixed(Value::Absent) };
    if operation == Arithmetic::Divide && b.0 <= 0.0 && b.1 >= 0.0 {
        assert!(b.0 == b.1, "no moving divisor in a valid catalog");
        return Possible::Fixed(Value::Absent);
    }
    let ends = [(a.0, b.0), (a.0, b.1), (a.1, b.0), (a.1, b.1)];
    numbers(&ends.map(|(a, b)| calculate(operation, a, b)), a.2 || b.2)
}

fn compared(comparison: Comparison, a: &Possible, b: &Possible) -> Possible {
    if let (Possible::Fixed(a), Possible::Fixed(b)) = (a, b) {
        return condition(Some(compare(comparison, a, b)));
    }
    if *a == Possible::Anything || *b == Possible::Anything {
        return Possible::Either;
    }
    let (Some((a_least, a_greatest, a_absent)), Some((b_least, b_greatest, b_absent))) = (range(a), range(b)) else {
        let bools = [a, b].iter().all(|side| matches!(side, Possible::Either | Possible::Fixed(Value::Bool(_))));
        return if bools { Possible::Either } else { condition(Some(false)) };
    };
    let apart = a_greatest < b_least || b_greatest < a_least;
    let same = a_least == a_greatest && b_least == b_greatest && a_least == b_least;
    let (never, always) = match comparison {
        Comparison::Equal => (apart, same),
        Comparison::Unequal => (same, apart),
        Comparison::Less => (a_least >= b_greatest, a_greatest < b_least),
        Comparison::LessOrEqual => (a_least > b_greatest, a_greatest <= b_least),
        Comparison::Greater => (a_greatest <= b_least, a_least > b_greatest),
        Comparison::GreaterOrEqual => (a_greatest < b_least, a_least >= b_greatest),
    };
    if never {
        return condition(Some(false));
    }
    condition((always && !a_absent && !b_absent).then_some(true))
}

fn union(a: Possible, b: Possible) -> Possible {
    let bool_like = |p: &Possible| matches!(p, Possible::Either | Possible::Fixed(Value::Bool(_)));
    let bounds = |p: &Possible| match p {
        Possible::Fixed(Value::Absent) => None,
        other => range(other),
    };
    let number_like = |p: &Possible| matches!(p, Possible::Fixed(Value::Absent)) || range(p).is_some();
    if a == b {
        a
    } else if bool_like(&a) && bool_like(&b) {
        Possible::Either
    } else if number_like(&a) && number_like(&b) {
        match (bounds(&a), bounds(&b)) {
            (Some(a), Some(b)) => numbers(&[a.0, a.1, b.0, b.1], a.2 || b.2),
            (Some(one), None) | (None, Some(one)) => numbers(&[one.0, one.1], true),
            (None, None) => Possible::Fixed(Value::Absent),
        }
    } else {
        Possible::Anything
    }
}
