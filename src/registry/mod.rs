//! Payloads with schemas in a registry: Confluent's wire format, decoded to the JSON of the same value.
//!
//! A value in this format begins with a zero byte and the id of its schema, or a header of the record has the schema's
//! GUID; JSON never begins so, and without the header it is read as it is. The payload becomes JSON before anything else
//! looks at it: so a catalog's `input`, the state and what is forwarded are the same as for JSON, and records that are JSON
//! pay one comparison.
//!
//! Schemas are requested by one thread of the process, each once. A worker waits a moment for its answer. If there is none,
//! the worker holds the partition up and asks again: whether a schema exists, only the registry can say. An id that the
//! registry does not know is a dead letter.
//!
//! | file or room | holds | does not know |
//! | --- | --- | --- |
//! | [`number_json`] | numbers as JSON, with every digit | where they come from |
//! | [`avro`] | Avro's binary encoding to JSON, exactly | the registry |
//! | [`protobuf`] | Protobuf to JSON, by the text of the schema | the registry |
//! | [`schema`] | a schema that payloads are read by | where it comes from |
//! | [`https_agent`], [`authorization`] | a client of HTTP, its trust and its credentials | the registry |
//! | [`request_failure`] | why a request had no answer, and what mends it | the registry |
//! | [`registry_error`] | why there is no registry to ask | |
//! | [`client`] | the registry's HTTP API | who asks |
//! | [`schema_registry`] | the schemas that are known, and the thread that requests the others | payloads |
//! | [`confluent`] | the wire format | Kafka |

mod number_json;
mod avro;
mod protobuf;
mod schema;
mod https_agent;
mod authorization;
mod request_failure;
mod registry_error;
mod client;
mod schema_registry;
mod confluent;

#[cfg(feature = "push")]
pub(crate) use authorization::authorization;
pub use avro::{AvroSchema, AvroSchemaError, NotOfSchema};
pub use confluent::ConfluentFormat;
pub use https_agent::TrustError;
#[cfg(feature = "push")]
pub(crate) use https_agent::{Redirects, https_agent};
pub use protobuf::{MessagePlace, NotOfProtobuf, ProtobufSchema};
pub use registry_error::RegistryError;
#[cfg(feature = "push")]
pub(crate) use request_failure::TrustSettings;
