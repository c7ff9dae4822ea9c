//! Values that may be written in several ways: numbers, titles, windows, and `manual`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::catalog::{RawCalendarUnit, RawManualOptions};
use super::duration::DurationMs;
use crate::catalog::yaml::{FromYaml, Member, YamlNode, YamlReader, YamlValue};
use crate::model::{Decimal, Number};

/// A number with its digits as they are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RawNumber(pub Number);

impl FromYaml for RawNumber {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        let double = f64::from_yaml(node, reader)?;
        let written = reader.source.slice(node.span);
        let is_json = serde_json::from_str::<f64>(written).is_ok();
        let digits = if is_json { written.to_owned() } else { double.to_string() };
        let number = Decimal::literal(&digits).map_or(Number::Double(double), Number::Decimal);
        reader.report.warn_of_number(number, &digits, node.span);
        Some(RawNumber(number))
    }
}

impl JsonSchema for RawNumber {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Number".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        f64::json_schema(generator)
    }
}

/// A text, or one text per language.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RawTitle(pub Vec<(String, String)>);

impl FromYaml for RawTitle {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        match &node.value {
            YamlValue::Text(text) => Some(RawTitle(vec![(String::new(), text.clone())])),
            YamlValue::Map(_) => {
                let members = reader.members(node, "a title")?;
                let texts = members.iter().map(|member| {
                    let text = String::from_yaml(member.value?, reader)?;
                    Some((member.name.to_owned(), text))
                });
                texts.collect::<Option<_>>().map(RawTitle)
            }
            _ => {
                reader.wrong_type(node, "text, or a map of languages to texts");
                None
            }
        }
    }
}

impl JsonSchema for RawTitle {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Title".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "anyOf": [
                { "type": "string" },
                { "type": "object", "additionalProperties": { "type": "string" } },
            ]
        })
    }
}

/// A counter's `window`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RawWindow {
    Lifetime,
    Rolling(DurationMs),
    /// `{ calendar: month }`, the same as `calendar: month` beside it.
    Calendar(RawCalendarUnit),
}

impl FromYaml for RawWindow {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        match &node.value {
            YamlValue::Text(text) if text == "lifetime" => Some(RawWindow::Lifetime),
            YamlValue::Text(text) if matches!(text.as_str(), "day" | "week" | "month" | "year") => {
                let message = format!("`{text}` is not a window");
                let help = format!("write `calendar: {text}` for the current {text}, or a duration such as `30d`");
                reader.report.error("bad-duration", node.span, message).help(help);
                None
            }
            YamlValue::Map(_) => read_calendar(node, reader),
            _ => DurationMs::from_yaml(node, reader).map(RawWindow::Rolling),
        }
    }
}

fn read_calendar(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<RawWindow> {
    let members = reader.members(node, "a window")?;
    match &members[..] {
        [Member { name: "calendar", value: Some(word), .. }] => {
            RawCalendarUnit::from_yaml(word, reader).map(RawWindow::Calendar)
        }
        _ => {
            let help = "write a duration such as `30d`, `lifetime`, or `{ calendar: month }`";
            reader.report.error("wrong-type", node.span, "this is not a window").help(help);
            None
        }
    }
}

impl JsonSchema for RawWindow {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Window".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let duration = DurationMs::json_schema(generator);
        let word = generator.subschema_for::<RawCalendarUnit>();
        let calendar = schemars::json_schema!({
            "type": "object",
            "properties": { "calendar": word },
            "required": ["calendar"],
            "additionalProperties": false,
        });
        schemars::json_schema!({ "anyOf": [{ "const": "lifetime" }, duration, calendar] })
    }
}

/// A counter's `ago`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RawAgo {
    /// Calendar periods.
    Periods(u64),
    Duration(DurationMs),
}

impl FromYaml for RawAgo {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        match &node.value {
            YamlValue::Number(_) => u64::from_yaml(node, reader).map(RawAgo::Periods),
            _ => DurationMs::from_yaml(node, reader).map(RawAgo::Duration),
        }
    }
}

impl JsonSchema for RawAgo {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Ago".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let duration = DurationMs::json_schema(generator);
        schemars::json_schema!({ "anyOf": [{ "type": "integer", "minimum": 1 }, duration] })
    }
}

/// A tag's `manual`: `true`, or a map of options.
#[derive(Debug, Default)]
pub(crate) struct RawManual(pub RawManualOptions);

impl FromYaml for RawManual {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        match &node.value {
            YamlValue::Bool(true) => Some(RawManual::default()),
            YamlValue::Bool(false) => {
                let message = "`manual` is `true`, or a map of options";
                reader.report.error("bad-value", node.span, message).help("remove the line, or write `manual: true`");
                None
            }
            _ => RawManualOptions::from_yaml(node, reader).map(RawManual),
        }
    }
}

impl JsonSchema for RawManual {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Manual".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let more = generator.subschema_for::<RawManualOptions>();
        schemars::json_schema!({ "anyOf": [{ "const": true }, more] })
    }
}
