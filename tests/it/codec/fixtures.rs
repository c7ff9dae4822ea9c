//! Catalogs for the decoder's tests, and events in a form that can be compared.

use tagstream::catalog::{
    Catalog, CommandPaths, EntityKind, EventTypeRule, FieldRule, History, InputMapping, Pointer, PropertiesRule,
    RecordEnvelope, Tag, TagDefinition, TimeUnit,
};
use tagstream::codec::{Decoder, Reject};
use tagstream::model::{Command, EntityKindId, Event, PathId, Property, Timestamp};

/// The wall clock of the tests: 2026-03-15T08:00:00Z.
pub const NOW: Timestamp = Timestamp::from_ms(1_773_561_600_000);

/// A JSON Pointer.
pub fn pointer(text: &str) -> Pointer {
    Pointer(text.split('/').skip(1).map(|t| t.replace("~1", "/").replace("~0", "~").into()).collect())
}

pub fn flat() -> InputMapping {
    InputMapping {
        envelope: RecordEnvelope::Plain,
        key: FieldRule::of([pointer("/user_id")]),
        event_type: EventTypeRule::At(FieldRule::of([pointer("/type")])),
        time: FieldRule::of([pointer("/timestamp")]),
        id: FieldRule::of([pointer("/id")]),
        properties: PropertiesRule::At(pointer("/properties")),
        time_unit: TimeUnit::Milliseconds,
        local_times: false,
        numbers_in_text: false,
        dedup_ms: None,
        dedup_limit: InputMapping::DEDUP_LIMIT,
        max_future_ms: 300_000,
        max_event_bytes: 1 << 20,
        max_text: InputMapping::MAX_TEXT,
    }
}

pub fn segment() -> InputMapping {
    InputMapping {
        key: FieldRule::of([pointer("/userId"), pointer("/anonymousId")]),
        event_type: EventTypeRule::Segment,
        time: FieldRule::of([pointer("/timestamp")]),
        id: FieldRule::of([pointer("/messageId")]),
        properties: PropertiesRule::Segment,
        ..flat()
    }
}

/// A catalog that knows these types and, written with dots, these paths.
pub fn catalog(input: InputMapping, kinds: &[&str], paths: &[&str]) -> Catalog {
    Catalog {
        fingerprint: 0,
        text: "".into(),
        timezone: jiff::tz::TimeZone::UTC,
        input,
        history: History::Complete,
        entities: vec![EntityKind { name: "user".into(), key: None, forget_after_ms: None }],
        command_paths: None,
        event_types: kinds.iter().map(|kind| (*kind).into()).collect(),
        paths: paths.iter().map(|path| path.split('.').map(Into::into).collect()).collect(),
        arrays: Vec::new(),
        item_paths: Vec::new(),
        formulas: Vec::new(),
        attributes: Vec::new(),
        counters: Vec::new(),
        tags: Vec::new(),
        order: Vec::new(),
    }
}

/// Adds kinds of entity: the keys of those before the user's, and behind it.
pub fn with_entities(mut catalog: Catalog, before: &[&str], behind: &[&str]) -> Catalog {
    let kind =
        |key: &&str| EntityKind { name: format!("at {key}").into(), key: Some(pointer(key)), forget_after_ms: None };
    catalog.entities.splice(0..0, before.iter().map(kind));
    catalog.entities.extend(behind.iter().map(kind));
    catalog
}

/// Adds manual tags, by name and kind of entity, and the paths of the commands that set them.
pub fn with_manual_tags(mut catalog: Catalog, tags: &[(&str, u16)]) -> Catalog {
    let manual = |(name, entity): &(&str, u16)| Tag {
        name: (*name).into(),
        entity: EntityKindId(*entity),
        title: Vec::new(),
        group: None,
        description: None,
        owner: None,
        place: 0,
        definition: TagDefinition::Manual { valid_for_ms: None },
    };
    catalog.tags.extend(tags.iter().map(manual));
    let mut path = |name: &str| {
        let path: Vec<Box<str>> = vec![name.into()];
        let known = catalog.paths.iter().position(|known| *known == path);
        PathId(known.unwrap_or_else(|| {
            catalog.paths.push(path);
            catalog.paths.len() - 1
        }) as u16)
    };
    catalog.command_paths =
        Some(CommandPaths { tag: path("tag"), set: path("set"), value: path("value"), valid_for: path("valid_for") });
    catalog
}

/// An event with its texts resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Plain {
    pub key: String,
    /// By kind of entity.
    pub keys: Vec<Option<String>>,
    /// Which of the catalog's types, and its name.
    pub kind: (u16, String),
    pub time_ms: i64,
    pub id: Option<String>,
    pub command: Option<PlainCommand>,
    pub properties: Vec<PlainProperty>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PlainCommand {
    Erase,
    Set { tag: u16, value: PlainProperty, valid_for_ms: Option<i64> },
    Unset { tag: u16 },
}

#[derive(Clone, Debug, PartialEq)]
pub enum PlainProperty {
    Missing,
    Null,
    Bool(bool),
    /// The integer and the digits.
    Integer(i64, String),
    /// The double and the digits.
    Number(f64, String),
    String(String),
    Array(Vec<PlainProperty>),
    Object,
}

/// Decodes one record at [`NOW`].
pub fn decode(catalog: &Catalog, decoder: &mut Decoder, event: &mut Event, bytes: &[u8]) -> Result<Plain, Reject> {
    decoder.decode(bytes, NOW, event)?;
    let key = |kind| event.key_of(EntityKindId(kind as u16)).map(str::to_owned);
    let property = |index| plain(event, event.property(PathId(index as u16)));
    Ok(Plain {
        key: event.key().to_owned(),
        keys: (0..catalog.entities.len()).map(key).collect(),
        kind: (event.event_type.0, event.type_name().to_owned()),
        time_ms: event.time.ms(),
        id: event.id().map(str::to_owned),
        command: event.command.map(|command| match command {
            Command::Erase => PlainCommand::Erase,
            Command::Unset { tag } => PlainCommand::Unset { tag: tag.0 },
            Command::Set { tag, value, valid_for_ms } => {
                PlainCommand::Set { tag: tag.0, value: plain(event, value), valid_for_ms }
            }
        }),
        properties: (0..catalog.paths.len()).map(property).collect(),
    })
}

pub fn plain(event: &Event, property: Property) -> PlainProperty {
    match property {
        Property::Missing => PlainProperty::Missing,
        Property::Null => PlainProperty::Null,
        Property::Bool(value) => PlainProperty::Bool(value),
        Property::Integer(integer, digits) => PlainProperty::Integer(integer, event.text(digits).to_owned()),
        Property::Number(double, digits) => PlainProperty::Number(double, event.text(digits).to_owned()),
        Property::String(text) => PlainProperty::String(event.text(text).to_owned()),
        Property::Array { start, len } => {
            let elements = event.elements(start, len);
            PlainProperty::Array(elements.iter().map(|element| plain(event, *element)).collect())
        }
        Property::Object => PlainProperty::Object,
    }
}
