//! Confluent's wire format, and where a record names the schema of its value.
//!
//! The older way stands in the value: a zero byte, the schema's id in four bytes, the payload. The newer one stands in a
//! header, and the value is the payload alone: a byte 1 and the schema's GUID in 16 bytes, or a zero byte and the id. Where a
//! record has the header, that counts.

use std::collections::HashMap;
use std::sync::Arc;

use super::protobuf::MessagePlace;
use super::registry_error::RegistryError;
use super::schema::PayloadSchema;
use super::schema_registry::{KnownSchema, SchemaLookup, SchemaRegistry};
use crate::codec::{InputRecord, Payload, PayloadFormat, PayloadReader, Reject, SchemaKey};
use crate::settings::SchemaRegistrySettings;

/// The header that names the schema of a value.
const HEADER: &str = "__value_schema_id";
/// The byte before an id; the first byte of a value in the older way.
const BEFORE_ID: u8 = 0;
/// The byte before a GUID.
const BEFORE_GUID: u8 = 1;

/// The format of an input's values, with the schemas of a registry.
#[derive(Debug)]
pub struct ConfluentFormat {
    registry: Arc<SchemaRegistry>,
}

impl ConfluentFormat {
    /// # Errors
    /// The certificates cannot be read, or there is no thread.
    pub fn start(settings: &SchemaRegistrySettings) -> Result<Self, RegistryError> {
        Ok(ConfluentFormat { registry: Arc::new(SchemaRegistry::start(settings)?) })
    }
}

impl PayloadFormat for ConfluentFormat {
    fn reader(&self) -> Box<dyn PayloadReader> {
        Box::new(ConfluentReader { registry: Arc::clone(&self.registry), schemas: HashMap::new() })
    }

    fn waits_for(&self, schema: SchemaKey) -> Option<Arc<str>> {
        self.registry.waits_for(schema)
    }
}

/// A record's payload, and what it names as its schema.
struct Framed<'a> {
    key: SchemaKey,
    place: MessagePlace<'a>,
    payload: &'a [u8],
}

impl<'a> Framed<'a> {
    /// `None`: the record names no schema. The error says in words what is wrong with the name.
    fn of(record: InputRecord<'a>) -> Result<Option<Self>, String> {
        if let Some(header) = record.headers.last(HEADER) {
            let (key, rest) = match header.split_first() {
                Some((&BEFORE_ID, rest)) => split_id(rest),
                Some((&BEFORE_GUID, rest)) => split_guid(rest),
                Some((byte, _)) => {
                    return Err(format!("the header {HEADER} begins with the byte {byte}: 0 and 1 are read"));
                }
                None => None,
            }
            .ok_or_else(|| {
                format!("the header {HEADER} ends within the schema's name, after {} bytes", header.len())
            })?;
            return Ok(Some(Framed { key, place: MessagePlace::InHeader(rest), payload: record.value }));
        }
        let Some((&BEFORE_ID, rest)) = record.value.split_first() else { return Ok(None) };
        match split_id(rest) {
            Some((key, payload)) => Ok(Some(Framed { key, place: MessagePlace::InPayload, payload })),
            None => Err(format!("the value ends within the schema's id, after {} bytes", record.value.len())),
        }
    }
}

fn split_id(bytes: &[u8]) -> Option<(SchemaKey, &[u8])> {
    let (id, rest) = bytes.split_first_chunk()?;
    Some((SchemaKey::Id(u32::from_be_bytes(*id)), rest))
}

fn split_guid(bytes: &[u8]) -> Option<(SchemaKey, &[u8])> {
    let (guid, rest) = bytes.split_first_chunk()?;
    Some((SchemaKey::Guid(u128::from_be_bytes(*guid)), rest))
}

/// Reads values on one thread.
struct ConfluentReader {
    registry: Arc<SchemaRegistry>,
    /// The schemas that were used here: an id or a GUID always names the same schema.
    schemas: HashMap<SchemaKey, Arc<PayloadSchema>>,
}

impl PayloadReader for ConfluentReader {
    fn read(&mut self, record: InputRecord<'_>, json: &mut Vec<u8>) -> Payload {
        let Framed { key, place, payload } = match Framed::of(record) {
            Ok(Some(framed)) => framed,
            Ok(None) => return Payload::AsIs,
            Err(detail) => return Payload::Rejected { reason: Reject::BadPayload, detail },
        };
        let schema = match self.schemas.get(&key) {
            Some(schema) => schema,
            None => match self.registry.look_up(key) {
                SchemaLookup::Known(KnownSchema::Schema(schema)) => self.schemas.entry(key).or_insert(schema),
                SchemaLookup::Known(KnownSchema::Unknown(_)) => {
                    let detail = format!("the schema registry has no schema with {key}");
                    return Payload::Rejected { reason: Reject::UnknownSchema, detail };
                }
                SchemaLookup::Known(KnownSchema::Unusable(why)) => {
                    let detail = format!("the schema with {key} cannot be used: {why}");
                    return Payload::Rejected { reason: Reject::BadPayload, detail };
                }
                SchemaLookup::Waits(why) => return Payload::Waits { schema: key, why },
            },
        };
        json.clear();
        match schema.write_json(place, payload, json) {
            Ok(()) => Payload::Rewritten,
            Err(why) => {
                let detail = format!("the payload is not of the schema with {key}: {why}");
                Payload::Rejected { reason: Reject::BadPayload, detail }
            }
        }
    }
}
