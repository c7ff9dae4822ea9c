//! Numbers between two ends that may move with the clock, and how the values of a comparison of such numbers are found.

use super::abstract_value::AbstractValue;
use super::kleene::Truth;
use crate::catalog::{Arithmetic, Comparison};
use crate::engine::expr::{ClockOp, binary, calculate_decimals, magnitude, negate};
use crate::model::{Decimal, Number, Scalar};

/// Any number between two ends that may move with the clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct NumberRange {
    /// The least and the greatest value of the lower end over the interval of time.
    pub low: Ends,
    /// The same for the upper end.
    pub high: Ends,
    /// Whether it may also be absent.
    pub absent: bool,
    /// Whether all are whole numbers.
    pub whole: bool,
}

/// The least and the greatest value of one end. Within an operation they may be infinite.
pub(super) type Ends = (Number, Number);

impl NumberRange {
    pub(crate) fn one(number: Number) -> Self {
        let whole = number.to_f64().fract() == 0.0;
        NumberRange { whole, ..NumberRange::between(number, number, false) }
    }

    /// Whole numbers.
    pub(crate) fn whole(low: Number, high: Number, absent: bool) -> Self {
        NumberRange { whole: true, ..NumberRange::between(low, high, absent) }
    }

    pub(crate) fn between(low: Number, high: Number, absent: bool) -> Self {
        NumberRange { low: (low, low), high: (high, high), absent, whole: false }
    }

    pub(super) fn of_doubles(low: (f64, f64), high: (f64, f64), absent: bool) -> Self {
        let ends = |(first, last)| (Number::Double(first), Number::Double(last));
        NumberRange { low: ends(low), high: ends(high), absent, whole: false }
    }

    /// Any number, or absent.
    pub(super) fn all() -> Self {
        NumberRange::between(Number::Double(f64::MIN), Number::Double(f64::MAX), true)
    }

    pub(crate) fn negated(self) -> Self {
        let negated = |(first, last)| (negate(last), negate(first));
        NumberRange { low: negated(self.high), high: negated(self.low), ..self }
    }

    pub(crate) fn absolute(self) -> Self {
        let NumberRange { low, high, .. } = self;
        let mirrored = self.negated();
        let zero = match low.0 {
            Number::Decimal(_) => Number::ZERO,
            _ => Number::Double(0.0),
        };
        // For an interval [a, b] the least is the greatest of 0, a and −b; the greatest is the greater of b and −a, which
        // is never below 0, although the bounds known of each may be. An integer's is in doubles, as a double's.
        let unsigned = |end: Ends| greater((zero, zero), end);
        let (low, high) = (greater(unsigned(low), mirrored.low), greater(unsigned(high), mirrored.high));
        let in_form = |(first, last): Ends| (magnitude(first), magnitude(last));
        NumberRange { low: in_form(low), high: in_form(high), ..self }
    }

    /// With doubles in the place of decimals.
    pub(crate) fn in_doubles(self) -> Self {
        let double = |number: Number| match number {
            Number::Decimal(decimal) => Number::Double(decimal.to_f64()),
            other => other,
        };
        let ends = |(first, last): Ends| (double(first), double(last));
        NumberRange { low: ends(self.low), high: ends(self.high), ..self }
    }

    fn is_decimal(self) -> bool {
        [self.low.0, self.low.1, self.high.0, self.high.1].iter().all(|end| matches!(end, Number::Decimal(_)))
    }

    /// An operation is monotone in each operand, so its extremes are at corners.
    pub(crate) fn calculate<'a>(self, op: Arithmetic, by: NumberRange) -> AbstractValue<'a> {
        let absent = self.absent || by.absent;
        let is_exact = self.is_decimal() && by.is_decimal();
        let has_zero = by.low.0 <= Number::ZERO && by.high.1 >= Number::ZERO;
        if op == Arithmetic::Remainder {
            return self.remainder(by, has_zero);
        }
        if op == Arithmetic::Divide && has_zero {
            let moves = by.low.0 != by.low.1 || by.high.0 != by.high.1;
            return if moves { AbstractValue::Open } else { self.near_zero(by) };
        }
        let corners = [(self.low, by.low), (self.low, by.high), (self.high, by.low), (self.high, by.high)];
        let [first, rest @ ..] =
            corners.map(|(a, b)| if is_exact { binary_exact(op, a, b) } else { binary_double(op, a, b) });
        let low = rest.into_iter().fold(first, lesser);
        let high = rest.into_iter().fold(first, greater);
        let whole = self.whole && by.whole && op != Arithmetic::Divide;
        NumberRange { low, high, absent, whole }.checked()
    }

