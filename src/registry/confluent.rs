//! Confluent's wire format: a zero byte, the schema's id in four bytes, the payload.

use std::collections::HashMap;
use std::sync::Arc;

use super::registry_error::RegistryError;
use super::schema::PayloadSchema;
use super::schema_registry::{KnownSchema, SchemaLookup, SchemaRegistry};
use crate::codec::{Payload, PayloadFormat, PayloadReader, Reject};
use crate::settings::SchemaRegistrySettings;

/// The first byte of a value in this format.
const MAGIC: u8 = 0;
/// The magic byte and the id.
const HEAD_BYTES: usize = 5;

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

    fn waits_for(&self, schema: u32) -> Option<Arc<str>> {
        self.registry.waits_for(schema)
    }
}

/// Reads values on one thread.
struct ConfluentReader {
    registry: Arc<SchemaRegistry>,
    /// The schemas that were used here: an id always names the same schema.
    schemas: HashMap<u32, Arc<PayloadSchema>>,
}

impl PayloadReader for ConfluentReader {
    fn read(&mut self, value: &[u8], json: &mut Vec<u8>) -> Payload {
        if value.first() != Some(&MAGIC) {
            return Payload::AsIs;
        }
        let Some((head, payload)) = value.split_first_chunk::<HEAD_BYTES>() else {
            let detail = format!("the value ends within the schema's id, after {} bytes", value.len());
            return Payload::Rejected { reason: Reject::BadPayload, detail };
        };
        let [_, id @ ..] = head;
        let id = u32::from_be_bytes(*id);
        let schema = match self.schemas.get(&id) {
            Some(schema) => schema,
            None => match self.registry.look_up(id) {
                SchemaLookup::Known(KnownSchema::Schema(schema)) => self.schemas.entry(id).or_insert(schema),
                SchemaLookup::Known(KnownSchema::Unknown(_)) => {
                    let detail = format!("the schema registry has no schema with the id {id}");
                    return Payload::Rejected { reason: Reject::UnknownSchema, detail };
                }
                SchemaLookup::Known(KnownSchema::Unusable(why)) => {
                    let detail = format!("the schema with the id {id} cannot be used: {why}");
                    return Payload::Rejected { reason: Reject::BadPayload, detail };
                }
                SchemaLookup::Waits(why) => return Payload::Waits { schema: id, why },
            },
        };
        json.clear();
        match schema.write_json(payload, json) {
            Ok(()) => Payload::Rewritten,
            Err(why) => {
                let detail = format!("the payload is not of the schema with the id {id}: {why}");
                Payload::Rejected { reason: Reject::BadPayload, detail }
            }
        }
    }
}
