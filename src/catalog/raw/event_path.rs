//! Paths into an event: `properties.a.b`, `properties["a b"].c`, `time`, `type`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::expression_text::ExpressionText;
use crate::catalog::diagnostics::{did_you_mean, is_identifier};
use crate::catalog::yaml::{FromYaml, YamlNode, YamlReader};

/// The most segments of a path.
const SEGMENTS_MAX: usize = 16;

/// The place in an event from which an aggregate or an attribute takes its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EventPath {
    /// The segments below `properties`; at least one.
    Property(Vec<String>),
    /// The segments below `item`, an element of the array that `each` names.
    Item(Vec<String>),
    Time,
    EventType,
}

/// Why a text is not a path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EventPathError {
    #[error("a path begins with `properties`")]
    NoRoot,
    #[error("a path leads to one of the properties, not to all of them")]
    NoSegment,
    #[error("`{0}` can't stand after a dot")]
    NoIdentifier(String),
    #[error("a bracket holds a name in quotes, as in properties[\"a b\"]")]
    BadBracket,
    #[error("a path has at most {SEGMENTS_MAX} parts")]
    TooDeep,
}

impl EventPath {
    /// # Errors
    /// When the text is not a path.
    pub(crate) fn parse(text: &str) -> Result<Self, EventPathError> {
        match text {
            "time" => return Ok(EventPath::Time),
            "type" => return Ok(EventPath::EventType),
            _ => {}
        }
        let (mut rest, is_item) = match (text.strip_prefix("properties"), text.strip_prefix("item")) {
            (Some(rest), _) => (rest, false),
            (None, Some(rest)) => (rest, true),
            (None, None) => return Err(EventPathError::NoRoot),
        };
        if rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            return Err(EventPathError::NoRoot);
        }
        let mut segments = Vec::new();
        while !rest.is_empty() {
            let (segment, tail) = match rest.strip_prefix('.') {
                Some(tail) => dotted(tail)?,
                None => bracketed(rest)?,
            };
            segments.push(segment);
            rest = tail;
        }
        match segments.len() {
            0..=SEGMENTS_MAX if is_item => Ok(EventPath::Item(segments)),
            0 => Err(EventPathError::NoSegment),
            1..=SEGMENTS_MAX => Ok(EventPath::Property(segments)),
            _ => Err(EventPathError::TooDeep),
        }
    }
}

fn dotted(text: &str) -> Result<(String, &str), EventPathError> {
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if is_identifier(name) { Ok((name.to_owned(), rest)) } else { Err(EventPathError::NoIdentifier(name.to_owned())) }
}

/// `["…"]` or `['…']`, where a backslash keeps the next character.
fn bracketed(text: &str) -> Result<(String, &str), EventPathError> {
    let inner = text.strip_prefix('[').ok_or(EventPathError::BadBracket)?;
    let quote = inner.chars().next().filter(|c| matches!(c, '"' | '\'')).ok_or(EventPathError::BadBracket)?;
    let mut name = String::new();
    let mut chars = inner.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => name.push(chars.next().ok_or(EventPathError::BadBracket)?.1),
            c if c == quote => {
                let rest = inner[at + 1..].strip_prefix(']').ok_or(EventPathError::BadBracket)?;
                return Ok((name, rest));
            }
            c => name.push(c),
        }
    }
    Err(EventPathError::BadBracket)
}

/// As [`EventPath::parse`] reads it.
impl std::fmt::Display for EventPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            EventPath::Time => f.write_str("time"),
            EventPath::EventType => f.write_str("type"),
            EventPath::Property(segments) | EventPath::Item(segments) => {
                f.write_str(if matches!(self, EventPath::Item(_)) { "item" } else { "properties" })?;
                segments.iter().try_for_each(|segment| {
                    if is_identifier(segment) { write!(f, ".{segment}") } else { write!(f, "[{segment:?}]") }
                })
            }
        }
    }
}

fn help(text: &str, error: &EventPathError) -> Option<String> {
    match error {
        EventPathError::NoRoot => {
            let first = text.split(['.', '[']).next().unwrap_or(text);
            did_you_mean(first, ["properties", "time", "type"].into_iter()).or_else(|| {
                let fits = text.split('.').all(is_identifier);
                Some(if fits { format!("write `properties.{text}`") } else { "for example `properties.amount`".into() })
            })
        }
        EventPathError::NoSegment => Some("for example `properties.amount`".to_owned()),
        EventPathError::NoIdentifier(name) if name.is_empty() => Some("a name is missing next to a dot".to_owned()),
        EventPathError::NoIdentifier(name) if name.contains(['*', '/', '+', '(', '?']) => {
            Some("a path alone can stand here; expressions go with `sum`, `avg`, `min` and `max`".to_owned())
        }
        EventPathError::NoIdentifier(name) => Some(format!("write [{name:?}] instead of .{name}")),
        EventPathError::BadBracket | EventPathError::TooDeep => None,
    }
}

impl FromYaml for EventPath {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        let text = String::from_yaml(node, reader)?;
        match EventPath::parse(text.trim()) {
            Ok(path) => Some(path),
            Err(error) => {
                let message = format!("`{text}` is not a path: {error}");
                reader.report.error("bad-path", node.span, message).maybe_help(help(text.trim(), &error));
                None
            }
        }
    }
}

impl JsonSchema for EventPath {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Path".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^(time|type|item|(properties|item)[.\\[].+)$" })
    }
}

/// What an aggregate takes its number from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RawNumberSource {
    Path(EventPath),
    Formula(ExpressionText),
}

impl FromYaml for RawNumberSource {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        let expression = ExpressionText::from_yaml(node, reader)?;
        match EventPath::parse(expression.text.trim()) {
            Ok(path) => Some(RawNumberSource::Path(path)),
            // What can only be a path is reported as one.
            Err(_) if !has_operator(&expression.text) => EventPath::from_yaml(node, reader).map(RawNumberSource::Path),
            Err(_) => Some(RawNumberSource::Formula(expression)),
        }
    }
}

/// Whether a text has more than a path has: an operator, a call or a number. A dash within a word is rather one of a name.
fn has_operator(text: &str) -> bool {
    let outside = without_quotes(text.trim());
    let is_literal = outside.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    let subtracts = [" - ", "-properties", "-item", ") -", ")-", "]-"].iter().any(|dash| outside.contains(dash));
    is_literal || subtracts || outside.contains(['+', '*', '/', '%', '<', '>', '=', '!', '&', '|', '?', ':', '('])
}

/// A text without what stands in quotes.
fn without_quotes(text: &str) -> String {
    let mut open = None;
    let is_outside = |c: &char| {
        let before = open;
        match before {
            Some(quote) if quote == *c => open = None,
            None if matches!(c, '"' | '\'') => open = Some(*c),
            _ => {}
        }
        before.is_none() && open.is_none()
    };
    text.chars().filter(is_outside).collect()
}

impl JsonSchema for RawNumberSource {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "NumberSource".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": ["string", "number"] })
    }
}
