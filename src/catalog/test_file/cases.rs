//! The checked form of a test file: cases with their events, expectations and expected changes.

use crate::catalog::compiled::TagId;
use crate::model::{EntityKindId, Timestamp, Value};

/// Unit tests of one catalog.
#[derive(Clone, Debug)]
pub struct TestFile {
    pub cases: Vec<TestCase>,
}

/// A story: events in, and what must have come of them.
#[derive(Clone, Debug)]
pub struct TestCase {
    pub name: String,
    /// Where it stands in the file, from 1.
    pub line: usize,
    /// Files of recorded events, as written; their events come before [`Case::events`].
    pub input: Vec<String>,
    /// In the order in which they arrive.
    pub events: Vec<TestEvent>,
    /// Time passes up to here, whatever is expected.
    pub until: Option<Timestamp>,
    /// In the order of time.
    pub expectations: Vec<Expectation>,
    /// All changes of every tag that is mentioned here, in the order of time. `None`: nobody asks.
    pub changes: Option<Vec<ExpectedChange>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TestEvent {
    pub at: Timestamp,
    pub user: String,
    /// Of the other entities that it is about, as far as its properties do not hold them.
    pub keys: Vec<(EntityKindId, String)>,
    pub event_type: String,
    pub id: Option<String>,
    pub properties: serde_json::Map<String, serde_json::Value>,
    /// Where it stands in the file, from 1.
    pub line: usize,
}

/// A moment as it was written, and the instant that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedTime {
    pub written: String,
    pub at: Timestamp,
}

/// What some tags of an entity must be once everything up to an instant has happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    pub when: ResolvedTime,
    pub entity: EntityKindId,
    pub key: String,
    /// By tag, all of the entity's kind; `None` for a tag that it must not have.
    pub tags: Vec<(TagId, Option<Value>)>,
    pub line: usize,
}

/// A change that must come.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectedChange {
    pub when: ResolvedTime,
    /// Of the entity that the tag is put on.
    pub key: String,
    pub tag: TagId,
    /// `None` when it is removed.
    pub value: Option<Value>,
}
