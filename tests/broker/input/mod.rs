//! An input that does not stay as it was.
//!
//! - `gaps`: records that are gone before they were read.
//! - `headers`: fields in headers, and CloudEvents.
//! - `made_anew`: topics are deleted and created again.
//! - `more_partitions`: partitions are added while the service runs.
//! - `open_transaction`: a sender's open transaction holds events back.
//! - `schema_registry`: values with schemas in a registry.
//! - `unreadable_batch`: a batch of records cannot be decompressed.

mod gaps;
mod headers;
mod made_anew;
mod more_partitions;
mod open_transaction;
mod schema_registry;
mod unreadable_batch;
