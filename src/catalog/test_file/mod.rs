//! Unit tests of a catalog as people write them: a file of cases, read and checked against the catalog that they test.
//!
//! The road is the catalog's own: text → tree → [`raw`] → [`TestFile`], with all problems of the file told at once. What
//! this module hands on knows its tags; nobody behind it checks again.

mod cases;
mod compile;
mod moment;
mod raw;
mod short;
mod whose;

pub use cases::{Expectation, ExpectedChange, ResolvedTime, TestCase, TestEvent, TestFile};

use super::compiled::Catalog;
use super::problems::{Problem, Report};
use super::read::{FromYaml, Spanned, YamlReader};
use super::source::SourceText;
use super::tree::parse_yaml;

/// What became of a test file.
#[derive(Debug)]
pub struct LoadedTestFile {
    /// There when neither the file nor its catalog has errors.
    pub test_file: Option<(TestFile, Catalog)>,
    /// Of the test file, in its order.
    pub problems: Vec<Problem>,
}

/// Reads and checks a test file; `open` gets the catalog that the file names, or nothing after telling why.
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

/// The JSON Schema of a test file, so that editors complete and check while somebody types.
pub fn test_file_schema() -> serde_json::Value {
    super::schema::schema_of::<raw::RawTestFile>("tagstream tests", &["catalog", "cases"])
}
