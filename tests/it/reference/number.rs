//! Numbers of three forms: integers of events, decimals, doubles; how they compare and what is computed with them.

use std::cmp::Ordering;

use super::decimal::{ONE, literal, nearest, written};
use super::expression::Arithmetic;

/// Results beyond this many ones are absent.
pub const DECIMAL_MAX: i128 = 1_000_000_000_000_000_000_000_000_000;

#[derive(Clone, Copy, Debug)]
pub enum Number {
    Integer(i64),
    /// In billionths.
    Decimal(i128),
    /// Finite, but where it stands for what is too large.
    Double(f64),
}

impl Number {
    pub const ZERO: Self = Self::Decimal(0);

    pub fn whole(count: usize) -> Self {
        Self::Decimal(count as i128 * ONE)
    }

    /// A number of an event.
    pub fn of_event(text: &str) -> Option<Self> {
        let plain = !text.contains(['.', 'e', 'E']);
        let integer = text.parse::<i64>().ok().filter(|_| plain).map(Self::Integer);
        integer.or_else(|| super::decimal::double(text).map(Self::Double))
    }

    /// A number of a catalog.
    pub fn of_catalog(text: &str) -> Self {
        literal(text).map_or_else(|| Self::Double(text.parse().expect("a number")), Self::Decimal)
    }

    pub fn double(self) -> f64 {
        match self {
            Self::Integer(number) => number as f64,
            Self::Decimal(number) => nearest(number),
            Self::Double(number) => number,
        }
    }

    pub fn without_decimal(self) -> Self {
        if let Self::Decimal(_) = self { Self::Double(self.double()) } else { self }
    }

    pub fn negated(self) -> Self {
        match self {
            Self::Decimal(number) => Self::Decimal(-number),
            other => Self::Double(-other.double()),
        }
    }

    pub fn absolute(self) -> Self {
        match self {
            Self::Decimal(number) => Self::Decimal(number.abs()),
            other => Self::Double(other.double().abs()),
        }
    }

    /// A number without a sign of zero, as text: equal for numbers that are equal.
    pub fn told_apart(self) -> String {
        match self {
            Self::Double(number) if number.fract() == 0.0 && number.abs() < 1e30 => format!("{}", number as i128),
            Self::Double(number) => format!("{number:?}"),
            Self::Integer(number) => format!("{number}"),
            Self::Decimal(number) => written(number),
        }
    }

    /// Infinite for a decimal that is too large; `None` for what is computed in doubles.
    pub fn exactly(operation: Arithmetic, a: Self, b: Self, by_whole_literal: bool) -> Option<Self> {
        let (Self::Decimal(a), Self::Decimal(b)) = (a, b) else { return None };
        let beyond = |negative: bool| Self::Double(if negative { f64::NEG_INFINITY } else { f64::INFINITY });
        let held = |number: Option<i128>, negative: bool| match number {
            Some(number) if number.abs() <= DECIMAL_MAX * ONE => Self::Decimal(number),
            _ => beyond(negative),
        };
        Some(match operation {
            Arithmetic::Add => held(Some(a + b), a < 0),
            Arithmetic::Subtract => held(Some(a - b), a < 0),
            Arithmetic::Multiply if by_whole_literal => {
                let (one, whole) = if b % ONE == 0 { (a, b / ONE) } else { (b, a / ONE) };
                held(one.checked_mul(whole), (a < 0) != (b < 0))
            }
            Arithmetic::Least => Self::Decimal(a.min(b)),
            Arithmetic::Greatest => Self::Decimal(a.max(b)),
            Arithmetic::Multiply | Arithmetic::Divide | Arithmetic::Remainder => return None,
        })
    }

    /// As a tag change shows it.
    pub fn output(self) -> serde_json::Value {
        match self {
            Self::Integer(number) => number.into(),
            Self::Decimal(number) if number % ONE == 0 && i64::try_from(number / ONE).is_ok() => {
                ((number / ONE) as i64).into()
            }
            Self::Decimal(number) => serde_json::from_str(&written(number)).expect("a number"),
            Self::Double(number) if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 => {
                (number as i64).into()
            }
            Self::Double(number) => number.into(),
        }
    }

    fn order(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(&b),
            (Self::Double(a), Self::Decimal(b)) => a.partial_cmp(&nearest(b)),
            (Self::Decimal(a), Self::Double(b)) => nearest(a).partial_cmp(&b),
            (Self::Integer(a), Self::Double(b)) => integer_and_double(a, b),
            (Self::Double(a), Self::Integer(b)) => integer_and_double(b, a).map(Ordering::reverse),
            (a, b) => a.billionths().partial_cmp(&b.billionths()),
        }
    }

    fn billionths(self) -> i128 {
        match self {
            Self::Integer(number) => i128::from(number) * ONE,
            Self::Decimal(number) => number,
            Self::Double(number) => panic!("a double: {number}"),
        }
    }
}

/// Exactly: the whole part first, which an i128 holds where it is not far beyond every integer.
fn integer_and_double(a: i64, b: f64) -> Option<Ordering> {
    if b.is_nan() {
        return None;
    }
    if b.abs() > 1e30 {
        return Some(if b > 0.0 { Ordering::Less } else { Ordering::Greater });
    }
    let whole = b.trunc() as i128;
    let (rest, zero) = (b.fract(), 0.0);
    Some(i128::from(a).cmp(&whole).then(zero.partial_cmp(&rest)?))
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.order(*other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.order(*other)
    }
}

#[test]
fn numbers_compare_as_the_contract_says() {
    let integer = Number::Integer(9_007_199_254_740_993);
    assert_ne!(integer, Number::Double(9_007_199_254_740_992.0));
    assert_eq!(integer, Number::of_catalog("9007199254740993"));
    assert_eq!(Number::Double(0.3), Number::of_catalog("0.3"));
    assert_ne!(Number::Double(0.1 + 0.2), Number::of_catalog("0.3"));
    assert!(Number::Integer(0) > Number::Double(-0.5));
}
