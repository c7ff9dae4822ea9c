//! What events say of an attribute.

use super::catalog::{Attribute, AttributeType, Input};
use super::counter::{json_at, of_event, time_of};
use super::evaluate::evaluate;
use super::input::Event;
use super::json::Json;
use super::value::Value;

impl Attribute {
    /// What the event says of the attribute: absent where a null clears it, `None` where it says nothing.
    pub fn told(&self, event: &Event, input: &Input) -> Option<Value> {
        let wanted = |only| evaluate(only, &|name| of_event(event, name), event.time).holds();
        if !self.from.takes(&event.kind) || !self.only.as_ref().is_none_or(wanted) {
            return None;
        }
        if json_at(event, &self.value) == Some(&Json::Null) {
            return Some(Value::Absent);
        }
        let value = of_event(event, &self.value);
        let fits = match self.kind {
            AttributeType::Time => return time_of(event, &self.value, input.time_unit_ms).map(Value::Time),
            AttributeType::AsFound => value.is_scalar(),
            AttributeType::String => matches!(value, Value::Text(_)),
            AttributeType::Number => matches!(value, Value::Number(_)),
            AttributeType::Bool => matches!(value, Value::Bool(_)),
        };
        (fits && input.keeps(&value)).then_some(value)
    }
}
