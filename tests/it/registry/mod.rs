//! Values that are not JSON.
//!
//! - `avro`: payloads that an encoder which is not ours has written, and payloads that are not of their schema.
//! - `protobuf`: messages by the text of their schema.
//! - `confluent`: the wire format, against a registry that answers, does not, or does not know.

mod avro;
mod confluent;
mod protobuf;
