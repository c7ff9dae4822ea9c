//! Verdicts while counters have not seen their whole window (spec 4.3): an expression is true or false only if it is so
//! for every value that the unseen part could give.
//!
//! An incomplete counter has not one value but all that it may have: mostly an interval. Expressions over intervals are
//! computed as over numbers, end by end, because all operations are monotone in each operand; comparisons of intervals
//! are true, false or unknown, and `&&`, `||` and `!` follow Kleene, "Introduction to Metamathematics", 1952, § 64. The
//! operands of an expression are taken independently of each other, so `x - x` is unknown as long as `x` is.
//!
//! When a verdict may next differ is found as for other clock terms: each end is enclosed over an interval of time
//! (`expr::crossing`), and an interval that leaves it open is halved.

use super::abstract_value::AbstractValue;
use super::number_range::NumberRange;
use crate::catalog::{Arithmetic, Bands, Comparison, Expr, Motion, TimeName};
use crate::engine::expr::{
    Evaluator, band, calculate, first_change, fold_case, magnitude, match_text, negate, test_text, text_size,
    without_decimal,
};
use crate::model::{Number, Scalar, Timestamp};

/// The size of the longest text that a counter keeps, whatever the catalog's `max_text`.
const KEPT_TEXT_MAX: f64 = 65_536.0;

/// What is known of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    False,
    True,
    Unknown,
}

impl Truth {
    pub(crate) fn of(holds: bool) -> Self {
        if holds { Truth::True } else { Truth::False }
    }

    fn not(self) -> Self {
        match self {
            Truth::False => Truth::True,
            Truth::True => Truth::False,
            Truth::Unknown => Truth::Unknown,
        }
    }
}

/// What is known of a condition, and the first instant at which that may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub truth: Truth,
    pub until: Timestamp,
}

/// A value, if it is known, and the first instant at which that may differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Known<T> {
    pub what: Option<T>,
    pub until: Timestamp,
}

/// In which band a value lies, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BandVerdict {
    Unknown,
    NoBand,
    Band(u16),
}

/// An interval of time, both ends included, during which counters, attributes and tags stay as they are.
#[derive(Clone, Copy, Debug)]
struct Interval {
    first: Timestamp,
    last: Timestamp,
}

impl<'a> Evaluator<'a> {
    /// What is known of a condition now.
    pub(crate) fn verdict(&mut self, expr: &'a Expr) -> Verdict {
        if self.coverage.is_none() {
            let held = self.eval(expr);
            return Verdict { truth: Truth::of(held.value.holds()), until: held.until };
        }
        let (now, limit) = (self.now.at, self.limit(expr));
        let truth = self.truth(expr, Interval { first: now, last: now }).unwrap_or(Truth::Unknown);
        if !has_clock(expr) {
            return Verdict { truth, until: limit };
        }
        let until = first_change(truth, now, limit, |first, last| self.truth(expr, Interval { first, last }));
        Verdict { truth, until }
    }

