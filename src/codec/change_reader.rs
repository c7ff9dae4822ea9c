//! Tag changes as a subscriber reads them.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

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
    /// # Errors
    /// The record is not a tag change.
    pub fn parse(record: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(record)
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
    /// # Errors
    /// The record is not a tag change.
    pub fn parse(record: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(record)
    }
}
