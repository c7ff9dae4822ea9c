//! Tag changes as a subscriber reads them, in whichever format a record is.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::model::ChangeType;

/// The members of a tag change (spec 6) that are shown to people.
#[derive(Clone, Debug, Deserialize)]
pub struct ParsedChange {
    pub key: String,
    pub tag: String,
    /// Null when removed.
    pub value: Value,
    /// Null when added.
    pub previous: Value,
    /// RFC 3339.
    pub at: String,
    pub seq: u64,
    pub cause: String,
    /// In the order in which it was written.
    pub because: Map<String, Value>,
}

impl ParsedChange {
    /// Reads a record of any format.
    ///
    /// # Errors
    /// The record is not a tag change.
    pub fn parse(record: &[u8]) -> Result<Self, serde_json::Error> {
        in_each_format(record, serde_json::from_slice)
    }
}

/// All members of a tag change, borrowed from its record. Values stay as they are written: a decimal may have more digits
/// than a double.
#[derive(Clone, Debug, Deserialize)]
pub struct ChangeRecord<'a> {
    /// In hex.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    #[serde(borrow)]
    pub entity: Cow<'a, str>,
    #[serde(borrow)]
    pub key: Cow<'a, str>,
    #[serde(borrow)]
    pub tag: Cow<'a, str>,
    /// Null when removed.
    #[serde(borrow)]
    pub value: &'a RawValue,
    /// Null when added.
    #[serde(borrow)]
    pub previous: &'a RawValue,
    /// RFC 3339.
    #[serde(borrow)]
    pub at: Cow<'a, str>,
    pub seq: u64,
    #[serde(borrow)]
    pub cause: Cow<'a, str>,
    #[serde(borrow)]
    pub because: &'a RawValue,
    #[serde(borrow)]
    pub catalog: Cow<'a, str>,
}

impl<'a> ChangeRecord<'a> {
    /// Reads a record of any format.
    ///
    /// # Errors
    /// The record is not a tag change.
    pub fn parse(record: &'a [u8]) -> Result<Self, serde_json::Error> {
        ChangeRecord::parse_with_object(record).map(|(change, _)| change)
    }

    /// The same, with our object as it stands in the record.
    ///
    /// # Errors
    /// The record is not a tag change.
    pub fn parse_with_object(record: &'a [u8]) -> Result<(Self, &'a [u8]), serde_json::Error> {
        in_each_format(record, |object| Ok((serde_json::from_slice(object)?, object)))
    }

    pub fn change_type(&self) -> ChangeType {
        match (self.previous.get(), self.value.get()) {
            (_, "null") => ChangeType::Removed,
            ("null", _) => ChangeType::Added,
            _ => ChangeType::Changed,
        }
    }
}

/// The envelopes: where our object is in the other formats.
#[derive(Deserialize)]
struct ChangeEnvelope<'a> {
    /// Of CloudEvents.
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    /// Of a call of Segment.
    #[serde(borrow)]
    context: Option<CallContext<'a>>,
}

#[derive(Deserialize)]
struct CallContext<'a> {
    #[serde(borrow)]
    tagstream: Option<&'a RawValue>,
}

/// Reads our object, which is the record or stands in it.
fn in_each_format<'a, T>(
    record: &'a [u8],
    read: impl Fn(&'a [u8]) -> Result<T, serde_json::Error>,
) -> Result<T, serde_json::Error> {
    read(record).or_else(|error| {
        let Ok(envelope) = serde_json::from_slice::<ChangeEnvelope<'a>>(record) else { return Err(error) };
        let inner = envelope.data.or(envelope.context.and_then(|context| context.tagstream));
        inner.map_or(Err(error), |object| read(object.get().as_bytes()))
    })
}
