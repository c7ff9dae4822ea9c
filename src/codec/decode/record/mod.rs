//! A record of the input: its value, what Kafka keeps beside it, and what is around the JSON object that is an event.
//!
//! | file | holds |
//! | --- | --- |
//! | [`record_headers`] | headers, looked at only where they are wanted |
//! | [`input_record`] | a record's value, and what Kafka keeps beside it |
//! | [`envelope`] | the JSON object that a record's value and headers make, for [`RecordEnvelope`](crate::catalog::RecordEnvelope) |
//! | [`payload`] | what a value is before it is JSON |

mod record_headers;
mod input_record;
mod envelope;
mod payload;

pub(super) use envelope::{cloud_event, connect_payload};
pub use input_record::{InputRecord, OwnedRecord};
pub use payload::{Payload, PayloadFormat, PayloadReader, SchemaKey};
pub use record_headers::{HeaderList, HeaderSource, RecordHeaders};
