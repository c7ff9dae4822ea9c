//! Short forms: a list in place of a map whose keys everybody knows, and values that stand for themselves.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::catalog::names::listed;
use crate::catalog::problems::Span;
use crate::catalog::read::{Read, Reader};
use crate::catalog::tree::{Node, Yaml};

/// A record that may also be written as a list of its first members: `[2d, ann, workout]`.
pub trait Positions {
    const NAMES: &'static [&'static str];
    /// How many of them a list must have.
    const NEEDED: usize;
    /// One for which `null` says what leaving it out says.
    const NULLABLE: Option<&'static str> = None;
}

/// A record in its long or short form.
#[derive(Clone, Debug)]
pub struct Short<T>(pub T);

impl<T: Read + Positions> Read for Short<T> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let items = match &node.value {
            Yaml::List(items) => items,
            Yaml::Map(members) => return Self::of(node.span, members.clone(), reader),
            _ => return T::read(node, reader).map(Short),
        };
        if items.len() < T::NEEDED || items.len() > T::NAMES.len() {
            let message = format!("a list of {} can't stand here", items.len());
            let help = format!("the short form has {} in this order, the last may be missing", listed(T::NAMES));
            reader.report.error("bad-short-form", node.span, message).help(help);
            return None;
        }
        let name = |name: &str, at: Span| Node { span: at, value: Yaml::Text(name.to_owned()) };
        let members = items.iter().zip(T::NAMES).map(|(item, known)| (name(known, item.span), item.clone()));
        Self::of(node.span, members.collect(), reader)
    }
}

impl<T: Read + Positions> Short<T> {
    fn of(span: Span, mut members: Vec<(Node, Node)>, reader: &mut Reader<'_>) -> Option<Self> {
        let says_nothing = |(name, value): &(Node, Node)| {
            value.value == Yaml::Null && T::NULLABLE.is_some_and(|key| name.value == Yaml::Text(key.to_owned()))
        };
        members.retain(|member| !says_nothing(member));
        T::read(&Node { span, value: Yaml::Map(members) }, reader).map(Short)
    }
}

impl<T: JsonSchema> JsonSchema for Short<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Short_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let long = generator.subschema_for::<T>();
        schemars::json_schema!({ "anyOf": [{ "type": "array" }, long] })
    }
}

/// A text, or a list of texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Texts(pub Vec<String>);

impl Read for Texts {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Yaml::List(items) => items.iter().map(|item| String::read(item, reader)).collect::<Option<_>>().map(Texts),
            _ => String::read(node, reader).map(|text| Texts(vec![text])),
        }
    }
}

impl JsonSchema for Texts {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Texts".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
    }
}

/// A key or an id: text, or a whole number that stands for its digits.
#[derive(Clone, Debug, PartialEq)]
pub struct Key(pub String);

impl Read for Key {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match node.value {
            Yaml::Number(number) if number.fract() == 0.0 => Some(Key(reader.source.slice(node.span).to_owned())),
            _ => String::read(node, reader).map(Key),
        }
    }
}

impl JsonSchema for Key {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Key".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": ["string", "integer"] })
    }
}

/// Any YAML as JSON: the properties of an event, the value of a tag.
#[derive(Clone, Debug, PartialEq)]
pub struct Json(pub serde_json::Value);

impl Read for Json {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Some(Json(match &node.value {
            Yaml::Null => serde_json::Value::Null,
            Yaml::Bool(b) => (*b).into(),
            // The digits as written, so that a sum in a test is the sum that events would give.
            Yaml::Number(number) => {
                serde_json::from_str(reader.source.slice(node.span)).unwrap_or_else(|_| (*number).into())
            }
            Yaml::Text(text) => text.as_str().into(),
            Yaml::List(items) => {
                let items = items.iter().map(|item| Json::read(item, reader).map(|json| json.0));
                serde_json::Value::Array(items.collect::<Option<_>>()?)
            }
            Yaml::Map(_) => {
                let members = reader.members(node, "a map")?;
                let members =
                    members.iter().map(|member| Some((member.name.to_owned(), Json::read(member.value?, reader)?.0)));
                serde_json::Value::Object(members.collect::<Option<_>>()?)
            }
        }))
    }
}

impl JsonSchema for Json {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Json".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({})
    }
}
