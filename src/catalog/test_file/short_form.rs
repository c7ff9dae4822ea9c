//! Short forms: a list in place of a map, a text in place of a list, a number in place of a key.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::catalog::diagnostics::{Span, listed};
use crate::catalog::yaml::{FromYaml, YamlNode, YamlReader, YamlValue};

/// A map that may also be written as a list of its first values: `[2d, ann, workout]`.
pub(super) trait ShortFormKeys {
    const NAMES: &'static [&'static str];
    /// The number of values that a list must have.
    const NEEDED: usize;
    /// The key whose value `null` means that it is not written.
    const NULLABLE: Option<&'static str> = None;
}

/// A value in its long or short form.
#[derive(Clone, Debug)]
pub(super) struct ShortForm<T>(pub T);

impl<T: FromYaml + ShortFormKeys> FromYaml for ShortForm<T> {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        let items = match &node.value {
            YamlValue::List(items) => items,
            YamlValue::Map(members) => return Self::of(node.span, members.clone(), reader),
            _ => return T::from_yaml(node, reader).map(ShortForm),
        };
        if items.len() < T::NEEDED || items.len() > T::NAMES.len() {
            let message = format!("a list of {} can't stand here", items.len());
            let help = format!("the short form has {} in this order, the last may be missing", listed(T::NAMES));
            reader.report.error("bad-short-form", node.span, message).help(help);
            return None;
        }
        let name = |name: &str, at: Span| YamlNode { span: at, value: YamlValue::Text(name.to_owned()) };
        let members = items.iter().zip(T::NAMES).map(|(item, known)| (name(known, item.span), item.clone()));
        Self::of(node.span, members.collect(), reader)
    }
}

impl<T: FromYaml + ShortFormKeys> ShortForm<T> {
    fn of(span: Span, mut members: Vec<(YamlNode, YamlNode)>, reader: &mut YamlReader<'_>) -> Option<Self> {
        let says_nothing = |(name, value): &(YamlNode, YamlNode)| {
            value.value == YamlValue::Null
                && T::NULLABLE.is_some_and(|key| name.value == YamlValue::Text(key.to_owned()))
        };
        members.retain(|member| !says_nothing(member));
        T::from_yaml(&YamlNode { span, value: YamlValue::Map(members) }, reader).map(ShortForm)
    }
}

impl<T: JsonSchema> JsonSchema for ShortForm<T> {
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
pub(super) struct TextList(pub Vec<String>);

impl FromYaml for TextList {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        match &node.value {
            YamlValue::List(items) => {
                items.iter().map(|item| String::from_yaml(item, reader)).collect::<Option<_>>().map(TextList)
            }
            _ => String::from_yaml(node, reader).map(|text| TextList(vec![text])),
        }
    }
}

impl JsonSchema for TextList {
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

/// A key or an id: text, or the digits of a whole number.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct KeyText(pub String);

impl FromYaml for KeyText {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        match node.value {
            YamlValue::Number(number) if number.fract() == 0.0 => {
                Some(KeyText(reader.source.slice(node.span).to_owned()))
            }
            _ => String::from_yaml(node, reader).map(KeyText),
        }
    }
}

impl JsonSchema for KeyText {
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

/// Any YAML value as JSON: the properties of an event, the value of a tag.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AnyJson(pub serde_json::Value);

impl FromYaml for AnyJson {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        Some(AnyJson(match &node.value {
            YamlValue::Null => serde_json::Value::Null,
            YamlValue::Bool(b) => (*b).into(),
            // The digits as written, so that a sum in a test is that of the same events.
            YamlValue::Number(number) => {
                serde_json::from_str(reader.source.slice(node.span)).unwrap_or_else(|_| (*number).into())
            }
            YamlValue::Text(text) => text.as_str().into(),
            YamlValue::List(items) => {
                let items = items.iter().map(|item| AnyJson::from_yaml(item, reader).map(|json| json.0));
                serde_json::Value::Array(items.collect::<Option<_>>()?)
            }
            YamlValue::Map(_) => {
                let members = reader.members(node, "a map")?;
                let members = members
                    .iter()
                    .map(|member| Some((member.name.to_owned(), AnyJson::from_yaml(member.value?, reader)?.0)));
                serde_json::Value::Object(members.collect::<Option<_>>()?)
            }
        }))
    }
}

impl JsonSchema for AnyJson {
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
