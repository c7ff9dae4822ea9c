//! How an event is found in a record.

use super::field_rule::{FieldRule, Pointer};
use crate::model::Scalar;

/// How the envelope of an event is found in a record (spec 2).
#[derive(Clone, Debug, PartialEq)]
pub struct InputMapping {
    /// What is around the JSON object in which the pointers point.
    pub envelope: RecordEnvelope,
    pub key: FieldRule,
    pub event_type: EventTypeRule,
    pub time: FieldRule,
    pub id: FieldRule,
    pub properties: PropertiesRule,
    /// The unit of a time that is an integer.
    pub time_unit: TimeUnit,
    /// Whether a time without an offset is read in the catalog's time zone.
    pub local_times: bool,
    /// Whether a text that is a number counts as that number where one is wanted.
    pub numbers_in_text: bool,
    /// How long an id is remembered, in milliseconds.
    pub dedup_ms: Option<i64>,
    /// How many ids are remembered of an entity.
    pub dedup_limit: usize,
    /// How far in the future an event may be, in milliseconds after the wall clock.
    pub max_future_ms: i64,
    /// The longest record, in bytes.
    pub max_event_bytes: usize,
    /// The longest text that an entity's state keeps, in bytes.
    pub max_text: usize,
}

impl InputMapping {
    /// How many ids are remembered of an entity, unless the catalog says it.
    pub const DEDUP_LIMIT: usize = 10_000;
    /// The longest text that is kept, unless the catalog says it.
    pub const MAX_TEXT: usize = 1_024;

    /// Whether an event is more than the value of its record.
    pub fn reads_metadata(&self) -> bool {
        let of_type = matches!(&self.event_type, EventTypeRule::At(rule) if rule.reads_metadata());
        of_type || [&self.key, &self.time, &self.id].iter().any(|rule| rule.reads_metadata())
    }

    /// The names of the headers that are read, some of them more than once.
    pub fn headers(&self) -> impl Iterator<Item = &str> {
        let of_type = match &self.event_type {
            EventTypeRule::At(rule) => Some(rule),
            EventTypeRule::Segment | EventTypeRule::Debezium => None,
        };
        [&self.key, &self.time, &self.id].into_iter().chain(of_type).flat_map(FieldRule::headers)
    }

    /// A value as an entity's state may keep it: a text that is too long counts as missing.
    pub fn keepable<'a>(&self, value: Scalar<'a>) -> Scalar<'a> {
        match value {
            Scalar::String(text) if text.len() > self.max_text => Scalar::Absent,
            _ => value,
        }
    }
}

/// What is around the JSON object that is an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordEnvelope {
    /// Nothing: it is the record's value.
    Plain,
    /// CloudEvents on Kafka. In the structured mode it is the record's value; in the binary mode it is made of the headers
    /// `ce_…`, with the record's value as its member `data`.
    CloudEvents,
    /// Kafka Connect's JSON: `{ "schema": …, "payload": … }`, or the payload alone.
    ConnectJson,
}

#[derive(Clone, Debug, PartialEq)]
pub enum EventTypeRule {
    At(FieldRule),
    /// `event` for `track` calls, the call's own `type` for the others.
    Segment,
    /// The table and what happened to its row, such as `orders.created`, for the changes that Debezium reports; `type` for
    /// records without `op`.
    Debezium,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PropertiesRule {
    At(Pointer),
    /// `traits` for `identify` calls, `properties` for the others.
    Segment,
    /// The row after the change, or the one before it where there is none after it; `properties` for records without `op`.
    Debezium,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    Milliseconds,
    Seconds,
    Microseconds,
    Nanoseconds,
}
