//! Moments of a test: a duration after the case's base, or an instant.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::catalog::duration::Duration;
use crate::catalog::read::{Read, Reader};
use crate::catalog::tree::{Node, Yaml};
use crate::model::Timestamp;

/// A moment as written.
#[derive(Clone, Debug, PartialEq)]
pub enum Moment {
    /// `14d`, `1h30m`: so long after the base.
    After(Duration),
    Instant(Timestamp),
}

impl Moment {
    pub fn from(&self, base: Timestamp) -> Timestamp {
        match self {
            Moment::After(duration) => base.plus(duration.0),
            Moment::Instant(at) => *at,
        }
    }
}

impl Read for Moment {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Yaml::Text(text) if is_date(text) => Instant::read(node, reader).map(|instant| Moment::Instant(instant.0)),
            _ => Duration::read(node, reader).map(Moment::After),
        }
    }
}

/// An instant as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instant(pub Timestamp);

impl Read for Instant {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = String::read(node, reader)?;
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
            Ok(at) => Some(Instant(at)),
            Err(error) => {
                reader.report.error("bad-time", node.span, format!("`{text}`: {error}"));
                None
            }
        }
    }
}

/// Whether a text was meant to be a date, right or wrong.
fn is_date(text: &str) -> bool {
    text.len() > 4 && text.bytes().take(4).all(|b| b.is_ascii_digit()) && text[4..].starts_with(['-', '/', '.'])
}

impl JsonSchema for Moment {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (duration, instant) = (Duration::json_schema(generator), Instant::json_schema(generator));
        schemars::json_schema!({ "anyOf": [duration, instant] })
    }
}

impl JsonSchema for Instant {
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
