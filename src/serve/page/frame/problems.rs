//! Problems of an expression or a catalog: each with its place and what to write instead.

use maud::{Markup, html};

use super::words::FrameWords;
use crate::catalog::{Problem, Severity};
use crate::serve::page::words::{Count, Language};

/// Longer lists are cut: who mends the first ones sees the others.
const SHOWN_MAX: usize = 50;
/// Of a long line only the part around the place is shown.
const AROUND_CHARS: usize = 60;

/// The problems of a text. `is_many_lined`: lines are worth naming.
pub(in crate::serve::page) fn problems(
    language: Language,
    text: &str,
    problems: &[Problem],
    is_many_lined: bool,
) -> Markup {
    let say = FrameWords(language);
    html! {
        ul.problems {
            @for problem in problems.iter().take(SHOWN_MAX) {
                li.problem[problem.severity == Severity::Error] {
                    @if is_many_lined {
                        a.place href="#text" data-place=(problem.span.start) {
                            (say.line(problem.line, problem.column))
                        } " "
                    }
                    @if problem.severity != Severity::Error { span.chip { (say.warning()) } " " }
                    // The texts are those of `check`, in English.
                    span lang="en" {
                        strong { (problem.message) }
                        @if let Some(help) = &problem.help { " — " (help) }
                    }
                    (excerpt(text, problem))
                }
            }
        }
        @if problems.len() > SHOWN_MAX { p.quiet { (say.more_problems(Count((problems.len() - SHOWN_MAX) as u64))) } }
    }
}

/// The line with the place in it.
fn excerpt(text: &str, problem: &Problem) -> Markup {
    let start = text.floor_char_boundary(problem.span.start.min(text.len()));
    let end = text.floor_char_boundary(problem.span.end.clamp(start, text.len()));
    let (before, rest) = text.split_at(start);
    let before = before.rsplit('\n').next().unwrap_or_default();
    let marked = rest[..end - start].lines().next().unwrap_or_default();
    let after = rest[marked.len()..].lines().next().unwrap_or_default();
    let skipped = before.chars().count().saturating_sub(AROUND_CHARS);
    let near: String = before.chars().skip(skipped).collect();
    let behind: String = after.chars().take(AROUND_CHARS).collect();
    html! {
        pre { code {
            @if skipped > 0 { "…" }
            (near) mark { @if marked.is_empty() { " " } @else { (marked) } } (behind)
            @if behind.len() < after.len() { "…" }
        } }
    }
}
