//! The checked form of a test file: cases with their events, expectations and expected changes.

use crate::catalog::compiled::TagId;
use crate::model::{EntityKindId, Timestamp, Value};

/// Unit tests of one catalog.
#[derive(Clone, Debug)]
pub struct TestFile {
    pub cases: Vec<TestCase>,
}

/// A test case: events, and what must come of them.
#[derive(Clone, Debug)]
pub struct TestCase {
    pub name: String,
    /// The line in the file, from 1.
    pub line: usize,
    /// Files of recorded events, as written; their events come before [`TestCase::events`].
    pub input: Vec<String>,
    /// In the order in which they arrive.
    pub events: Vec<TestEvent>,
    /// The case ends here at the earliest.
    pub until: Option<Timestamp>,
    /// In the order of time.
    pub expectations: Vec<Expectation>,
    /// All changes of each tag of an entity that is mentioned here, in the order of time. `None`: changes are not
    /// checked.
    pub changes: Option<Vec<ExpectedChange>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TestEvent {
    pub at: Timestamp,
    pub user: String,
    /// The keys of its other entities that its properties do not hold.
    pub keys: Vec<(EntityKindId, String)>,
    pub event_type: String,
    pub id: Option<String>,
    pub properties: serde_json::Map<String, serde_json::Value>,
    /// The line in the file, from 1.
    pub line: usize,
}

/// A time as written, and the instant that it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedTime {
    pub written: String,
    pub at: Timestamp,
}

/// The values of some tags of an entity after all events and timers up to an instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    pub when: ResolvedTime,
    pub entity: EntityKindId,
    pub key: String,
    /// The expected value of each tag; `None` for a tag that the entity must not have.
    pub tags: Vec<(TagId, Option<Value>)>,
    pub line: usize,
}

/// A tag change that must happen.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectedChange {
    pub when: ResolvedTime,
    /// The key of the entity that the tag is put on.
    pub key: String,
    pub tag: TagId,
    /// `None` when the tag is removed.
    pub value: Option<Value>,
}
