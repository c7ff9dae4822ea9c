//! `input`: how an event is found in a record; the pointers that are written replace those of the preset.

use crate::catalog::compiled::{EventTypeRule, InputMapping, KeyRule, Pointer, PropertiesRule, TimeUnit};
use crate::catalog::diagnostics::Report;
use crate::catalog::raw::{RawInput, RawPreset, RawTimeUnit};
use crate::catalog::yaml::Field;

const MAX_FUTURE_MS: i64 = 5 * 60_000;
const MAX_EVENT_BYTES: usize = 1_048_576;

/// Far above the longest record that Kafka takes by default.
const EVENT_BYTES_LIMIT: u64 = 1 << 30;

/// An id takes about ten bytes of a state, and a state has to fit into one record of the changelog.
const DEDUP_LIMIT_MAX: u64 = 50_000;

/// An entity may keep many texts, and its state has to fit into one record of the changelog.
const TEXT_BYTES_LIMIT: u64 = 1 << 16;

/// Compiles `input`; without it, the preset is `flat`.
pub(super) fn compile(raw: Option<&RawInput>, report: &mut Report) -> InputMapping {
    let default = RawInput::default();
    let raw = raw.unwrap_or(&default);
    let preset = raw.preset.value().copied().unwrap_or(RawPreset::Flat);
    let mut mapping = match preset {
        RawPreset::Flat => flat(),
        RawPreset::Segment => segment(),
    };
    if let Some(pointer) = given(&raw.key) {
        mapping.key = KeyRule(vec![pointer]);
    }
    if let Some(pointer) = given(&raw.r#type) {
        mapping.event_type = EventTypeRule::At(pointer);
    }
    if let Some(pointer) = given(&raw.properties) {
        mapping.properties = PropertiesRule::At(pointer);
    }
    mapping.time = given(&raw.time).unwrap_or(mapping.time);
    mapping.id = given(&raw.id).unwrap_or(mapping.id);
    if raw.time_unit.value() == Some(&RawTimeUnit::Seconds) {
        mapping.time_unit = TimeUnit::Seconds;
    }
    mapping.dedup_ms = raw.dedup.value().map(|dedup| dedup.0);
    mapping.max_future_ms = raw.max_future.value().map_or(MAX_FUTURE_MS, |max| max.0);
    let InputMapping { max_event_bytes, dedup_limit, max_text, .. } = &mut mapping;
    for (name, field, most, mapped) in [
        ("max_event_bytes", &raw.max_event_bytes, EVENT_BYTES_LIMIT, max_event_bytes),
        ("dedup_limit", &raw.dedup_limit, DEDUP_LIMIT_MAX, dedup_limit),
        ("max_text", &raw.max_text, TEXT_BYTES_LIMIT, max_text),
    ] {
        let Some(number) = field.get() else { continue };
        if (1..=most).contains(&number.value) {
            *mapped = number.value as usize;
        } else {
            report.error("out-of-range", number.span, format!("`{name}` lies between 1 and {most}"));
        }
    }
    mapping
}

fn given(field: &Field<Pointer>) -> Option<Pointer> {
    field.value().cloned()
}

fn pointer(name: &str) -> Pointer {
    Pointer(vec![name.into()])
}

fn flat() -> InputMapping {
    InputMapping {
        key: KeyRule(vec![pointer("user_id")]),
        event_type: EventTypeRule::At(pointer("type")),
        time: pointer("timestamp"),
        id: pointer("id"),
        properties: PropertiesRule::At(pointer("properties")),
        time_unit: TimeUnit::Milliseconds,
        dedup_ms: None,
        dedup_limit: InputMapping::DEDUP_LIMIT,
        max_future_ms: MAX_FUTURE_MS,
        max_event_bytes: MAX_EVENT_BYTES,
        max_text: InputMapping::MAX_TEXT,
    }
}

fn segment() -> InputMapping {
    InputMapping {
        key: KeyRule(vec![pointer("userId"), pointer("anonymousId")]),
        event_type: EventTypeRule::Segment,
        id: pointer("messageId"),
        properties: PropertiesRule::Segment,
        ..flat()
    }
}
