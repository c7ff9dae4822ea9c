//! Avro's binary encoding (specification 1.12) to JSON.
//!
//! The reader goes from bytes to JSON without a value between them, so that every digit stays: decimals, and integers
//! beyond 2⁵³. A union is the value that it holds; bytes are base64; instants and dates are the texts of RFC 3339.
//!
//! | file | holds |
//! | --- | --- |
//! | [`avro_type`] | the types of a schema, with their logical types |
//! | [`parse`] | a schema's JSON, with the schemas that it refers to |
//! | [`logical`] | values of logical types as JSON |
//! | [`read`] | a payload to JSON |

mod avro_type;
mod parse;
mod logical;
mod read;

pub use avro_type::AvroSchema;
pub use parse::AvroSchemaError;
pub use read::NotOfSchema;
