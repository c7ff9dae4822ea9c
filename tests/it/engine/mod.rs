//! The engine against the brute-force reference, which shares no code with it, and against scripts.
//!
//! - [`agreement`]: random catalogs and streams, compared with the reference.
//! - `scripts`: scripts with every change that must come, read by `script`.
//! - `documented`: the examples of catalog.md, each with a script.
//! - `duplicates`: events that come again.
//! - `real_data`: recorded events, compared with the reference.
//! - `limits`: numbers, texts and times at the limits of what counts.
//! - `crossing_lines`: expressions that cross, or nearly do, and the timers for it.
//! - `changelog`: a partition that is written down and made again.
//! - `numbers_in_text`: texts that count as numbers.
//! - `no_allocations`: the steady state does not allocate, as [`allocations`] counts.

pub mod agreement;
pub mod allocations;
pub mod changelog;
mod crossing_lines;
mod documented;
mod duplicates;
mod limits;
mod no_allocations;
mod numbers_in_text;
mod real_data;
mod script;
mod scripts;
