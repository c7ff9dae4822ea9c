//! What an operator sees: `/metrics`, `/livez` and `/readyz`, on a thread of its own.
//!
//! A [`Monitor`] hears every notice of the workers. Some it counts at once; the rest it keeps, as what each worker last
//! said of itself ([`watch`]), until somebody asks. So a worker pays for a few lines a second, and never waits for
//! whoever reads.

mod catalog;
mod door;
mod monitor;
mod server;
mod watch;

pub use catalog::{Controls, Refused, Reread};
pub use monitor::Monitor;
pub use server::{HttpError, Server};
pub use watch::{HANG_AFTER, PATIENCE, Place, Watch};
