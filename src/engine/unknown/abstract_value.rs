//! What an expression may be when its value is not known: one value, an interval, or anything.

use super::kleene::Truth;
use super::number_range::{Ends, NumberRange, decide, greater, lesser};
use crate::catalog::{CalendarFunction, Comparison};
use crate::engine::aggregate::{Day, Zone};
use crate::engine::expr::{calendar_over, calendar_value, compare_values, instant, local_day, of_dates};
use crate::model::{Number, Scalar, Timestamp, Unit};

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
    /// Any text.
    Text {
        absent: bool,
    },
    Anything {
        absent: bool,
    },
    /// It differs within the interval, for all that can be told.
    Open,
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
            AbstractValue::Numbers(_) | AbstractValue::Times { .. } | AbstractValue::Text { .. } => Some(Truth::False),
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
            | AbstractValue::Text { absent }
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
            AbstractValue::Numbers(NumberRange { low, high, absent: false, .. }) if low == high && low.0 == low.1 => {
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
            AbstractValue::Fixed(_) | AbstractValue::Times { .. } | AbstractValue::Either => None,
            AbstractValue::Text { .. } | AbstractValue::Open => None,
        }
    }

    /// Whether it is a text, where it has a value.
    fn is_text(&self) -> bool {
        matches!(self, AbstractValue::Text { .. } | AbstractValue::Fixed(Scalar::String(_)))
    }

    /// As instants in milliseconds; `None` for what is not a time or a date.
    fn instants(&self, zone: &Zone) -> Option<NumberRange> {
        match *self {
            AbstractValue::Fixed(Scalar::Date(date)) => {
                Some(NumberRange::one(Number::Integer(zone.start(date.days()).ms())))
            }
            AbstractValue::Fixed(Scalar::Time(at)) => Some(NumberRange::one(Number::Integer(at.ms()))),
            AbstractValue::Times { low, high, absent } => {
                Some(NumberRange::between(Number::Integer(low.ms()), Number::Integer(high.ms()), absent))
            }
            _ => None,
        }
    }

    pub(crate) fn unary(self, one: impl Fn(Number) -> Number, all: impl Fn(NumberRange) -> NumberRange) -> Self {
        match self {
            AbstractValue::Fixed(Scalar::Number(number)) => AbstractValue::Fixed(Scalar::Number(one(number))),
            AbstractValue::Open => AbstractValue::Open,
            other => other
                .numbers()
                .map_or(AbstractValue::Fixed(Scalar::Absent), |numbers| AbstractValue::Numbers(all(numbers))),
        }
    }

    /// What a function of texts gives for it; of what is not a text, nothing. `of_any`: what it gives for a text that is
    /// not known, or for none.
    pub(crate) fn mapped(self, of_text: impl Fn(Scalar<'a>) -> Scalar<'a>, of_any: impl Fn(bool) -> Self) -> Self {
        match self {
            AbstractValue::Fixed(value) => AbstractValue::Fixed(of_text(value)),
            AbstractValue::Text { absent } => of_any(absent),
            AbstractValue::Anything { .. } => of_any(true),
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
                    AbstractValue::Fixed(Scalar::double(calendar_value(function, of, days.0) as f64))
                }
                Some(of) => {
                    let (least, greatest) = calendar_over(function, of, days.0, days.1);
                    let end = (least as f64, greatest as f64);
                    AbstractValue::Numbers(NumberRange::of_doubles(end, end, false))
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
                AbstractValue::Numbers(NumberRange::of_doubles(end(first.0, last.0), end(first.1, last.1), absent))
            }
            AbstractValue::Anything { .. } => AbstractValue::Numbers(NumberRange::all()),
            AbstractValue::Open => AbstractValue::Open,
            AbstractValue::Numbers(_) | AbstractValue::Text { .. } | AbstractValue::Either => {
                AbstractValue::Fixed(Scalar::Absent)
            }
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
                    AbstractValue::Fixed(Scalar::double(low.0))
                } else {
                    AbstractValue::Numbers(NumberRange::of_doubles(low, high, false))
                }
            }
            AbstractValue::Times { low, high, absent } => {
                let (low, high) = ends(low, high);
                AbstractValue::Numbers(NumberRange::of_doubles(low, high, absent))
            }
            AbstractValue::Anything { .. } => AbstractValue::Numbers(NumberRange::all()),
            AbstractValue::Open => AbstractValue::Open,
            AbstractValue::Fixed(_) | AbstractValue::Numbers(_) => AbstractValue::Fixed(Scalar::Absent),
            AbstractValue::Text { .. } | AbstractValue::Either => AbstractValue::Fixed(Scalar::Absent),
        }
    }

    /// The distance between two times, in units.
    pub(crate) fn distance_from(&self, from: &AbstractValue<'_>, unit: Unit, zone: &Zone) -> AbstractValue<'a> {
        let unit_ms = unit.ms() as f64;
        let fixed = |side: &AbstractValue<'_>| side.fixed().and_then(|value| instant(value, zone));
        if let (Some(to), Some(from)) = (fixed(self), fixed(from)) {
            return AbstractValue::Fixed(Scalar::double(to.since(from) as f64 / unit_ms));
        }
        let or_anything = |side: &AbstractValue<'_>| match side {
            AbstractValue::Anything { .. } => Some(NumberRange::all()),
            other => other.instants(zone),
        };
        match (or_anything(self), or_anything(from)) {
            (Some(to), Some(from)) => {
                let distance = |to: Ends, from: Ends| (to.0.to_f64() - from.0.to_f64()) / unit_ms;
                let (low, high) = (distance(to.low, from.high), distance(to.high, from.low));
                NumberRange::of_doubles((low, low), (high, high), to.absent || from.absent).checked()
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
            (a, b) if a.is_text() && b.is_text() => AbstractValue::Text { absent },
            (a, AbstractValue::Fixed(Scalar::Absent)) | (AbstractValue::Fixed(Scalar::Absent), a) if a.is_text() => {
                AbstractValue::Text { absent }
            }
            (AbstractValue::Anything { .. }, _) | (_, AbstractValue::Anything { .. }) => {
                AbstractValue::Anything { absent }
            }
            (a, b) => match (a.numbers(), b.numbers()) {
                (Some(a), Some(b)) => AbstractValue::Numbers(NumberRange {
                    low: lesser(a.low, b.low),
                    high: greater(a.high, b.high),
                    absent,
                    whole: a.whole && b.whole,
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
            (a, b) if a.is_text() && b.is_text() => Some(Truth::Unknown),
            (a, b) => match (a.numbers().zip(b.numbers()), a.instants(zone).zip(b.instants(zone))) {
                (Some((a, b)), _) | (_, Some((a, b))) => decide(op, a, b),
                // Of different types.
                (None, None) => Some(Truth::False),
            },
        }
    }
}
