//! The text of an expression, with the place in the file of each of its bytes.
//!
//! YAML changes text: it removes quotes, resolves escapes and joins folded lines. A mistake in the seventh line of a
//! folded expression must still be underlined where the author wrote it, so the text is aligned with the file.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::catalog::diagnostics::{SourceText, Span};
use crate::catalog::yaml::{FromYaml, YamlNode, YamlReader, YamlValue};

/// The text of an expression with its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ExpressionText {
    pub text: String,
    /// The span of the whole expression in the file.
    pub span: Span,
    /// Whether a comma follows: in `{ when: max(a, b) > 3 }` YAML ends the value at the comma.
    pub is_before_comma: bool,
    /// For each byte of the text, the span of its character in the file.
    places: Vec<Span>,
}

impl ExpressionText {
    pub(crate) fn new(text: String, span: Span, source: &SourceText<'_>) -> Self {
        let places = align(&text, source.slice(span), span.start);
        let is_before_comma = source.text[span.end..].trim_start().starts_with(',');
        ExpressionText { text, span, is_before_comma, places: places.unwrap_or_default() }
    }

    /// A text that is an expression and nothing else.
    pub(crate) fn plain(source: &SourceText<'_>) -> Self {
        let text = source.text.to_owned();
        let place =
            |(start, c): (usize, char)| std::iter::repeat_n(Span::new(start, start + c.len_utf8()), c.len_utf8());
        let places = text.char_indices().flat_map(place).collect();
        ExpressionText { span: Span::new(0, text.len()), is_before_comma: false, places, text }
    }

    /// The span in the file of a piece of the text; the whole expression when the two could not be aligned.
    pub(crate) fn locate(&self, piece: Span) -> Span {
        if self.places.is_empty() {
            return self.span;
        }
        let last = self.places[self.places.len() - 1];
        let start = self.places.get(piece.start).map_or(last.end, |place| place.start);
        let end = match piece.end.checked_sub(1) {
            Some(at) if piece.end > piece.start => self.places.get(at).unwrap_or(&last).end,
            _ => start,
        };
        Span::new(start, end)
    }
}

/// The span of each byte of `text` in `raw`, the YAML that it was read from; `None` when they do not fit together.
fn align(text: &str, raw: &str, raw_start: usize) -> Option<Vec<Span>> {
    let quote = raw.chars().next().filter(|c| matches!(c, '"' | '\''));
    let mut at = quote.map_or(0, |_| 1);
    let mut places = Vec::with_capacity(text.len());
    for wanted in text.chars() {
        let (start, len) = if wanted.is_whitespace() {
            let len = raw[at..].chars().next().filter(|c| c.is_whitespace()).map_or(0, char::len_utf8);
            if len == 0 && raw[at..].starts_with('\\') { (at, escape(&raw[at..])?.1) } else { (at, len) }
        } else {
            find(wanted, raw, at, quote)?
        };
        at = start + len;
        let place = Span::new(raw_start + start, raw_start + at);
        places.extend(std::iter::repeat_n(place, wanted.len_utf8()));
    }
    Some(places)
}

/// The start and length of the next character that is not whitespace, when it means `wanted`.
fn find(wanted: char, raw: &str, from: usize, quote: Option<char>) -> Option<(usize, usize)> {
    let mut at = from;
    loop {
        let rest = raw.get(at..)?;
        let c = rest.chars().next()?;
        if c.is_whitespace() {
            at += c.len_utf8();
        } else if quote == Some('"') && c == '\\' {
            let (decoded, len) = escape(rest)?;
            match decoded {
                Some(decoded) if decoded == wanted => return Some((at, len)),
                None => at += len,
                Some(_) => return None,
            }
        } else if quote == Some('\'') && rest.starts_with("''") {
            return (wanted == '\'').then_some((at, 2));
        } else {
            return (c == wanted).then_some((at, c.len_utf8()));
        }
    }
}

/// The character of an escape in double quotes (`None` for an escaped line break), and the length of the escape.
fn escape(rest: &str) -> Option<(Option<char>, usize)> {
    let escaped = rest[1..].chars().next()?;
    let hex = |digits: usize| {
        let code = u32::from_str_radix(rest.get(2..2 + digits)?, 16).ok()?;
        Some((Some(char::from_u32(code)?), 2 + digits))
    };
    match escaped {
        'x' => hex(2),
        'u' => hex(4),
        'U' => hex(8),
        'n' => Some((Some('\n'), 2)),
        't' => Some((Some('\t'), 2)),
        'r' => Some((Some('\r'), 2)),
        '\n' => Some((None, 2)),
        other => Some((Some(other), 1 + other.len_utf8())),
    }
}

impl FromYaml for ExpressionText {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        let text = match &node.value {
            YamlValue::Text(text) => text.clone(),
            YamlValue::Bool(_) | YamlValue::Number(_) => reader.source.slice(node.span).to_owned(),
            YamlValue::Null | YamlValue::List(_) | YamlValue::Map(_) => {
                reader.wrong_type(node, "text: an expression");
                return None;
            }
        };
        Some(ExpressionText::new(text, node.span, reader.source))
    }
}

impl JsonSchema for ExpressionText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Expression".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": ["string", "boolean", "number"] })
    }
}
