//! Tag changes read back, by whoever subscribes to them.

use serde::Deserialize;
use serde_json::{Map, Value};

/// A tag change as it stands on the topic (spec 6), as far as it is for people to read.
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
    /// What is no tag change.
    pub fn parse(record: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(record)
    }
}
