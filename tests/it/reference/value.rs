//! The values of expressions: what equals what, what has an order, and how each is written.

use std::cmp::Ordering;

use super::instant;
use super::json::Json;
use super::number::Number;

/// What an expression gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Absent,
    Bool(bool),
    /// Finite.
    Number(Number),
    Text(String),
    /// Milliseconds since 1970.
    Time(i64),
    /// An array of an event, which only `in` and `has` can use.
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
            Some(Json::Number(text)) => Number::of_event(text).map_or(Self::Absent, Self::Number),
            Some(Json::Text(text)) => Self::Text(text.clone()),
            Some(Json::Array(items)) => Self::List(items.iter().map(|item| Self::of_json(Some(item))).collect()),
            Some(Json::Object(_)) => Self::Object,
        }
    }

    /// A result of arithmetic: absent if no finite double holds it.
    pub fn finite(number: f64) -> Self {
        if number.is_finite() { Self::Number(Number::Double(number)) } else { Self::Absent }
    }

    /// As a condition: anything but true is false.
    pub fn holds(&self) -> bool {
        *self == Self::Bool(true)
    }

    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
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
            (Self::Time(a), Self::Time(b)) => Some(a.cmp(b)),
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
        }
    }
}
