//! Tests that need neither a Kafka nor a JVM, by the part of `src/` that they test: what a developer runs all day.
//!
//! - [`support`]: what both binaries need.
//! - [`reference`]: the whole of the specification once more, brute force, sharing no code with `src/`.
//! - [`generate`]: random catalogs and streams.
//! - [`installed`]: what `deploy/setup.sh` has installed for them.
//! - [`simulation`]: the workers of `src/kafka` in a simulated world.
//! - [`tidy`]: how the sources are laid out and what may import what.
//! - the others: the part of `src/` of the same name; `tools` is `src/cli`.

#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "`broker` uses all of it, and there what nothing uses is reported")]
mod support;

mod generate;
mod installed;
mod reference;

mod catalog;
mod codec;
mod demo;
mod engine;
mod http;
mod kafka;
mod model;
mod push;
mod registry;
mod scoring;
mod serve;
mod service;
mod settings;
mod simulation;
mod tidy;
mod tools;
