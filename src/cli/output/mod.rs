//! What the commands print: results, warnings and progress, for people.
//!
//! - `escape`: keys and values made harmless for a terminal;
//! - `console`: the standard output and the standard error;
//! - `progress`: progress bars;
//! - `format`: values, times and the reasons of a tag as text;
//! - `reject_counts`: rejected lines, counted by reason;
//! - `warnings`: what is unusual about the events of a replay;
//! - `audiences`: the entities that a tag, band or stage reaches.

pub(crate) mod escape;
pub(crate) mod console;
pub(crate) mod progress;
pub(crate) mod format;
pub(crate) mod reject_counts;
pub(crate) mod warnings;
pub(crate) mod audiences;
