//! What an operator sees: `/metrics`, `/livez`, `/readyz` and the pages about the catalog, on a thread of its own.
//!
//! - `reload`: the outcomes of a request to reload the catalog;
//! - `health`: the state of each worker, as it last reported it;
//! - `monitor`: takes what the workers report; answers metrics and probes;
//! - `probes`: what a process answers to `/metrics`, `/livez` and `/readyz`;
//! - `connection_limit`: how many connections, and for how long;
//! - `origin`: the web page that a request comes from; `operator`: which requests may act;
//! - `catalog_routes`: the pages about the catalog; `server`: the thread and its other routes.
//!
//! A [`Monitor`] receives everything that the workers report. It counts some of it at once and keeps the rest until it
//! is asked. So the cost for a worker is a few function calls per second, and it never waits for a client.

mod reload;
mod health;
mod probes;
mod monitor;
mod connection_limit;
mod origin;
mod operator;
mod catalog_routes;
mod server;

pub use catalog_routes::Controls;
pub use health::{HANG_AFTER, Health, PartitionHealth, REPORT_AFTER};
pub use monitor::Monitor;
#[cfg(feature = "serve")]
pub(crate) use origin::{foreign_origin, is_private_host};
pub use probes::Probes;
pub use reload::{CatalogErrors, Reload, ReloadError, Reloaded};
pub use server::{HttpError, Server};
