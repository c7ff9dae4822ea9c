//! Every value that something may have, at each instant of a stretch of time and at some.
//!
//! The values of an ordered type are a range. Operations take their arguments independently of each other. On doubles,
//! rounding included, they never fall when an argument grows, or never grow: so the values at the ends of the arguments'
//! ranges bound what is computed in between, exactly.

use super::decimal::ONE;
use super::evaluate::calculate;
use super::expression::{Arithmetic, Comparison, TextTest};
use super::number::{DECIMAL_MAX, Number};
use super::range::{May, Range, less, more};
use super::value::Value;

/// Stands for "no bound": far beyond everything that is counted, and yet far from where decimals end. In ones.
pub const ENDLESS: i128 = 1_000_000_000_000_000_000_000;

#[derive(Clone, Debug, PartialEq)]
pub enum Texts {
    One(String),
    Any,
    /// One or any, not always the same.
    Unclear,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Possible {
    pub absent: May,
    pub yes: May,
    pub no: May,
    pub numbers: Option<Range<Number>>,
    pub times: Option<Range<i64>>,
    pub texts: Option<(May, Texts)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Type {
    Bool,
    Number,
    Time,
    Text,
}

impl Possible {
    pub const NOTHING: Self =
        Self { absent: May::NO, yes: May::NO, no: May::NO, numbers: None, times: None, texts: None };
    const ABSENT: Self = Self { absent: May::YES, ..Self::NOTHING };

    pub fn doubles(least: f64, greatest: f64) -> Self {
        Self::numbers(Number::Double(least), Number::Double(greatest))
    }

    pub fn numbers(least: Number, greatest: Number) -> Self {
        Self { numbers: Some(Range::new(least, greatest)), ..Self::NOTHING }
    }

    pub fn times(least: i64, greatest: i64) -> Self {
        Self { times: Some(Range::new(least, greatest)), ..Self::NOTHING }
    }

    pub fn any_text() -> Self {
        Self { texts: Some((May::YES, Texts::Any)), ..Self::NOTHING }
    }

    /// Whatever an event can have at a path.
    pub fn any_scalar() -> Self {
        let numbers = Self::doubles(-f64::MAX, f64::MAX).numbers;
        Self { yes: May::YES, no: May::YES, numbers, ..Self::any_text() }
    }

    /// Nothing but that value.
    pub fn only(value: Value) -> Self {
        match value {
            Value::Absent => Self::ABSENT,
            Value::Bool(flag) => Self::condition(May::is(flag), May::is(!flag)),
            Value::Number(number) => Self::numbers(number, number),
            Value::Time(ms) => Self::times(ms, ms),
            Value::Text(text) => Self { texts: Some((May::YES, Texts::One(text))), ..Self::NOTHING },
            other => panic!("no value of a tag: {other:?}"),
        }
    }

    /// A bool that may be true, and may be false.
    pub fn condition(yes: May, no: May) -> Self {
        Self { yes, no, ..Self::NOTHING }
    }

    pub fn or_absent(self, absent: May) -> Self {
        Self { absent: self.absent.or(absent), ..self }
    }

    /// The same, but only when that is so.
    pub fn when(self, so: May) -> Self {
        let range = |range: Range<Number>| Range { there: range.there.and(so), ..range };
        let times = |range: Range<i64>| Range { there: range.there.and(so), ..range };
        Self {
            absent: self.absent.and(so),
            yes: self.yes.and(so),
            no: self.no.and(so),
            numbers: self.numbers.map(range).filter(|range| range.there.some),
            times: self.times.map(times).filter(|range| range.there.some),
            texts: self.texts.map(|(there, texts)| (there.and(so), texts)).filter(|(there, _)| there.some),
        }
    }

    /// What is possible in one of the two, and what lies between.
    pub fn or(self, other: Self) -> Self {
        let texts = match (self.texts, other.texts) {
            (Some((a_there, a)), Some((b_there, b))) => {
                let texts = if a == b {
                    a
                } else if a_there.each && b_there.each {
                    Texts::Any
                } else {
                    Texts::Unclear
                };
                Some((a_there.or(b_there), texts))
            }
            (one, other) => one.or(other),
        };
        Self {
            absent: self.absent.or(other.absent),
            yes: self.yes.or(other.yes),
            no: self.no.or(other.no),
            numbers: join(self.numbers, other.numbers),
            times: join(self.times, other.times),
            texts,
        }
    }

    /// The value, if at this one instant exactly one is possible.
    pub fn single(&self) -> Option<Value> {
        let mut found = Vec::new();
        found.extend(self.absent.some.then_some(Value::Absent));
        found.extend(self.yes.some.then_some(Value::Bool(true)));
        found.extend(self.no.some.then_some(Value::Bool(false)));
        if let Some(range) = self.numbers {
            found.extend([range.least.0, range.greatest.1].map(Value::Number));
        }
        if let Some(range) = self.times {
            found.extend([range.least.0, range.greatest.1].map(Value::Time));
        }
        match &self.texts {
            None => {}
            Some((_, Texts::One(text))) => found.push(Value::Text(text.clone())),
            Some(_) => return None,
        }
        found.dedup();
        if found.len() == 1 { found.pop() } else { None }
    }

    fn types(&self) -> [(Type, May); 4] {
        [
            (Type::Bool, self.yes.or(self.no)),
            (Type::Number, self.numbers.map_or(May::NO, |range| range.there)),
            (Type::Time, self.times.map_or(May::NO, |range| range.there)),
            (Type::Text, self.texts.as_ref().map_or(May::NO, |(there, _)| *there)),
        ]
    }

    /// Whether it may be absent or of another type.
    fn is_no(&self, own: Type) -> May {
        self.types().into_iter().filter(|(kind, _)| *kind != own).fold(self.absent, |may, (_, there)| may.or(there))
    }

    pub fn is_no_number(&self) -> May {
        self.is_no(Type::Number)
    }

    pub fn is_no_time(&self) -> May {
        self.is_no(Type::Time)
    }

    pub fn is_there(&self) -> May {
        self.types().into_iter().fold(May::NO, |may, (_, there)| may.or(there))
    }

    /// As a condition only true holds.
    pub fn holds(&self) -> May {
        self.yes
    }

    pub fn fails(&self) -> May {
        self.no.or(self.is_no(Type::Bool))
    }

    pub fn compared(&self, comparison: Comparison, other: &Self) -> Self {
        // Absent or of two types: false.
        let mut found = Self::condition(May::NO, self.absent.or(other.absent));
        for (a, a_there) in self.types() {
            for (b, b_there) in other.types().into_iter().filter(|(b, _)| *b != a) {
                let _ = b;
                found.no = found.no.or(a_there.and(b_there));
            }
        }
        let mut see = |there: May, (yes, no): (May, May)| {
            found.yes = found.yes.or(there.and(yes));
            found.no = found.no.or(there.and(no));
        };
        if let (Some(a), Some(b)) = (self.numbers, other.numbers) {
            see(a.there.and(b.there), a.compared(comparison, &b));
        }
        if let (Some(a), Some(b)) = (self.times, other.times) {
            see(a.there.and(b.there), a.compared(comparison, &b));
        }
        for (a_may, a) in [(self.yes, true), (self.no, false)] {
            for (b_may, b) in [(other.yes, true), (other.no, false)] {
                let holds = match comparison {
                    Comparison::Equal => a == b,
                    Comparison::Unequal => a != b,
                    _ => false, // bools have no order
                };
                see(a_may.and(b_may), (May::is(holds), May::is(!holds)));
            }
        }
        if let (Some((a_there, a)), Some((b_there, b))) = (&self.texts, &other.texts) {
            let answer = match (a, b) {
                (Texts::One(a), Texts::One(b)) => Range::new(a, a).compared(comparison, &Range::new(b, b)),
                (Texts::Unclear, _) | (_, Texts::Unclear) => (May::UNCLEAR, May::UNCLEAR),
                (Texts::Any, _) | (_, Texts::Any) => (May::YES, May::YES),
            };
            see(a_there.and(*b_there), answer);
        }
        found
    }

    /// Whether one of the items is equal.
    pub fn is_in(&self, items: &[Self]) -> Self {
        let each = items.iter().map(|item| self.compared(Comparison::Equal, item));
        each.fold(Self::condition(May::NO, May::YES), |all, one| {
            Self::condition(all.yes.or(one.yes), all.no.and(one.no))
        })
    }

    pub fn tested(&self, test: TextTest, part: &Self) -> Self {
        let absent = self.is_no(Type::Text).or(part.is_no(Type::Text));
        let (Some((a_there, whole)), Some((b_there, part))) = (&self.texts, &part.texts) else {
            return Self::NOTHING.or_absent(absent);
        };
        let (yes, no) = match (whole, part) {
            (Texts::One(whole), Texts::One(part)) => {
                let holds = match test {
                    TextTest::StartsWith => whole.starts_with(part.as_str()),
                    TextTest::EndsWith => whole.ends_with(part.as_str()),
                    TextTest::Contains => whole.contains(part.as_str()),
                };
                (May::is(holds), May::is(!holds))
            }
            (Texts::Unclear, _) | (_, Texts::Unclear) => (May::UNCLEAR, May::UNCLEAR),
            (Texts::Any, _) | (_, Texts::Any) => (May::YES, May::YES),
        };
        Self::condition(yes, no).when(a_there.and(*b_there)).or_absent(absent)
    }

    pub fn negated(&self) -> Self {
        let numbers = self.numbers.map(|Range { there, least, greatest }| Range {
            there,
            least: (greatest.1.negated(), greatest.0.negated()),
            greatest: (least.1.negated(), least.0.negated()),
        });
        Self { numbers, ..Self::NOTHING }.or_absent(self.is_no_number())
    }

    pub fn absolute(&self) -> Self {
        let numbers = self.numbers.map(|Range { there, least, greatest }| Range {
            there,
            // In the form that the operation gives, also where the end itself is taken.
            least: (
                more(zero_like(least.0), more(least.0, greatest.1.negated())).absolute(),
                more(zero_like(least.0), more(least.1, greatest.0.negated())).absolute(),
            ),
            greatest: (more(greatest.0, least.1.negated()).absolute(), more(greatest.1, least.0.negated()).absolute()),
        });
        Self { numbers, ..Self::NOTHING }.or_absent(self.is_no_number())
    }

    /// With doubles in the place of decimals.
    pub fn in_doubles(&self) -> Self {
        let both = |(a, b): (Number, Number)| (a.without_decimal(), b.without_decimal());
        let numbers = self.numbers.map(|Range { there, least, greatest }| Range {
            there,
            least: both(least),
            greatest: both(greatest),
        });
        Self { numbers, ..self.clone() }
    }

    pub fn calculated(&self, operation: Arithmetic, other: &Self, by_whole_literal: bool) -> Self {
        let found = match (self.numbers, other.numbers) {
            (Some(a), Some(b)) => match operation {
                Arithmetic::Divide => quotient(&a, &b),
                Arithmetic::Remainder => remainder(&a, &b),
                _ => {
                    let ends =
                        [(a.least, b.least), (a.least, b.greatest), (a.greatest, b.least), (a.greatest, b.greatest)];
                    finite(&ends.map(|(a, b)| moving(operation, a, b, by_whole_literal)))
                }
            }
            .when(a.there.and(b.there)),
            _ => Self::NOTHING,
        };
        found.or_absent(self.is_no_number().or(other.is_no_number()))
    }
}

fn join<T: Copy + PartialOrd>(a: Option<Range<T>>, b: Option<Range<T>>) -> Option<Range<T>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.or(b)),
        (one, other) => one.or(other),
    }
}

