//! Input records: an event, or the reason for which it is rejected.

use super::catalog::{Catalog, Input, TimeUnit};
use super::command::Command;
use super::instant;
use super::json::{Json, parse};
use super::zone::Zone;

/// 1990-01-01T00:00:00Z.
pub const OLDEST_MS: i64 = 631_152_000_000;
const EVENT_BYTES_MAX: usize = 1 << 20;
const KEY_BYTES_MAX: usize = 256;
const TYPE_BYTES_MAX: usize = 128;

/// One accepted event.
#[derive(Clone, Debug)]
pub struct Event {
    /// By kind of entity, whose it is; nothing to the kinds without a key.
    pub keys: Vec<Option<String>>,
    pub kind: String,
    /// What it asks for, if it is a command.
    pub command: Option<Command>,
    pub time: i64,
    pub id: Option<String>,
    pub properties: Json,
}

/// The event that a record holds, or a reason code of the contract.
pub fn decode(line: &[u8], catalog: &Catalog, now_ms: i64) -> Result<Event, &'static str> {
    let input = &catalog.input;
    if line.len() > EVENT_BYTES_MAX {
        return Err("too_large");
    }
    let record = parse(line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)).ok_or("not_json")?;
    if !matches!(record, Json::Object(_)) {
        return Err("not_object");
    }
    let key = text_or_integer(find_key(&record, input).ok_or("missing_key")?, KEY_BYTES_MAX).ok_or("bad_key")?;
    let kind = match find_kind(&record, input).ok_or("missing_type")? {
        Json::Text(kind) if (1..=TYPE_BYTES_MAX).contains(&kind.len()) => kind.clone(),
        _ => return Err("bad_type"),
    };
    let properties = find_properties(&record, input).filter(|found| matches!(found, Json::Object(_)));
    let properties = properties.cloned().unwrap_or(Json::Object(Vec::new()));
    let of_kind = |pointer: &Option<String>| match pointer {
        None => Some(key.clone()),
        // A key of a wrong type or size is as if missing.
        Some(pointer) => text_or_integer(record.pointer(pointer)?, KEY_BYTES_MAX),
    };
    let keys: Vec<Option<String>> = catalog.kinds.iter().map(|kind| of_kind(&kind.key)).collect();
    let command = match kind.strip_prefix('$') {
        Some(word) => Some(Command::read(word, &properties, catalog, &keys)?),
        None => None,
    };
    let time = find(&record, &input.time, "/timestamp").ok_or("missing_time")?;
    let time = read_time(time, input, &catalog.zone).ok_or("bad_time")?;
    if time < OLDEST_MS {
        return Err("too_old");
    }
    if time > now_ms + input.max_future_ms {
        return Err("in_future");
    }
    let id = find(&record, &input.id, if input.segment { "/messageId" } else { "/id" });
    let id = id.and_then(|id| text_or_integer(id, KEY_BYTES_MAX));
    Ok(Event { keys, kind, command, time, id, properties })
}

/// The first of the places that has something, or the usual place. A file has neither `$record` nor `$key`.
fn find<'a>(record: &'a Json, places: &Option<Vec<String>>, usual: &str) -> Option<&'a Json> {
    match places {
        None => record.pointer(usual),
        Some(places) => places.iter().filter(|place| !place.starts_with('$')).find_map(|place| record.pointer(place)),
    }
}

/// An instant written as the contract allows: RFC 3339, or an integer in the catalog's unit.
pub fn read_time(json: &Json, input: &Input, zone: &Zone) -> Option<i64> {
    match json {
        Json::Text(text) => match instant::read(text)? {
            (local, Some(offset_min)) => Some(local - offset_min * 60_000),
            (local, None) => input.local_times.then(|| zone.at_wall(local)),
        },
        Json::Number(text) => {
            let number = integer(text)?;
            Some(match input.time_unit {
                TimeUnit::Seconds => number.saturating_mul(1000),
                TimeUnit::Milliseconds => number,
                TimeUnit::Microseconds => number.div_euclid(1000),
                TimeUnit::Nanoseconds => number.div_euclid(1_000_000),
            })
        }
        _ => None,
    }
}

/// The integer, if the number is written as one and 64 bits hold it.
fn integer(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().or_else(|| text.parse::<u64>().ok().map(|_| i64::MAX))
}

fn text_or_integer(json: &Json, bytes_max: usize) -> Option<String> {
    let text = match json {
        Json::Text(text) => text.clone(),
        Json::Number(text) => {
            integer(text)?;
            if text == "-0" { "0".to_owned() } else { text.clone() }
        }
        _ => return None,
    };
    (1..=bytes_max).contains(&text.len()).then_some(text)
}

fn find_key<'a>(record: &'a Json, input: &Input) -> Option<&'a Json> {
    match &input.key {
        Some(_) => find(record, &input.key, ""),
        None if input.segment => record.member("userId").or_else(|| record.member("anonymousId")),
        None => record.member("user_id"),
    }
}

fn find_kind<'a>(record: &'a Json, input: &Input) -> Option<&'a Json> {
    match &input.kind {
        Some(_) => find(record, &input.kind, ""),
        None if input.segment && is_call(record, "track") => record.member("event"),
        None => record.member("type"),
    }
}

fn find_properties<'a>(record: &'a Json, input: &Input) -> Option<&'a Json> {
    match &input.properties {
        Some(pointer) => record.pointer(pointer),
        None if input.segment && is_call(record, "identify") => record.member("traits"),
        None => record.member("properties"),
    }
}

fn is_call(record: &Json, call: &str) -> bool {
    record.member("type") == Some(&Json::Text(call.to_owned()))
}
