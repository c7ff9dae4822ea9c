//! The catalog: from YAML as written, through all its problems, to the checked and compiled form.
//!
//! The road: text → `yaml` (a tree with places) → `raw` (the keys that a catalog has) → `compile` (names, types,
//! windows, the clock) → [`Catalog`]. A mistake is reported and stepped over, so that one run reports all of them.
//!
//! What this module returns ([`Catalog`]) is always right: names are resolved to ids, types agree, windows divide
//! into panes, the clock enters only linearly. No caller checks it again.
//!
//! # The map
//! A folder imports only folders above it.
//!
//! | folder | holds |
//! | --- | --- |
//! | `diagnostics` | problems with their places, and how they are shown |
//! | `compiled` | the compiled catalog: tables, expressions, the fingerprint |
//! | `yaml` | YAML with places, and reading it into types |
//! | `raw` | the catalog as written: its keys, durations, paths |
//! | `parse` | expressions: text → syntax tree |
//! | `typecheck` | expressions: syntax tree → [`Expr`], with names, types and the clock checked |
//! | `compile` | the catalog as written → the compiled catalog |
//! | `lint` | warnings about what is legal but rarely meant |
//! | `query` | expressions that are asked from outside of the catalog |
//! | `test_file` | files of tests for a catalog |

mod diagnostics;
mod compiled;
mod yaml;
mod raw;
mod parse;
mod typecheck;
mod compile;
mod lint;
mod query;
mod test_file;

pub use compile::ModelSpans;
pub use compiled::{
    Aggregate, Arithmetic, AsciiCase, Attribute, AttributeId, AttributeType, Bands, CalendarFunction, CalendarUnit,
    Catalog, CommandPaths, Comparison, Condition, Counter, CounterId, EntityKind, EventSelector, EventTypeRule,
    EventTypeSet, Expr, FieldRule, FormulaId, History, InputMapping, Intake, Motion, NumberSource, Pattern,
    PatternError, Pointer, PropertiesRule, RecordEnvelope, RecordPlace, ReportedValue, Resolution, Score, ScoreInput,
    Source, Stage, Tag, TagDefinition, TagId, TextTest, TimeName, TimeReader, TimeUnit, WallClockPart, WeekStart,
    Window,
};
pub(crate) use compiled::{number_word, type_prefix};
pub(crate) use diagnostics::nearest;
pub use diagnostics::{Colours, Problem, Related, Severity, Span, as_json, as_text, did_you_mean};
pub use query::{check_condition, check_expression};
pub use raw::{catalog_schema, parse_duration};
pub use test_file::{
    Expectation, ExpectedChange, LoadedTestFile, ResolvedTime, TestCase, TestEvent, TestFile, load_test_file,
    test_file_schema,
};
pub use typecheck::Type;

use compile::compile;
use diagnostics::{Report, SourceText};
use lint::lint;
use raw::RawCatalog;
use yaml::{FromYaml, Spanned, YamlReader, parse_yaml};

/// The result of loading a catalog file.
#[derive(Clone, Debug)]
pub struct LoadedCatalog {
    /// `Some` when no problem is an error.
    pub catalog: Option<Catalog>,
    /// In the order of the file.
    pub problems: Vec<Problem>,
    /// One per tag with a `score`: the places for problems that the loader of the model finds.
    pub models: Vec<ModelSpans>,
}

impl LoadedCatalog {
    /// Adds an error that only a later step could find, such as one in a model's file; the catalog is then `None`.
    pub fn reject(&mut self, text: &str, code: &'static str, span: Span, message: String, help: Option<String>) {
        let mut report = Report::default();
        report.error(code, span, message).maybe_help(help);
        self.problems.extend(report.finish(&SourceText::new(text)));
        self.problems.sort_by_key(|problem| (problem.span.start, problem.severity));
        self.catalog = None;
    }
}

/// Reads, checks and compiles a catalog, and reports all problems of the file.
pub fn load(text: &str) -> LoadedCatalog {
    let source = SourceText::new(text);
    let mut report = Report::default();
    let loaded = load_parts(&source, &mut report);
    let (catalog, models) = loaded.filter(|_| report.errors() == 0).unzip();
    LoadedCatalog { catalog, problems: report.finish(&source), models: models.unwrap_or_default() }
}

fn load_parts(source: &SourceText<'_>, report: &mut Report) -> Option<(Catalog, Vec<ModelSpans>)> {
    let file = parse_yaml(source, report)?;
    let raw = Spanned::<RawCatalog>::from_yaml(&file, &mut YamlReader { source, report })?;
    let (catalog, models) = compile(&raw, source.text, report)?;
    lint(&raw.value, &catalog, report);
    Some((catalog, models))
}
