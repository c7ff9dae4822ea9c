//! `input`: how an event is found in a record; the pointers that are written replace those of the preset.

use crate::catalog::compiled::{
    EventTypeRule, FieldRule, InputMapping, Pointer, PropertiesRule, RecordEnvelope, RecordPlace, TimeUnit,
};
use crate::catalog::diagnostics::Report;
use crate::catalog::raw::{RawInput, RawPlaces, RawPreset, RawTimeUnit};
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
        RawPreset::CloudEvents => cloud_events(),
        RawPreset::Debezium => debezium(),
    };
    mapping.key = given("key", &raw.key, report).unwrap_or(mapping.key);
    if let Some(rule) = given("type", &raw.r#type, report) {
        mapping.event_type = EventTypeRule::At(rule);
    }
    if let Some(pointer) = raw.properties.value() {
        mapping.properties = PropertiesRule::At(pointer.clone());
    }
    mapping.time = given("time", &raw.time, report).unwrap_or(mapping.time);
    mapping.id = given("id", &raw.id, report).unwrap_or(mapping.id);
    mapping.time_unit = match raw.time_unit.value() {
        None | Some(RawTimeUnit::Milliseconds) => TimeUnit::Milliseconds,
        Some(RawTimeUnit::Seconds) => TimeUnit::Seconds,
        Some(RawTimeUnit::Microseconds) => TimeUnit::Microseconds,
        Some(RawTimeUnit::Nanoseconds) => TimeUnit::Nanoseconds,
    };
    mapping.local_times = raw.local_times.value() == Some(&true);
    mapping.numbers_in_text = raw.numbers_in_text.value() == Some(&true);
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

/// The places that are written for a field.
fn given(name: &str, field: &Field<RawPlaces>, report: &mut Report) -> Option<FieldRule> {
    let places = field.value()?;
    for (index, (span, place)) in places.0.iter().enumerate() {
        let (message, help) = match place {
            RecordPlace::Timestamp if name != "time" => ("`$record` is a time", "it stands in `time` only"),
            RecordPlace::Key if name == "time" => {
                ("`$key` is not a time", "it stands in `key`, `type` and `id`; the record's timestamp is `$record`")
            }
            place if places.0[..index].iter().any(|(_, before)| before == place) => {
                ("this place stands in the list twice", "the first that has something counts: remove the second one")
            }
            _ => continue,
        };
        report.error("bad-pointer", *span, message).help(help);
    }
    Some(places.rule())
}

fn field(name: &str) -> FieldRule {
    FieldRule::of([pointer(name)])
}

fn pointer(name: &str) -> Pointer {
    inner([name])
}

fn inner<const N: usize>(names: [&str; N]) -> Pointer {
    Pointer(names.map(Into::into).into())
}

fn flat() -> InputMapping {
    InputMapping {
        envelope: RecordEnvelope::Plain,
        key: field("user_id"),
        event_type: EventTypeRule::At(field("type")),
        time: field("timestamp"),
        id: field("id"),
        properties: PropertiesRule::At(pointer("properties")),
        time_unit: TimeUnit::Milliseconds,
        local_times: false,
        numbers_in_text: false,
        dedup_ms: None,
        dedup_limit: InputMapping::DEDUP_LIMIT,
        max_future_ms: MAX_FUTURE_MS,
        max_event_bytes: MAX_EVENT_BYTES,
        max_text: InputMapping::MAX_TEXT,
    }
}

fn segment() -> InputMapping {
    InputMapping {
        key: FieldRule::of([pointer("userId"), pointer("anonymousId")]),
        event_type: EventTypeRule::Segment,
        id: field("messageId"),
        properties: PropertiesRule::Segment,
        ..flat()
    }
}

/// The attributes of CloudEvents 1.0. `subject` names what an event is about; `time` may be missing.
fn cloud_events() -> InputMapping {
    InputMapping {
        envelope: RecordEnvelope::CloudEvents,
        key: field("subject"),
        time: FieldRule(vec![RecordPlace::Value(pointer("time")), RecordPlace::Timestamp]),
        properties: PropertiesRule::At(pointer("data")),
        ..flat()
    }
}

/// The changes of rows that Debezium reports. Records without `op` are read as `flat`: commands, and events of other topics.
fn debezium() -> InputMapping {
    InputMapping {
        envelope: RecordEnvelope::ConnectJson,
        key: FieldRule::of([inner(["after", "user_id"]), inner(["before", "user_id"]), pointer("user_id")]),
        event_type: EventTypeRule::Debezium,
        time: FieldRule::of([inner(["source", "ts_ms"]), pointer("ts_ms"), pointer("timestamp")]),
        properties: PropertiesRule::Debezium,
        ..flat()
    }
}
