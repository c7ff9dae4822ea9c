//! The log: how it looks, what goes in, and how often the same trouble may be told.

mod log;

pub use log::{init, sink};
