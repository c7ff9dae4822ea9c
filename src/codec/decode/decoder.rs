//! From records to events: the rules of the envelope, and the properties that the catalog uses.

use std::borrow::Cow;

use super::commands::{CommandFields, Commands};
use super::extract::Extractor;
use super::items::{ArrayListeners, ItemReader};
use super::json::{FoundValue, JsonType, RECORD_BYTES_MAX, RawValue, text};
use super::name_table::TypeTable;
use super::plan::{DecodePlan, FieldPlace, NodeId, PropertyNodes, PropertyPlaces, TypePlace};
use super::record::{InputRecord, cloud_event, connect_payload};
use super::shape_cache::{ScanTrace, ShapeCache};
use super::time_errors::describe_time_error;
use super::values::{KEY_BYTES_MAX, integer, is_integer, is_text, keep, key, property, unsigned_zero};
use crate::catalog::{Catalog, RecordEnvelope, TimeReader, TimeUnit};
use crate::codec::reject::Reject;
use crate::model::{ArrayId, Event, PathId, Timestamp};

/// The longest event type, in bytes.
const TYPE_BYTES_MAX: usize = 128;

/// What Debezium calls the changes of a row, and what event types call them. `r`: a snapshot has read it.
pub(crate) const ROW_CHANGES: [(&str, &str); 5] =
    [("c", "created"), ("u", "updated"), ("d", "deleted"), ("r", "read"), ("t", "truncated")];

/// Decodes the records of one input. It keeps its buffers, so decoding does not allocate once they have grown.
#[derive(Clone, Debug)]
pub struct Decoder {
    plan: DecodePlan,
    /// By node of the plan.
    found: Vec<FoundValue>,
    shapes: ShapeCache,
    items: ItemReader,
    array_listeners: ArrayListeners,
    trace: ScanTrace,
    event_types: TypeTable,
    commands: Commands,
    /// What is wrong with the last rejected record, in words; empty where the reason code is enough.
    detail: String,
    envelope: RecordEnvelope,
    /// The JSON object of the record, where it has to be made.
    composed: Vec<u8>,
    times: TimeReader,
    time_unit: TimeUnit,
    numbers_in_text: bool,
    reads_metadata: bool,
    max_future_ms: i64,
    max_event_bytes: usize,
    /// For texts with escapes.
    scratch: String,
}

impl Decoder {
    pub fn new(catalog: &Catalog) -> Self {
        let plan = DecodePlan::new(catalog);
        Decoder {
            found: vec![FoundValue::default(); plan.nodes.len()],
            shapes: ShapeCache::default(),
            items: ItemReader::new(&plan.items),
            array_listeners: ArrayListeners::new(catalog),
            plan,
            trace: ScanTrace::default(),
            event_types: TypeTable::new(&catalog.event_types),
            commands: Commands::new(catalog),
            detail: String::new(),
            envelope: catalog.input.envelope,
            composed: Vec::new(),
            times: TimeReader::new(catalog),
            time_unit: catalog.input.time_unit,
            numbers_in_text: catalog.input.numbers_in_text,
            reads_metadata: catalog.input.reads_metadata(),
            max_future_ms: catalog.input.max_future_ms,
            max_event_bytes: catalog.input.max_event_bytes.min(RECORD_BYTES_MAX),
            scratch: String::new(),
        }
    }

    /// As [`Decoder::decode_record`], from the value alone: a line of a file.
    ///
    /// # Errors
    /// The first reason to reject the record, in the specified order. The content of `event` is then undefined.
    pub fn decode(&mut self, bytes: &[u8], now: Timestamp, event: &mut Event) -> Result<(), Reject> {
        self.decode_record(InputRecord::line(bytes), now, event)
    }

