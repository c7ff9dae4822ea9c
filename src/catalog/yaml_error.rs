//! The YAML parser's errors, in words for people who do not read parsers.

use serde_saphyr::Error;

use super::problems::{Report, Span};
use super::source::SourceText;

/// Reports why a file is no YAML that a catalog could be.
pub fn explain(error: &Error, source: &SourceText<'_>, report: &mut Report) {
    let at = place(error, source);
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or(&text);
    if text.starts_with("budget breached") || text.contains("recursion limit") || text.contains("alias") {
        let (message, help) = if text.contains("Depth") || text.contains("recursion") {
            ("this is nested too deeply", "a catalog nests seven levels at most; is a bracket not closed?")
        } else {
            ("this file grows too large when its anchors (`&x`, `*x`) are expanded", "write the values out")
        };
        report.error("yaml-limit", at, message).help(help);
        return;
    }
    report.error("yaml-syntax", at, format!("this is not valid YAML: {text}")).maybe_help(advice(text, at, source));
}

/// One character at the error's position.
fn place(error: &Error, source: &SourceText<'_>) -> Span {
    let Some(location) = error.location() else {
        return Span::new(source.text.len(), source.text.len());
    };
    let start = source.offset(location.line() as usize, location.column() as usize);
    let len = source.text[start..].chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
    Span::new(start, start + len)
}

fn advice(text: &str, at: Span, source: &SourceText<'_>) -> Option<String> {
    let line = source.text[..at.start].rsplit('\n').next().unwrap_or("");
    let advice = if line.contains('\t') || source.slice(at) == "\t" {
        "YAML indents with spaces; this line has a tab"
    } else if text.contains("multiple YAML documents") {
        "one file holds one catalog: remove the `---`"
    } else if text.contains("quote") {
        "close the text with the same quote that opened it"
    } else if text.contains("mapping values are not allowed") || text.contains("':'") {
        "is the line indented like its neighbours, every bracket closed, and text that holds `: ` in quotes?"
    } else if text.contains("unknown anchor") || text.contains("undefined alias") {
        "an expression that begins with `*` or `&` needs quotes"
    } else {
        return None;
    };
    Some(advice.to_owned())
}
