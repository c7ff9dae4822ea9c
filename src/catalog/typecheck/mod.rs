//! Expressions: from a syntax tree to a checked [`Expr`](crate::catalog::Expr).
//!
//! Names are resolved, types agree, and the clock enters only linearly. Knows nothing of YAML or of tags' definitions.
//!
//! - [`clock_slope`]: how fast a term grows with the clock, and which terms may be combined;
//! - [`types`]: types of values, and a checked piece of an expression;
//! - [`scope`]: the names that expressions can mention, and the tables of event types and paths;
//! - [`check`]: the checker, for operators;
//! - [`arithmetic`]: for arithmetic;
//! - [`references`]: for names of attributes, counters, tags and properties;
//! - [`string_hints`]: for strings, and words that should be strings;
//! - [`time_functions`]: for `days_since` and its like;
//! - [`calendar_functions`]: for dates, constants, and the parts of an event's time;
//! - [`text_functions`]: for functions of texts, and `share`;
//! - [`functions`]: for all other functions.

mod clock_slope;
mod types;
mod scope;
mod check;
mod arithmetic;
mod references;
mod string_hints;
mod time_functions;
mod calendar_functions;
mod text_functions;
mod functions;

pub(crate) use check::{Checker, ClockUse, ItemUse, NumberUse, Scope};
pub(crate) use scope::{EventTables, INTERNED_MAX, Interner, Meaning, NameTable, Owner};
pub(crate) use types::NumberForm;
pub use types::Type;
pub(crate) use types::TypedExpr;
