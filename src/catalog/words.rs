//! Small values of a catalog's fields: titles and windows.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::duration::Duration;
use super::raw::{CalendarWord, RawManual};
use super::read::{Member, Read, Reader};
use super::tree::{Node, Yaml};

/// Text, or one text a language.
#[derive(Clone, Debug, PartialEq)]
pub struct Title(pub Vec<(String, String)>);

impl Read for Title {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Yaml::Text(text) => Some(Title(vec![(String::new(), text.clone())])),
            Yaml::Map(_) => {
                let members = reader.members(node, "a title")?;
                let texts = members.iter().map(|member| {
                    let text = String::read(member.value?, reader)?;
                    Some((member.name.to_owned(), text))
                });
                texts.collect::<Option<_>>().map(Title)
            }
            _ => {
                reader.wrong_type(node, "text, or a map of languages to texts");
                None
            }
        }
    }
}

impl JsonSchema for Title {
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
pub enum WindowText {
    Lifetime,
    Rolling(Duration),
    /// `{ calendar: month }`, the same as `calendar: month` beside it.
    Calendar(CalendarWord),
}

impl Read for WindowText {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Yaml::Text(text) if text == "lifetime" => Some(WindowText::Lifetime),
            Yaml::Text(text) if matches!(text.as_str(), "day" | "week" | "month" | "year") => {
                let message = format!("`{text}` is no window");
                let help = format!("write `calendar: {text}` for the current {text}, or a duration such as `30d`");
                reader.report.error("bad-duration", node.span, message).help(help);
                None
            }
            Yaml::Map(_) => read_calendar(node, reader),
            _ => Duration::read(node, reader).map(WindowText::Rolling),
        }
    }
}

fn read_calendar(node: &Node, reader: &mut Reader<'_>) -> Option<WindowText> {
    let members = reader.members(node, "a window")?;
    match &members[..] {
        [Member { name: "calendar", value: Some(word), .. }] => {
            CalendarWord::read(word, reader).map(WindowText::Calendar)
        }
        _ => {
            let help = "write a duration such as `30d`, `lifetime`, or `{ calendar: month }`";
            reader.report.error("wrong-type", node.span, "this is no window").help(help);
            None
        }
    }
}

impl JsonSchema for WindowText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Window".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let duration = Duration::json_schema(generator);
        let word = generator.subschema_for::<CalendarWord>();
        let calendar = schemars::json_schema!({
            "type": "object",
            "properties": { "calendar": word },
            "required": ["calendar"],
            "additionalProperties": false,
        });
        schemars::json_schema!({ "anyOf": [{ "const": "lifetime" }, duration, calendar] })
    }
}

/// A tag's `manual`: `true`, or a map with what there is to say of it.
#[derive(Debug, Default)]
pub struct Manual(pub RawManual);

impl Read for Manual {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Yaml::Bool(true) => Some(Manual::default()),
            Yaml::Bool(false) => {
                let message = "a tag that is not set by commands does not say so";
                reader.report.error("bad-value", node.span, message).help("remove the line, or write `manual: true`");
                None
            }
            _ => RawManual::read(node, reader).map(Manual),
        }
    }
}

impl JsonSchema for Manual {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Manual".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let more = generator.subschema_for::<RawManual>();
        schemars::json_schema!({ "anyOf": [{ "const": true }, more] })
    }
}
