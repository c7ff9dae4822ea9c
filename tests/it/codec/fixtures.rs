//! Catalogs for the decoder's tests, and events in a form that can be compared.

use tagstream::catalog::{
    Catalog, EntityKind, History, InputMapping, KeyRule, KindRule, Pointer, PropertiesRule, TimeUnit,
};
use tagstream::codec::{Decoder, Reject};
use tagstream::model::{Event, PathId, Property, Timestamp};

/// The wall clock of the tests: 2026-03-15T08:00:00Z.
pub const NOW: Timestamp = Timestamp::from_ms(1_773_561_600_000);

/// A JSON Pointer.
pub fn pointer(text: &str) -> Pointer {
    Pointer(text.split('/').skip(1).map(|t| t.replace("~1", "/").replace("~0", "~").into()).collect())
}

pub fn flat() -> InputMapping {
    InputMapping {
        key: KeyRule(vec![pointer("/user_id")]),
        kind: KindRule::At(pointer("/type")),
        time: pointer("/timestamp"),
        id: pointer("/id"),
        properties: PropertiesRule::At(pointer("/properties")),
        time_unit: TimeUnit::Milliseconds,
        dedup_ms: None,
        max_future_ms: 300_000,
        max_event_bytes: 1 << 20,
    }
}

pub fn segment() -> InputMapping {
    InputMapping {
        key: KeyRule(vec![pointer("/userId"), pointer("/anonymousId")]),
        kind: KindRule::Segment,
        time: pointer("/timestamp"),
        id: pointer("/messageId"),
        properties: PropertiesRule::Segment,
        ..flat()
    }
}

/// A catalog that knows these types and, written with dots, these paths.
pub fn catalog(input: InputMapping, kinds: &[&str], paths: &[&str]) -> Catalog {
    Catalog {
        fingerprint: 0,
        timezone: jiff::tz::TimeZone::UTC,
        input,
        history: History::Complete,
        entities: vec![EntityKind { name: "user".into(), key: None, forget_after_ms: None }],
        command_paths: None,
        kinds: kinds.iter().map(|kind| (*kind).into()).collect(),
        paths: paths.iter().map(|path| path.split('.').map(Into::into).collect()).collect(),
        attributes: Vec::new(),
        counters: Vec::new(),
        tags: Vec::new(),
        order: Vec::new(),
    }
}

/// An event with its texts resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Plain {
    pub key: String,
    /// Which of the catalog's types, and its name.
    pub kind: (u16, String),
    pub time_ms: i64,
    pub id: Option<String>,
    pub properties: Vec<PlainProperty>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PlainProperty {
    Missing,
    Null,
    Bool(bool),
    /// The double and the digits.
    Number(f64, String),
    String(String),
    Array(Vec<PlainProperty>),
    Object,
}

/// Decodes one record at [`NOW`].
pub fn decode(decoder: &mut Decoder, event: &mut Event, paths: usize, bytes: &[u8]) -> Result<Plain, Reject> {
    decoder.decode(bytes, NOW, event)?;
    let property = |index| plain(event, event.property(PathId(index as u16)));
    Ok(Plain {
        key: event.key().to_owned(),
        kind: (event.kind.0, event.kind_name().to_owned()),
        time_ms: event.time.ms(),
        id: event.id().map(str::to_owned),
        properties: (0..paths).map(property).collect(),
    })
}

fn plain(event: &Event, property: Property) -> PlainProperty {
    match property {
        Property::Missing => PlainProperty::Missing,
        Property::Null => PlainProperty::Null,
        Property::Bool(value) => PlainProperty::Bool(value),
        Property::Number(double, digits) => PlainProperty::Number(double, event.text(digits).to_owned()),
        Property::String(text) => PlainProperty::String(event.text(text).to_owned()),
        Property::Array { start, len } => {
            let elements = event.elements(start, len);
            PlainProperty::Array(elements.iter().map(|element| plain(event, *element)).collect())
        }
        Property::Object => PlainProperty::Object,
    }
}
