//! The text of a catalog file, and the lines and columns of its bytes.

use std::ops::Range;

use super::problems::Span;

/// A file's text with an index of its lines.
#[derive(Clone, Debug)]
pub(crate) struct SourceText<'a> {
    pub text: &'a str,
    /// The byte at which each line begins.
    lines: Vec<usize>,
}

impl<'a> SourceText<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let after_breaks = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1);
        SourceText { text, lines: std::iter::once(0).chain(after_breaks).collect() }
    }

    /// The line and the column of a byte, both from 1; columns count characters, without a byte-order mark.
    pub(crate) fn position(&self, at: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= at) - 1;
        let before = self.text.get(self.lines[line]..at).unwrap_or("");
        (line + 1, before.chars().filter(|c| *c != '\u{feff}').count() + 1)
    }

    /// The byte at a line and column (both from 1); the end of the line or of the text when there is no such place.
    pub(crate) fn offset(&self, line: usize, column: usize) -> usize {
        let Some(start) = self.lines.get(line.saturating_sub(1)) else {
            return self.text.len();
        };
        let rest = &self.text[*start..];
        let rest = rest.split('\n').next().unwrap_or(rest);
        rest.char_indices().nth(column.saturating_sub(1)).map_or(start + rest.len(), |(at, _)| start + at)
    }

    /// The text of a span; empty when the span is not within the text.
    pub(crate) fn slice(&self, span: Span) -> &'a str {
        self.text.get(span.start..span.end).unwrap_or("")
    }

    /// The bytes of the whole lines from the first to the last character of a span.
    pub(crate) fn lines_of(&self, span: Span) -> Range<usize> {
        let start = self.lines[self.lines.partition_point(|start| *start <= span.start) - 1];
        let end = span.end.max(span.start + 1) - 1;
        let next = self.lines.partition_point(|start| *start <= end);
        start..self.lines.get(next).map_or(self.text.len(), |next| next - 1).max(span.end)
    }
}
