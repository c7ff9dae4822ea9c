//! The checked and compiled catalog, which the engine runs.
//!
//! Everything is resolved to ids and has been checked. Knows nothing of the text that it was compiled from.
//!
//! - [`catalog`]: the tables of attributes, counters, tags, entities and rules of the input;
//! - [`pattern`]: regular expressions that RE2 and the crate `regex` read alike;
//! - [`expr`]: expressions, typed and free of names;
//! - [`display`]: expressions as text;
//! - [`fingerprint`]: the hash of what a catalog computes.

mod catalog;
mod pattern;
mod expr;
mod display;
mod fingerprint;

pub(crate) use catalog::type_prefix;
pub use catalog::{
    Aggregate, Attribute, AttributeId, AttributeType, Bands, CalendarUnit, Catalog, CommandPaths, Condition, Counter,
    CounterId, EntityKind, EventSelector, EventTypeRule, EventTypeSet, History, InputMapping, Intake, KeyRule, Pointer,
    PropertiesRule, ReportedValue, Resolution, Score, ScoreInput, Source, Stage, Tag, TagDefinition, TagId, TimeUnit,
    WeekStart, Window,
};
pub use expr::{Arithmetic, AsciiCase, CalendarFunction, Comparison, Expr, Motion, TextTest, TimeName, WallClockPart};
pub(crate) use fingerprint::fingerprint;
pub use pattern::{Pattern, PatternError};