fn zero_like(number: Number) -> Number {
    if let Number::Decimal(_) = number { Number::ZERO } else { Number::Double(0.0) }
}

const TOP: Number = Number::Double(f64::INFINITY);
const BOTTOM: Number = Number::Double(f64::NEG_INFINITY);

/// An end, and between what it moves.
type End = (Number, Number);

/// Between what the result moves when the arguments move between such ends.
fn moving(operation: Arithmetic, a: End, b: End, by_whole_literal: bool) -> End {
    let corners =
        [(a.0, b.0), (a.0, b.1), (a.1, b.0), (a.1, b.1)].map(|(a, b)| calculate(operation, a, b, by_whole_literal));
    (corners.into_iter().fold(TOP, less), corners.into_iter().fold(BOTTOM, more))
}

/// The numbers between the ends, each of which moves; what is not finite counts as absent.
fn finite(ends: &[End]) -> Possible {
    let fold = |first: Number, nearer: fn(Number, Number) -> Number| {
        let both = [|end: &End| end.0, |end: &End| end.1];
        let [from, to] = both.map(|side| ends.iter().map(side).fold(first, nearer));
        (from, to)
    };
    let (least, greatest) = (fold(TOP, less), fold(BOTTOM, more));
    let (top, bottom) = (TOP, BOTTOM);
    let there = May { each: least.1 < top && greatest.0 > bottom, some: least.0 < top && greatest.1 > bottom };
    let absent = May {
        each: least.1 == bottom || least.0 == top || greatest.0 == top || greatest.1 == bottom,
        some: [least, greatest].iter().any(|end| !end.0.double().is_finite() || !end.1.double().is_finite()),
    };
    let exact = [least.0, greatest.0].iter().any(|end| matches!(end, Number::Decimal(_)));
    let most = if exact { Number::Decimal(DECIMAL_MAX * ONE) } else { Number::Double(f64::MAX) };
    let held = |number: Number| match number.double() {
        f64::INFINITY => most,
        f64::NEG_INFINITY => most.negated(),
        _ => number,
    };
    let held = |end: End| (held(end.0), held(end.1));
    let numbers = Range { there, least: held(least), greatest: held(greatest) };
    Possible { numbers: Some(numbers).filter(|range| range.there.some), ..Possible::NOTHING }.or_absent(absent)
}