    /// Fills `event` from a record; `now` is the wall clock, for events in the future.
    ///
    /// # Errors
    /// The first reason to reject the record, in the specified order. The content of `event` is then undefined.
    pub fn decode_record(&mut self, input: InputRecord<'_>, now: Timestamp, event: &mut Event) -> Result<(), Reject> {
        self.detail.clear();
        if input.value.len() > self.max_event_bytes {
            return Err(Reject::TooLarge);
        }
        if self.envelope == RecordEnvelope::CloudEvents {
            // The text cannot be borrowed from the decoder while the decoder works.
            let mut composed = std::mem::take(&mut self.composed);
            let decoded = match cloud_event(input, &mut composed) {
                Ok(record) => self.decode_object(record, input, now, event),
                Err(_) => Err(Reject::NotJson),
            };
            self.composed = composed;
            return decoded;
        }
        let record = simdutf8::basic::from_utf8(input.json()).map_err(|_| Reject::NotJson)?;
        let record = match self.envelope {
            RecordEnvelope::ConnectJson => connect_payload(record).map_err(|_| Reject::NotJson)?,
            RecordEnvelope::Plain | RecordEnvelope::CloudEvents => record,
        };
        self.decode_object(record, input, now, event)
    }

    /// Fills `event` from the JSON object that the record holds.
    fn decode_object(
        &mut self,
        record: &str,
        input: InputRecord<'_>,
        now: Timestamp,
        event: &mut Event,
    ) -> Result<(), Reject> {
        if !self.shapes.fits(record, &mut self.found) {
            self.trace.begin(self.shapes.wants_more());
            Extractor::new(&self.plan.nodes, record, &mut self.found, &mut self.scratch, &mut self.trace)
                .run()
                .map_err(|_| Reject::NotJson)?;
            self.shapes.learn(record, &self.trace);
        }
        if self.found[0].raw.json_type() != JsonType::Object {
            return Err(Reject::NotObject);
        }
        let paths = match &self.plan.properties {
            PropertyPlaces::At(nodes) => &nodes.paths,
            PropertyPlaces::Segment { properties, .. } | PropertyPlaces::Debezium { properties, .. } => {
                &properties.paths
            }
        };
        event.clear(paths.len());
        event.keep_record(record);
        event.numbers_in_text = self.numbers_in_text;
        self.keys(input, record, event)?;
        self.event_type(input, record, event)?;
        self.time(input, record, now, event)?;
        self.id(input, record, event);
        self.properties(record, event);
        Ok(())
    }

    /// Whether it reads more of a record than its value.
    pub fn reads_metadata(&self) -> bool {
        self.reads_metadata
    }

    /// The names of the headers that it reads.
    pub fn headers(&self) -> &[Box<str>] {
        &self.plan.headers
    }

    /// What is wrong with the last rejected record, in words; `None` where the reason code is enough.
    pub fn detail(&self) -> Option<&str> {
        (!self.detail.is_empty()).then_some(self.detail.as_str())
    }

    /// The user's key, and those of the other entities that the event is about.
    fn keys(&mut self, input: InputRecord<'_>, record: &str, event: &mut Event) -> Result<(), Reject> {
        let user = match self.first(&self.plan.keys, input).ok_or(Reject::MissingKey)? {
            FieldValue::Json(raw) => key(record, raw, event, &mut self.scratch),
            FieldValue::Bytes(bytes) => key_text(bytes, KEY_BYTES_MAX).map(|text| event.keep(text)),
            FieldValue::Timestamp(_) => None,
        };
        let user = user.ok_or(Reject::BadKey)?;
        event.set_key(user);
        for node in &self.plan.entities {
            let found = match node {
                None => Some(user),
                Some(node) => key(record, self.found[*node].raw, event, &mut self.scratch),
            };
            event.push_entity_key(found);
        }
        Ok(())
    }

    fn event_type(&mut self, input: InputRecord<'_>, record: &str, event: &mut Event) -> Result<(), Reject> {
        let found = match &self.plan.event_type {
            TypePlace::At(places) => self.first(places, input),
            TypePlace::Segment { call, event } => {
                let is_track = is_text(self.found[*call].raw, record, "track", &mut self.scratch);
                Some(FieldValue::Json(self.found[if is_track { *event } else { *call }].raw))
            }
            TypePlace::Debezium { op, flat, .. } if self.found[*op].raw.is_absent() => self.first(flat, input),
            TypePlace::Debezium { op, table, .. } => return self.row_change(*op, *table, record, event),
        };
        let (name, span) = match found {
            None => return Err(Reject::MissingType),
            Some(FieldValue::Json(raw)) => match raw.json_type() {
                JsonType::Missing | JsonType::Null => return Err(Reject::MissingType),
                JsonType::Plain | JsonType::Escaped => {
                    let name = text(record, raw, &mut self.scratch);
                    (name, keep(name, raw, event))
                }
                _ => return Err(Reject::BadType),
            },
            Some(FieldValue::Bytes(bytes)) => {
                let name = key_text(bytes, TYPE_BYTES_MAX).ok_or(Reject::BadType)?;
                (name, event.keep(name))
            }
            Some(FieldValue::Timestamp(_)) => return Err(Reject::BadType),
        };
        if name.is_empty() || name.len() > TYPE_BYTES_MAX {
            return Err(Reject::BadType);
        }
        let is_command = name.starts_with('$');
        let event_type = self.event_types.get(name.as_bytes());
        event.set_type(event_type, span);
        if is_command { self.command(record, event) } else { Ok(()) }
    }

