//! Paths into an event: `properties.a.b`, `properties["a b"].c`, `time`, `type`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::names::{did_you_mean, is_identifier};
use super::read::{Read, Reader};
use super::tree::Node;

/// The deepest path.
const SEGMENTS_MAX: usize = 16;

/// Where an aggregate or an attribute takes its value from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// The segments below `properties`; at least one.
    Property(Vec<String>),
    Time,
    Kind,
}

/// Why a text is no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    #[error("a path begins with `properties`")]
    NoRoot,
    #[error("a path leads to one of the properties, not to all of them")]
    NoSegment,
    #[error("`{0}` can't stand behind a dot")]
    NoIdentifier(String),
    #[error("a bracket holds a name in quotes, as in properties[\"a b\"]")]
    BadBracket,
    #[error("a path has at most {SEGMENTS_MAX} parts")]
    TooDeep,
}

impl Path {
    /// # Errors
    /// What is wrong with a text that is no path.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        match text {
            "time" => return Ok(Path::Time),
            "type" => return Ok(Path::Kind),
            _ => {}
        }
        let mut rest = text.strip_prefix("properties").ok_or(PathError::NoRoot)?;
        if rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            return Err(PathError::NoRoot);
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
            0 => Err(PathError::NoSegment),
            1..=SEGMENTS_MAX => Ok(Path::Property(segments)),
            _ => Err(PathError::TooDeep),
        }
    }
}

fn dotted(text: &str) -> Result<(String, &str), PathError> {
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if is_identifier(name) { Ok((name.to_owned(), rest)) } else { Err(PathError::NoIdentifier(name.to_owned())) }
}

/// `["…"]` or `['…']`, where a backslash keeps the next character.
fn bracketed(text: &str) -> Result<(String, &str), PathError> {
    let inner = text.strip_prefix('[').ok_or(PathError::BadBracket)?;
    let quote = inner.chars().next().filter(|c| matches!(c, '"' | '\'')).ok_or(PathError::BadBracket)?;
    let mut name = String::new();
    let mut chars = inner.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => name.push(chars.next().ok_or(PathError::BadBracket)?.1),
            c if c == quote => {
                let rest = inner[at + 1..].strip_prefix(']').ok_or(PathError::BadBracket)?;
                return Ok((name, rest));
            }
            c => name.push(c),
        }
    }
    Err(PathError::BadBracket)
}

/// As [`Path::parse`] reads it.
impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Path::Time => f.write_str("time"),
            Path::Kind => f.write_str("type"),
            Path::Property(segments) => {
                f.write_str("properties")?;
                segments.iter().try_for_each(|segment| {
                    if is_identifier(segment) { write!(f, ".{segment}") } else { write!(f, "[{segment:?}]") }
                })
            }
        }
    }
}

fn help(text: &str, error: &PathError) -> Option<String> {
    match error {
        PathError::NoRoot => {
            let first = text.split(['.', '[']).next().unwrap_or(text);
            did_you_mean(first, ["properties", "time", "type"].into_iter()).or_else(|| {
                let fits = text.split('.').all(is_identifier);
                Some(if fits { format!("write `properties.{text}`") } else { "for example `properties.amount`".into() })
            })
        }
        PathError::NoSegment => Some("for example `properties.amount`".to_owned()),
        PathError::NoIdentifier(name) if name.is_empty() => Some("a name is missing next to a dot".to_owned()),
        PathError::NoIdentifier(name) => Some(format!("write [{name:?}] instead of .{name}")),
        PathError::BadBracket | PathError::TooDeep => None,
    }
}

impl Read for Path {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = String::read(node, reader)?;
        match Path::parse(text.trim()) {
            Ok(path) => Some(path),
            Err(error) => {
                let message = format!("`{text}` is no path: {error}");
                reader.report.error("bad-path", node.span, message).maybe_help(help(text.trim(), &error));
                None
            }
        }
    }
}

impl JsonSchema for Path {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Path".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^(time|type|properties[.\\[].+)$" })
    }
}
