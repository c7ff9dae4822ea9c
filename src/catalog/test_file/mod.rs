//! Test files: unit tests of a catalog, read and checked against the catalog that they test.
//!
//! Knows the form of a test file, and not how its cases are run. What it returns has its tags and values resolved.
//!
//! - [`cases`]: the checked cases;
//! - [`relative_time`]: times as written: a duration after the case's base, or an instant;
//! - [`short_form`]: lists in place of maps, and values that stand for themselves;
//! - [`raw`]: the keys of the file;
//! - [`compile`]: from the file as written to the cases;
//! - [`entity_ref`]: the entity that a line of a case is about.

mod cases;
mod relative_time;
mod short_form;
mod raw;
mod compile;
mod entity_ref;

pub use cases::{Expectation, ExpectedChange, ResolvedTime, TestCase, TestEvent, TestFile};

use crate::catalog::compiled::Catalog;
use crate::catalog::diagnostics::{Problem, Report, SourceText};
use crate::catalog::raw::schema_of;
use crate::catalog::yaml::{FromYaml, Spanned, YamlReader, parse_yaml};

/// The result of loading a test file.
#[derive(Debug)]
pub struct LoadedTestFile {
    /// `Some` when neither the file nor its catalog has errors.
    pub test_file: Option<(TestFile, Catalog)>,
    /// The problems of the test file, in its order.
    pub problems: Vec<Problem>,
}

/// Reads and checks a test file. `open` loads the catalog at the path that the file names; it returns `None` after it
/// has reported why it cannot.
pub fn load_test_file(text: &str, open: impl FnOnce(&str) -> Option<Catalog>) -> LoadedTestFile {
    let source = SourceText::new(text);
    let mut report = Report::default();
    let raw = parse_yaml(&source, &mut report).and_then(|file| {
        Spanned::<raw::RawTestFile>::from_yaml(&file, &mut YamlReader { source: &source, report: &mut report })
    });
    let test_file = raw.and_then(|raw| compile::compile(&raw, open, &source, &mut report));
    let test_file = test_file.filter(|_| report.errors() == 0);
    LoadedTestFile { test_file, problems: report.finish(&source) }
}

/// The JSON Schema of a test file, with which editors complete and check it.
pub fn test_file_schema() -> serde_json::Value {
    schema_of::<raw::RawTestFile>("tagstream tests", &["catalog", "cases"])
}
