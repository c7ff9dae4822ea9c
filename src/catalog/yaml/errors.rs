//! The YAML parser's errors in plain words.

use serde_saphyr::Error;

use super::hints::{missing_space, with_space};
use crate::catalog::diagnostics::{Report, SourceText, Span, is_identifier};

/// Reports why a file is not YAML, or not within the limits of a catalog.
pub(super) fn explain(error: &Error, source: &SourceText<'_>, report: &mut Report) {
    let at = place(error, source);
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or(&text);
    let is_limit = |words: [&str; 3]| words.iter().any(|word| text.contains(word));
    if is_limit(["Depth", "recursion limit", "nesting"]) {
        report
            .error("yaml-limit", at, "this is nested too deeply")
            .help("a catalog nests seven levels at most; is a bracket not closed?");
    } else if is_limit(["budget", "replay", "expansion"]) {
        report
            .error(
                "yaml-limit",
                at,
                "this file is too large, or grows too large when its anchors (`&x`, `*x`) are expanded",
            )
            .help("write the values out, or split the catalog");
    } else if ["mapping values are not allowed", "comment intercepting"].iter().any(|words| text.contains(words))
        && let Some((place, help)) = stuck_colon(at, source)
    {
        report.error("yaml-syntax", place, "this is not valid YAML: a key ends with `: `").help(help);
    } else {
        let (message, help) = plain_words(text, at, source);
        report.error("yaml-syntax", at, format!("this is not valid YAML: {message}")).maybe_help(help);
    }
}

/// A `key:value` before the error, in its line or in the line before: its place, and what to write.
fn stuck_colon(at: Span, source: &SourceText<'_>) -> Option<(Span, String)> {
    let before = [&source.text[..at.start], &source.text[..source.lines_of(at).start]];
    before.into_iter().find_map(|before| {
        let before = before.trim_end();
        let line = before[before.rfind('\n').map_or(0, |at| at + 1)..].trim_start();
        let stuck = missing_space(line.split(" #").next()?.trim_end())?;
        let start = before.len() - line.len();
        Some((Span::new(start, start + stuck.0.len() + 1), with_space(stuck)))
    })
}

/// The key in `{ … }` that follows a value without a comma.
fn missing_comma(before: &str) -> Option<&str> {
    let member = before.rsplit(['{', ',']).next()?;
    let (value, key) = member.trim_end().rsplit_once(' ')?;
    let is_member = before.contains('{') && value.contains(": ") && is_identifier(key);
    is_member.then_some(key)
}

/// The character at the error's position.
fn place(error: &Error, source: &SourceText<'_>) -> Span {
    let Some(location) = error.location() else {
        return Span::new(source.text.len(), source.text.len());
    };
    let start = source.offset(location.line() as usize, location.column() as usize);
    let len = source.text[start..].chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
    Span::new(start, start + len)
}

/// What is wrong, and what to do about it.
fn plain_words(text: &str, at: Span, source: &SourceText<'_>) -> (String, Option<String>) {
    let line_start = source.lines_of(at).start;
    let before = &source.text[line_start..at.start];
    let (message, help) = if before.contains('\t') || source.slice(at) == "\t" {
        ("a tab", "YAML indents with spaces")
    } else if text.contains("multiple YAML documents") {
        ("a second document begins here", "one file holds one catalog: remove the `---`")
    } else if text.contains("after double-quoted") || text.contains("after single-quoted") {
        (
            "the text ended at its closing quote",
            "an expression that begins with a quote needs others around all of it: '\"a\" in x'",
        )
    } else if text.contains("unclosed quote") || text.contains("unexpected end of stream in quoted") {
        ("this quote is not closed", "close the text with the same quote that opened it")
    } else if text.contains("mapping values are not allowed") && before.contains('?') {
        ("a `: ` in text without quotes", "put the whole expression in quotes: YAML takes `: ` for the end of a key")
    } else if text.contains("mapping values are not allowed") || text.contains("block mapping") || text.contains("':'")
    {
        (
            "this does not fit what stands before it",
            "indent the line like its neighbours; text that holds `: ` needs quotes",
        )
    } else if text.contains("',' or") && (matches!(source.slice(at), "[" | "{") || before.contains('?')) {
        (
            "an expression with brackets or `: ` but without quotes",
            "in `{ … }` put the whole expression in quotes: \"x in [1, 2]\"",
        )
    } else if text.contains("',' or")
        && source.slice(at) == ":"
        && let Some(key) = missing_comma(before)
    {
        let message = "two keys with nothing between them".to_owned();
        return (message, Some(format!("a comma is missing before `{key}`")));
    } else if text.contains("',' or") {
        ("a `,` or a closing bracket is missing", "close the bracket, here or in a line above")
    } else if source.text[line_start..].lines().next().is_some_and(|line| line.contains(": *") || line.contains("[*")) {
        ("a `*` without quotes is a reference to an anchor", "write \"*\"")
    } else {
        (text, "")
    };
    (message.to_owned(), Some(help.to_owned()).filter(|help| !help.is_empty()))
}
