//! What a record's value is before it is JSON: the port through which formats with schemas come in.

use std::fmt::{self, Debug};
use std::sync::Arc;

use super::input_record::InputRecord;
use crate::codec::reject::Reject;

/// How a record names the schema of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SchemaKey {
    Id(u32),
    Guid(u128),
}

impl fmt::Display for SchemaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SchemaKey::Id(id) => write!(f, "the id {id}"),
            SchemaKey::Guid(_) => write!(f, "the GUID {}", self.text()),
        }
    }
}

impl SchemaKey {
    /// The number, or the GUID as RFC 9562 writes it.
    pub fn text(&self) -> String {
        match self {
            SchemaKey::Id(id) => id.to_string(),
            SchemaKey::Guid(guid) => {
                let digits = format!("{guid:032x}");
                let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
                parts.join("-")
            }
        }
    }
}

/// A format of values that are not JSON, such as one with schemas in a registry.
pub trait PayloadFormat: Debug + Send + Sync {
    /// What reads values on one thread.
    fn reader(&self) -> Box<dyn PayloadReader>;

    /// Why it cannot be said yet what the values of a schema are; `None`: it can.
    fn waits_for(&self, schema: SchemaKey) -> Option<Arc<str>>;
}

/// Reads values of a format.
pub trait PayloadReader: Send {
    /// Finds out what the value of a record is. Where it is rewritten, its JSON takes the place of what `json` holds.
    fn read(&mut self, record: InputRecord<'_>, json: &mut Vec<u8>) -> Payload;
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Not of the format: it is read as it is.
    AsIs,
    Rewritten,
    Rejected {
        reason: Reject,
        /// In words.
        detail: String,
    },
    /// Its schema is not known yet, for this reason. It is to be read again later.
    Waits {
        schema: SchemaKey,
        why: Arc<str>,
    },
}
