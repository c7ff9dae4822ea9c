//! Sets of values that something may have, and what operations make of them.
//!
//! A set is a range of each ordered type. Every operation takes its arguments independently of each other, and of a
//! larger set makes a larger one. Each operation on doubles, rounding included, never falls when an argument grows, or
//! never grows: so the values at the ends of the arguments' ranges bound what is computed in between, exactly.

use super::evaluate::calculate;
use super::expression::{Arithmetic, Comparison, TextTest};
use super::value::Value;

/// Stands for "no bound": far beyond everything that is counted, and yet far from where doubles end.
pub const ENDLESS: f64 = 1e100;

/// A range with both its ends.
type Range<T> = Option<(T, T)>;

#[derive(Clone, Debug, PartialEq)]
pub enum Texts {
    None,
    One(String),
    Any,
}

/// Every value that something may have.
#[derive(Clone, Debug, PartialEq)]
pub struct Possible {
    pub absent: bool,
    pub yes: bool,
    pub no: bool,
    pub numbers: Range<f64>,
    pub times: Range<i64>,
    pub texts: Texts,
}

impl Possible {
    pub const NOTHING: Self =
        Self { absent: false, yes: false, no: false, numbers: None, times: None, texts: Texts::None };
    pub const ABSENT: Self = Self { absent: true, ..Self::NOTHING };
    pub const TEXT: Self = Self { texts: Texts::Any, ..Self::NOTHING };
    /// Whatever an event can have at a path.
    pub const SCALAR: Self = Self {
        absent: false,
        yes: true,
        no: true,
        numbers: Some((-f64::MAX, f64::MAX)),
        times: None,
        texts: Texts::Any,
    };

    pub fn numbers(least: f64, greatest: f64) -> Self {
        Self { numbers: Some((least, greatest)), ..Self::NOTHING }
    }

    pub fn times(least: i64, greatest: i64) -> Self {
        Self { times: Some((least, greatest)), ..Self::NOTHING }
    }

    /// Nothing but that value.
    pub fn only(value: Value) -> Self {
        match value {
            Value::Absent => Self::ABSENT,
            Value::Bool(flag) => Self::either(flag, !flag),
            Value::Number(number) => Self::numbers(number, number),
            Value::Time(ms) => Self::times(ms, ms),
            Value::Text(text) => Self { texts: Texts::One(text), ..Self::NOTHING },
            other => panic!("no value of a tag: {other:?}"),
        }
    }

    pub fn either(yes: bool, no: bool) -> Self {
        Self { yes, no, ..Self::NOTHING }
    }

    pub fn or_absent(self, absent: bool) -> Self {
        Self { absent: self.absent || absent, ..self }
    }

    /// The value, if exactly one is possible.
    pub fn single(&self) -> Option<Value> {
        let absent = self.absent.then_some(Value::Absent);
        let flags = [(self.yes, true), (self.no, false)].map(|(may, flag)| may.then_some(Value::Bool(flag)));
        let (mut single, mut several) = ([None, None], false);
        if let Some((least, greatest)) = self.numbers {
            single[0] = Some(Value::Number(least));
            several |= least < greatest;
        }
        if let Some((least, greatest)) = self.times {
            single[1] = Some(Value::Time(least));
            several |= least < greatest;
        }
        let text = match &self.texts {
            Texts::None => None,
            Texts::One(text) => Some(Value::Text(text.clone())),
            Texts::Any => return None,
        };
        let mut found = [absent, text].into_iter().chain(flags).chain(single).flatten();
        let first = found.next();
        if several || found.next().is_some() { None } else { first }
    }

    /// Whether there may be something other than a number, and so with each type.
    fn may_be_no_number(&self) -> bool {
        *self != Self { numbers: self.numbers, ..Self::NOTHING }
    }

    pub fn may_be_no_time(&self) -> bool {
        *self != Self { times: self.times, ..Self::NOTHING }
    }

