//! Commands as records of the input, in the shape that the catalog's `input` says.

use serde_json::{Map, Value as Json};

use crate::catalog::{Catalog, EventTypeRule, FieldRule, Pointer, PropertiesRule, RecordPlace};
use crate::model::{EntityKindId, Timestamp};

/// A command to write.
#[derive(Clone, Debug)]
pub struct NewCommand<'a> {
    pub kind: EntityKindId,
    pub key: &'a str,
    pub at: Timestamp,
    /// Of its own, so that `dedup` drops repeats of this command alone.
    pub id: &'a str,
    pub action: CommandAction<'a>,
    /// Who wants it and why. Nothing reads them; they stand in the record for people.
    pub by: &'a str,
    pub note: Option<&'a str>,
}

#[derive(Clone, Debug)]
pub enum CommandAction<'a> {
    SetTag { tag: &'a str, value: &'a Json, valid_for: Option<&'a str> },
    RemoveTag { tag: &'a str },
    Erase,
}

/// Writes a command as a JSON object. The decoder of the same catalog reads it back, with the entity's key as the record's.
/// `None`: the input has the type of an event in the record's key, where a command has the entity's key, or it has a field
/// in headers only, of which a command has none.
pub fn write_command(catalog: &Catalog, command: &NewCommand<'_>) -> Option<Vec<u8>> {
    let input = &catalog.input;
    let is_in_headers = |rule: &FieldRule| rule.0.iter().all(|place| matches!(place, RecordPlace::Header(_)));
    if is_in_headers(&input.key) || is_in_headers(&input.time) {
        return None;
    }
    let mut record = Json::Object(Map::new());
    let kind = &catalog.entities[usize::from(command.kind.0)];
    match &kind.key {
        Some(pointer) => put(&mut record, pointer, command.key.into()),
        None => put_field(&mut record, &input.key, command.key.into()),
    }
    put_field(&mut record, &input.time, command.at.to_string().into());
    put_field(&mut record, &input.id, command.id.into());
    let name = match command.action {
        CommandAction::Erase => "$erase",
        CommandAction::SetTag { .. } | CommandAction::RemoveTag { .. } => "$tag",
    };
    match &input.event_type {
        EventTypeRule::At(rule) if rule.0.first() == Some(&RecordPlace::Key) || is_in_headers(rule) => return None,
        EventTypeRule::At(rule) => put_field(&mut record, rule, name.into()),
        EventTypeRule::Segment => {
            put(&mut record, &member("type"), "track".into());
            put(&mut record, &member("event"), name.into());
        }
        EventTypeRule::Debezium => put(&mut record, &member("type"), name.into()),
    }
    let base = match &input.properties {
        PropertiesRule::At(pointer) => pointer.clone(),
        PropertiesRule::Segment | PropertiesRule::Debezium => member("properties"),
    };
    let mut property = |name: &str, value: Json| {
        let mut pointer = base.clone();
        pointer.0.push(name.into());
        put(&mut record, &pointer, value);
    };
    match command.action {
        CommandAction::SetTag { tag, value, valid_for } => {
            property("tag", tag.into());
            property("set", true.into());
            property("value", value.clone());
            if let Some(valid_for) = valid_for {
                property("valid_for", valid_for.into());
            }
        }
        CommandAction::RemoveTag { tag } => {
            property("tag", tag.into());
            property("set", false.into());
        }
        CommandAction::Erase => {}
    }
    property("by", command.by.into());
    if let Some(note) = command.note {
        property("note", note.into());
    }
    Some(record.to_string().into_bytes())
}

/// Puts a value at the first place of a field that is in the record's value.
fn put_field(record: &mut Json, rule: &FieldRule, value: Json) {
    if let Some(pointer) = rule.pointers().next() {
        put(record, pointer, value);
    }
}

fn member(name: &str) -> Pointer {
    Pointer(vec![name.into()])
}

/// Puts a value at a place. A number in a pointer is the name of a member, which pointers read, too.
fn put(record: &mut Json, pointer: &Pointer, value: Json) {
    let mut place = record;
    for token in &pointer.0 {
        if !place.is_object() {
            *place = Json::Object(Map::new());
        }
        let Some(members) = place.as_object_mut() else { return };
        place = members.entry(token.to_string()).or_insert(Json::Null);
    }
    *place = value;
}
