//! From the catalog as written to the compiled catalog.
//!
//! Knows what every section means. Reports each mistake and goes on, so that one run reports all of them.
//!
//! - [`compiler`]: the whole file: first all names, then what mentions them;
//! - [`names`]: which names are allowed;
//! - [`input`]: how an event is found in a record;
//! - [`entities`]: kinds of entity, and the kind that something belongs to;
//! - [`attributes`]: attributes and `where`;
//! - [`counters`]: counters and their aggregates, and which events become counted;
//! - [`windows`]: windows, their panes, and how long ago they lie;
//! - [`tags`]: the definition of a tag;
//! - [`bands`]: bands of a number;
//! - [`scores`]: the model of a score;
//! - [`evaluation_order`]: the order of tags: each after those that it uses;
//! - [`reported_values`]: the values that a change reports as its cause.

mod compiler;
mod names;
mod input;
mod entities;
mod attributes;
mod counters;
mod windows;
mod tags;
mod bands;
mod scores;
mod evaluation_order;
mod reported_values;

pub(crate) use compiler::compile;
pub use scores::ModelSpans;
