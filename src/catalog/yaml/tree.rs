//! The parsed YAML file: a tree of nodes with their spans.
//!
//! The typed form ([`crate::catalog::raw`]) is read from this tree and not by serde's derive, because a derived
//! reader stops at the first mistake, and the author of a catalog wants to see all of them.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use serde_saphyr::options::DuplicateKeyPolicy;

use crate::catalog::diagnostics::{Report, SourceText, Span};

/// What a catalog file as a whole is called in messages.
pub(crate) const FILE: &str = "a catalog";

/// The longest catalog file, in bytes; a catalog of a thousand tags has about 200 KB.
pub(super) const CATALOG_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The most YAML nodes after anchors are expanded, against files that grow exponentially.
const NODES_MAX: usize = 250_000;

/// The deepest nesting; a catalog needs seven levels.
const DEPTH_MAX: usize = 32;

/// A value with its span.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct YamlNode {
    pub span: Span,
    pub value: YamlValue,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum YamlValue {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<YamlNode>),
    /// In the order of the file; keys may repeat.
    Map(Vec<(YamlNode, YamlNode)>),
}

impl YamlValue {
    /// The type of the value, as in "expected a list, found …".
    pub(crate) fn described(&self) -> &'static str {
        match self {
            YamlValue::Null => "nothing",
            YamlValue::Bool(_) => "true/false",
            YamlValue::Number(_) => "a number",
            YamlValue::Text(_) => "text",
            YamlValue::List(_) => "a list",
            YamlValue::Map(_) => "a map",
        }
    }
}

/// Parses a file; `None`, with one problem in the report, when it is not YAML.
pub(crate) fn parse_yaml(source: &SourceText<'_>, report: &mut Report) -> Option<YamlNode> {
    if source.text.len() > CATALOG_BYTES_MAX {
        let message = format!("this file has {} bytes; a catalog has at most {CATALOG_BYTES_MAX}", source.text.len());
        report.error("file-too-large", Span::default(), message);
        return None;
    }
    let options = serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        budget: serde_saphyr::budget! { max_nodes: NODES_MAX, max_depth: DEPTH_MAX },
    };
    match serde_saphyr::from_str_with_options::<ParsedNode>(source.text, options) {
        Ok(parsed) => Some(parsed.into_node()),
        Err(error) => {
            super::errors::explain(&error, source, report);
            None
        }
    }
}

/// What the parser makes, before it becomes a [`YamlNode`].
struct ParsedNode(Spanned<ParsedValue>);

enum ParsedValue {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<ParsedNode>),
    Map(Vec<(ParsedNode, ParsedNode)>),
}

impl ParsedNode {
    fn into_node(self) -> YamlNode {
        let location = self.0.defined.span();
        let start = location.byte_offset().unwrap_or(0) as usize;
        let mut span = Span::new(start, start + location.byte_len().unwrap_or(0) as usize);
        let value = match self.0.value {
            ParsedValue::Null => YamlValue::Null,
            ParsedValue::Bool(b) => YamlValue::Bool(b),
            ParsedValue::Number(n) => YamlValue::Number(n),
            ParsedValue::Text(text) => YamlValue::Text(text),
            ParsedValue::List(items) => YamlValue::List(items.into_iter().map(ParsedNode::into_node).collect()),
            ParsedValue::Map(entries) => {
                YamlValue::Map(entries.into_iter().map(|(k, v)| (k.into_node(), v.into_node())).collect())
            }
        };
        // The parser gives only the start of a collection; its end is the end of its last member.
        if let YamlValue::List(items) = &value {
            span = items.last().map_or(span, |last| span.to(last.span));
        }
        if let YamlValue::Map(entries) = &value {
            span = entries.last().map_or(span, |(key, last)| span.to(key.span).to(last.span));
        }
        YamlNode { span, value }
    }
}

impl<'de> Deserialize<'de> for ParsedNode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(ParsedNode)
    }
}

impl<'de> Deserialize<'de> for ParsedValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ParsedValueVisitor)
    }
}

struct ParsedValueVisitor;

impl<'de> Visitor<'de> for ParsedValueVisitor {
    type Value = ParsedValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_bool<E>(self, b: bool) -> Result<ParsedValue, E> {
        Ok(ParsedValue::Bool(b))
    }

    fn visit_i64<E>(self, n: i64) -> Result<ParsedValue, E> {
        Ok(ParsedValue::Number(n as f64))
    }

    fn visit_u64<E>(self, n: u64) -> Result<ParsedValue, E> {
        Ok(ParsedValue::Number(n as f64))
    }

    fn visit_i128<E>(self, n: i128) -> Result<ParsedValue, E> {
        Ok(ParsedValue::Number(n as f64))
    }

    fn visit_u128<E>(self, n: u128) -> Result<ParsedValue, E> {
        Ok(ParsedValue::Number(n as f64))
    }

    fn visit_f64<E>(self, n: f64) -> Result<ParsedValue, E> {
        Ok(ParsedValue::Number(n))
    }

    fn visit_str<E>(self, text: &str) -> Result<ParsedValue, E> {
        Ok(ParsedValue::Text(text.to_owned()))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<ParsedValue, E> {
        Ok(ParsedValue::Text(String::from_utf8_lossy(bytes).into_owned()))
    }

    fn visit_unit<E>(self) -> Result<ParsedValue, E> {
        Ok(ParsedValue::Null)
    }

    fn visit_none<E>(self) -> Result<ParsedValue, E> {
        Ok(ParsedValue::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<ParsedValue, D::Error> {
        ParsedValue::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ParsedValue, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(ParsedValue::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ParsedValue, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(ParsedValue::Map(entries))
    }
}
