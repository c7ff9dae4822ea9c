//! tagstream: behaviour events in, exact tag changes out.

pub mod model;
pub mod catalog;
pub mod engine;
pub mod codec;
pub mod settings;
pub mod kafka;
pub mod telemetry;
pub mod service;
pub mod cli;
