//! The simulated brokers.
//!
//! - [`topics`]: the topics that there are.
//! - [`log`]: a partition: records, marks, and what readers see.
//! - [`transactions`]: the coordinator of transactions.
//! - [`group`]: the coordinator of the group.
//! - [`cluster`]: all of it, and what happens by itself.

pub mod cluster;
pub mod group;
pub mod log;
pub mod topics;
pub mod transactions;
