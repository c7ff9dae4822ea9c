//! JSON Pointers (RFC 6901), by which `input` and `entities` name the fields of a record.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::catalog::compiled::Pointer;
use crate::catalog::yaml::{FromYaml, YamlNode, YamlReader};

/// Why a text is not a JSON Pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PointerError {
    #[error("it must begin with `/`")]
    NoSlash,
    #[error("`~` stands only in `~0` (a tilde) and `~1` (a slash)")]
    BadEscape,
}

impl Pointer {
    /// # Errors
    /// When the text is neither empty nor begins with `/`, or has a wrong escape.
    pub fn parse(text: &str) -> Result<Self, PointerError> {
        if text.is_empty() {
            return Ok(Pointer(Vec::new()));
        }
        let tokens = text.strip_prefix('/').ok_or(PointerError::NoSlash)?;
        tokens.split('/').map(|token| unescape(token).map(Into::into)).collect::<Result<_, _>>().map(Pointer)
    }
}

fn unescape(token: &str) -> Result<String, PointerError> {
    let mut pieces = token.split('~');
    let mut text = pieces.next().unwrap_or("").to_owned();
    for piece in pieces {
        let (escape, rest) = piece.split_at_checked(1).ok_or(PointerError::BadEscape)?;
        text.push(match escape {
            "0" => '~',
            "1" => '/',
            _ => return Err(PointerError::BadEscape),
        });
        text.push_str(rest);
    }
    Ok(text)
}

impl FromYaml for Pointer {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        let text = String::from_yaml(node, reader)?;
        match Pointer::parse(&text) {
            Ok(pointer) => Some(pointer),
            Err(error) => {
                let help = match error {
                    PointerError::NoSlash => Some(format!("write `/{}`", text.replace('.', "/"))),
                    PointerError::BadEscape => None,
                };
                let message = format!("`{text}` is not a JSON Pointer: {error}");
                reader.report.error("bad-pointer", node.span, message).maybe_help(help);
                None
            }
        }
    }
}

impl JsonSchema for Pointer {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "JsonPointer".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^(/.*)?$" })
    }
}
