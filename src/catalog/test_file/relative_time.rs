//! Times as a test file writes them: a duration after the case's base, or an instant.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::catalog::raw::DurationMs;
use crate::catalog::yaml::{FromYaml, YamlNode, YamlReader, YamlValue};
use crate::model::Timestamp;

/// A time as written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TestTime {
    /// A duration after the base, such as `14d` or `1h30m`.
    After(DurationMs),
    Instant(Timestamp),
}

impl TestTime {
    pub(super) fn from(&self, base: Timestamp) -> Timestamp {
        match self {
            TestTime::After(duration) => base.plus(duration.0),
            TestTime::Instant(at) => *at,
        }
    }
}

impl FromYaml for TestTime {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        match &node.value {
            YamlValue::Text(text) if is_date(text) => {
                AbsoluteTime::from_yaml(node, reader).map(|instant| TestTime::Instant(instant.0))
            }
            _ => DurationMs::from_yaml(node, reader).map(TestTime::After),
        }
    }
}

/// An instant as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AbsoluteTime(pub Timestamp);

impl FromYaml for AbsoluteTime {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        let text = String::from_yaml(node, reader)?;
        match Timestamp::parse(&text) {
            Ok(at) if at > Timestamp::MAX => {
                reader.report.error("bad-time", node.span, format!("`{text}` lies after the year 9999 in UTC"));
                None
            }
            Ok(at) if at < Timestamp::OLDEST_EVENT => {
                let message = format!("`{text}` lies before 1990: no event is that old");
                reader.report.error("bad-time", node.span, message);
                None
            }
            Ok(at) => Some(AbsoluteTime(at)),
            Err(error) => {
                reader.report.error("bad-time", node.span, format!("`{text}`: {error}"));
                None
            }
        }
    }
}

/// Whether a text looks like a date, right or wrong.
fn is_date(text: &str) -> bool {
    text.len() > 4 && text.bytes().take(4).all(|b| b.is_ascii_digit()) && text[4..].starts_with(['-', '/', '.'])
}

impl JsonSchema for TestTime {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (duration, instant) = (DurationMs::json_schema(generator), AbsoluteTime::json_schema(generator));
        schemars::json_schema!({ "anyOf": [duration, instant] })
    }
}

impl JsonSchema for AbsoluteTime {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Instant".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9]{4}-" })
    }
}
