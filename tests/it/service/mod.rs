//! The service as a process, as far as it can be seen without a Kafka.
//!
//! - `catalog_file`: a catalog that is not a plain file.
//! - `standard_error`: a log that cannot be written.

mod catalog_file;
mod standard_error;
