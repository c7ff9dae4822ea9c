//! The checked and compiled catalog, which the engine runs.
//!
//! Everything is resolved to ids and has been checked. Knows nothing of the text that it was compiled from.
//!
//! - [`bands`]: the bands of a number;
//! - [`value_source`]: where aggregates and attributes take their values from;
//! - [`catalog`]: the tables of attributes, counters, tags, and entities;
//! - [`pattern`]: regular expressions that RE2 and the crate `regex` read alike;
//! - [`field_rule`]: where a field of an event stands;
//! - [`input_mapping`]: how an event is found in a record;
//! - [`time_reader`]: how times are read;
//! - [`expr`]: expressions, typed and free of names;
//! - [`display`]: expressions as text;
//! - [`fingerprint`]: the hash of what a catalog computes;
//! - [`canonical_expr`]: expressions in the text that is hashed.

mod bands;
mod value_source;
mod catalog;
mod pattern;
mod field_rule;
mod input_mapping;
mod time_reader;
mod expr;
mod display;
mod fingerprint;
mod canonical_expr;

pub use bands::Bands;
pub(crate) use canonical_expr::number_word;
pub(crate) use catalog::type_prefix;
pub use catalog::{
    Aggregate, Attribute, AttributeId, AttributeType, CalendarUnit, Catalog, CommandPaths, Condition, Counter,
    CounterId, EntityKind, EventSelector, EventTypeSet, History, Intake, ReportedValue, Resolution, Score, ScoreInput,
    Stage, Tag, TagDefinition, TagId, WeekStart, Window,
};
pub use expr::{Arithmetic, AsciiCase, CalendarFunction, Comparison, Expr, Motion, TextTest, TimeName, WallClockPart};
pub use field_rule::{FieldRule, Pointer, RecordPlace};
pub(crate) use fingerprint::fingerprint;
pub use input_mapping::{EventTypeRule, InputMapping, PropertiesRule, RecordEnvelope, TimeUnit};
pub use pattern::{Pattern, PatternError};
pub use time_reader::TimeReader;
pub use value_source::{FormulaId, NumberSource, Source};
