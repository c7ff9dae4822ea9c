//! What events say of an attribute.

use super::catalog::{Attribute, AttributeType, Input};
use super::counter::{Subject, time_of};
use super::input::Event;
use super::instant;
use super::json::Json;
use super::value::{Date, Value};
use super::zone::Zone;

impl Attribute {
    /// What the event says of the attribute: absent where a null clears it, `None` where it says nothing.
    pub fn told(&self, event: &Event, input: &Input, zone: &Zone) -> Option<Value> {
        let subject = Subject { event, item: None, zone, input };
        if !self.from.takes(&event.kind) || !subject.passes(self.only.as_ref()) {
            return None;
        }
        if subject.json(&self.value) == Some(&Json::Null) {
            return Some(Value::Absent);
        }
        let value = subject.value(&self.value);
        let value = match self.kind {
            AttributeType::Time => return time_of(subject, &self.value).map(Value::Time),
            AttributeType::Date => {
                let written = value.text().and_then(instant::parse_date);
                let day = written.or_else(|| time_of(subject, &self.value).map(|ms| zone.day(ms)))?;
                return Some(Value::Date(Date { day, begins: zone.start_of_day(day) }));
            }
            AttributeType::Number if input.numbers_in_text => value.read_as_number(),
            _ => value,
        };
        let fits = match self.kind {
            AttributeType::AsFound => value.is_scalar(),
            AttributeType::String => matches!(value, Value::Text(_)),
            AttributeType::Number => matches!(value, Value::Number(_)),
            _ => matches!(value, Value::Bool(_)),
        };
        (fits && input.keeps(&value)).then_some(value)
    }
}
