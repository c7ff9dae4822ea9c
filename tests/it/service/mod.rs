//! The service as a process, as far as it can be seen without a Kafka.
//!
//! - `standard_error`: a log that cannot be written.

mod standard_error;
