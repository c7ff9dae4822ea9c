//! `input`: how an event is found in a record; presets with their rules replaced by given pointers.

use super::compiled::{InputMapping, KeyRule, KindRule, Pointer, PropertiesRule, TimeUnit};
use super::pointer::PointerText;
use super::problems::Report;
use super::raw::{Preset, RawInput, TimeUnitWord, value};
use super::read::Field;

const MAX_FUTURE_MS: i64 = 5 * 60_000;
const MAX_EVENT_BYTES: usize = 1_048_576;

/// No record of Kafka's is longer by default settings anywhere near this.
const EVENT_BYTES_LIMIT: u64 = 1 << 30;

/// A missing `input` is the preset `flat`.
pub fn compile(raw: Option<&RawInput>, report: &mut Report) -> InputMapping {
    let default = RawInput::default();
    let raw = raw.unwrap_or(&default);
    let preset = value(&raw.preset).copied().unwrap_or(Preset::Flat);
    let mut mapping = match preset {
        Preset::Flat => flat(),
        Preset::Segment => segment(),
    };
    if let Some(pointer) = given(&raw.key) {
        mapping.key = KeyRule(vec![pointer]);
    }
    if let Some(pointer) = given(&raw.r#type) {
        mapping.kind = KindRule::At(pointer);
    }
    if let Some(pointer) = given(&raw.properties) {
        mapping.properties = PropertiesRule::At(pointer);
    }
    mapping.time = given(&raw.time).unwrap_or(mapping.time);
    mapping.id = given(&raw.id).unwrap_or(mapping.id);
    if value(&raw.time_unit) == Some(&TimeUnitWord::Seconds) {
        mapping.time_unit = TimeUnit::Seconds;
    }
    mapping.dedup_ms = value(&raw.dedup).map(|dedup| dedup.0);
    mapping.max_future_ms = value(&raw.max_future).map_or(MAX_FUTURE_MS, |max| max.0);
    if let Some(bytes) = raw.max_event_bytes.get() {
        if (1..=EVENT_BYTES_LIMIT).contains(&bytes.value) {
            mapping.max_event_bytes = bytes.value as usize;
        } else {
            let message = format!("`max_event_bytes` lies between 1 and {EVENT_BYTES_LIMIT}");
            report.error("out-of-range", bytes.span, message);
        }
    }
    mapping
}

fn given(field: &Field<PointerText>) -> Option<Pointer> {
    value(field).map(|pointer| pointer.0.clone())
}

fn pointer(name: &str) -> Pointer {
    Pointer(vec![name.into()])
}

fn flat() -> InputMapping {
    InputMapping {
        key: KeyRule(vec![pointer("user_id")]),
        kind: KindRule::At(pointer("type")),
        time: pointer("timestamp"),
        id: pointer("id"),
        properties: PropertiesRule::At(pointer("properties")),
        time_unit: TimeUnit::Milliseconds,
        dedup_ms: None,
        max_future_ms: MAX_FUTURE_MS,
        max_event_bytes: MAX_EVENT_BYTES,
    }
}

fn segment() -> InputMapping {
    InputMapping {
        key: KeyRule(vec![pointer("userId"), pointer("anonymousId")]),
        kind: KindRule::Segment,
        id: pointer("messageId"),
        properties: PropertiesRule::Segment,
        ..flat()
    }
}
