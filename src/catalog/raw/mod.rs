//! The catalog as written: every key of the file with its span; nothing is resolved.
//!
//! Knows the keys and the forms of their values, and not what they mean together.
//!
//! - [`duration`]: lengths of time such as `30d`; the only parser of durations;
//! - [`pointer`]: JSON Pointers;
//! - [`places`]: where a field of an event stands;
//! - [`expression_text`]: an expression's text with the place of each of its bytes;
//! - [`event_path`]: paths to a value in an event, and what a number is computed from;
//! - [`event_types`]: one event type, a list, or all;
//! - [`selector`]: events by their types and a `where`;
//! - [`score_inputs`]: the inputs of a model;
//! - [`values`]: titles, windows, and the options of a manual tag;
//! - [`catalog`]: the keys of the file and of its sections;
//! - [`json_schema`]: the JSON Schema for editors.

mod duration;
mod pointer;
mod places;
mod expression_text;
mod event_path;
mod event_types;
mod selector;
mod score_inputs;
mod values;
mod catalog;
mod json_schema;

pub(crate) use catalog::{
    RawAttribute, RawAttributeType, RawBand, RawCalendarUnit, RawCatalog, RawCounter, RawEntity, RawHistory, RawInput,
    RawPreset, RawResolution, RawScore, RawStage, RawTag, RawTimeUnit, RawWeekStart, named_entries,
};
pub(crate) use duration::DurationMs;
pub use duration::parse_duration;
pub(crate) use event_path::{EventPath, RawNumberSource};
pub(crate) use event_types::EventTypes;
pub(crate) use expression_text::ExpressionText;
pub use json_schema::catalog_schema;
pub(crate) use json_schema::schema_of;
pub(crate) use places::RawPlaces;
pub(crate) use score_inputs::RawScoreInputs;
pub(crate) use selector::RawSelector;
pub(crate) use values::{RawAgo, RawNumber, RawWindow};
