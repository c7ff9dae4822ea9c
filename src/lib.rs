//! tagstream: behaviour events in, exact tag changes out.

pub mod catalog;
pub mod cli;
pub mod codec;
pub mod demo;
pub mod engine;
pub mod kafka;
pub mod model;
pub mod service;
pub mod settings;
pub mod telemetry;
