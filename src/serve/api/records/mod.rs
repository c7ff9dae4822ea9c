//! What stands in Kafka's topics: tag changes, which the history keeps, and commands, which go to the input.
//!
//! - `changes`: the changes of one entity;
//! - `compare`: an audience at two instants;
//! - `figures`: what came to a tag and what left it, how often, and why;
//! - `live`: changes as they come;
//! - `commands`: a manual tag is set or removed, an entity is erased.

pub(super) mod changes;
pub(super) mod commands;
pub(super) mod compare;
pub(super) mod figures;
pub(super) mod live;

pub use changes::ChangesAnswer;
pub(in crate::serve) use changes::cursor;
pub(in crate::serve) use commands::CommandRequest;
pub use commands::{CommandAnswer, SetTag};
pub use compare::{CompareAnswer, CompareQuestion, ComparedPart};
pub use figures::{FiguresAnswer, SeriesSteps, SizeStep, TagFlow};
pub(in crate::serve) use live::{LiveFilter, after, stream as stream_changes};
