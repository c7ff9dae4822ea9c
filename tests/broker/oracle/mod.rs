//! What must stand in Kafka after a run: what `tagstream replay`, or a partition that was never interrupted, says.
//!
//! - [`catalog_eras`]: which catalog was in force when, as the changelog tells.
//! - [`verify`]: everything that a service of one input has left, compared.
//! - [`merged_replay`]: the changes of inputs that are merged, compared.

pub mod catalog_eras;
pub mod merged_replay;
pub mod verify;
