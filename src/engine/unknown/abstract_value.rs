//! What an expression may be when its value is not known: one value, an interval, or anything.

use super::kleene::Truth;
use crate::catalog::{Arithmetic, CalendarFunction, Comparison};
use crate::engine::aggregate::{Day, Zone};
use crate::engine::expr::{
    ClockOp, binary, calendar_over, calendar_value, compare_values, instant, local_day, of_dates, unary,
};
use crate::model::{Scalar, Timestamp, Unit};

/// All values that an expression may have over an interval of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum AbstractValue<'a> {
    Fixed(Scalar<'a>),
    Numbers(NumberRange),
    /// From `low` to `high`, both included.
    Times {
        low: Timestamp,
        high: Timestamp,
        absent: bool,
    },
    /// True or false.
    Either,
    Anything {
        absent: bool,
    },
    /// It differs within the interval, for all that can be told.
    Open,
}

/// Any number between two ends that may move with the clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct NumberRange {
    /// The least and the greatest value of the lower end over the interval of time.
    pub low: (f64, f64),
    /// The same for the upper end.
    pub high: (f64, f64),
    /// Whether it may also be absent.
    pub absent: bool,
}

impl NumberRange {
    pub(crate) fn one(number: f64) -> Self {
        NumberRange::between(number, number, false)
    }

    pub(crate) fn between(low: f64, high: f64, absent: bool) -> Self {
        NumberRange { low: (low, low), high: (high, high), absent }
    }

    /// Any number, or absent.
    fn all() -> Self {
        NumberRange::between(f64::MIN, f64::MAX, true)
    }

    pub(crate) fn negated(self) -> Self {
        let NumberRange { low, high, absent } = self;
        NumberRange { low: unary(ClockOp::Negate, high), high: unary(ClockOp::Negate, low), absent }
    }

    pub(crate) fn absolute(self) -> Self {
        let NumberRange { low, high, absent } = self;
        // For an interval [a, b] the least is the greatest of 0, a and −b; the greatest is the greater of b and −a.
        let mirrored = (unary(ClockOp::Negate, low), unary(ClockOp::Negate, high));
        NumberRange { low: greater(greater((0.0, 0.0), low), mirrored.1), high: greater(high, mirrored.0), absent }
    }

    /// An operation is monotone in each operand, so its extremes are at corners.
    pub(crate) fn calculate<'a>(self, op: Arithmetic, by: NumberRange) -> AbstractValue<'a> {
        let absent = self.absent || by.absent;
        let has_zero = by.low.0 <= 0.0 && by.high.1 >= 0.0;
        if op == Arithmetic::Remainder {
            return self.remainder(by, has_zero);
        }
        if op == Arithmetic::Divide && has_zero {
            let moves = by.low.0 != by.low.1 || by.high.0 != by.high.1;
            return if moves { AbstractValue::Open } else { self.near_zero(by) };
        }
        let clock_op = ClockOp::from(op);
        let corners = [(self.low, by.low), (self.low, by.high), (self.high, by.low), (self.high, by.high)];
        let [first, rest @ ..] = corners.map(|(a, b)| binary(clock_op, a, b));
        let low = rest.into_iter().fold(first, lesser);
        let high = rest.into_iter().fold(first, greater);
        NumberRange { low, high, absent }.checked()
    }

    /// A quotient whose divisor may be zero: near zero it may be as large as numbers get.
    fn near_zero<'a>(self, by: NumberRange) -> AbstractValue<'a> {
        let far = |end: f64| if end == 0.0 { 0.0 } else { f64::MAX.copysign(end) };
        let mut ends = Vec::new();
        for end in [self.low, self.high] {
            if by.high.1 > 0.0 {
                ends.extend([binary(ClockOp::Divide, end, by.high), (far(end.0), far(end.1))]);
            }
            if by.low.0 < 0.0 {
                ends.extend([binary(ClockOp::Divide, end, by.low), (-far(end.1), -far(end.0))]);
            }
        }
        let Some((first, rest)) = ends.split_first() else { return AbstractValue::Fixed(Scalar::Absent) };
        let (low, high) =
            rest.iter().fold((*first, *first), |(low, high), end| (lesser(low, *end), greater(high, *end)));
        NumberRange { low, high, absent: true }.checked()
    }

