//! A schema of the registry, by which payloads are read.

use super::avro::AvroSchema;
use super::protobuf::{MessagePlace, ProtobufSchema};

/// What a payload is, and how it becomes JSON.
#[derive(Debug)]
pub(super) enum PayloadSchema {
    /// JSON Schema: the payload is JSON.
    Json,
    Avro(AvroSchema),
    Protobuf(ProtobufSchema),
}

/// A schema to which another one refers.
pub(super) struct Referred {
    /// The name by which it is referred to.
    pub(super) name: String,
    pub(super) text: String,
}

impl PayloadSchema {
    /// Reads a schema of a type that the registry names; the error is in words.
    pub(super) fn parse(schema_type: &str, text: &str, references: &[Referred]) -> Result<Self, String> {
        match schema_type {
            "JSON" => Ok(PayloadSchema::Json),
            "AVRO" => match AvroSchema::parse(text, references.iter().map(|referred| referred.text.as_str())) {
                Ok(schema) => Ok(PayloadSchema::Avro(schema)),
                Err(error) => Err(format!("it is not an Avro schema: {error}")),
            },
            "PROTOBUF" => {
                let imports = references.iter().map(|referred| (referred.name.as_str(), referred.text.as_str()));
                match ProtobufSchema::parse(text, imports) {
                    Ok(schema) => Ok(PayloadSchema::Protobuf(schema)),
                    Err(why) => Err(format!("it is not a Protobuf schema: {why}")),
                }
            }
            other => Err(format!("its type {other} is not read: AVRO, JSON and PROTOBUF are")),
        }
    }

    /// Appends a payload as JSON; the error says in words why it is not of this schema. `place` says which message of the
    /// schema it is, if its type has several.
    pub(super) fn write_json(&self, place: MessagePlace<'_>, payload: &[u8], json: &mut Vec<u8>) -> Result<(), String> {
        match self {
            PayloadSchema::Json => {
                json.extend_from_slice(payload);
                Ok(())
            }
            PayloadSchema::Avro(schema) => schema.write_json(payload, json).map_err(|error| error.to_string()),
            PayloadSchema::Protobuf(schema) => {
                schema.write_json(place, payload, json).map_err(|error| error.to_string())
            }
        }
    }
}