    /// The type of a change of a row: the table, and what happened to the row.
    fn row_change(&mut self, op: NodeId, table: NodeId, record: &str, event: &mut Event) -> Result<(), Reject> {
        let (op, table) = (self.found[op].raw, self.found[table].raw);
        let mut is_op = |letter: &str| is_text(op, record, letter, &mut self.scratch);
        let Some((_, change)) = ROW_CHANGES.iter().find(|(letter, _)| is_op(letter)) else {
            self.detail.push_str("`op` is not one of c, u, d, r and t: it is not the change of a row");
            return Err(Reject::BadType);
        };
        let table = match table.json_type() {
            JsonType::Missing | JsonType::Null => return Err(Reject::MissingType),
            JsonType::Plain | JsonType::Escaped => text(record, table, &mut self.scratch),
            _ => return Err(Reject::BadType),
        };
        let span = event.keep_joined([table, ".", change]);
        let name = event.text(span);
        // A table is not a command, whatever its name.
        if table.is_empty() || table.starts_with('$') || name.len() > TYPE_BYTES_MAX {
            return Err(Reject::BadType);
        }
        let event_type = self.event_types.get(name.as_bytes());
        event.set_type(event_type, span);
        Ok(())
    }

    /// What stands at the first place of a field at which there is something other than null.
    fn first<'a>(&self, places: &[FieldPlace], input: InputRecord<'a>) -> Option<FieldValue<'a>> {
        places.iter().find_map(|place| match place {
            FieldPlace::Value(node) => Some(self.found[*node].raw).filter(|raw| !raw.is_absent()).map(FieldValue::Json),
            FieldPlace::RecordKey => input.key.map(FieldValue::Bytes),
            FieldPlace::RecordTimestamp => input.timestamp.map(FieldValue::Timestamp),
            FieldPlace::RecordHeader(name) => input.headers.last(&self.plan.headers[*name]).map(FieldValue::Bytes),
        })
    }

    fn command(&mut self, record: &str, event: &mut Event) -> Result<(), Reject> {
        let nodes = property_nodes(&self.plan.properties, &self.found, record, &mut self.scratch);
        let fields = CommandFields { record, nodes: &nodes.paths, found: &self.found };
        self.commands.read(&fields, event, &mut self.scratch).map_err(|fault| {
            self.detail.push_str(fault.detail());
            fault.reject()
        })
    }

    fn time(&mut self, input: InputRecord<'_>, record: &str, now: Timestamp, event: &mut Event) -> Result<(), Reject> {
        let found = self.first(&self.plan.time, input).ok_or(Reject::MissingTime)?;
        let read = self.read_time(found, record, now);
        if let Err(reject) = read {
            let (json_type, shown) = found.shown(record);
            describe_time_error(reject, json_type, &shown, self.time_unit, &mut self.detail);
        }
        event.time = read?;
        Ok(())
    }

    fn read_time(&mut self, found: FieldValue<'_>, record: &str, now: Timestamp) -> Result<Timestamp, Reject> {
        let time = match found {
            FieldValue::Timestamp(at) => at,
            FieldValue::Bytes(bytes) => header_time(bytes, &self.times).ok_or(Reject::BadTime)?,
            FieldValue::Json(raw) => match raw.json_type() {
                JsonType::Plain | JsonType::Escaped => {
                    self.times.text(text(record, raw, &mut self.scratch)).ok_or(Reject::BadTime)?
                }
                JsonType::Number => {
                    let count = integer(raw.of(record)).ok_or(Reject::BadTime)?;
                    // A saturated product is out of range for an event too.
                    self.times.integer(count)
                }
                _ => return Err(Reject::BadTime),
            },
        };
        if time < Timestamp::OLDEST_EVENT {
            return Err(Reject::TooOld);
        }
        if time > now.plus(self.max_future_ms) {
            return Err(Reject::InFuture);
        }
        Ok(time)
    }

    fn id(&mut self, input: InputRecord<'_>, record: &str, event: &mut Event) {
        let span = match self.first(&self.plan.id, input) {
            Some(FieldValue::Json(raw)) => {
                let id = match raw.json_type() {
                    JsonType::Plain | JsonType::Escaped => text(record, raw, &mut self.scratch),
                    JsonType::Number if is_integer(raw.of(record)) => unsigned_zero(raw.of(record)),
                    _ => return,
                };
                (!id.is_empty() && id.len() <= KEY_BYTES_MAX).then(|| keep(id, raw, event))
            }
            Some(FieldValue::Bytes(bytes)) => key_text(bytes, KEY_BYTES_MAX).map(|text| event.keep(text)),
            Some(FieldValue::Timestamp(_)) | None => None,
        };
        event.set_id(span);
    }

    fn properties(&mut self, record: &str, event: &mut Event) {
        let nodes = property_nodes(&self.plan.properties, &self.found, record, &mut self.scratch);
        for (path, node) in nodes.paths.iter().enumerate() {
            let raw = self.found[*node].property();
            if raw.json_type() != JsonType::Missing {
                let value = property(record, raw, event, &mut self.scratch);
                event.set_property(PathId(path as u16), value);
            }
        }
        for (array, node) in (0..).map(ArrayId).zip(&nodes.arrays) {
            // Elements that no counter looks at would only cost time.
            let is_wanted = self.array_listeners.look_at(array, event.event_type);
            let raw = if is_wanted { self.found[*node].property() } else { RawValue::default() };
            self.items.read(&self.plan.items, record, raw, event, &mut self.scratch);
        }
    }
}

