//! The value of an attribute, a counter or an expression: a bool, a number, a string, a time or a date.

use super::{Date, Number, Timestamp};

/// An owned value, such as a literal of the catalog.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Bool(bool),
    Number(Number),
    String(Box<str>),
    Time(Timestamp),
    Date(Date),
}

/// A borrowed value, possibly absent (spec 4.2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'a> {
    Absent,
    Bool(bool),
    Number(Number),
    String(&'a str),
    Time(Timestamp),
    Date(Date),
}

impl Value {
    pub fn as_scalar(&self) -> Scalar<'_> {
        match self {
            Value::Bool(b) => Scalar::Bool(*b),
            Value::Number(n) => Scalar::Number(*n),
            Value::String(s) => Scalar::String(s),
            Value::Time(t) => Scalar::Time(*t),
            Value::Date(d) => Scalar::Date(*d),
        }
    }
}

impl<'a> Scalar<'a> {
    /// A double; absent if it is not finite.
    pub fn double(n: f64) -> Self {
        Number::double(n).map_or(Scalar::Absent, Scalar::Number)
    }

    /// Whether this is the other value also in form, so that the two are equal in every expression.
    pub fn is_same(self, other: Scalar<'_>) -> bool {
        match (self, other) {
            (Scalar::Number(a), Scalar::Number(b)) => a.is_same(b),
            _ => self == other,
        }
    }

    /// The owned value; `None` if absent.
    pub fn to_value(self) -> Option<Value> {
        Some(match self {
            Scalar::Absent => return None,
            Scalar::Bool(b) => Value::Bool(b),
            Scalar::Number(n) => Value::Number(n),
            Scalar::String(s) => Value::String(s.into()),
            Scalar::Time(t) => Value::Time(t),
            Scalar::Date(d) => Value::Date(d),
        })
    }

    pub fn is_absent(self) -> bool {
        matches!(self, Scalar::Absent)
    }

    /// Whether it holds as a condition: only `true` does (spec 4.2).
    pub fn holds(self) -> bool {
        matches!(self, Scalar::Bool(true))
    }
}
