//! The values of expressions: what equals what, what has an order, and how each is written.

use std::cmp::Ordering;

use super::instant;
use super::json::Json;
use super::number::Number;

/// A local date, and the instant at which it begins.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Date {
    pub day: i64,
    pub begins: i64,
}

/// What an expression gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Absent,
    Bool(bool),
    Number(Number),
    Text(String),
    /// Milliseconds since 1970.
    Time(i64),
    Date(Date),
    /// An array of an event, which only `in`, `has` and `size` can use.
    List(Vec<Value>),
    /// An object of an event, which only `has` can use.
    Object,
}

impl Value {
    /// What a member of an event is in an expression.
    pub fn of_json(json: Option<&Json>) -> Self {
        match json {
            None | Some(Json::Null) => Self::Absent,
            Some(Json::Bool(flag)) => Self::Bool(*flag),
            Some(Json::Number(text)) => Number::of_json(text).map_or(Self::Absent, Self::Number),
            Some(Json::Text(text)) => Self::Text(text.clone()),
            Some(Json::Array(items)) => Self::List(items.iter().map(|item| Self::of_json(Some(item))).collect()),
            Some(Json::Object(_)) => Self::Object,
        }
    }

    /// A double, absent if it is not finite.
    pub fn finite(number: f64) -> Self {
        Self::of_number(Number::Double(number))
    }

    /// A result of arithmetic: absent if nothing holds it.
    pub fn of_number(number: Number) -> Self {
        if number.is_finite() { Self::Number(number) } else { Self::Absent }
    }

    /// As a condition: anything but true is false.
    pub fn holds(&self) -> bool {
        *self == Self::Bool(true)
    }

    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub fn number(&self) -> Option<Number> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// The instant that a time is, or at which a date begins.
    pub fn instant(&self) -> Option<i64> {
        match self {
            Self::Time(ms) => Some(*ms),
            Self::Date(date) => Some(date.begins),
            _ => None,
        }
    }

    /// A text that is a JSON number, as that number; others as they are.
    pub fn read_as_number(self) -> Self {
        match &self {
            Self::Text(text) => match super::json::parse_exact(text) {
                Some(json @ Json::Number(_)) => Self::of_json(Some(&json)),
                _ => self,
            },
            _ => self,
        }
    }

    pub fn is_scalar(&self) -> bool {
        matches!(self, Self::Bool(_) | Self::Number(_) | Self::Text(_))
    }

    /// Whether the two are equal, if they are of one comparable type.
    pub fn equals(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => Some(a == b),
            _ => self.order(other).map(Ordering::is_eq),
        }
    }

    /// How the two are ordered, if they are of one ordered type.
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.partial_cmp(b),
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            (Self::Date(a), Self::Date(b)) => Some(a.day.cmp(&b.day)),
            (Self::Time(_) | Self::Date(_), Self::Time(_) | Self::Date(_)) => {
                Some(self.instant()?.cmp(&other.instant()?))
            }
            _ => None,
        }
    }

    /// As a tag change shows it.
    pub fn output(&self) -> serde_json::Value {
        match self {
            Self::Absent | Self::List(_) | Self::Object => serde_json::Value::Null,
            Self::Bool(flag) => (*flag).into(),
            Self::Number(number) => number.output(),
            Self::Text(text) => text.clone().into(),
            Self::Time(ms) => instant::write(*ms).into(),
            Self::Date(date) => instant::write_date(date.day).into(),
        }
    }
}
