//! Decodes the records of an input topic, whatever the format of their values is.

use std::sync::Arc;

use super::decoder::Decoder;
use super::record::{InputRecord, Payload, PayloadReader, SchemaKey};
use crate::codec::reject::Reject;
use crate::model::{Event, Timestamp};

/// What a record was decoded to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodedRecord {
    Event,
    Rejected {
        reason: Reject,
        detail: Option<String>,
    },
    /// The schema of its value is not known yet, for this reason: it can only be decoded later.
    Waits {
        schema: SchemaKey,
        why: Arc<str>,
    },
}

/// What records are decoded with.
pub struct RecordDecoder {
    pub decoder: Decoder,
    /// Reads values that are not JSON; `None`: all are.
    payloads: Option<Box<dyn PayloadReader>>,
    /// The value of a record as JSON, where it was something else.
    json: Vec<u8>,
}

impl RecordDecoder {
    pub fn new(decoder: Decoder, payloads: Option<Box<dyn PayloadReader>>) -> Self {
        RecordDecoder { decoder, payloads, json: Vec::new() }
    }

    /// Decodes a record. Unless it is an event, the content of `event` is undefined.
    pub fn decode(&mut self, input: InputRecord<'_>, now: Timestamp, event: &mut Event) -> DecodedRecord {
        let payload = match &mut self.payloads {
            Some(payloads) => payloads.read(input, &mut self.json),
            None => Payload::AsIs,
        };
        let input = match payload {
            Payload::AsIs => input,
            Payload::Rewritten => InputRecord { value: &self.json, ..input },
            Payload::Rejected { reason, detail } => return DecodedRecord::Rejected { reason, detail: Some(detail) },
            Payload::Waits { schema, why } => return DecodedRecord::Waits { schema, why },
        };
        match self.decoder.decode_record(input, now, event) {
            Ok(()) => DecodedRecord::Event,
            Err(reason) => DecodedRecord::Rejected { reason, detail: self.decoder.detail().map(str::to_owned) },
        }
    }
}
