//! What an operator sees: `/metrics`, `/livez` and `/readyz`, on a thread of its own.
//!
//! A [`Monitor`] hears every notice of the workers. Some it counts at once; the rest it keeps, as what each worker last
//! said of itself ([`watch`]), until somebody asks. So a worker pays for a few lines a second, and never waits for
//! whoever reads.

mod catalog;
mod connection_limit;
mod health;
mod monitor;
mod reload;
mod server;

pub use catalog::Controls;
pub use health::{HANG_AFTER, Health, PartitionHealth, REPORT_AFTER};
pub use monitor::Monitor;
pub use reload::{CatalogErrors, Reload, ReloadError, Reloaded};
pub use server::{HttpError, Server};
