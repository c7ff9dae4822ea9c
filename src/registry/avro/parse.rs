//! An Avro schema from its JSON, with the schemas that it refers to.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::avro_type::{AvroSchema, AvroType, Field, Fraction, TypeId};
use crate::codec::push_string;

/// Why a text is not an Avro schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AvroSchemaError {
    #[error("it is not JSON: {0}")]
    NotJson(String),
    #[error("the type `{0}` is not defined")]
    UnknownType(String),
    #[error("`{0}` is defined twice")]
    Twice(String),
    #[error("{0} has no `{1}`, or one of another type")]
    Incomplete(&'static str, &'static str),
    #[error("{0} is not a type")]
    NotAType(String),
}

impl AvroSchema {
    /// Reads a schema. `references` are the schemas whose names it uses, each after those whose names it uses itself.
    ///
    /// # Errors
    /// One of the texts is not a schema.
    pub fn parse<'a>(text: &str, references: impl IntoIterator<Item = &'a str>) -> Result<Self, AvroSchemaError> {
        let mut parser = Parser { types: Vec::new(), names: HashMap::new() };
        for reference in references {
            parser.add(&json(reference)?, "")?;
        }
        let root = parser.add(&json(text)?, "")?;
        Ok(AvroSchema { types: parser.types, root })
    }
}

fn json(text: &str) -> Result<Value, AvroSchemaError> {
    // A primitive type may be written without quotes by a registry.
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        Err(_) if text.bytes().all(|byte| byte.is_ascii_lowercase()) => Ok(Value::from(text)),
        Err(error) => Err(AvroSchemaError::NotJson(error.to_string())),
    }
}

struct Parser {
    types: Vec<AvroType>,
    /// The named types, by their full names.
    names: HashMap<String, TypeId>,
}

impl Parser {
    fn put(&mut self, of: AvroType) -> TypeId {
        self.types.push(of);
        TypeId(self.types.len() - 1)
    }

    /// Adds a type as it is written within a namespace.
    fn add(&mut self, schema: &Value, namespace: &str) -> Result<TypeId, AvroSchemaError> {
        match schema {
            Value::String(name) => self.named(name, namespace),
            Value::Array(branches) => {
                let branches: Result<_, _> = branches.iter().map(|branch| self.add(branch, namespace)).collect();
                let union = AvroType::Union(branches?);
                Ok(self.put(union))
            }
            Value::Object(members) => self.object(members, namespace),
            other => Err(AvroSchemaError::NotAType(other.to_string())),
        }
    }

    /// A primitive type, or one that was defined before.
    fn named(&mut self, name: &str, namespace: &str) -> Result<TypeId, AvroSchemaError> {
        if let Some(primitive) = primitive(name) {
            return Ok(self.put(primitive));
        }
        let found = self.names.get(&full_name(name, namespace)).or_else(|| self.names.get(name));
        found.copied().ok_or_else(|| AvroSchemaError::UnknownType(name.to_owned()))
    }

