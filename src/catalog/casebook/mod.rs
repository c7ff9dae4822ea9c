//! Unit tests of a catalog as people write them: a file of cases, read and checked against the catalog that they test.
//!
//! The road is the catalog's own: text → tree → [`raw`] → [`Casebook`], with all problems of the file told at once. What
//! this module hands on knows its tags; nobody behind it checks again.

mod compile;
mod moment;
mod raw;
mod short;
mod whose;

use super::compiled::{Catalog, TagId};
use super::problems::{Problem, Report};
use super::read::{At, Read, Reader};
use super::source::SourceText;
use super::tree;
use crate::model::{EntityKindId, Timestamp, Value};

/// Unit tests of one catalog.
#[derive(Clone, Debug)]
pub struct Casebook {
    pub cases: Vec<Case>,
}

/// A story: events in, and what must have come of them.
#[derive(Clone, Debug)]
pub struct Case {
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
    pub kind: String,
    pub id: Option<String>,
    pub properties: serde_json::Map<String, serde_json::Value>,
    /// Where it stands in the file, from 1.
    pub line: usize,
}

/// A moment as it was written, and the instant that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct When {
    pub written: String,
    pub at: Timestamp,
}

/// What some tags of an entity must be once everything up to an instant has happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    pub when: When,
    pub entity: EntityKindId,
    pub key: String,
    /// By tag, all of the entity's kind; `None` for a tag that it must not have.
    pub tags: Vec<(TagId, Option<Value>)>,
    pub line: usize,
}

/// A change that must come.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectedChange {
    pub when: When,
    /// Of the entity that the tag is put on.
    pub key: String,
    pub tag: TagId,
    /// `None` when it is removed.
    pub value: Option<Value>,
}

/// What became of a test file.
#[derive(Debug)]
pub struct LoadedCasebook {
    /// There when neither the file nor its catalog has errors.
    pub casebook: Option<(Casebook, Catalog)>,
    /// Of the test file, in its order.
    pub problems: Vec<Problem>,
}

/// Reads and checks a test file; `open` gets the catalog that the file names, or nothing after telling why.
pub fn load_casebook(text: &str, open: impl FnOnce(&str) -> Option<Catalog>) -> LoadedCasebook {
    let source = SourceText::new(text);
    let mut report = Report::default();
    let raw = tree::parse(&source, &mut report)
        .and_then(|node| At::<raw::RawCasebook>::read(&node, &mut Reader { source: &source, report: &mut report }));
    let casebook = raw.and_then(|raw| compile::compile(&raw, open, &source, &mut report));
    let casebook = casebook.filter(|_| report.errors() == 0);
    LoadedCasebook { casebook, problems: report.finish(&source) }
}

/// The JSON Schema of a test file, so that editors complete and check while somebody types.
pub fn casebook_schema() -> serde_json::Value {
    super::schema::schema_of::<raw::RawCasebook>("tagstream tests", &["catalog", "cases"])
}