/// The ends of what does not move.
fn still(range: &Range<Number>) -> (f64, f64) {
    assert!(range.least.0 == range.least.1 && range.greatest.0 == range.greatest.1, "no clock in a valid divisor");
    (range.least.0.double(), range.greatest.0.double())
}

fn quotient(a: &Range<Number>, b: &Range<Number>) -> Possible {
    let (from, to) = still(b);
    let by = |divisor: f64| {
        let divisor = (Number::Double(divisor), Number::Double(divisor));
        [a.least, a.greatest].map(|end| moving(Arithmetic::Divide, end, divisor, false))
    };
    if from > 0.0 || to < 0.0 {
        return finite(&[by(from), by(to)].concat());
    }
    // Zero is among the divisors: what is near it leads as far as numbers go.
    let beyond = |sign: f64, end: Number| {
        let end = end.double();
        Number::Double(if end == 0.0 { 0.0 } else { sign * f64::MAX.copysign(end) })
    };
    let mut found = Possible::ABSENT;
    if to > 0.0 {
        let near = [a.least, a.greatest].map(|end| (beyond(1.0, end.0), beyond(1.0, end.1)));
        found = found.or(finite(&[by(to), near].concat()));
    }
    if from < 0.0 {
        let near = [a.least, a.greatest].map(|end| (beyond(-1.0, end.1), beyond(-1.0, end.0)));
        found = found.or(finite(&[by(from), near].concat()));
    }
    found
}

/// The dividend's sign, and no more than either of them.
fn remainder(a: &Range<Number>, b: &Range<Number>) -> Possible {
    let (a, b) = (still(a), still(b));
    if a.0 == a.1 && b.0 == b.1 {
        let rest = Number::Double(a.0 % b.0);
        return finite(&[(rest, rest)]);
    }
    if b == (0.0, 0.0) {
        return Possible::ABSENT;
    }
    let size = f64::min(a.0.abs().max(a.1.abs()), b.0.abs().max(b.1.abs()));
    Possible::doubles(if a.0 < 0.0 { -size } else { 0.0 }, if a.1 > 0.0 { size } else { 0.0 })
        .or_absent(May::is(b.0 <= 0.0 && b.1 >= 0.0))
}
