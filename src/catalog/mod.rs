//! The catalog: from YAML as written, through all its problems, to the checked and compiled form.
//!
//! The road: text → [`tree`] (YAML with places) → [`raw`] (the keys that a catalog has) → [`compile`] (names, types,
//! windows, the clock) → [`Catalog`]. A mistake is reported and stepped over, so that one run tells all of them.
//!
//! What this module hands on ([`Catalog`]) is always right: names are resolved to ids, types agree, windows divide
//! into panes, the clock enters only linearly. Nobody behind it checks again.

mod arithmetic;
mod attributes;
mod bands;
mod calls;
mod test_file;
mod cel;
mod check;
mod clock;
mod clock_calls;
mod compile;
mod compiled;
mod counters;
mod duration;
mod entities;
mod expr;
mod expression_text;
mod fingerprint;
mod input;
mod item_names;
mod kinds;
mod leaves;
mod mentions;
mod names;
mod order;
mod path;
mod pointer;
mod problems;
mod quotes;
mod range;
mod raw;
mod read;
mod record;
mod render;
mod schema;
mod scope;
mod scores;
mod slips;
mod source;
mod syntax;
mod tags;
mod tokens;
mod tree;
mod types;
mod warnings;
mod windows;
mod words;
mod written;
mod yaml_error;
mod yaml_slips;

pub use compiled::{
    Aggregate, Attribute, AttributeId, AttributeType, Bands, CalendarUnit, Catalog, CommandPaths, Condition, Counter,
    CounterId, EntityKind, EventTypeRule, EventTypeSet, History, InputMapping, KeyRule, Pointer, PropertiesRule,
    ReportedValue, Resolution, Score, ScoreInput, Source, Stage, Tag, TagDefinition, TagId, TimeUnit, Window,
};
pub use duration::parse_duration;
pub use expr::{Arithmetic, Comparison, Expr, TextTest, TimeName};
pub use names::did_you_mean;
pub use problems::{Problem, Related, Severity, Span};
pub use render::{Colours, as_json, as_text};
pub use schema::catalog_schema;
pub use scores::ModelSpans;
pub use test_file::{
    Expectation, ExpectedChange, LoadedTestFile, ResolvedTime, TestCase, TestEvent, TestFile, load_test_file,
    test_file_schema,
};
pub use types::Type;

use problems::Report;
use read::{FromYaml, Spanned, YamlReader};
use source::SourceText;

/// What became of a catalog file.
#[derive(Clone, Debug)]
pub struct LoadedCatalog {
    /// There when no problem is an error.
    pub catalog: Option<Catalog>,
    /// In the order of the file.
    pub problems: Vec<Problem>,
    /// One a tag with a `score`: whoever loads its model says there what is wrong.
    pub models: Vec<ModelSpans>,
}

impl LoadedCatalog {
    /// Takes an error that only somebody outside the catalog could find.
    pub fn reject(&mut self, text: &str, code: &'static str, span: Span, message: String, help: Option<String>) {
        let mut report = Report::default();
        report.error(code, span, message).maybe_help(help);
        self.problems.extend(report.finish(&SourceText::new(text)));
        self.problems.sort_by_key(|problem| (problem.span.start, problem.severity));
        self.catalog = None;
    }
}

/// Reads, checks and compiles a catalog, telling all problems of the file at once.
pub fn load(_file_name: &str, text: &str) -> LoadedCatalog {
    let source = SourceText::new(text);
    let mut report = Report::default();
    let loaded = load_parts(&source, &mut report);
    let (catalog, models) = loaded.filter(|_| report.errors() == 0).unzip();
    LoadedCatalog { catalog, problems: report.finish(&source), models: models.unwrap_or_default() }
}

fn load_parts(source: &SourceText<'_>, report: &mut Report) -> Option<(Catalog, Vec<ModelSpans>)> {
    let file = tree::parse_yaml(source, report)?;
    let raw = Spanned::<raw::RawCatalog>::from_yaml(&file, &mut YamlReader { source, report })?;
    let (catalog, models) = compile::compile(&raw, report)?;
    warnings::lint(&raw.value, &catalog, report);
    Some((catalog, models))
}
