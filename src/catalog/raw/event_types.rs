//! The event types that an attribute or a counter takes, as written: one, a list, or `"*"`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::catalog::compiled::type_prefix;
use crate::catalog::diagnostics::Report;
use crate::catalog::yaml::{FromYaml, Spanned, YamlNode, YamlReader, YamlValue};

/// The longest event type (spec 2), or beginning of one.
const EVENT_TYPE_BYTES_MAX: usize = 128;

/// Event types as written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum EventTypes {
    /// `"*"`.
    Any,
    /// A name that ends in `*` stands for every type that begins so.
    Of(Vec<String>),
}

impl FromYaml for EventTypes {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        let names: Vec<Spanned<String>> = match &node.value {
            YamlValue::Text(text) => vec![Spanned { span: node.span, value: text.clone() }],
            YamlValue::List(_) => Vec::from_yaml(node, reader)?,
            YamlValue::Bool(_) | YamlValue::Null | YamlValue::Map(_) => {
                let message = format!("expected an event type, found {}", node.value.described());
                reader
                    .report
                    .error("wrong-type", node.span, message)
                    .help("name the type, as in `count: purchase`, a list of types, or \"*\" for all");
                return None;
            }
            YamlValue::Number(_) => {
                reader.wrong_type(node, "text: an event type");
                return None;
            }
        };
        if let [only] = names.as_slice()
            && only.value == "*"
        {
            return Some(EventTypes::Any);
        }
        if names.is_empty() {
            reader
                .report
                .error("empty-list", node.span, "this list names no event type")
                .help("name at least one type, or \"*\" for all");
            return None;
        }
        let before = reader.report.errors();
        for name in &names {
            check_event_type(name, reader.report);
        }
        let is_fine = reader.report.errors() == before;
        is_fine.then(|| EventTypes::Of(names.into_iter().map(|name| name.value).collect()))
    }
}

fn check_event_type(name: &Spanned<String>, report: &mut Report) {
    let text = name.value.as_str();
    if text == "*" {
        report
            .error("bad-event-type", name.span, "`*` stands for all types and can't be one of several")
            .help("write \"*\" alone, or the types without it");
        return;
    }
    if text.starts_with('$') {
        report
            .error("bad-event-type", name.span, format!("`{text}` is a command, not behaviour"))
            .help("types that begin with `$` can't be counted");
        return;
    }
    let plain = type_prefix(text).unwrap_or(text);
    if plain.is_empty() || plain.len() > EVENT_TYPE_BYTES_MAX {
        let message = format!("an event type has 1 to {EVENT_TYPE_BYTES_MAX} bytes, this has {}", plain.len());
        report.error("bad-event-type", name.span, message);
    } else if plain.contains('*') {
        report
            .warning("star-inside", name.span, format!("only a `*` at the end of `{text}` stands for other types"))
            .help("a type stands for every type that begins so where it ends in `*`, as in `consent_*`");
    }
}

impl JsonSchema for EventTypes {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "EventTypes".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "anyOf": [
                { "type": "string", "minLength": 1 },
                { "type": "array", "items": { "type": "string", "minLength": 1 }, "minItems": 1 },
            ]
        })
    }
}