    /// A quotient whose divisor may be zero: near zero it may be as large as numbers get.
    fn near_zero<'a>(self, by: NumberRange) -> AbstractValue<'a> {
        let far = |end: Number| match end.to_f64() {
            0.0 => Number::Double(0.0),
            end => Number::Double(f64::MAX.copysign(end)),
        };
        let mut ends: Vec<Ends> = Vec::new();
        for end in [self.low, self.high] {
            if by.high.1 > Number::ZERO {
                ends.extend([binary_double(Arithmetic::Divide, end, by.high), (far(end.0), far(end.1))]);
            }
            if by.low.0 < Number::ZERO {
                let mirrored = (negate(far(end.1)), negate(far(end.0)));
                ends.extend([binary_double(Arithmetic::Divide, end, by.low), mirrored]);
            }
        }
        let Some((first, rest)) = ends.split_first() else { return AbstractValue::Fixed(Scalar::Absent) };
        let (low, high) =
            rest.iter().fold((*first, *first), |(low, high), end| (lesser(low, *end), greater(high, *end)));
        NumberRange { low, high, absent: true, whole: false }.checked()
    }

    /// A remainder has the dividend's sign, and is no larger than either operand.
    fn remainder<'a>(self, by: NumberRange, has_zero: bool) -> AbstractValue<'a> {
        if by.low.0 == Number::ZERO && by.high.1 == Number::ZERO {
            return AbstractValue::Fixed(Scalar::Absent);
        }
        // Dates move it within the interval of time.
        if [self, by].iter().any(|numbers| numbers.low.0 != numbers.low.1 || numbers.high.0 != numbers.high.1) {
            return AbstractValue::Open;
        }
        let size = |numbers: NumberRange| numbers.low.0.to_f64().abs().max(numbers.high.1.to_f64().abs());
        let most = size(self).min(size(by));
        let low = if self.low.0 < Number::ZERO { -most } else { 0.0 };
        let high = if self.high.1 > Number::ZERO { most } else { 0.0 };
        let absent = self.absent || by.absent || has_zero;
        AbstractValue::Numbers(NumberRange::between(Number::Double(low), Number::Double(high), absent))
    }

    /// A result that is too large is absent (spec 4.1, 9.1). An end that is too large at some instants of the interval
    /// and not at others leaves it open.
    pub(super) fn checked<'a>(self) -> AbstractValue<'a> {
        let NumberRange { low, high, .. } = self;
        let is_held = |end: Number| end.to_f64().is_finite();
        let held = |(first, last): Ends| (is_held(first), is_held(last));
        match (held(low), held(high)) {
            ((true, true), (true, true)) => return AbstractValue::Numbers(self),
            ((true, true), (false, false)) if high.0 == high.1 => {}
            ((false, false), (true, true)) if low.0 == low.1 => {}
            ((false, false), (false, false)) if low.0 == low.1 && high.0 == high.1 => {}
            _ => return AbstractValue::Open,
        }
        if low.0.to_f64() == f64::INFINITY || high.0.to_f64() == f64::NEG_INFINITY {
            return AbstractValue::Fixed(Scalar::Absent);
        }
        // Beside a decimal the most is that of decimals.
        let is_exact = [low.0, high.0].iter().any(|end| matches!(end, Number::Decimal(_)));
        let most = if is_exact { Number::Decimal(Decimal::MAX) } else { Number::Double(f64::MAX) };
        let kept = |end: Number| match end.to_f64() {
            f64::INFINITY => most,
            f64::NEG_INFINITY => negate(most),
            _ => end,
        };
        let (low, high) = ((kept(low.0), kept(low.1)), (kept(high.0), kept(high.1)));
        AbstractValue::Numbers(NumberRange { low, high, absent: true, whole: self.whole })
    }
}

/// An operation on two ends in doubles.
fn binary_double(op: Arithmetic, a: Ends, b: Ends) -> Ends {
    let double = |(first, last): Ends| (first.to_f64(), last.to_f64());
    let (first, last) = binary(ClockOp::from(op), double(a), double(b));
    (Number::Double(first), Number::Double(last))
}