    fn may_be_no_text(&self) -> bool {
        *self != Self { texts: self.texts.clone(), ..Self::NOTHING }
    }

    /// As a condition only true holds.
    pub fn may_hold(&self) -> bool {
        self.yes
    }

    pub fn may_fail(&self) -> bool {
        *self != Self { yes: self.yes, ..Self::NOTHING }
    }

    /// What is possible in one of the two sets, and what lies between.
    pub fn or(self, other: Self) -> Self {
        let texts = match (self.texts, other.texts) {
            (Texts::None, texts) | (texts, Texts::None) => texts,
            (a, b) if a == b => a,
            _ => Texts::Any,
        };
        Self {
            absent: self.absent || other.absent,
            yes: self.yes || other.yes,
            no: self.no || other.no,
            numbers: hull(self.numbers, other.numbers, f64::min, f64::max),
            times: hull(self.times, other.times, i64::min, i64::max),
            texts,
        }
    }

    pub fn compared(&self, comparison: Comparison, other: &Self) -> Self {
        let mut found = Self::NOTHING;
        let mut see = |(yes, no): (bool, bool)| {
            found.yes |= yes;
            found.no |= no;
        };
        if let (Some(a), Some(b)) = (self.numbers, other.numbers) {
            see(ranges(comparison, a, b));
        }
        if let (Some(a), Some(b)) = (self.times, other.times) {
            see(ranges(comparison, a, b));
        }
        let flags = |set: &Self| [(set.yes, true), (set.no, false)].into_iter().filter(|(may, _)| *may);
        for (_, a) in flags(self) {
            for (_, b) in flags(other) {
                let holds = match comparison {
                    Comparison::Equal => a == b,
                    Comparison::Unequal => a != b,
                    _ => false, // bools have no order
                };
                see((holds, !holds));
            }
        }
        match (&self.texts, &other.texts) {
            (Texts::None, _) | (_, Texts::None) => {}
            (Texts::One(a), Texts::One(b)) => see(ranges(comparison, (a, a), (b, b))),
            _ => see((true, true)),
        }
        if self.absent || other.absent || self.types().iter().any(|a| other.types().iter().any(|b| a != b)) {
            see((false, true));
        }
        found
    }

    /// The types that its values may have.
    fn types(&self) -> Vec<&'static str> {
        let all = [
            ("bool", self.yes || self.no),
            ("number", self.numbers.is_some()),
            ("time", self.times.is_some()),
            ("text", self.texts != Texts::None),
        ];
        all.into_iter().filter_map(|(name, may)| may.then_some(name)).collect()
    }

    /// Whether one of the items is equal.
    pub fn is_in(&self, items: &[Self]) -> Self {
        let each: Vec<Self> = items.iter().map(|item| self.compared(Comparison::Equal, item)).collect();
        Self::either(each.iter().any(|one| one.yes), each.iter().all(|one| one.no))
    }

    pub fn tested(&self, test: TextTest, part: &Self) -> Self {
        let found = match (&self.texts, &part.texts) {
            (Texts::None, _) | (_, Texts::None) => Self::NOTHING,
            (Texts::One(whole), Texts::One(part)) => {
                let holds = match test {
                    TextTest::StartsWith => whole.starts_with(part.as_str()),
                    TextTest::EndsWith => whole.ends_with(part.as_str()),
                    TextTest::Contains => whole.contains(part.as_str()),
                };
                Self::either(holds, !holds)
            }
            _ => Self::either(true, true),
        };
        found.or_absent(self.may_be_no_text() || part.may_be_no_text())
    }

    pub fn negated(&self) -> Self {
        Self { numbers: self.numbers.map(|(least, greatest)| (-greatest, -least)), ..Self::NOTHING }
            .or_absent(self.may_be_no_number())
    }

    pub fn absolute(&self) -> Self {
        let fold = |(least, greatest): (f64, f64)| {
            let nearest = if least <= 0.0 && greatest >= 0.0 { 0.0 } else { least.abs().min(greatest.abs()) };
            (nearest, least.abs().max(greatest.abs()))
        };
        Self { numbers: self.numbers.map(fold), ..Self::NOTHING }.or_absent(self.may_be_no_number())
    }

    pub fn calculated(&self, operation: Arithmetic, other: &Self) -> Self {
        let found = match (self.numbers, other.numbers) {
            (Some(a), Some(b)) if operation == Arithmetic::Divide => quotient(a, b),
            (Some(a), Some(b)) if operation == Arithmetic::Remainder => remainder(a, b),
            (Some(a), Some(b)) => {
                let ends = [(a.0, b.0), (a.0, b.1), (a.1, b.0), (a.1, b.1)];
                finite(&ends.map(|(a, b)| calculate(operation, a, b)))
            }
            _ => Self::NOTHING,
        };
        found.or_absent(self.may_be_no_number() || other.may_be_no_number())
    }
}

