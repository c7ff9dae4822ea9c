//! Problems as text for people, and as JSON for editors and CI.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value, json};

use super::problems::{Problem, Related, Severity, Span};
use super::source::SourceText;

/// A second place at most this many lines away is shown in the same snippet.
const NEAR_LINES: usize = 12;

/// Whether a report may use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    Off,
    On,
}

/// The problems of one file as text: each with its line, the place underlined.
pub fn as_text(file_name: &str, text: &str, problems: &[Problem], colours: Colours) -> String {
    let renderer = match colours {
        Colours::Off => Renderer::plain(),
        Colours::On => Renderer::styled(),
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let source = SourceText::new(text);
    let mut report = String::new();
    for problem in problems {
        report.push_str(&renderer.render(&[group(file_name, &source, problem)]));
        report.push_str("\n\n");
    }
    report
}

fn group<'a>(file_name: &'a str, source: &SourceText<'a>, problem: &'a Problem) -> Group<'a> {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let is_near = |related: &&Related| related.line.abs_diff(problem.line) <= NEAR_LINES;
    let near: Vec<&Related> = problem.related.iter().filter(is_near).collect();
    let shown = near.iter().fold(problem.span, |shown, related| shown.to(related.span));
    let lines = source.lines_of(shown);
    let mut snippet = snippet(file_name, source, lines.clone()).annotation(annotation(
        AnnotationKind::Primary,
        source,
        problem.span,
        lines.start,
    ));
    for related in near {
        let place = annotation(AnnotationKind::Context, source, related.span, lines.start);
        snippet = snippet.annotation(place.label(&*related.message));
    }
    let mut group = level.primary_title(&*problem.message).id(problem.code).element(snippet);
    for related in problem.related.iter().filter(|related| !is_near(related)) {
        let lines = source.lines_of(related.span);
        let place = annotation(AnnotationKind::Context, source, related.span, lines.start);
        group = group.element(self::snippet(file_name, source, lines).annotation(place.label(&*related.message)));
    }
    match &problem.help {
        Some(help) => group.element(Level::HELP.message(&**help)),
        None => group,
    }
}

/// Holds only the lines that are shown, so that a report on a long file does not copy the file for every problem.
fn snippet<'a>(file_name: &'a str, source: &SourceText<'a>, lines: Range<usize>) -> Snippet<'a, Annotation<'a>> {
    let (first, _) = source.position(lines.start);
    let text = source.slice(Span::new(lines.start, lines.end));
    // A space is as long as a carriage return, so that places stay right; the renderer would draw the carriage return.
    Snippet::source(text.replace('\r', " ")).path(file_name).line_start(first)
}

/// A place within the shown lines; of a place of several lines, the first line.
fn annotation<'a>(kind: AnnotationKind, source: &SourceText<'a>, span: Span, base: usize) -> Annotation<'a> {
    let first_line = source.slice(span).lines().next().unwrap_or("").trim_end();
    let start = span.start - base;
    kind.span(start..start + first_line.len())
}

/// A problem as the JSON object that `tagstream check --format json` writes.
pub fn as_json(problem: &Problem) -> Value {
    let related: Vec<Value> = problem
        .related
        .iter()
        .map(|related| {
            json!({
                "message": related.message,
                "line": related.line,
                "column": related.column,
                "start": related.span.start,
                "end": related.span.end,
            })
        })
        .collect();
    json!({
        "severity": problem.severity.name(),
        "code": problem.code,
        "message": problem.message,
        "help": problem.help,
        "line": problem.line,
        "column": problem.column,
        "start": problem.span.start,
        "end": problem.span.end,
        "related": related,
    })
}
