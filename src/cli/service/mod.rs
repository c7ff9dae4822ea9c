//! The commands that run the service or prepare for it.
//!
//! - `run`: the service; `topics`: creates and checks its topics; `serve`: the read side; `demo`: both on an embedded broker;
//! - `push`: tag changes to a webhook;
//! - `token`: tokens for the read side.

pub(crate) mod run;
pub(crate) mod topics;
pub(crate) mod serve;
pub(crate) mod push;
pub(crate) mod demo;
pub(crate) mod token;
