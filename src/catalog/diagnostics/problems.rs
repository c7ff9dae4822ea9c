//! Problems of a file with their places: they are collected, so that one run reports all of them.

use super::source::SourceText;
use crate::model::Number;

/// A range of bytes of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
}

impl Span {
    pub fn new(start: usize, end: usize) -> Self {
        Span { start, end: end.max(start) }
    }

    /// The smallest span that holds both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The catalog cannot be used.
    Error,
    /// Legal, but rarely meant.
    Warning,
}

impl Severity {
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// A second place in the file that explains a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    pub message: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    pub span: Span,
}

/// An error, or something legal that is rarely meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub severity: Severity,
    /// A stable identifier in kebab-case, for programs.
    pub code: &'static str,
    pub message: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    pub span: Span,
    /// What to write instead.
    pub help: Option<String>,
    pub related: Vec<Related>,
}

impl Problem {
    fn new(severity: Severity, code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Problem { severity, code, message: message.into(), line: 0, column: 0, span, help: None, related: Vec::new() }
    }

    /// Sets what to write instead.
    pub fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    /// As [`Problem::help`]; `None` keeps the help that is there.
    pub fn maybe_help(&mut self, help: Option<String>) -> &mut Self {
        self.help = help.or(self.help.take());
        self
    }

    /// Adds a second place.
    pub fn related(&mut self, span: Span, message: impl Into<String>) -> &mut Self {
        self.related.push(Related { message: message.into(), line: 0, column: 0, span });
        self
    }
}

/// The longest list of problems; the rest is only counted.
const PROBLEMS_MAX: usize = 200;

/// The problems found so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    problems: Vec<Problem>,
    errors: usize,
}

impl Report {
    pub(crate) fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) -> &mut Problem {
        self.errors += 1;
        self.push(Problem::new(Severity::Error, code, span, message))
    }

    pub(crate) fn warning(&mut self, code: &'static str, span: Span, message: impl Into<String>) -> &mut Problem {
        self.push(Problem::new(Severity::Warning, code, span, message))
    }

    /// Warns of a number that counts as another one than is written, since no double holds that one.
    pub(crate) fn warn_of_number(&mut self, number: Number, written: &str, span: Span) {
        if !number.is_written(written) {
            self.warning("inexact", span, format!("no double holds `{written}`: it counts as {number}")).help(
                "exact are numbers with at most 9 decimals up to ±10¹⁸; ids that are longer are best sent as texts",
            );
        }
    }

    fn push(&mut self, problem: Problem) -> &mut Problem {
        let at = self.problems.len();
        self.problems.push(problem);
        &mut self.problems[at]
    }

    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// Whether the report has so many problems that looking for more help is not worth the time.
    pub(crate) fn is_full(&self) -> bool {
        self.problems.len() >= PROBLEMS_MAX
    }

    /// All problems in the order of the file, each once, with lines and columns.
    pub(crate) fn finish(self, source: &SourceText<'_>) -> Vec<Problem> {
        let mut problems = self.problems;
        problems.sort_by_key(|p| (p.span.start, p.severity));
        problems.dedup_by(|b, a| a.span == b.span && a.message == b.message);
        if problems.len() > PROBLEMS_MAX {
            problems.sort_by_key(|p| p.severity);
            let rest = problems.split_off(PROBLEMS_MAX);
            problems.sort_by_key(|p| (p.span.start, p.severity));
            let message = format!("{} more problems are not shown", rest.len());
            problems.push(Problem::new(rest[0].severity, "too-many-problems", rest[0].span, message));
        }
        for problem in &mut problems {
            (problem.line, problem.column) = source.position(problem.span.start);
            for related in &mut problem.related {
                (related.line, related.column) = source.position(related.span.start);
            }
        }
        problems
    }
}
