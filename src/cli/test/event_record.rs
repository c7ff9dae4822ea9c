//! An event of a test as the record that the catalog's `input` mapping expects.

use serde_json::{Map, Value, json};

use crate::catalog::{Catalog, EventTypeRule, FieldRule, Pointer, PropertiesRule, RecordPlace, TestEvent, TimeUnit};
use crate::codec::{OwnedRecord, ROW_CHANGES};

/// Returns a record with every part of the event where the decoder reads it.
pub(crate) fn record(event: &TestEvent, catalog: &Catalog) -> OwnedRecord {
    let mapping = &catalog.input;
    let mut record = Value::Object(Map::new());
    let properties = Value::Object(event.properties.clone());
    match &mapping.properties {
        PropertiesRule::At(pointer) => put(&mut record, pointer, properties),
        PropertiesRule::Segment if event.event_type == "identify" => record["traits"] = properties,
        PropertiesRule::Segment => record["properties"] = properties,
        PropertiesRule::Debezium => match row_change(event) {
            Some((_, op)) => record[if op == "d" { "before" } else { "after" }] = properties,
            None => record["properties"] = properties,
        },
    }
    match &mapping.event_type {
        EventTypeRule::At(rule) => put_field(&mut record, rule, json!(event.event_type)),
        EventTypeRule::Segment if event.event_type == "identify" => record["type"] = json!("identify"),
        EventTypeRule::Segment => {
            record["type"] = json!("track");
            record["event"] = json!(event.event_type);
        }
        EventTypeRule::Debezium => match row_change(event) {
            Some((table, op)) => {
                record["op"] = json!(op);
                record["source"] = json!({ "table": table });
            }
            None => record["type"] = json!(event.event_type),
        },
    }
    put_field(&mut record, &mapping.key, json!(event.user));
    for (kind, key) in &event.keys {
        if let Some(pointer) = &catalog.entity(*kind).key {
            put(&mut record, pointer, json!(key));
        }
    }
    if let Some(id) = &event.id {
        put_field(&mut record, &mapping.id, json!(id));
    }
    let at = event.at.to_string();
    let time = match mapping.time_unit {
        TimeUnit::Milliseconds => json!(event.at.ms()),
        // A number of seconds would lose the milliseconds.
        TimeUnit::Seconds | TimeUnit::Microseconds | TimeUnit::Nanoseconds => json!(at),
    };
    put_field(&mut record, &mapping.time, time);
    let key = if mapping.key.0.contains(&RecordPlace::Key) { &event.user } else { &event.event_type };
    let mut record = OwnedRecord::new(record.to_string().into_bytes(), Some(key.clone().into()), Some(event.at));
    let fields = [(&mapping.key, &event.user), (&mapping.time, &at)];
    let of_type =
        if let EventTypeRule::At(rule) = &mapping.event_type { Some((rule, &event.event_type)) } else { None };
    let of_id = event.id.as_ref().map(|id| (&mapping.id, id));
    for (rule, text) in fields.into_iter().chain(of_type).chain(of_id) {
        if let Some(RecordPlace::Header(name)) = rule.0.first() {
            record.add_header(name, text.as_bytes());
        }
    }
    record
}

/// The table of a row's change, and what Debezium calls the change; `None`: the event is something else.
fn row_change(event: &TestEvent) -> Option<(&str, &'static str)> {
    let (table, change) = event.event_type.rsplit_once('.')?;
    let (letter, _) = ROW_CHANGES.iter().find(|(_, word)| *word == change)?;
    Some((table, letter))
}

/// Sets the value at the first place of a field that is in the record's value.
fn put_field(record: &mut Value, rule: &FieldRule, value: Value) {
    if let Some(pointer) = rule.pointers().next() {
        put(record, pointer, value);
    }
}

/// Sets the value at a JSON Pointer; creates the objects on the way.
fn put(record: &mut Value, pointer: &Pointer, value: Value) {
    let mut place = record;
    for token in &pointer.0 {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = &mut place[&**token];
    }
    match (place, value) {
        (Value::Object(members), Value::Object(more)) => members.extend(more),
        (place, value) => *place = value,
    }
}
