//! Records to events: the rules of the envelope, and the properties that the catalog looks at.

use super::capture::{Capture, Found};
use super::names::Names;
use super::plan::{KindPlace, NodeId, Plan, PropertyPlaces};
use super::reject::Reject;
use super::scanner::{Place, Quoted, Raw, Scanner};
use super::text::unescape;
use crate::catalog::{Catalog, TimeUnit};
use crate::model::{Event, KindId, PathId, Property, Timestamp};

/// The longest key and id, in bytes.
const KEY_BYTES_MAX: usize = 256;

/// The longest event type, in bytes.
const KIND_BYTES_MAX: usize = 128;

/// What every record must stay under, whatever the catalog says: places are counted in 32 bits.
const RECORD_BYTES_MAX: usize = 1 << 30;

/// Decodes the records of one input. It keeps its buffers, so decoding does not allocate once they have grown.
#[derive(Clone, Debug)]
pub struct Decoder {
    plan: Plan,
    /// By node of the plan.
    found: Vec<Found>,
    kinds: Names,
    time_unit: TimeUnit,
    max_future_ms: i64,
    max_event_bytes: usize,
    /// For texts with escapes.
    scratch: String,
}

impl Decoder {
    pub fn new(catalog: &Catalog) -> Self {
        let plan = Plan::new(catalog);
        Decoder {
            found: vec![Found::default(); plan.nodes.len()],
            plan,
            kinds: Names::new(catalog.kinds.iter().cloned().zip(1..)),
            time_unit: catalog.input.time_unit,
            max_future_ms: catalog.input.max_future_ms,
            max_event_bytes: catalog.input.max_event_bytes.min(RECORD_BYTES_MAX),
            scratch: String::new(),
        }
    }

    /// Fills `event` from a record; `now` is the wall clock, for events that claim to be from the future.
    ///
    /// # Errors
    /// The first reason to reject the record, in the contract's order. `event` then holds nothing of use.
    pub fn decode(&mut self, bytes: &[u8], now: Timestamp, event: &mut Event) -> Result<(), Reject> {
        if bytes.len() > self.max_event_bytes {
            return Err(Reject::TooLarge);
        }
        let record = simdutf8::basic::from_utf8(bytes).map_err(|_| Reject::NotJson)?;
        Capture::new(&self.plan, record, &mut self.found, &mut self.scratch).run().map_err(|_| Reject::NotJson)?;
        if self.found[0].raw != Raw::Object {
            return Err(Reject::NotObject);
        }
        let paths = match &self.plan.properties {
            PropertyPlaces::At(nodes) => nodes,
            PropertyPlaces::Segment { properties, .. } => properties,
        };
        event.clear(paths.len());
        self.key(record, event)?;
        self.kind(record, event)?;
        self.time(record, now, event)?;
        self.id(record, event);
        self.properties(record, event);
        Ok(())
    }

    fn key(&mut self, record: &str, event: &mut Event) -> Result<(), Reject> {
        let mut found = self.plan.keys.iter().map(|node| self.found[*node].raw);
        let key = match found.find(|raw| !matches!(raw, Raw::Missing | Raw::Null)) {
            None => return Err(Reject::MissingKey),
            Some(Raw::String(quoted)) => text(record, quoted, &mut self.scratch),
            Some(Raw::Number(place)) => {
                let digits = place.of(record);
                let fits = |n: i128| i64::try_from(n).is_ok() || u64::try_from(n).is_ok();
                if !integer(digits).is_some_and(fits) {
                    return Err(Reject::BadKey);
                }
                unsigned_zero(digits)
            }
            Some(_) => return Err(Reject::BadKey),
        };
        if key.is_empty() || key.len() > KEY_BYTES_MAX {
            return Err(Reject::BadKey);
        }
        let span = event.keep(key);
        event.set_key(span);
        Ok(())
    }

    fn kind(&mut self, record: &str, event: &mut Event) -> Result<(), Reject> {
        let node = match self.plan.kind {
            KindPlace::At(node) => node,
            KindPlace::Segment { call, event } => {
                let is_track = is_text(&self.found, call, record, "track", &mut self.scratch);
                if is_track { event } else { call }
            }
        };
        let name = match self.found[node].raw {
            Raw::Missing | Raw::Null => return Err(Reject::MissingType),
            Raw::String(quoted) => text(record, quoted, &mut self.scratch),
            _ => return Err(Reject::BadType),
        };
        // Types that begin with `$` are commands, and there are none yet.
        if name.is_empty() || name.len() > KIND_BYTES_MAX || name.starts_with('$') {
            return Err(Reject::BadType);
        }
        let kind = self.kinds.get(name.as_bytes()).map_or(KindId::OTHER, |id| KindId(id as u16));
        let span = event.keep(name);
        event.set_kind(kind, span);
        Ok(())
    }

