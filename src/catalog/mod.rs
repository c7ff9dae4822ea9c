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
mod casebook;
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
mod zone;

pub use casebook::{
    Case, Casebook, Expectation, ExpectedChange, LoadedCasebook, TestEvent, When, casebook_schema, load_casebook,
};
pub use compiled::{
    Aggregate, Attribute, AttributeId, AttributeType, Bands, CalendarUnit, Catalog, CommandPaths, Condition, Counter,
    CounterId, EntityKind, History, InputMapping, KeyRule, KindRule, KindSet, Leaf, Pointer, PropertiesRule,
    Resolution, Score, ScoreInput, Source, Stage, Tag, TagId, TagKind, TimeUnit, Window,
};
pub use duration::parse_duration;
pub use expr::{Arithmetic, Comparison, Expr, TextTest, TimeName};
pub use names::did_you_mean;
pub use problems::{Problem, Related, Severity, Span};
pub use render::{Colours, as_json, as_text};
pub use schema::json_schema;
pub use scores::ModelPlaces;
pub use types::Type;

use problems::Report;
use read::{At, Read, Reader};
use source::SourceText;

/// What became of a catalog file.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// There when no problem is an error.
    pub catalog: Option<Catalog>,
    /// In the order of the file.
    pub problems: Vec<Problem>,
    /// One a tag with a `score`: whoever loads its model says there what is wrong.
    pub models: Vec<ModelPlaces>,
}

impl Loaded {
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
pub fn load(_file_name: &str, text: &str) -> Loaded {
    let source = SourceText::new(text);
    let mut report = Report::default();
    let compiled = tree::parse(&source, &mut report)
        .and_then(|node| At::<raw::RawCatalog>::read(&node, &mut Reader { source: &source, report: &mut report }))
        .and_then(|raw| compile::compile(&raw, &mut report));
    let (catalog, models) = compiled.filter(|_| report.errors() == 0).unzip();
    Loaded { catalog, problems: report.finish(&source), models: models.unwrap_or_default() }
}
