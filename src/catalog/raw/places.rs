//! The places of an event's field as a catalog writes them: a JSON Pointer, a word, or a list of these.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::catalog::compiled::{FieldRule, Pointer, RecordPlace};
use crate::catalog::diagnostics::Span;
use crate::catalog::yaml::{FromYaml, YamlNode, YamlReader, YamlValue};

/// The most places of one field.
const PLACES_MAX: usize = 16;

/// The places of a field, each with where it is written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RawPlaces(pub Vec<(Span, RecordPlace)>);

impl RawPlaces {
    pub(crate) fn rule(&self) -> FieldRule {
        FieldRule(self.0.iter().map(|(_, place)| place.clone()).collect())
    }
}

impl FromYaml for RawPlaces {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        let YamlValue::List(items) = &node.value else {
            return Some(RawPlaces(vec![(node.span, place(node, reader)?)]));
        };
        if items.is_empty() || items.len() > PLACES_MAX {
            let message = format!("a list of {} places; there are 1 to {PLACES_MAX}", items.len());
            reader.report.error("out-of-range", node.span, message).help("write `[/timestamp, $record]`");
            return None;
        }
        let places: Vec<Option<(Span, RecordPlace)>> =
            items.iter().map(|item| Some((item.span, place(item, reader)?))).collect();
        places.into_iter().collect::<Option<_>>().map(RawPlaces)
    }
}

fn place(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<RecordPlace> {
    let YamlValue::Text(text) = &node.value else {
        return Pointer::from_yaml(node, reader).map(RecordPlace::Value);
    };
    if let Some(name) = text.strip_prefix("$header.").filter(|name| !name.is_empty()) {
        return Some(RecordPlace::Header(name.into()));
    }
    let mend = match text.as_str() {
        "$key" => return Some(RecordPlace::Key),
        "$record" => return Some(RecordPlace::Timestamp),
        "record" => "write `$record` for the timestamp of the Kafka record, `/record` for a member of this name",
        "$timestamp" | "$time" => "write `$record` for the timestamp of the Kafka record",
        word if word.starts_with("$header") => "write `$header.NAME` with the name of a header of the Kafka record",
        word if word.starts_with('$') => {
            "known are `$record`, the record's timestamp, `$key`, its key, and `$header.NAME`, its header of this name"
        }
        _ => return Pointer::from_yaml(node, reader).map(RecordPlace::Value),
    };
    reader.report.error("bad-pointer", node.span, format!("`{text}` is not a place of a record")).help(mend);
    None
}

impl JsonSchema for RawPlaces {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Places".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let place = serde_json::json!({ "type": "string", "pattern": "^((/.*)?|[$](key|record|header[.].+))$" });
        schemars::json_schema!({
            "anyOf": [place, { "type": "array", "items": place, "minItems": 1, "maxItems": PLACES_MAX }]
        })
    }
}