    /// A remainder has the dividend's sign, and is no larger than either operand.
    fn remainder<'a>(self, by: NumberRange, has_zero: bool) -> AbstractValue<'a> {
        if by.low.0 == 0.0 && by.high.1 == 0.0 {
            return AbstractValue::Fixed(Scalar::Absent);
        }
        // Dates move it within the interval of time.
        if [self, by].iter().any(|numbers| numbers.low.0 != numbers.low.1 || numbers.high.0 != numbers.high.1) {
            return AbstractValue::Open;
        }
        let size = |numbers: NumberRange| numbers.low.0.abs().max(numbers.high.1.abs());
        let most = size(self).min(size(by));
        let (low, high) = (if self.low.0 < 0.0 { -most } else { 0.0 }, if self.high.1 > 0.0 { most } else { 0.0 });
        AbstractValue::Numbers(NumberRange::between(low, high, self.absent || by.absent || has_zero))
    }

    /// A result that no finite double holds is absent (spec 4.1). An end that a double holds at some instants of the
    /// interval and not at others leaves it open.
    fn checked<'a>(self) -> AbstractValue<'a> {
        let NumberRange { low, high, .. } = self;
        let held = |(first, last): (f64, f64)| (first.is_finite(), last.is_finite());
        match (held(low), held(high)) {
            ((true, true), (true, true)) => return AbstractValue::Numbers(self),
            ((true, true), (false, false)) if high.0 == high.1 => {}
            ((false, false), (true, true)) if low.0 == low.1 => {}
            ((false, false), (false, false)) if low.0 == low.1 && high.0 == high.1 => {}
            _ => return AbstractValue::Open,
        }
        if low.0 == f64::INFINITY || high.0 == f64::NEG_INFINITY {
            return AbstractValue::Fixed(Scalar::Absent);
        }
        let kept = |end: f64| end.clamp(f64::MIN, f64::MAX);
        let (low, high) = ((kept(low.0), kept(low.1)), (kept(high.0), kept(high.1)));
        AbstractValue::Numbers(NumberRange { low, high, absent: true })
    }
}

fn lesser(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0.min(b.0), a.1.min(b.1))
}

fn greater(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0.max(b.0), a.1.max(b.1))
}

impl<'a> AbstractValue<'a> {
    /// From the truth of a condition; `None` where that is open.
    pub(crate) fn truths(truth: Option<Truth>) -> Self {
        match truth {
            None => AbstractValue::Open,
            Some(Truth::Unknown) => AbstractValue::Either,
            Some(truth) => AbstractValue::Fixed(Scalar::Bool(truth == Truth::True)),
        }
    }

    /// As a condition. A value that is not a bool does not hold. `None` where it is open.
    pub(crate) fn truth(&self) -> Option<Truth> {
        match self {
            AbstractValue::Fixed(value) => Some(Truth::of(value.holds())),
            AbstractValue::Numbers(_) | AbstractValue::Times { .. } => Some(Truth::False),
            AbstractValue::Either | AbstractValue::Anything { .. } => Some(Truth::Unknown),
            AbstractValue::Open => None,
        }
    }

    /// Whether there is a value; `None` where that is open.
    pub(crate) fn presence(&self) -> Option<Truth> {
        match self {
            AbstractValue::Fixed(value) => Some(Truth::of(!value.is_absent())),
            AbstractValue::Either => Some(Truth::True),
            AbstractValue::Open => None,
            other => Some(if other.may_be_absent() { Truth::Unknown } else { Truth::True }),
        }
    }

    fn may_be_absent(&self) -> bool {
        match self {
            AbstractValue::Fixed(value) => value.is_absent(),
            AbstractValue::Numbers(NumberRange { absent, .. })
            | AbstractValue::Times { absent, .. }
            | AbstractValue::Anything { absent } => *absent,
            AbstractValue::Either => false,
            AbstractValue::Open => true,
        }
    }

