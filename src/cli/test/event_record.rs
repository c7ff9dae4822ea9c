//! An event of a test as the record that the catalog's `input` mapping expects.

use serde_json::{Map, Value, json};

use crate::catalog::{Catalog, EventTypeRule, Pointer, PropertiesRule, TestEvent, TimeUnit};

/// Returns a JSON object with every part of the event where the decoder reads it.
pub(crate) fn record(event: &TestEvent, catalog: &Catalog) -> Vec<u8> {
    let mapping = &catalog.input;
    let mut record = Value::Object(Map::new());
    let properties = Value::Object(event.properties.clone());
    match &mapping.properties {
        PropertiesRule::At(pointer) => put(&mut record, pointer, properties),
        PropertiesRule::Segment if event.event_type == "identify" => record["traits"] = properties,
        PropertiesRule::Segment => record["properties"] = properties,
    }
    match &mapping.event_type {
        EventTypeRule::At(pointer) => put(&mut record, pointer, json!(event.event_type)),
        EventTypeRule::Segment if event.event_type == "identify" => record["type"] = json!("identify"),
        EventTypeRule::Segment => {
            record["type"] = json!("track");
            record["event"] = json!(event.event_type);
        }
    }
    if let Some(key) = mapping.key.0.first() {
        put(&mut record, key, json!(event.user));
    }
    for (kind, key) in &event.keys {
        if let Some(pointer) = &catalog.entity(*kind).key {
            put(&mut record, pointer, json!(key));
        }
    }
    if let Some(id) = &event.id {
        put(&mut record, &mapping.id, json!(id));
    }
    let time = match mapping.time_unit {
        TimeUnit::Milliseconds => json!(event.at.ms()),
        // A number of seconds would lose the milliseconds.
        TimeUnit::Seconds => json!(event.at.to_string()),
    };
    put(&mut record, &mapping.time, time);
    record.to_string().into_bytes()
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
