//! The inputs of a model as written: a list of names, each with an expression.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::expression_text::ExpressionText;
use crate::catalog::yaml::{Field, FromYaml, Spanned, YamlNode, YamlReader, YamlValue};

/// The inputs of a model, in its order.
#[derive(Clone, Debug)]
pub(crate) struct RawScoreInputs(pub Vec<RawScoreInput>);

/// One input of a model, `name: expression`.
#[derive(Clone, Debug)]
pub(crate) struct RawScoreInput {
    pub name: Spanned<String>,
    pub value: Field<ExpressionText>,
}

impl FromYaml for RawScoreInputs {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        let YamlValue::List(items) = &node.value else {
            let message = format!("expected a list of inputs, found {}", node.value.described());
            let help = "the order counts: write each after a dash, `- recency: days_since(last_active)`";
            reader.report.error("wrong-type", node.span, message).help(help);
            return None;
        };
        let read: Vec<RawScoreInput> = items.iter().filter_map(|item| read_input(item, reader)).collect();
        (read.len() == items.len()).then_some(RawScoreInputs(read))
    }
}

fn read_input(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<RawScoreInput> {
    let is_cut = matches!(&node.value, YamlValue::Text(text) if text.contains(')'));
    let help = if is_cut {
        "in brackets YAML ends a value at a comma: put the expression in quotes, `top: \"max(a, b)\"`"
    } else {
        "an input is a name and an expression: `recency: days_since(last_active)`"
    };
    if !matches!(node.value, YamlValue::Map(_)) {
        let message = format!("expected an input, found {}", node.value.described());
        reader.report.error("wrong-type", node.span, message).help(help);
        return None;
    }
    let members = reader.members(node, "an input")?;
    let [member] = &members[..] else {
        let message = format!("an input has one name; this has {}", members.len());
        reader.report.error("wrong-type", node.span, message).help(help);
        return None;
    };
    let mut value = Field::default();
    value.take(member, reader);
    Some(RawScoreInput { name: Spanned { span: member.key, value: member.name.to_owned() }, value })
}

impl JsonSchema for RawScoreInputs {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Inputs".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let expression = ExpressionText::json_schema(generator);
        schemars::json_schema!({
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": expression,
                "minProperties": 1,
                "maxProperties": 1,
            },
        })
    }
}
