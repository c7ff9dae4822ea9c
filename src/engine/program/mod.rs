//! The catalog laid out for the engine, once, before the first event.
//!
//! | file | holds |
//! | --- | --- |
//! | [`dirty_tags`] | sets of tags, and those that still have to be evaluated |
//! | [`monotonicity`] | in which direction a condition goes when a series grows |
//! | [`thresholds`] | the bounds past which an event must move a counter to change a tag |
//! | [`score_plan`] | what a tag with a `score` needs beside the catalog |
//! | [`cell_meaning`] | what attributes and series mean, as texts that another catalog can compare |
//! | [`schema`] | what the numbered cells of an entity mean, as bytes |
//! | [`plan`] | the program of one entity kind: who listens to what, what a change makes dirty |
//! | [`record_bounds`] | the greatest sizes of what is written for an entity |
//! | [`compiled_catalog`] | the programs of all entity kinds |

mod dirty_tags;
mod monotonicity;
mod thresholds;
mod score_plan;
mod cell_meaning;
mod schema;
mod plan;
mod record_bounds;
mod compiled_catalog;

pub use compiled_catalog::CompiledCatalog;
pub(crate) use dirty_tags::{DirtyTag, DirtyTags, TagsByState};
pub use plan::{AttributeStats, Program};
pub(crate) use plan::{CounterPlan, Dependency, SeriesId, SeriesPlan, TagPlan, visit_dependencies};
pub use record_bounds::RecordBounds;
pub use schema::{CellName, Schema, SchemaError};
pub(crate) use schema::{SchemaCell, TagForm, TagStates, put_reach, take_reach, take_text};
pub(crate) use score_plan::ScorePlan;
pub(crate) use thresholds::CLOCK_BOUND_MAX;
