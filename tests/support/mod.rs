//! What both test binaries need. Each includes it by one line in its `main.rs`, since a file of tests cannot import
//! another binary's modules: `#[path = "../support/mod.rs"] mod support;`.
//!
//! - [`process`]: child processes that end with the tests.
//! - [`authority`]: certificates and who signs them.
//! - [`registry`]: a schema registry.
//! - [`receiver`]: a receiver of webhooks.
//! - [`service`]: `tagstream` as a child process, and the settings of one test.
//! - [`http_client`]: a client that reads a page.
//! - [`exposition`]: a strict reader of Prometheus' text format.

pub mod authority;
pub mod exposition;
pub mod http_client;
pub mod process;
#[allow(dead_code, reason = "`it` uses what `broker` does not")]
pub mod registry;
#[allow(dead_code, reason = "each uses a part")]
pub mod receiver;
pub mod service;
