//! Commands: events that ask for something and are not behaviour.

use super::catalog::Catalog;
use super::instant::read_duration;
use super::json::Json;
use super::value::Value;

#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    Erase,
    /// To a manual tag, an index of the catalog's.
    Tag(usize, Order),
}

/// What a manual tag is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// For so long, or for as long as the catalog says.
    Set {
        value: Value,
        valid_ms: Option<i64>,
    },
    Unset,
}

impl Command {
    /// The command whose type is `$` and that word, or the reason for which the record is rejected; `keys` are the
    /// event's by kind of entity.
    pub fn read(
        word: &str,
        properties: &Json,
        catalog: &Catalog,
        keys: &[Option<String>],
    ) -> Result<Self, &'static str> {
        match word {
            "erase" => Ok(Self::Erase),
            "tag" => {
                let Some(Json::Text(name)) = properties.member("tag") else { return Err("bad_type") };
                let tag = catalog.manual_tag(name).ok_or("bad_type")?;
                // As everywhere a key is looked at before the type, of which the other properties are a part.
                keys[catalog.tags[tag].entity].as_ref().ok_or("missing_key")?;
                Ok(Self::Tag(tag, Order::read(properties).ok_or("bad_type")?))
            }
            _ => Err("bad_type"),
        }
    }
}

impl Order {
    fn read(properties: &Json) -> Option<Self> {
        let value = match properties.member("value") {
            None => Value::Bool(true),
            found => Some(Value::of_json(found)).filter(Value::is_scalar)?,
        };
        match properties.member("set")? {
            Json::Bool(false) => Some(Self::Unset),
            Json::Bool(true) => match properties.member("valid_for") {
                None => Some(Self::Set { value, valid_ms: None }),
                Some(Json::Text(text)) => {
                    let valid_ms = read_duration(text).filter(|ms| *ms > 0)?;
                    Some(Self::Set { value, valid_ms: Some(valid_ms) })
                }
                Some(_) => None,
            },
            _ => None,
        }
    }
}