    fn object(&mut self, members: &Map<String, Value>, namespace: &str) -> Result<TypeId, AvroSchemaError> {
        let logical = members.get("logicalType").and_then(Value::as_str);
        let number = |name: &str| members.get(name).and_then(Value::as_u64).map(|number| number as usize);
        let of = match members.get("type").ok_or(AvroSchemaError::Incomplete("an object", "type"))? {
            Value::String(name) => name.as_str(),
            // A type in a type is that type; what is beside it does not count.
            inner => return self.add(inner, namespace),
        };
        match of {
            "record" | "error" => self.record(members, namespace),
            "enum" => {
                let symbols = members.get("symbols").and_then(Value::as_array);
                let symbols = symbols.ok_or(AvroSchemaError::Incomplete("an enum", "symbols"))?;
                let symbols: Option<Vec<&str>> = symbols.iter().map(Value::as_str).collect();
                let symbols = symbols.ok_or(AvroSchemaError::Incomplete("an enum", "symbols"))?;
                self.define(members, namespace, AvroType::Enum(symbols.into_iter().map(quoted).collect()))
            }
            "fixed" => {
                let size = number("size").ok_or(AvroSchemaError::Incomplete("a fixed", "size"))?;
                let fixed = match logical {
                    Some("decimal") => AvroType::Decimal { scale: number("scale").unwrap_or(0), size: Some(size) },
                    Some("uuid") if size == 16 => AvroType::Uuid,
                    Some("duration") if size == 12 => AvroType::Duration,
                    _ => AvroType::Fixed(size),
                };
                self.define(members, namespace, fixed)
            }
            "array" => {
                let items = members.get("items").ok_or(AvroSchemaError::Incomplete("an array", "items"))?;
                let items = self.add(items, namespace)?;
                Ok(self.put(AvroType::Array(items)))
            }
            "map" => {
                let values = members.get("values").ok_or(AvroSchemaError::Incomplete("a map", "values"))?;
                let values = self.add(values, namespace)?;
                Ok(self.put(AvroType::Map(values)))
            }
            name => {
                let timestamp = |fraction, is_local| AvroType::Timestamp { fraction, is_local };
                let logical_type = match (name, logical.unwrap_or_default()) {
                    ("bytes", "decimal") => AvroType::Decimal { scale: number("scale").unwrap_or(0), size: None },
                    ("int", "date") => AvroType::Date,
                    ("int", "time-millis") => AvroType::TimeOfDay(Fraction::Milliseconds),
                    ("long", "time-micros") => AvroType::TimeOfDay(Fraction::Microseconds),
                    ("long", "timestamp-millis") => timestamp(Fraction::Milliseconds, false),
                    ("long", "timestamp-micros") => timestamp(Fraction::Microseconds, false),
                    ("long", "timestamp-nanos") => timestamp(Fraction::Nanoseconds, false),
                    ("long", "local-timestamp-millis") => timestamp(Fraction::Milliseconds, true),
                    ("long", "local-timestamp-micros") => timestamp(Fraction::Microseconds, true),
                    ("long", "local-timestamp-nanos") => timestamp(Fraction::Nanoseconds, true),
                    // One that is not known is the type without it, as the specification says.
                    _ => return self.named(name, namespace),
                };
                Ok(self.put(logical_type))
            }
        }
    }

    fn record(&mut self, members: &Map<String, Value>, namespace: &str) -> Result<TypeId, AvroSchemaError> {
        let fields = members.get("fields").and_then(Value::as_array);
        let fields = fields.ok_or(AvroSchemaError::Incomplete("a record", "fields"))?;
        // Its fields may use its name.
        let id = self.define(members, namespace, AvroType::Record(Vec::new()))?;
        let within = namespace_of(members, namespace);
        let mut read = Vec::new();
        for field in fields {
            let name = field.get("name").and_then(Value::as_str);
            let name = name.ok_or(AvroSchemaError::Incomplete("a field", "name"))?;
            let of = field.get("type").ok_or(AvroSchemaError::Incomplete("a field", "type"))?;
            let of = self.add(of, &within)?;
            read.push(Field { name: format!("{}:", quoted(name)).into(), of });
        }
        self.types[id.0] = AvroType::Record(read);
        Ok(id)
    }

    /// Adds a type that has a name.
    fn define(
        &mut self,
        members: &Map<String, Value>,
        namespace: &str,
        of: AvroType,
    ) -> Result<TypeId, AvroSchemaError> {
        let name = members.get("name").and_then(Value::as_str);
        let name = name.ok_or(AvroSchemaError::Incomplete("a named type", "name"))?;
        let full = full_name(name, &namespace_of(members, namespace));
        let id = self.put(of);
        match self.names.insert(full.clone(), id) {
            None => Ok(id),
            Some(_) => Err(AvroSchemaError::Twice(full)),
        }
    }
}

fn primitive(name: &str) -> Option<AvroType> {
    Some(match name {
        "null" => AvroType::Null,
        "boolean" => AvroType::Boolean,
        "int" => AvroType::Int,
        "long" => AvroType::Long,
        "float" => AvroType::Float,
        "double" => AvroType::Double,
        "bytes" => AvroType::Bytes,
        "string" => AvroType::Text,
        _ => return None,
    })
}

/// The namespace within a named type: that of its name, its own, or the one around it.
fn namespace_of(members: &Map<String, Value>, around: &str) -> String {
    let name = members.get("name").and_then(Value::as_str).unwrap_or_default();
    match (name.rsplit_once('.'), members.get("namespace").and_then(Value::as_str)) {
        (Some((namespace, _)), _) | (None, Some(namespace)) => namespace.to_owned(),
        (None, None) => around.to_owned(),
    }
}

fn full_name(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") }
}

/// A text as JSON.
fn quoted(text: &str) -> Box<str> {
    let mut out = Vec::new();
    push_string(text, &mut out);
    String::from_utf8(out).unwrap_or_default().into()
}
