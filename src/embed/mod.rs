//! The library: one catalog, its entities and their tags in one value, for programs that embed tagstream.
//!
//! [`Engine`] is what `tagstream replay` drives, without files: events and time go in, tag changes come out through a
//! closure. It reads no clock, does no I/O and starts no thread, so the same calls give the same changes.
//!
//! An engine holds one stream of events in the order in which they come: what `tagstream run` does for one partition of
//! the input. A program with several partitions makes an engine for each. State lives in memory only.

mod engine;
mod error;

pub use engine::{Engine, EntityTag, UpcomingChange};
pub use error::{CatalogError, RejectedEvent};
