//! Every value that something may have, at each instant of a stretch of time and at some.
//!
//! The values of an ordered type are a range. Operations take their arguments independently of each other. On doubles,
//! rounding included, they never fall when an argument grows, or never grow: so the values at the ends of the arguments'
//! ranges bound what is computed in between, exactly.

use super::ends::{as_computed, as_double, doubles, finite, join, moving, quotient, remainder};
use super::evaluate::{of_text, test_text};
use super::expression::{Arithmetic, Comparison, OfText, TextTest};
use super::number::{DECIMAL_MAX, Number};
use super::pattern;
use super::range::{May, Range, more};
use super::value::{Date, Value};

/// The size of the longest text that is kept, by the greatest `max_text`.
const LONGEST: Number = Number::Double(65_536.0);

/// Stands for "no bound": beyond everything that is counted. What is computed of it is no nearer, and is there.
pub const ENDLESS: Number = Number::Decimal(DECIMAL_MAX);
pub const TOP: Number = Number::Double(f64::INFINITY);
pub const BOTTOM: Number = Number::Double(f64::NEG_INFINITY);
pub const MINUS_ENDLESS: Number = Number::Decimal(-DECIMAL_MAX);

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
    pub dates: Option<Range<Date>>,
    pub texts: Option<(May, Texts)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Type {
    Bool,
    Number,
    Time,
    Date,
    Text,
}

impl Possible {
    pub const NOTHING: Self =
        Self { absent: May::NO, yes: May::NO, no: May::NO, numbers: None, times: None, dates: None, texts: None };
    pub const ABSENT: Self = Self { absent: May::YES, ..Self::NOTHING };

    pub fn numbers(least: Number, greatest: Number) -> Self {
        Self { numbers: Some(Range::new(least, greatest)), ..Self::NOTHING }
    }

    pub fn doubles(least: f64, greatest: f64) -> Self {
        Self::numbers(Number::Double(least), Number::Double(greatest))
    }

