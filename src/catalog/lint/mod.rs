//! Warnings about a catalog without errors: what is legal but rarely meant.
//!
//! - [`value_range`]: the numbers that an expression can have;
//! - [`lints`]: the warnings.

mod value_range;
mod lints;

pub(crate) use lints::lint;
