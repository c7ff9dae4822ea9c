//! The engine: events and time in, tag changes out, for one partition.
//!
//! Pure: it reads no clock, does no I/O, takes no lock, cannot block. An entity rests as one run of bytes
//! ([`store`]); an event unpacks it ([`record`]), moves its attributes and series ([`counting`]), evaluates the tags that this made stale
//! ([`tags`], [`eval`]) and packs it again. Each evaluation yields the instant until which its verdicts hold; the least
//! of them is the entity's one timer ([`timers`]); where there are many tags it is known which of them are due then
//! ([`due_groups`]).

mod adoption;
mod agenda;
mod counting;
mod doubt;
mod ending;
mod eval;
mod explain;
mod filling;
mod filter;
mod hold;
mod index;
mod journal;
mod judging;
mod line;
mod models;
mod packed;
mod parallel;
mod partition;
mod polarity;
mod possible;
mod program;
mod rebuild;
mod record;
mod scores;
mod series;
mod stale;
mod store;
mod survey;
mod tag_state;
mod tags;
mod timers;
mod unseen;
mod window;
mod world;
mod zone;

pub use counting::AttributeStats;
pub use explain::{Clause, ClauseForm, Expiry, Explanation, IncompleteCounter, NextChange, Role, Section, Wait};
pub use journal::{
    ChangelogError, ChangelogSink, Checkpoint, Extent, MigrationReport, RestoredPartition, Schema, Segment, Slot,
    SnapshotSink, SnapshotUnavailable, StateRestorer,
};
pub use models::{ModelTally, ScoreModel, ScoreModels};
pub use partition::{Partition, Sink, Stats};
pub use program::Program;
pub use rebuild::{BackfillResult, RetainedHistory, StateBackfill};
pub use survey::{ChangeImpact, ImpactPreview, TagImpact};
pub use world::{CompiledCatalog, PartitionSet};
