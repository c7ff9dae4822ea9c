//! Events as resets and steps name them: a type, a list of types, or `{ on, where }`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::catalog::RawSelectorOptions;
use super::event_types::EventTypes;
use crate::catalog::yaml::{Field, FromYaml, Spanned, YamlNode, YamlReader, YamlValue};

/// Events by their types, and by what is in them.
#[derive(Debug)]
pub(crate) struct RawSelector(pub RawSelectorOptions);

impl FromYaml for RawSelector {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        if let YamlValue::Map(_) = &node.value {
            return RawSelectorOptions::from_yaml(node, reader).map(RawSelector);
        }
        let on = Field::of(Spanned::from_yaml(node, reader)?);
        Some(RawSelector(RawSelectorOptions { on, ..RawSelectorOptions::default() }))
    }
}

impl JsonSchema for RawSelector {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "EventSelector".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let types = EventTypes::json_schema(generator);
        let options = generator.subschema_for::<RawSelectorOptions>();
        schemars::json_schema!({ "anyOf": [types, options] })
    }
}
