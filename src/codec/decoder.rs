//! Records to events: the rules of the envelope, and the properties that the catalog looks at.

use super::capture::{Capture, Found};
use super::names::Names;
use super::plan::{KindPlace, Plan, PropertyPlaces};
use super::reject::Reject;
use super::scanner::{Kind, RECORD_BYTES_MAX, Raw, Scanner};
use super::shape::{Shapes, Trace};
use super::text::text;
use crate::catalog::{Catalog, TimeUnit};
use crate::model::{Event, KindId, PathId, Property, Span, Timestamp};

/// The longest key and id, in bytes.
const KEY_BYTES_MAX: usize = 256;

/// The longest event type, in bytes.
const KIND_BYTES_MAX: usize = 128;

/// Decodes the records of one input. It keeps its buffers, so decoding does not allocate once they have grown.
#[derive(Clone, Debug)]
pub struct Decoder {
    plan: Plan,
    /// By node of the plan.
    found: Vec<Found>,
    shapes: Shapes,
    trace: Trace,
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
            shapes: Shapes::default(),
            trace: Trace::default(),
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
        if !self.shapes.fit(record, &mut self.found) {
            self.trace.begin(self.shapes.is_curious());
            Capture::new(&self.plan, record, &mut self.found, &mut self.scratch, &mut self.trace)
                .run()
                .map_err(|_| Reject::NotJson)?;
            self.shapes.learn(record, &self.trace);
        }
        if self.found[0].raw.kind() != Kind::Object {
            return Err(Reject::NotObject);
        }
        let paths = match &self.plan.properties {
            PropertyPlaces::At(nodes) => nodes,
            PropertyPlaces::Segment { properties, .. } => properties,
        };
        event.clear(paths.len());
        event.keep_record(record);
        self.key(record, event)?;
        self.kind(record, event)?;
        self.time(record, now, event)?;
        self.id(record, event);
        self.properties(record, event);
        Ok(())
    }

    fn key(&mut self, record: &str, event: &mut Event) -> Result<(), Reject> {
        let mut found = self.plan.keys.iter().map(|node| self.found[*node].raw);
        let raw = found.find(|raw| !raw.is_absent()).ok_or(Reject::MissingKey)?;
        let key = match raw.kind() {
            Kind::Plain | Kind::Escaped => text(record, raw, &mut self.scratch),
            Kind::Number => {
                let digits = raw.of(record);
                let fits = |n: i128| i64::try_from(n).is_ok() || u64::try_from(n).is_ok();
                if !integer(digits).is_some_and(fits) {
                    return Err(Reject::BadKey);
                }
                unsigned_zero(digits)
            }
            _ => return Err(Reject::BadKey),
        };
        if key.is_empty() || key.len() > KEY_BYTES_MAX {
            return Err(Reject::BadKey);
        }
        let span = keep(key, raw, event);
        event.set_key(span);
        event.push_entity_key(Some(span));
        Ok(())
    }

    fn kind(&mut self, record: &str, event: &mut Event) -> Result<(), Reject> {
        let node = match self.plan.kind {
            KindPlace::At(node) => node,
            KindPlace::Segment { call, event } => {
                let is_track = is_text(self.found[call].raw, record, "track", &mut self.scratch);
                if is_track { event } else { call }
            }
        };
        let raw = self.found[node].raw;
        let name = match raw.kind() {
            Kind::Missing | Kind::Null => return Err(Reject::MissingType),
            Kind::Plain | Kind::Escaped => text(record, raw, &mut self.scratch),
            _ => return Err(Reject::BadType),
        };
        // Types that begin with `$` are commands, and there are none yet.
        if name.is_empty() || name.len() > KIND_BYTES_MAX || name.starts_with('$') {
            return Err(Reject::BadType);
        }
        let kind = self.kinds.get(name.as_bytes()).map_or(KindId::OTHER, |id| KindId(id as u16));
        let span = keep(name, raw, event);
        event.set_kind(kind, span);
        Ok(())
    }

    fn time(&mut self, record: &str, now: Timestamp, event: &mut Event) -> Result<(), Reject> {
        let raw = self.found[self.plan.time].raw;
        event.time = match raw.kind() {
            Kind::Missing | Kind::Null => return Err(Reject::MissingTime),
            Kind::Plain | Kind::Escaped => {
                Timestamp::parse(text(record, raw, &mut self.scratch)).map_err(|_| Reject::BadTime)?
            }
            Kind::Number => {
                let count = integer(raw.of(record)).and_then(|n| i64::try_from(n).ok()).ok_or(Reject::BadTime)?;
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
        let raw = self.found[self.plan.id].raw;
        let id = match raw.kind() {
            Kind::Plain | Kind::Escaped => text(record, raw, &mut self.scratch),
            Kind::Number if is_integer(raw.of(record)) => unsigned_zero(raw.of(record)),
            _ => return,
        };
        if !id.is_empty() && id.len() <= KEY_BYTES_MAX {
            let span = keep(id, raw, event);
            event.set_id(Some(span));
        }
    }

    fn properties(&mut self, record: &str, event: &mut Event) {
        let nodes = match &self.plan.properties {
            PropertyPlaces::At(nodes) => nodes,
            PropertyPlaces::Segment { call, properties, traits } => {
                let is_identify = is_text(self.found[*call].raw, record, "identify", &mut self.scratch);
                if is_identify { traits } else { properties }
            }
        };
        for (path, node) in nodes.iter().enumerate() {
            let raw = self.found[*node].property();
            let property = match raw.kind() {
                Kind::Missing => continue,
                Kind::Array => array(record, raw, event, &mut self.scratch),
                _ => scalar(record, raw, event, &mut self.scratch),
            };
            event.set_property(PathId(path as u16), property);
        }
    }
}

fn is_text(raw: Raw, record: &str, expected: &str, scratch: &mut String) -> bool {
    matches!(raw.kind(), Kind::Plain | Kind::Escaped) && text(record, raw, scratch) == expected
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
    match raw.kind() {
        Kind::Missing | Kind::Array => Property::Missing,
        Kind::Null => Property::Null,
        Kind::False => Property::Bool(false),
        Kind::True => Property::Bool(true),
        Kind::Number => number(record, raw, event),
        Kind::Plain | Kind::Escaped => Property::String(keep(text(record, raw, scratch), raw, event)),
        Kind::Object => Property::Object,
    }
}

fn number(record: &str, raw: Raw, event: &mut Event) -> Property {
    let digits = raw.of(record);
    match short_decimal(digits).map_or_else(|| digits.parse(), Ok) {
        Ok(double) if double.is_finite() => Property::Number(double, event.piece(raw.start(), raw.end())),
        _ => Property::Missing,
    }
}

/// The double of a number with at most 15 digits and no exponent.
///
/// Most are like that, and then digits and power of ten are exact as doubles, and one division rounds once.
fn short_decimal(text: &str) -> Option<f64> {
    const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    if unsigned.len() >= POWERS.len() {
        return None;
    }
    let (mut value, mut decimals, mut is_decimal) = (0_u64, 0, 0);
    for byte in unsigned.bytes() {
        match byte {
            b'0'..=b'9' => {
                value = value * 10 + u64::from(byte - b'0');
                decimals += is_decimal;
            }
            b'.' => is_decimal = 1,
            _ => return None,
        }
    }
    let double = value as f64 / POWERS[decimals];
    Some(if unsigned.len() < text.len() { -double } else { double })
}

/// Where the event has the text that stands for a value: in the record, unless it had to be rewritten. Then it is
/// shorter: no escape is as short as what it stands for.
fn keep(text: &str, raw: Raw, event: &mut Event) -> Span {
    if text.len() == raw.end() - raw.start() { event.piece(raw.start(), raw.end()) } else { event.keep(text) }
}

/// The array at a wanted path: its strings, finite numbers and bools, in order.
fn array(record: &str, raw: Raw, event: &mut Event, scratch: &mut String) -> Property {
    let start = event.element_count();
    let mut scanner = Scanner::new(record, raw.start());
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