/// What stands at a place of a field.
#[derive(Clone, Copy)]
enum FieldValue<'a> {
    Json(RawValue),
    /// The record's key, or a header.
    Bytes(&'a [u8]),
    Timestamp(Timestamp),
}

impl FieldValue<'_> {
    /// The value as a JSON value would be written.
    fn shown<'a>(&'a self, record: &'a str) -> (JsonType, Cow<'a, str>) {
        match self {
            FieldValue::Json(raw) => (raw.json_type(), raw.of(record).into()),
            FieldValue::Bytes(bytes) => {
                let text = String::from_utf8_lossy(bytes);
                (if is_count(&text) { JsonType::Number } else { JsonType::Plain }, text)
            }
            FieldValue::Timestamp(at) => (JsonType::Plain, at.to_string().into()),
        }
    }
}

fn is_count(header: &str) -> bool {
    header.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

/// The instant that a header names: as text, or as an integer in the catalog's unit.
fn header_time(header: &[u8], times: &TimeReader) -> Option<Timestamp> {
    let text = std::str::from_utf8(header).ok()?;
    if is_count(text) { text.parse().ok().map(|count| times.integer(count)) } else { times.text(text) }
}

/// A record's key or header as text, where it is one of 1 to `bytes_max` bytes.
fn key_text(key: &[u8], bytes_max: usize) -> Option<&str> {
    let text = std::str::from_utf8(key).ok()?;
    (!text.is_empty() && text.len() <= bytes_max).then_some(text)
}

/// The nodes of this record's properties, by path.
fn property_nodes<'p>(
    places: &'p PropertyPlaces,
    found: &[FoundValue],
    record: &str,
    scratch: &mut String,
) -> &'p PropertyNodes {
    match places {
        PropertyPlaces::At(nodes) => nodes,
        PropertyPlaces::Segment { call, properties, traits } => {
            let is_identify = is_text(found[*call].raw, record, "identify", scratch);
            if is_identify { traits } else { properties }
        }
        PropertyPlaces::Debezium { op, properties, .. } if found[*op].raw.is_absent() => properties,
        PropertyPlaces::Debezium { row, after, .. } if found[*row].raw.json_type() == JsonType::Object => after,
        PropertyPlaces::Debezium { before, .. } => before,
    }
}