fn hull<T: Copy>(a: Range<T>, b: Range<T>, least: fn(T, T) -> T, greatest: fn(T, T) -> T) -> Range<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some((least(a.0, b.0), greatest(a.1, b.1))),
        (one, other) => one.or(other),
    }
}

/// Whether a comparison may hold, and whether it may fail.
fn ranges<T: PartialOrd>(comparison: Comparison, a: (T, T), b: (T, T)) -> (bool, bool) {
    let meet = a.0 <= b.1 && b.0 <= a.1;
    let one = a.0 == a.1 && b.0 == b.1 && a.0 == b.0;
    match comparison {
        Comparison::Equal => (meet, !one),
        Comparison::Unequal => (!one, meet),
        Comparison::Less => (a.0 < b.1, a.1 >= b.0),
        Comparison::LessOrEqual => (a.0 <= b.1, a.1 > b.0),
        Comparison::Greater => (a.1 > b.0, a.0 <= b.1),
        Comparison::GreaterOrEqual => (a.1 >= b.0, a.0 < b.1),
    }
}

/// The numbers between the ends; what is not finite counts as absent.
fn finite(ends: &[f64]) -> Possible {
    let least = ends.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = ends.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if least == f64::INFINITY || greatest == f64::NEG_INFINITY {
        return Possible::ABSENT;
    }
    let absent = !least.is_finite() || !greatest.is_finite();
    Possible::numbers(least.max(f64::MIN), greatest.min(f64::MAX)).or_absent(absent)
}

fn quotient(a: (f64, f64), b: (f64, f64)) -> Possible {
    if b.0 > 0.0 || b.1 < 0.0 {
        let ends = [(a.0, b.0), (a.0, b.1), (a.1, b.0), (a.1, b.1)];
        return finite(&ends.map(|(a, b)| a / b));
    }
    // Zero is among the divisors: what is near it leads as far as numbers go.
    let beyond = |end: f64| if end == 0.0 { 0.0 } else { f64::MAX.copysign(end) };
    let mut found = Possible::ABSENT;
    if b.1 > 0.0 {
        found = found.or(finite(&[a.0 / b.1, a.1 / b.1, beyond(a.0), beyond(a.1)]));
    }
    if b.0 < 0.0 {
        found = found.or(finite(&[a.0 / b.0, a.1 / b.0, -beyond(a.0), -beyond(a.1)]));
    }
    found
}

/// The dividend's sign, and less than both of them.
fn remainder(a: (f64, f64), b: (f64, f64)) -> Possible {
    if a.0 == a.1 && b.0 == b.1 {
        return finite(&[a.0 % b.0]);
    }
    if b == (0.0, 0.0) {
        return Possible::ABSENT;
    }
    let size = f64::min(a.0.abs().max(a.1.abs()), b.0.abs().max(b.1.abs()));
    Possible::numbers(if a.0 < 0.0 { -size } else { 0.0 }, if a.1 > 0.0 { size } else { 0.0 })
        .or_absent(b.0 <= 0.0 && b.1 >= 0.0)
}
