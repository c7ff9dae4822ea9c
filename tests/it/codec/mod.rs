//! The decoder and the writers.
//!
//! - `fixtures`: catalogs, and events in a form that can be compared.
//! - `envelope`, `properties`, `commands`, `grammar`: the rules, one table row each.
//! - `formats`: tag changes in the formats of others, and read back.
//! - `places`: where fields stand beside the record's value, and how times are written.
//! - `wrapped`: events in envelopes, and fields in headers.
//! - `slow_decoder`: a second decoder that must agree, on the random records of `generator`.
//! - `new_commands`: commands as the read side writes them, read back.
//! - `writers`, `changelog`, `snapshot`: what is written, byte for byte, and what is refused.
//! - `memory_cells`: what resets, sessions, steps and elements leave in the changelog.
//! - `no_allocations`: decoding and writing do not allocate.

mod changelog;
mod commands;
mod envelope;
mod fixtures;
mod formats;
mod generator;
mod grammar;
mod memory_cells;
mod new_commands;
mod no_allocations;
mod places;
mod properties;
mod slow_decoder;
mod snapshot;
mod wrapped;
mod writers;
