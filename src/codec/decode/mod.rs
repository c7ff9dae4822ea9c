//! Input records to events: the hot path of the whole program. Nothing here allocates once its buffers have grown.
//!
//! - `json`: what JSON is (RFC 8259); knows no catalog;
//! - `name_table`: a hash table from names to numbers, and the number of an event's type;
//! - `plan`: which places of a record the catalog wants, as one tree;
//! - `shape_cache`: spares the walk through a record that looks like an earlier one;
//! - `extract`: one walk through a record, from `plan` and `scanner` to the values that were found;
//! - `values`: what a found JSON value becomes in an event;
//! - `items`: the elements of an array, each by itself;
//! - `commands`: `$tag` and `$erase`; of tags it knows the names of those that commands set;
//! - `time_errors`: the words for a time that is rejected;
//! - `record`: a record's value, what Kafka keeps beside it, and what is around the JSON object of an event;
//! - `decoder`: the rules of the envelope, which join them;
//! - `record_decoder`: the same for values that are not JSON.

mod json;
mod name_table;
mod plan;
mod shape_cache;
mod extract;
mod values;
mod items;
mod commands;
mod time_errors;
mod record;
mod decoder;
mod record_decoder;

pub use decoder::Decoder;
#[cfg(feature = "cli")]
pub(crate) use decoder::ROW_CHANGES;
pub use record::{
    HeaderList, HeaderSource, InputRecord, OwnedRecord, Payload, PayloadFormat, PayloadReader, RecordHeaders, SchemaKey,
};
pub use record_decoder::{DecodedRecord, RecordDecoder};
