//! Protobuf payloads to JSON, by the text of their schema.
//!
//! | file | holds |
//! | --- | --- |
//! | [`schema_files`] | a schema's file and those that it imports: texts, or descriptors in base64 |
//! | [`message_json`] | a message as JSON |
//! | [`protobuf_schema`] | which message a payload is, and its JSON |

mod schema_files;
mod message_json;
mod protobuf_schema;

pub use protobuf_schema::{MessagePlace, NotOfProtobuf, ProtobufSchema};
