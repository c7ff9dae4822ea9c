//! From records to events: the rules of the envelope, and the properties that the catalog uses.

use super::commands::{CommandFields, Commands};
use super::extract::{Extractor, FoundValue};
use super::plan::{DecodePlan, NodeId, PropertyPlaces, TypePlace};
use super::scanner::{JsonType, RECORD_BYTES_MAX};
use super::shape_cache::{ScanTrace, ShapeCache};
use super::text::text;
use super::time_errors::describe_time_error;
use super::type_table::TypeTable;
use super::values::{KEY_BYTES_MAX, array, integer, is_integer, is_text, keep, key, scalar, unsigned_zero};
use crate::catalog::{Catalog, TimeUnit};
use crate::codec::reject::Reject;
use crate::model::{Event, PathId, Timestamp};

/// The longest event type, in bytes.
const TYPE_BYTES_MAX: usize = 128;

/// Decodes the records of one input. It keeps its buffers, so decoding does not allocate once they have grown.
#[derive(Clone, Debug)]
pub struct Decoder {
    plan: DecodePlan,
    /// By node of the plan.
    found: Vec<FoundValue>,
    shapes: ShapeCache,
    trace: ScanTrace,
    event_types: TypeTable,
    commands: Commands,
    /// What is wrong with the last rejected record, in words; empty where the reason code is enough.
    detail: String,
    time_unit: TimeUnit,
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
            plan,
            shapes: ShapeCache::default(),
            trace: ScanTrace::default(),
            event_types: TypeTable::new(&catalog.event_types),
            commands: Commands::new(catalog),
            detail: String::new(),
            time_unit: catalog.input.time_unit,
            max_future_ms: catalog.input.max_future_ms,
            max_event_bytes: catalog.input.max_event_bytes.min(RECORD_BYTES_MAX),
            scratch: String::new(),
        }
    }

    /// Fills `event` from a record; `now` is the wall clock, for events in the future.
    ///
    /// # Errors
    /// The first reason to reject the record, in the specified order. The content of `event` is then undefined.
    pub fn decode(&mut self, bytes: &[u8], now: Timestamp, event: &mut Event) -> Result<(), Reject> {
        self.detail.clear();
        if bytes.len() > self.max_event_bytes {
            return Err(Reject::TooLarge);
        }
        let record = simdutf8::basic::from_utf8(bytes).map_err(|_| Reject::NotJson)?;
        if !self.shapes.fits(record, &mut self.found) {
            self.trace.begin(self.shapes.wants_more());
            Extractor::new(&self.plan, record, &mut self.found, &mut self.scratch, &mut self.trace)
                .run()
                .map_err(|_| Reject::NotJson)?;
            self.shapes.learn(record, &self.trace);
        }
        if self.found[0].raw.json_type() != JsonType::Object {
            return Err(Reject::NotObject);
        }
        let paths = match &self.plan.properties {
            PropertyPlaces::At(nodes) => nodes,
            PropertyPlaces::Segment { properties, .. } => properties,
        };
        event.clear(paths.len());
        event.keep_record(record);
        self.keys(record, event)?;
        self.event_type(record, event)?;
        self.time(record, now, event)?;
        self.id(record, event);
        self.properties(record, event);
        Ok(())
    }

    /// What is wrong with the last rejected record, in words; `None` where the reason code is enough.
    pub fn detail(&self) -> Option<&str> {
        (!self.detail.is_empty()).then_some(self.detail.as_str())
    }

    /// The user's key, and those of the other entities that the event is about.
    fn keys(&mut self, record: &str, event: &mut Event) -> Result<(), Reject> {
        let mut found = self.plan.keys.iter().map(|node| self.found[*node].raw);
        let raw = found.find(|raw| !raw.is_absent()).ok_or(Reject::MissingKey)?;
        let user = key(record, raw, event, &mut self.scratch).ok_or(Reject::BadKey)?;
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

    fn event_type(&mut self, record: &str, event: &mut Event) -> Result<(), Reject> {
        let node = match self.plan.event_type {
            TypePlace::At(node) => node,
            TypePlace::Segment { call, event } => {
                let is_track = is_text(self.found[call].raw, record, "track", &mut self.scratch);
                if is_track { event } else { call }
            }
        };
        let raw = self.found[node].raw;
        let name = match raw.json_type() {
            JsonType::Missing | JsonType::Null => return Err(Reject::MissingType),
            JsonType::Plain | JsonType::Escaped => text(record, raw, &mut self.scratch),
            _ => return Err(Reject::BadType),
        };
        if name.is_empty() || name.len() > TYPE_BYTES_MAX {
            return Err(Reject::BadType);
        }
        let is_command = name.starts_with('$');
        let event_type = self.event_types.get(name.as_bytes());
        let span = keep(name, raw, event);
        event.set_type(event_type, span);
        if is_command { self.command(record, event) } else { Ok(()) }
    }

    fn command(&mut self, record: &str, event: &mut Event) -> Result<(), Reject> {
        let nodes = property_nodes(&self.plan.properties, &self.found, record, &mut self.scratch);
        let fields = CommandFields { record, nodes, found: &self.found };
        self.commands.read(&fields, event, &mut self.scratch).map_err(|fault| {
            self.detail.push_str(fault.detail());
            fault.reject()
        })
    }

    fn time(&mut self, record: &str, now: Timestamp, event: &mut Event) -> Result<(), Reject> {
        let read = self.read_time(record, now);
        if let Err(reject) = read {
            let raw = self.found[self.plan.time].raw;
            describe_time_error(reject, raw.json_type(), raw.of(record), self.time_unit, &mut self.detail);
        }
        event.time = read?;
        Ok(())
    }

    fn read_time(&mut self, record: &str, now: Timestamp) -> Result<Timestamp, Reject> {
        let raw = self.found[self.plan.time].raw;
        let time = match raw.json_type() {
            JsonType::Missing | JsonType::Null => return Err(Reject::MissingTime),
            JsonType::Plain | JsonType::Escaped => {
                Timestamp::parse(text(record, raw, &mut self.scratch)).map_err(|_| Reject::BadTime)?
            }
            JsonType::Number => {
                let count = integer(raw.of(record)).and_then(|n| i64::try_from(n).ok()).ok_or(Reject::BadTime)?;
                // A saturated product is out of range for an event too.
                Timestamp::from_ms(match self.time_unit {
                    TimeUnit::Milliseconds => count,
                    TimeUnit::Seconds => count.saturating_mul(1_000),
                })
            }
            _ => return Err(Reject::BadTime),
        };
        if time < Timestamp::OLDEST_EVENT {
            return Err(Reject::TooOld);
        }
        if time > now.plus(self.max_future_ms) {
            return Err(Reject::InFuture);
        }
        Ok(time)
    }

    fn id(&mut self, record: &str, event: &mut Event) {
        let raw = self.found[self.plan.id].raw;
        let id = match raw.json_type() {
            JsonType::Plain | JsonType::Escaped => text(record, raw, &mut self.scratch),
            JsonType::Number if is_integer(raw.of(record)) => unsigned_zero(raw.of(record)),
            _ => return,
        };
        if !id.is_empty() && id.len() <= KEY_BYTES_MAX {
            let span = keep(id, raw, event);
            event.set_id(Some(span));
        }
    }

    fn properties(&mut self, record: &str, event: &mut Event) {
        let nodes = property_nodes(&self.plan.properties, &self.found, record, &mut self.scratch);
        for (path, node) in nodes.iter().enumerate() {
            let raw = self.found[*node].property();
            let property = match raw.json_type() {
                JsonType::Missing => continue,
                JsonType::Array => array(record, raw, event, &mut self.scratch),
                _ => scalar(record, raw, event, &mut self.scratch),
            };
            event.set_property(PathId(path as u16), property);
        }
    }
}

/// The nodes of this record's properties, by path.
fn property_nodes<'p>(
    places: &'p PropertyPlaces,
    found: &[FoundValue],
    record: &str,
    scratch: &mut String,
) -> &'p [NodeId] {
    match places {
        PropertyPlaces::At(nodes) => nodes,
        PropertyPlaces::Segment { call, properties, traits } => {
            let is_identify = is_text(found[*call].raw, record, "identify", scratch);
            if is_identify { traits } else { properties }
        }
    }
}
