//! Which event types something listens to: one, a list, or `"*"`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::problems::Report;
use super::read::{At, Read, Reader};
use super::tree::{Node, Yaml};

/// The longest event type (spec 2).
const KIND_BYTES_MAX: usize = 128;

/// Event types as written.
#[derive(Clone, Debug, PartialEq)]
pub enum Kinds {
    /// `"*"`.
    Any,
    Of(Vec<String>),
}

impl Read for Kinds {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let names: Vec<At<String>> = match &node.value {
            Yaml::Text(text) => vec![At { span: node.span, value: text.clone() }],
            Yaml::List(_) => Vec::read(node, reader)?,
            Yaml::Bool(_) | Yaml::Null | Yaml::Map(_) => {
                let message = format!("expected an event type, found {}", node.value.described());
                reader
                    .report
                    .error("wrong-type", node.span, message)
                    .help("name the type, as in `count: purchase`, a list of types, or \"*\" for all");
                return None;
            }
            Yaml::Number(_) => {
                reader.wrong_type(node, "text: an event type");
                return None;
            }
        };
        if let [only] = names.as_slice()
            && only.value == "*"
        {
            return Some(Kinds::Any);
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
            check_kind(name, reader.report);
        }
        let is_fine = reader.report.errors() == before;
        is_fine.then(|| Kinds::Of(names.into_iter().map(|name| name.value).collect()))
    }
}

fn check_kind(name: &At<String>, report: &mut Report) {
    let text = name.value.as_str();
    if text == "*" {
        report
            .error("bad-event-type", name.span, "`*` stands for all types and can't be one of several")
            .help("write \"*\" alone, or the types without it");
    } else if text.starts_with('$') {
        report
            .error("bad-event-type", name.span, format!("`{text}` is a command, not behaviour"))
            .help("types that begin with `$` can't be counted");
    } else if text.is_empty() || text.len() > KIND_BYTES_MAX {
        let message = format!("an event type has 1 to {KIND_BYTES_MAX} bytes, this has {}", text.len());
        report.error("bad-event-type", name.span, message);
    }
}

impl JsonSchema for Kinds {
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