/// An operation on two ends that are decimals, exact where it can be. A decimal end does not move.
fn binary_exact(op: Arithmetic, a: Ends, b: Ends) -> Ends {
    let (Number::Decimal(x), Number::Decimal(y)) = (a.0, b.0) else { return binary_double(op, a, b) };
    let Some(result) = calculate_decimals(op, x, y) else { return binary_double(op, a, b) };
    let end = result.map_or_else(|| too_large(op, x, y), Number::Decimal);
    (end, end)
}

/// In the place of a decimal result that is too large: infinite, with its sign.
fn too_large(op: Arithmetic, x: Decimal, y: Decimal) -> Number {
    let is_negative = match op {
        Arithmetic::Scale => x.is_negative() != y.is_negative(),
        _ => x.is_negative(),
    };
    Number::Double(if is_negative { f64::NEG_INFINITY } else { f64::INFINITY })
}

pub(super) fn lesser(a: Ends, b: Ends) -> Ends {
    (a.0.least(b.0), a.1.least(b.1))
}

pub(super) fn greater(a: Ends, b: Ends) -> Ends {
    (a.0.greatest(b.0), a.1.greatest(b.1))
}

/// Whether something holds for all pairs of numbers (`Some(true)`), does not (`Some(false)`), or differs within the
/// interval of time (`None`).
type Throughout = Option<bool>;

/// Whether every number of `a` is less than every number of `b`; for `or_equal`, less or equal.
fn all_below(a: Ends, b: Ends, or_equal: bool) -> Throughout {
    // `a` is the upper end of one side, `b` the lower end of the other.
    let below = |a: Number, b: Number| if or_equal { a <= b } else { a < b };
    if below(a.1, b.0) {
        Some(true)
    } else if !below(a.0, b.1) {
        Some(false)
    } else {
        None
    }
}

pub(super) fn decide(op: Comparison, a: NumberRange, b: NumberRange) -> Option<Truth> {
    let absent = a.absent || b.absent;
    let (always, never) = match op {
        Comparison::Less => (all_below(a.high, b.low, false), all_below(b.high, a.low, true)),
        Comparison::LessOrEqual => (all_below(a.high, b.low, true), all_below(b.high, a.low, false)),
        Comparison::Greater | Comparison::GreaterOrEqual => return decide(op.mirrored(), b, a),
        Comparison::Equal => (one(a, b), apart(a, b)),
        Comparison::NotEqual => (apart(a, b), one(a, b)),
    };
    match (always, never) {
        (_, Some(true)) => Some(Truth::False),
        (Some(true), _) => Some(if absent { Truth::Unknown } else { Truth::True }),
        (Some(false), Some(false)) => Some(Truth::Unknown),
        (None, Some(false)) if absent => Some(Truth::Unknown),
        _ => None,
    }
}

/// Whether the two have no number in common. Whole numbers have none where no whole number lies in both.
fn apart(a: NumberRange, b: NumberRange) -> Throughout {
    let found = match (all_below(a.high, b.low, false), all_below(b.high, a.low, false)) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    };
    if found == Some(true) || !(a.whole || b.whole) {
        return found;
    }
    let has_whole = |low: Number, high: Number| low.to_f64().ceil() <= high.to_f64();
    if !has_whole(greater_of(a.low.0, b.low.0), lesser_of(a.high.1, b.high.1)) {
        return Some(true);
    }
    let is_sure = has_whole(greater_of(a.low.1, b.low.1), lesser_of(a.high.0, b.high.0));
    found.filter(|_| is_sure)
}

pub(super) fn lesser_of(a: Number, b: Number) -> Number {
    if b < a { b } else { a }
}

pub(super) fn greater_of(a: Number, b: Number) -> Number {
    if b > a { b } else { a }
}

/// Whether both are the same single number.
fn one(a: NumberRange, b: NumberRange) -> Throughout {
    let ends = [a.low.0, a.low.1, a.high.0, a.high.1, b.low.0, b.low.1, b.high.0, b.high.1];
    if ends.iter().all(|end| *end == ends[0]) {
        return Some(true);
    }
    let is_wide = |numbers: NumberRange| numbers.low.1 < numbers.high.0;
    if is_wide(a) || is_wide(b) || apart(a, b) == Some(true) { Some(false) } else { None }
}
