//! The commands that run the service or prepare for it.
//!
//! - `run`: the service; `topics`: creates and checks its topics; `demo`: the service on an embedded broker.

pub(crate) mod run;
pub(crate) mod topics;
pub(crate) mod demo;
