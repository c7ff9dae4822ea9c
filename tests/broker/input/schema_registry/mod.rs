//! Values with schemas in a registry.
//!
//! - `apicurio`: a registry that others have written.
//! - `senders`: events that Confluent's own serializers write.
//! - `away`: a registry that goes away, an id that it does not know, and what the tools read.
//! - `formats`: Avro, JSON Schema and Protobuf in one topic, with schemas of that registry.
//! - `history`: a new counter begins with a history in two versions of a schema.

mod apicurio;
mod away;
mod formats;
mod history;
mod senders;
