//! Pieces of the Kafka side that need no broker.
//!
//! - `catalog_rollout`: which changes of a catalog wait for approval.
//! - `clock`: a wall clock that steps.
//! - `time_merge`: events of several inputs, in the order of time.

mod catalog_rollout;
mod clock;
mod time_merge;