    fn time(&mut self, record: &str, now: Timestamp, event: &mut Event) -> Result<(), Reject> {
        event.time = match self.found[self.plan.time].raw {
            Raw::Missing | Raw::Null => return Err(Reject::MissingTime),
            Raw::String(quoted) => {
                let text = text(record, quoted, &mut self.scratch);
                Timestamp::parse(text).map_err(|_| Reject::BadTime)?
            }
            Raw::Number(place) => {
                let count = integer(place.of(record)).and_then(|n| i64::try_from(n).ok()).ok_or(Reject::BadTime)?;
                // What is too far away to be multiplied is too far away to be an event.
                Timestamp::from_ms(match self.time_unit {
                    TimeUnit::Milliseconds => count,
                    TimeUnit::Seconds => count.saturating_mul(1_000),
                })
            }
            _ => return Err(Reject::BadTime),
        };
        if event.time < Timestamp::OLDEST_EVENT {
            return Err(Reject::TooOld);
        }
        if event.time > now.plus(self.max_future_ms) {
            return Err(Reject::InFuture);
        }
        Ok(())
    }

    fn id(&mut self, record: &str, event: &mut Event) {
        let id = match self.found[self.plan.id].raw {
            Raw::String(quoted) => text(record, quoted, &mut self.scratch),
            Raw::Number(place) if is_integer(place.of(record)) => unsigned_zero(place.of(record)),
            _ => return,
        };
        if !id.is_empty() && id.len() <= KEY_BYTES_MAX {
            let span = event.keep(id);
            event.set_id(Some(span));
        }
    }

    fn properties(&mut self, record: &str, event: &mut Event) {
        let nodes = match &self.plan.properties {
            PropertyPlaces::At(nodes) => nodes,
            PropertyPlaces::Segment { call, properties, traits } => {
                let is_identify = is_text(&self.found, *call, record, "identify", &mut self.scratch);
                if is_identify { traits } else { properties }
            }
        };
        for (path, node) in nodes.iter().enumerate() {
            let property = match self.found[*node].property() {
                Raw::Missing => continue,
                Raw::Array(at) => array(record, at, event, &mut self.scratch),
                raw => scalar(record, raw, event, &mut self.scratch),
            };
            event.set_property(PathId(path as u16), property);
        }
    }
}

fn is_text(found: &[Found], node: NodeId, record: &str, expected: &str, scratch: &mut String) -> bool {
    match found[node].raw {
        Raw::String(quoted) => text(record, quoted, scratch) == expected,
        _ => false,
    }
}

/// What a string says: a piece of the record, or of `scratch` where escapes had to be resolved.
fn text<'a>(record: &'a str, quoted: Quoted, scratch: &'a mut String) -> &'a str {
    let written = quoted.place.of(record);
    if !quoted.escaped {
        return written;
    }
    unescape(written, scratch);
    scratch
}

fn is_integer(digits: &str) -> bool {
    !digits.bytes().any(|b| matches!(b, b'.' | b'e' | b'E'))
}

/// The value of a number without fraction and exponent, as far as 64 bits and a sign can hold it.
fn integer(digits: &str) -> Option<i128> {
    /// `-9223372036854775808` and `18446744073709551615`.
    const LEN_MAX: usize = 20;
    if digits.len() > LEN_MAX || !is_integer(digits) { None } else { digits.parse().ok() }
}

/// Zero has no sign as a key: `-0` and `0` are one.
fn unsigned_zero(digits: &str) -> &str {
    if digits == "-0" { "0" } else { digits }
}

/// A property that is no array.
fn scalar(record: &str, raw: Raw, event: &mut Event, scratch: &mut String) -> Property {
    match raw {
        Raw::Missing | Raw::Array(_) => Property::Missing,
        Raw::Null => Property::Null,
        Raw::Bool(value) => Property::Bool(value),
        Raw::Number(place) => number(record, place, event),
        Raw::String(quoted) => Property::String(event.keep(text(record, quoted, scratch))),
        Raw::Object => Property::Object,
    }
}

fn number(record: &str, place: Place, event: &mut Event) -> Property {
    let digits = place.of(record);
    match digits.parse::<f64>() {
        Ok(double) if double.is_finite() => Property::Number(double, event.keep(digits)),
        _ => Property::Missing,
    }
}

/// The array at a wanted path: its strings, finite numbers and bools, in order.
fn array(record: &str, at: u32, event: &mut Event, scratch: &mut String) -> Property {
    let start = event.element_count();
    let mut scanner = Scanner::new(record, at as usize);
    // The record has been found to be JSON already, so an error can only mean the end.
    let mut more = scanner.open(0).is_ok() && !scanner.take(b']');
    while more {
        let raw = scanner.value(1).unwrap_or_default();
        let element = scalar(record, raw, event, scratch);
        if matches!(element, Property::String(_) | Property::Number(..) | Property::Bool(_)) {
            event.push_element(element);
        }
        more = scanner.another(b']').unwrap_or(false);
    }
    Property::Array { start, len: event.element_count() - start }
}
