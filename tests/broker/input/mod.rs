//! An input that does not stay as it was.
//!
//! - `more_partitions`: partitions are added while the service runs.
//! - `open_transaction`: a sender's open transaction holds events back.

mod more_partitions;
mod open_transaction;