    /// The value of an expression that does not move with the clock.
    pub(crate) fn known(&mut self, expr: &'a Expr) -> Known<Scalar<'a>> {
        if self.coverage.is_none() {
            let held = self.eval(expr);
            return Known { what: Some(held.value), until: held.until };
        }
        let now = self.now.at;
        let what = self.possible(expr, Interval { first: now, last: now }).value();
        let limit = self.limit(expr);
        if !has_clock(expr) {
            return Known { what, until: limit };
        }
        // A condition within the expression may turn before anything else does.
        let until = first_change(what, now, limit, |first, last| {
            let found = self.possible(expr, Interval { first, last });
            if first == last || found.is_settled() { Some(found.value()) } else { None }
        });
        Known { what, until }
    }

    /// The band in which a value lies now, and the first instant at which it may lie in another.
    pub(crate) fn known_band(
        &mut self,
        expr: &'a Expr,
        bands: &Bands,
        current: Option<u16>,
    ) -> (BandVerdict, Timestamp) {
        if self.coverage.is_none() {
            let (band, until) = self.band(expr, bands, current);
            return (band.map_or(BandVerdict::NoBand, BandVerdict::Band), until);
        }
        let (now, limit) = (self.now.at, self.limit(expr));
        let mut over = |first, last| band_over(&self.possible(expr, Interval { first, last }), bands, current);
        let verdict = over(now, now).unwrap_or(BandVerdict::Unknown);
        let until = if has_clock(expr) { first_change(verdict, now, limit, over) } else { limit };
        (verdict, until)
    }

    /// All values that an expression may have over an interval.
    fn possible(&mut self, expr: &'a Expr, over: Interval) -> AbstractValue<'a> {
        match expr {
            Expr::Counter(id) => self.possible_counter(*id),
            Expr::Time(name) => self.possible_time(*name),
            Expr::Calendar(function, of) => {
                let zone = &self.program.zone;
                let days = (zone.day(over.first), zone.day(over.last));
                self.possible_time(*of).calendar(*function, days, zone)
            }
            Expr::Since { unit, of } => {
                self.possible_time(*of).begun(&self.program.zone).since(over.first, over.last, *unit)
            }
            Expr::Until { unit, of } => {
                self.possible_time(*of).begun(&self.program.zone).until(over.first, over.last, *unit)
            }
            Expr::Between { unit, from, to } => {
                self.possible_time(*to).distance_from(&self.possible_time(*from), *unit, &self.program.zone)
            }
            Expr::Negate(x) => self.possible(x, over).unary(negate, NumberRange::negated),
            Expr::Abs(x) => self.possible(x, over).unary(magnitude, NumberRange::absolute),
            Expr::ToDouble(x) => match self.possible(x, over) {
                AbstractValue::Fixed(value) => AbstractValue::Fixed(without_decimal(value)),
                AbstractValue::Numbers(numbers) => AbstractValue::Numbers(numbers.in_doubles()),
                other => other,
            },
            Expr::Arithmetic(op, sides) => {
                let (a, b) = (self.possible(&sides[0], over), self.possible(&sides[1], over));
                arithmetic(*op, &a, &b)
            }
            Expr::Compare { op, sides, motion } => {
                let (a, b) = (self.possible(&sides[0], over), self.possible(&sides[1], over));
                let mut truth = a.compare(*op, &b, &self.program.zone);
                if truth.is_none() && *motion != Motion::Still && !sides.iter().any(|side| self.has_incomplete(side)) {
                    truth = self.compare_over(*op, sides, over.first, over.last).map(Truth::of);
                }
                AbstractValue::truths(truth)
            }
            Expr::And(sides) => self.junction(sides, over, Truth::False),
            Expr::Or(sides) => self.junction(sides, over, Truth::True),
            Expr::Not(x) => AbstractValue::truths(self.truth(x, over).map(Truth::not)),
            Expr::Conditional(parts) => match self.truth(&parts[0], over) {
                None => AbstractValue::Open,
                Some(Truth::True) => self.possible(&parts[1], over),
                Some(Truth::False) => self.possible(&parts[2], over),
                Some(Truth::Unknown) => self.possible(&parts[1], over).or(self.possible(&parts[2], over)),
            },
            Expr::In(x, list) => {
                let needle = self.possible(x, over);
                let mut found = Some(Truth::False);
                for item in list {
                    let is_it = needle.compare(Comparison::Equal, &self.possible(item, over), &self.program.zone);
                    found = either(found, is_it, Truth::True);
                }
                AbstractValue::truths(found)
            }
            Expr::Has(x) => AbstractValue::truths(self.possible(x, over).presence()),
            Expr::Text(test, sides) => {
                let (a, b) = (self.possible(&sides[0], over), self.possible(&sides[1], over));
                match (a.fixed(), b.fixed()) {
                    (Some(a), Some(b)) => AbstractValue::Fixed(test_text(*test, a, b)),
                    _ => AbstractValue::Anything { absent: true },
                }
            }
            Expr::Case(case, x) => self
                .possible(x, over)
                .mapped(|value| fold_case(*case, value, self.texts), |absent| AbstractValue::Text { absent }),
            Expr::Matches(x, pattern) => self.possible(x, over).mapped(
                |value| match_text(value, pattern),
                |absent| if absent { AbstractValue::Anything { absent } } else { AbstractValue::Either },
            ),
            Expr::Size(x) => self.possible(x, over).mapped(
                |value| text_size(value),
                |absent| {
                    let (least, most) = (Number::Double(0.0), Number::Double(KEPT_TEXT_MAX));
                    AbstractValue::Numbers(NumberRange::whole(least, most, absent))
                },
            ),
            // These contain neither the clock nor a counter.
            Expr::Literal(_)
            | Expr::Share(_)
            | Expr::Attribute(_)
            | Expr::Tag(_)
            | Expr::Property(_)
            | Expr::Item(_)
            | Expr::EventType
            | Expr::WallClock(_)
            | Expr::Contains(..) => AbstractValue::Fixed(self.eval(expr).value),
        }
    }

    fn junction(&mut self, sides: &'a [Expr; 2], over: Interval, decisive: Truth) -> AbstractValue<'a> {
        let (a, b) = (self.truth(&sides[0], over), self.truth(&sides[1], over));
        AbstractValue::truths(either(a, b, decisive))
    }

    /// What is known of a condition over an interval; `None` is open. As a condition, absent and false are one value, so
    /// the branches of `?:` are compared as conditions, and not as values.
    fn truth(&mut self, expr: &'a Expr, over: Interval) -> Option<Truth> {
        let Expr::Conditional(parts) = expr else { return self.possible(expr, over).truth() };
        match self.truth(&parts[0], over)? {
            Truth::True => self.truth(&parts[1], over),
            Truth::False => self.truth(&parts[2], over),
            Truth::Unknown => {
                let (a, b) = (self.truth(&parts[1], over)?, self.truth(&parts[2], over)?);
                Some(if a == b { a } else { Truth::Unknown })
            }
        }
    }

    /// Whether an expression reads an incomplete counter.
    fn has_incomplete(&self, expr: &Expr) -> bool {
        let incomplete = |name: &TimeName| matches!(name, TimeName::Counter(id) if self.incomplete(*id).is_some());
        some_part(expr, &|part| match part {
            Expr::Counter(id) => self.incomplete(*id).is_some(),
            Expr::Time(name) | Expr::Since { of: name, .. } | Expr::Until { of: name, .. } => incomplete(name),
            Expr::Calendar(_, name) => incomplete(name),
            Expr::Between { from, to, .. } => incomplete(from) || incomplete(to),
            _ => false,
        })
    }

    /// Until when only the clock moves in an expression.
    fn limit(&self, expr: &Expr) -> Timestamp {
        match expr {
            Expr::Counter(id) => self.counter_limit(*id),
            Expr::Time(name) | Expr::Since { of: name, .. } | Expr::Until { of: name, .. } => self.time_limit(*name),
            Expr::Calendar(_, name) => self.time_limit(*name),
            Expr::Between { from, to, .. } => self.time_limit(*from).min(self.time_limit(*to)),
            _ => {
                let mut limit = Timestamp::FOREVER;
                expr.for_each_operand(|operand| limit = limit.min(self.limit(operand)));
                limit
            }
        }
    }

    fn time_limit(&self, name: TimeName) -> Timestamp {
        match name {
            TimeName::Counter(id) => self.counter_limit(id),
            _ => Timestamp::FOREVER,
        }
    }
}

/// Kleene's `&&` for a `decisive` of false, `||` for one of true. `None` is open: it may be anything.
fn either(a: Option<Truth>, b: Option<Truth>, decisive: Truth) -> Option<Truth> {
    match (a, b) {
        (Some(a), _) if a == decisive => Some(decisive),
        (_, Some(b)) if b == decisive => Some(decisive),
        (Some(Truth::Unknown), Some(_)) | (Some(_), Some(Truth::Unknown)) => Some(Truth::Unknown),
        (Some(_), Some(_)) => Some(decisive.not()),
        _ => None,
    }
}

fn arithmetic<'a>(op: Arithmetic, a: &AbstractValue<'a>, b: &AbstractValue<'a>) -> AbstractValue<'a> {
    if matches!(a, AbstractValue::Open) || matches!(b, AbstractValue::Open) {
        return AbstractValue::Open;
    }
    if let (Some(Scalar::Number(a)), Some(Scalar::Number(b))) = (a.fixed(), b.fixed()) {
        return AbstractValue::Fixed(calculate(op, a, b));
    }
    match (a.numbers(), b.numbers()) {
        (Some(a), Some(b)) => a.calculate(op, b),
        _ => AbstractValue::Fixed(Scalar::Absent),
    }
}

/// The band of all possible values; `None` where that differs within the interval, for all that can be told.
fn band_over(value: &AbstractValue<'_>, bands: &Bands, current: Option<u16>) -> Option<BandVerdict> {
    let numbers = match value {
        AbstractValue::Open => return None,
        AbstractValue::Fixed(Scalar::Number(number)) => NumberRange::one(*number),
        AbstractValue::Fixed(_) | AbstractValue::Either => return Some(BandVerdict::NoBand),
        AbstractValue::Times { .. } | AbstractValue::Text { .. } => return Some(BandVerdict::NoBand),
        AbstractValue::Anything { .. } => return Some(BandVerdict::Unknown),
        AbstractValue::Numbers(numbers) => *numbers,
    };
    let place = |number: Number| band(bands, current, number);
    // The band never falls as the value grows.
    if place(numbers.low.1) < place(numbers.high.0) {
        return Some(BandVerdict::Unknown);
    }
    let is_one = place(numbers.low.0) == place(numbers.high.1);
    match (is_one, numbers.absent) {
        (true, false) => Some(BandVerdict::Band(place(numbers.low.0))),
        (_, true) => Some(BandVerdict::Unknown),
        (false, false) => None,
    }
}

/// Whether an expression reads the clock.
fn has_clock(expr: &Expr) -> bool {
    some_part(expr, &|part| matches!(part, Expr::Since { .. } | Expr::Until { .. } | Expr::Calendar(..)))
}

/// Whether an expression, or a part of it, passes a test.
fn some_part(expr: &Expr, is_such: &impl Fn(&Expr) -> bool) -> bool {
    let mut found = is_such(expr);
    expr.for_each_operand(|operand| found = found || some_part(operand, is_such));
    found
}