    /// All whole numbers between the ends.
    pub fn whole(least: Number, greatest: Number) -> Self {
        Self { numbers: Some(Range { whole: true, ..Range::new(least, greatest) }), ..Self::NOTHING }
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
            Value::Number(number) if number.double().fract() == 0.0 => Self::whole(number, number),
            Value::Number(number) => Self::numbers(number, number),
            Value::Time(ms) => Self::times(ms, ms),
            Value::Date(date) => Self { dates: Some(Range::new(date, date)), ..Self::NOTHING },
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
        let dates = |range: Range<Date>| Range { there: range.there.and(so), ..range };
        Self {
            absent: self.absent.and(so),
            yes: self.yes.and(so),
            no: self.no.and(so),
            numbers: self.numbers.map(range).filter(|range| range.there.some),
            times: self.times.map(times).filter(|range| range.there.some),
            dates: self.dates.map(dates).filter(|range| range.there.some),
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
            dates: join(self.dates, other.dates),
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
        if let Some(range) = self.dates {
            found.extend([range.least.0, range.greatest.1].map(Value::Date));
        }
        match &self.texts {
            None => {}
            Some((_, Texts::One(text))) => found.push(Value::Text(text.clone())),
            Some(_) => return None,
        }
        found.dedup();
        if found.len() == 1 { found.pop() } else { None }
    }

    fn types(&self) -> [(Type, May); 5] {
        [
            (Type::Bool, self.yes.or(self.no)),
            (Type::Number, self.numbers.map_or(May::NO, |range| range.there)),
            (Type::Time, self.times.map_or(May::NO, |range| range.there)),
            (Type::Date, self.dates.map_or(May::NO, |range| range.there)),
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

    /// Whether it may be neither a time nor a date.
    pub fn is_no_instant(&self) -> May {
        let others = self.types().into_iter().filter(|(kind, _)| !matches!(kind, Type::Time | Type::Date));
        others.fold(self.absent, |may, (_, there)| may.or(there))
    }

    /// The instants that a time is, or at which a date begins.
    pub fn instants(&self) -> Option<Range<i64>> {
        let begins = |date: (Date, Date)| (date.0.begins, date.1.begins);
        let dates = self.dates.map(|range| Range {
            there: range.there,
            least: begins(range.least),
            greatest: begins(range.greatest),
            whole: false,
        });
        join(self.times, dates)
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
            let comparable = |b: Type| b == a || matches!((a, b), (Type::Time, Type::Date) | (Type::Date, Type::Time));
            for (_, b_there) in other.types().into_iter().filter(|(b, _)| !comparable(*b)) {
                found.no = found.no.or(a_there.and(b_there));
            }
        }
        let mut see = |there: May, (yes, no): (May, May)| {
            found.yes = found.yes.or(there.and(yes));
            found.no = found.no.or(there.and(no));
        };
        if let (Some(a), Some(b)) = (self.numbers, other.numbers) {
            see(a.there.and(b.there), a.compared(comparison, &b, |low, high| low.ceiling() <= high.double()));
        }
        let dates_alone = self.times.is_none() && other.times.is_none();
        if let (Some(a), Some(b)) = (self.dates, other.dates)
            && dates_alone
        {
            see(a.there.and(b.there), a.compared(comparison, &b, |_, _| true));
        } else if let (Some(a), Some(b)) = (self.instants(), other.instants()) {
            see(a.there.and(b.there), a.compared(comparison, &b, |_, _| true));
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
                (Texts::One(a), Texts::One(b)) => Range::new(a, a).compared(comparison, &Range::new(b, b), |_, _| true),
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
                let holds = test_text(test, whole, part);
                (May::is(holds), May::is(!holds))
            }
            (Texts::Unclear, _) | (_, Texts::Unclear) => (May::UNCLEAR, May::UNCLEAR),
            (Texts::Any, _) | (_, Texts::Any) => (May::YES, May::YES),
        };
        Self::condition(yes, no).when(a_there.and(*b_there)).or_absent(absent)
    }

    /// What a function of texts makes of it.
    pub fn of_text(&self, what: OfText) -> Self {
        let found = match &self.texts {
            None => Self::NOTHING,
            Some((there, Texts::One(text))) => Self::only(of_text(what, &Value::Text(text.clone()))).when(*there),
            Some((there, _)) if what == OfText::Size => Self::whole(Number::Double(0.0), LONGEST).when(*there),
            Some((there, texts)) => Self { texts: Some((*there, texts.clone())), ..Self::NOTHING },
        };
        found.or_absent(self.is_no(Type::Text))
    }

    pub fn matched(&self, pattern: &str) -> Self {
        let found = match &self.texts {
            None => Self::NOTHING,
            Some((there, Texts::One(text))) => {
                let holds = pattern::matches(pattern, text);
                Self::condition(May::is(holds), May::is(!holds)).when(*there)
            }
            Some((there, Texts::Any)) => Self::condition(May::YES, May::YES).when(*there),
            Some((there, Texts::Unclear)) => Self::condition(May::UNCLEAR, May::UNCLEAR).when(*there),
        };
        found.or_absent(self.is_no(Type::Text))
    }

    /// Decimals as the nearest doubles.
    pub fn into_doubles(self) -> Self {
        let both = |end: (Number, Number)| (as_double(end.0), as_double(end.1));
        let numbers = self.numbers;
        let numbers = numbers.map(|own| Range { least: both(own.least), greatest: both(own.greatest), ..own });
        Self { numbers, ..self }
    }

    pub fn negated(&self) -> Self {
        let both = |end: (Number, Number)| (end.1.negated(), end.0.negated());
        let numbers = self.numbers.map(|own| Range { least: both(own.greatest), greatest: both(own.least), ..own });
        Self { numbers, ..Self::NOTHING }.or_absent(self.is_no_number())
    }

    pub fn absolute(&self) -> Self {
        let numbers = self.numbers.map(|own| {
            let zero = own.least.0.negated().absolute().minus_itself();
            let least = |end: Number, mirrored: Number| more(more(zero, as_computed(end)), mirrored.negated());
            let greatest = |end: Number, mirrored: Number| more(as_computed(end), mirrored.negated());
            Range {
                least: (least(own.least.0, own.greatest.1), least(own.least.1, own.greatest.0)),
                greatest: (greatest(own.greatest.0, own.least.1), greatest(own.greatest.1, own.least.0)),
                ..own
            }
        });
        Self { numbers, ..Self::NOTHING }.or_absent(self.is_no_number())
    }

    /// With one number, that is whole, known to be whole.
    pub fn one_is_whole(self) -> Self {
        let numbers = self.numbers.map(|own| {
            let one = own.least.0;
            let is_one = [own.least.1, own.greatest.0, own.greatest.1].iter().all(|end| *end == one);
            Range { whole: own.whole || is_one && one.double().fract() == 0.0, ..own }
        });
        Self { numbers, ..self }
    }

    pub fn calculated(&self, operation: Arithmetic, other: &Self) -> Self {
        let found = match (self.numbers, other.numbers) {
            (Some(a), Some(b)) => match operation {
                Arithmetic::Divide => quotient(&doubles(&a), &doubles(&b)),
                Arithmetic::Remainder => remainder(&doubles(&a), &doubles(&b)),
                _ => {
                    let ends =
                        [(a.least, b.least), (a.least, b.greatest), (a.greatest, b.least), (a.greatest, b.greatest)];
                    let whole = a.whole && b.whole;
                    let found = finite(&ends.map(|(a, b)| moving(operation, a, b)));
                    Self { numbers: found.numbers.map(|range| Range { whole, ..range }), ..found }
                }
            }
            .when(a.there.and(b.there))
            .one_is_whole(),
            _ => Self::NOTHING,
        };
        found.or_absent(self.is_no_number().or(other.is_no_number()))
    }
}