    /// The value, where there is only one.
    pub(crate) fn fixed(&self) -> Option<Scalar<'a>> {
        match self {
            AbstractValue::Fixed(value) => Some(*value),
            _ => None,
        }
    }

    /// As [`AbstractValue::fixed`], also for intervals that hold only one value.
    pub(crate) fn value(&self) -> Option<Scalar<'a>> {
        match *self {
            AbstractValue::Fixed(value) => Some(value),
            AbstractValue::Numbers(NumberRange { low, high, absent: false }) if low == high && low.0 == low.1 => {
                Some(Scalar::Number(low.0))
            }
            AbstractValue::Times { low, high, absent: false } if low == high => Some(Scalar::Time(low)),
            _ => None,
        }
    }

    pub(crate) fn is_settled(&self) -> bool {
        !matches!(self, AbstractValue::Open)
    }

    /// As numbers; `None` for what is never a number.
    pub(crate) fn numbers(&self) -> Option<NumberRange> {
        match *self {
            AbstractValue::Fixed(Scalar::Number(number)) => Some(NumberRange::one(number)),
            AbstractValue::Numbers(numbers) => Some(numbers),
            AbstractValue::Anything { .. } => Some(NumberRange::all()),
            AbstractValue::Fixed(_) | AbstractValue::Times { .. } | AbstractValue::Either | AbstractValue::Open => None,
        }
    }

    /// As instants in milliseconds; `None` for what is not a time or a date.
    fn instants(&self, zone: &Zone) -> Option<NumberRange> {
        match *self {
            AbstractValue::Fixed(Scalar::Date(date)) => Some(NumberRange::one(zone.start(date.days()).ms() as f64)),
            AbstractValue::Fixed(Scalar::Time(at)) => Some(NumberRange::one(at.ms() as f64)),
            AbstractValue::Times { low, high, absent } => {
                Some(NumberRange::between(low.ms() as f64, high.ms() as f64, absent))
            }
            _ => None,
        }
    }

    pub(crate) fn unary(self, one: impl Fn(f64) -> f64, all: impl Fn(NumberRange) -> NumberRange) -> Self {
        match self {
            AbstractValue::Fixed(Scalar::Number(number)) => AbstractValue::Fixed(Scalar::Number(one(number))),
            AbstractValue::Open => AbstractValue::Open,
            other => other
                .numbers()
                .map_or(AbstractValue::Fixed(Scalar::Absent), |numbers| AbstractValue::Numbers(all(numbers))),
        }
    }

    /// What a function of texts gives for it; of what is not a text, nothing.
    pub(crate) fn mapped(self, of_text: impl Fn(Scalar<'a>) -> Scalar<'a>) -> Self {
        match self {
            AbstractValue::Fixed(value) => AbstractValue::Fixed(of_text(value)),
            AbstractValue::Anything { .. } => AbstractValue::Anything { absent: true },
            AbstractValue::Open => AbstractValue::Open,
            AbstractValue::Numbers(_) | AbstractValue::Times { .. } | AbstractValue::Either => {
                AbstractValue::Fixed(Scalar::Absent)
            }
        }
    }

    /// A date as the instant at which it begins; anything else as it is.
    pub(crate) fn begun(self, zone: &Zone) -> Self {
        match self {
            AbstractValue::Fixed(Scalar::Date(date)) => AbstractValue::Fixed(Scalar::Time(zone.start(date.days()))),
            other => other,
        }
    }

    /// For a time or a date: the values of a function of dates from one local day to another.
    pub(crate) fn calendar(self, function: CalendarFunction, days: (Day, Day), zone: &Zone) -> Self {
        match self {
            AbstractValue::Fixed(value) => match local_day(value, zone) {
                None => AbstractValue::Fixed(Scalar::Absent),
                Some(of) if days.0 == days.1 => {
                    AbstractValue::Fixed(Scalar::Number(calendar_value(function, of, days.0) as f64))
                }
                Some(of) => {
                    let (least, greatest) = calendar_over(function, of, days.0, days.1);
                    let end = (least as f64, greatest as f64);
                    AbstractValue::Numbers(NumberRange { low: end, high: end, absent: false })
                }
            },
            AbstractValue::Times { low, high, absent } => {
                let dates = (zone.day(low), zone.day(high));
                let (first, last) = (of_dates(function, dates, days.0), of_dates(function, dates, days.1));
                // On the way from one day to another an anniversary may be passed.
                if function == CalendarFunction::DatesToAnniversary && days.0 != days.1 {
                    return AbstractValue::Open;
                }
                let end = |a: i64, b: i64| (a.min(b) as f64, a.max(b) as f64);
                AbstractValue::Numbers(NumberRange { low: end(first.0, last.0), high: end(first.1, last.1), absent })
            }
            AbstractValue::Anything { .. } => AbstractValue::Numbers(NumberRange::all()),
            AbstractValue::Open => AbstractValue::Open,
            AbstractValue::Numbers(_) | AbstractValue::Either => AbstractValue::Fixed(Scalar::Absent),
        }
    }

    /// For a time: how long ago it is at the instants of an interval.
    pub(crate) fn since(self, first: Timestamp, last: Timestamp, unit: Unit) -> Self {
        let past =
            |at: Timestamp| (first.since(at) as f64 / unit.ms() as f64, last.since(at) as f64 / unit.ms() as f64);
        self.distance(first == last, |low, high| (past(high), past(low)))
    }

    /// For a time: how far ahead it is at the instants of an interval.
    pub(crate) fn until(self, first: Timestamp, last: Timestamp, unit: Unit) -> Self {
        let ahead =
            |at: Timestamp| (at.since(last) as f64 / unit.ms() as f64, at.since(first) as f64 / unit.ms() as f64);
        self.distance(first == last, |low, high| (ahead(low), ahead(high)))
    }

    /// `ends` encloses both ends, from the earliest and the latest time.
    fn distance(
        self,
        is_instant: bool,
        ends: impl Fn(Timestamp, Timestamp) -> ((f64, f64), (f64, f64)),
    ) -> AbstractValue<'a> {
        match self {
            AbstractValue::Fixed(Scalar::Time(at)) => {
                let (low, high) = ends(at, at);
                if is_instant {
                    AbstractValue::Fixed(Scalar::Number(low.0))
                } else {
                    AbstractValue::Numbers(NumberRange { low, high, absent: false })
                }
            }
            AbstractValue::Times { low, high, absent } => {
                let (low, high) = ends(low, high);
                AbstractValue::Numbers(NumberRange { low, high, absent })
            }
            AbstractValue::Anything { .. } => AbstractValue::Numbers(NumberRange::all()),
            AbstractValue::Open => AbstractValue::Open,
            AbstractValue::Fixed(_) | AbstractValue::Numbers(_) | AbstractValue::Either => {
                AbstractValue::Fixed(Scalar::Absent)
            }
        }
    }

    /// The distance between two times, in units.
    pub(crate) fn distance_from(&self, from: &AbstractValue<'_>, unit: Unit, zone: &Zone) -> AbstractValue<'a> {
        let unit_ms = unit.ms() as f64;
        let fixed = |side: &AbstractValue<'_>| side.fixed().and_then(|value| instant(value, zone));
        if let (Some(to), Some(from)) = (fixed(self), fixed(from)) {
            return AbstractValue::Fixed(Scalar::Number(to.since(from) as f64 / unit_ms));
        }
        let or_anything = |side: &AbstractValue<'_>| match side {
            AbstractValue::Anything { .. } => Some(NumberRange::all()),
            other => other.instants(zone),
        };
        match (or_anything(self), or_anything(from)) {
            (Some(to), Some(from)) => {
                let (low, high) = ((to.low.0 - from.high.0) / unit_ms, (to.high.0 - from.low.0) / unit_ms);
                NumberRange::between(low, high, to.absent || from.absent).checked()
            }
            _ => AbstractValue::Fixed(Scalar::Absent),
        }
    }

    /// Either of the two.
    pub(crate) fn or(self, other: AbstractValue<'a>) -> Self {
        let absent = self.may_be_absent() || other.may_be_absent();
        let is_bool =
            |side: &AbstractValue<'_>| matches!(side, AbstractValue::Either | AbstractValue::Fixed(Scalar::Bool(_)));
        match (self, other) {
            (a, b) if a == b => a,
            (AbstractValue::Open, _) | (_, AbstractValue::Open) => AbstractValue::Open,
            (AbstractValue::Fixed(Scalar::Absent), AbstractValue::Numbers(numbers))
            | (AbstractValue::Numbers(numbers), AbstractValue::Fixed(Scalar::Absent)) => {
                AbstractValue::Numbers(NumberRange { absent, ..numbers })
            }
            (AbstractValue::Fixed(Scalar::Absent), AbstractValue::Fixed(Scalar::Number(number)))
            | (AbstractValue::Fixed(Scalar::Number(number)), AbstractValue::Fixed(Scalar::Absent)) => {
                AbstractValue::Numbers(NumberRange { absent, ..NumberRange::one(number) })
            }
            (a, b) if is_bool(&a) && is_bool(&b) => AbstractValue::Either,
            (AbstractValue::Anything { .. }, _) | (_, AbstractValue::Anything { .. }) => {
                AbstractValue::Anything { absent }
            }
            (a, b) => match (a.numbers(), b.numbers()) {
                (Some(a), Some(b)) => AbstractValue::Numbers(NumberRange {
                    low: lesser(a.low, b.low),
                    high: greater(a.high, b.high),
                    absent,
                }),
                _ => AbstractValue::Anything { absent },
            },
        }
    }

    /// Compares all values of this with all values of another; `None` where that is open.
    pub(crate) fn compare(&self, op: Comparison, other: &AbstractValue<'_>, zone: &Zone) -> Option<Truth> {
        if let (Some(a), Some(b)) = (self.fixed(), other.fixed()) {
            return Some(Truth::of(compare_values(op, a, b, zone)));
        }
        let is_absent = |side: &AbstractValue<'_>| side.fixed().is_some_and(|value| value.is_absent());
        if is_absent(self) || is_absent(other) {
            return Some(Truth::False);
        }
        let bools =
            |side: &AbstractValue<'_>| matches!(side, AbstractValue::Either | AbstractValue::Fixed(Scalar::Bool(_)));
        match (self, other) {
            (AbstractValue::Open, _) | (_, AbstractValue::Open) => None,
            (AbstractValue::Anything { .. }, _) | (_, AbstractValue::Anything { .. }) => Some(Truth::Unknown),
            (a, b) if bools(a) && bools(b) => Some(Truth::Unknown),
            (a, b) => match (a.numbers().zip(b.numbers()), a.instants(zone).zip(b.instants(zone))) {
                (Some((a, b)), _) | (_, Some((a, b))) => decide(op, a, b),
                // Of different types.
                (None, None) => Some(Truth::False),
            },
        }
    }
}

/// Whether something holds for all pairs of numbers (`Some(true)`), does not (`Some(false)`), or differs within the
/// interval of time (`None`).
type Throughout = Option<bool>;

/// Whether every number of `a` is less than every number of `b`; for `or_equal`, less or equal.
fn all_below(a: (f64, f64), b: (f64, f64), or_equal: bool) -> Throughout {
    // `a` is the upper end of one side, `b` the lower end of the other.
    let below = |a: f64, b: f64| if or_equal { a <= b } else { a < b };
    if below(a.1, b.0) {
        Some(true)
    } else if !below(a.0, b.1) {
        Some(false)
    } else {
        None
    }
}

fn decide(op: Comparison, a: NumberRange, b: NumberRange) -> Option<Truth> {
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

/// Whether the two have no number in common.
fn apart(a: NumberRange, b: NumberRange) -> Throughout {
    match (all_below(a.high, b.low, false), all_below(b.high, a.low, false)) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
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
