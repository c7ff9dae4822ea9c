//! What a record's value is before it is JSON: the port through which formats with schemas come in.

use std::fmt::Debug;
use std::sync::Arc;

use crate::codec::reject::Reject;

/// A format of values that are not JSON, such as one with schemas in a registry.
pub trait PayloadFormat: Debug + Send + Sync {
    /// What reads values on one thread.
    fn reader(&self) -> Box<dyn PayloadReader>;

    /// Why it cannot be said yet what the values of a schema are; `None`: it can.
    fn waits_for(&self, schema: u32) -> Option<Arc<str>>;
}

/// Reads values of a format.
pub trait PayloadReader: Send {
    /// Finds out what a value is. Where it is rewritten, its JSON takes the place of what `json` holds.
    fn read(&mut self, value: &[u8], json: &mut Vec<u8>) -> Payload;
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
        schema: u32,
        why: Arc<str>,
    },
}
