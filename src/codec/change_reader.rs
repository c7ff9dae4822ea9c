//! Tag changes as a subscriber reads them.

use serde::Deserialize;
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
