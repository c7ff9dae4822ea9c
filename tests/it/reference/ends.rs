//! What becomes of the ends of ranges of numbers.

use super::evaluate::calculate;
use super::expression::Arithmetic;
use super::number::Number;
use super::possible::{BOTTOM, ENDLESS, MINUS_ENDLESS, Possible, TOP};
use super::range::{May, Range, less, more};

pub fn join<T: Copy + PartialOrd>(a: Option<Range<T>>, b: Option<Range<T>>) -> Option<Range<T>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.or(b)),
        (one, other) => one.or(other),
    }
}

pub fn as_double(number: Number) -> Number {
    if let Number::Decimal(_) = number { Number::Double(number.double()) } else { number }
}

/// As arithmetic takes it: integers of events are doubles there.
pub fn as_computed(number: Number) -> Number {
    if let Number::Whole(_) = number { Number::Double(number.double()) } else { number }
}

impl Number {
    /// Zero, of the same form.
    pub fn minus_itself(self) -> Self {
        if let Self::Decimal(_) = self { Self::Decimal(0) } else { Self::Double(0.0) }
    }
}

pub fn doubles(range: &Range<Number>) -> Range<f64> {
    let both = |end: (Number, Number)| (end.0.double(), end.1.double());
    Range { there: range.there, least: both(range.least), greatest: both(range.greatest), whole: false }
}

/// As [`calculate`], of ends.
pub fn at_corner(operation: Arithmetic, a: Number, b: Number) -> Number {
    let endless = |end: Number| end == ENDLESS || end == MINUS_ENDLESS;
    let found = calculate(operation, a, b);
    let of_decimals = matches!((a, b), (Number::Decimal(_), Number::Decimal(_)));
    if !of_decimals || !(endless(a) || endless(b)) {
        return found;
    }
    let sign = |end: Number| match end {
        Number::Decimal(units) => units.signum(),
        _ => 0,
    };
    let direction = match operation {
        Arithmetic::Multiply => sign(a) * sign(b),
        Arithmetic::Add if endless(a) && endless(b) => sign(a) + sign(b),
        Arithmetic::Subtract if endless(a) && endless(b) => sign(a) - sign(b),
        Arithmetic::Add | Arithmetic::Subtract if endless(a) => sign(a),
        Arithmetic::Add => sign(b),
        Arithmetic::Subtract => -sign(b),
        _ => return found,
    };
    match direction {
        0 => Number::Decimal(0),
        1.. => ENDLESS,
        _ => MINUS_ENDLESS,
    }
}

/// Between what the result moves when the arguments move between such ends.
pub fn moving(operation: Arithmetic, a: (Number, Number), b: (Number, Number)) -> (Number, Number) {
    let corners = [(a.0, b.0), (a.0, b.1), (a.1, b.0), (a.1, b.1)].map(|(a, b)| at_corner(operation, a, b));
    (corners.into_iter().fold(TOP, less), corners.into_iter().fold(BOTTOM, more))
}

/// The numbers between the ends, each of which moves; what is not finite counts as absent.
pub fn finite(ends: &[(Number, Number)]) -> Possible {
    let fold = |first: Number, nearer: fn(Number, Number) -> Number| {
        let both = [|end: &(Number, Number)| end.0, |end: &(Number, Number)| end.1];
        let [from, to] = both.map(|side| ends.iter().map(side).fold(first, nearer));
        (from, to)
    };
    let (least, greatest) = (fold(TOP, less), fold(BOTTOM, more));
    let (top, bottom) = (TOP, BOTTOM);
    let there = May { each: least.1 < top && greatest.0 > bottom, some: least.0 < top && greatest.1 > bottom };
    let absent = May {
        each: least.1 == bottom || least.0 == top || greatest.0 == top || greatest.1 == bottom,
        some: [least, greatest].iter().any(|end| !end.0.is_finite() || !end.1.is_finite()),
    };
    let kept = |end: Number| match end {
        Number::Double(double) => Number::Double(double.clamp(f64::MIN, f64::MAX)),
        other => other,
    };
    let held = |end: (Number, Number)| (kept(end.0), kept(end.1));
    let numbers = Range { there, least: held(least), greatest: held(greatest), whole: false };
    Possible { numbers: Some(numbers).filter(|range| range.there.some), ..Possible::NOTHING }.or_absent(absent)
}

/// The ends of what does not move.
pub fn still(range: &Range<f64>) -> (f64, f64) {
    assert!(range.least.0 == range.least.1 && range.greatest.0 == range.greatest.1, "no clock in a valid divisor");
    (range.least.0, range.greatest.0)
}

pub fn finite_doubles(ends: &[(f64, f64)]) -> Possible {
    finite(&ends.iter().map(|end| (Number::Double(end.0), Number::Double(end.1))).collect::<Vec<_>>())
}

pub fn quotient(a: &Range<f64>, b: &Range<f64>) -> Possible {
    let (from, to) = still(b);
    let by = |divisor: f64| {
        [a.least, a.greatest].map(|end| {
            let (x, y) = (end.0 / divisor, end.1 / divisor);
            (less(x, y), more(x, y))
        })
    };
    if from > 0.0 || to < 0.0 {
        return finite_doubles(&[by(from), by(to)].concat());
    }
    // Zero is among the divisors: what is near it leads as far as numbers go.
    let beyond = |sign: f64, end: f64| if end == 0.0 { 0.0 } else { sign * f64::MAX.copysign(end) };
    let mut found = Possible::ABSENT;
    if to > 0.0 {
        let near = [a.least, a.greatest].map(|end| (beyond(1.0, end.0), beyond(1.0, end.1)));
        found = found.or(finite_doubles(&[by(to), near].concat()));
    }
    if from < 0.0 {
        let near = [a.least, a.greatest].map(|end| (beyond(-1.0, end.1), beyond(-1.0, end.0)));
        found = found.or(finite_doubles(&[by(from), near].concat()));
    }
    found
}

/// The dividend's sign, and no more than either of them.
pub fn remainder(a: &Range<f64>, b: &Range<f64>) -> Possible {
    let (a, b) = (still(a), still(b));
    if a.0 == a.1 && b.0 == b.1 {
        return finite_doubles(&[(a.0 % b.0, a.0 % b.0)]);
    }
    if b == (0.0, 0.0) {
        return Possible::ABSENT;
    }
    let size = f64::min(a.0.abs().max(a.1.abs()), b.0.abs().max(b.1.abs()));
    Possible::doubles(if a.0 < 0.0 { -size } else { 0.0 }, if a.1 > 0.0 { size } else { 0.0 })
        .or_absent(May::is(b.0 <= 0.0 && b.1 >= 0.0))
}
