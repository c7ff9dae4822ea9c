//! The engine: events and time in, tag changes out, for one partition.
//!
//! Pure: it reads no clock, does no I/O, takes no lock, writes no log and cannot block. An entity rests as one run of
//! bytes. An event that can change no tag is added to them. Any other unpacks the entity, changes its attributes and
//! series, evaluates the tags that this makes dirty, and packs it again. Each evaluation yields the instant until which
//! its verdicts hold; the earliest is the entity's one timer.
//!
//! # Map
//! A room imports only rooms above it.
//!
//! | room | holds | does not know |
//! | --- | --- | --- |
//! | `encoding` | variable-length integers, values and texts as bytes | what they mean |
//! | `ports` | what the caller brings: a sink for changes, models that score | who implements them |
//! | `aggregate` | time zones, panes, windows, and the series that counters read | catalogs, entities |
//! | `program` | the catalog laid out for the engine: plans, who depends on whom, what cells mean | entities, the clock |
//! | `entity` | an entity's state, how it rests, when it is due | expressions |
//! | `expr` | expressions: their values and until when these hold | what is done about them |
//! | `unknown` | expressions over counters that have not seen their whole window | tags |
//! | `tags` | the tags' state machines and scores | changes, entities that rest |
//! | `changelog` | the format of the changelog: segments, entries, notes, states of another catalog | partitions |
//! | `partition` | the partition: events, time, catalog changes, changelog, explanations | other partitions |
//! | `follow` | a partition followed by its changelog, and states read without changing them | timers, who writes the changelog |
//! | `partition_set` | one partition for each entity kind, on one clock | how they work |

mod encoding;
mod ports;
mod aggregate;
mod program;
mod entity;
mod expr;
mod unknown;
mod tags;
mod changelog;
mod partition;
mod follow;
mod partition_set;

pub use changelog::{ChangelogError, ChangelogSink, Checkpoint, Extent, MigrationReport, Segment, Slot};
pub(crate) use expr::{EventPart, computed_number, event_value, passes, source, visit_values};
pub use follow::{
    AttributeState, ChangelogFollower, FollowedEntry, PartitionStanding, ReadableExpr, StateReader, TagReading,
};
pub use partition::{
    BackfillResult, ChangeImpact, Clause, ClauseForm, Expiry, Explanation, ImpactPreview, IncompleteCounter,
    NextChange, Partition, RestoredPartition, RetainedHistory, Role, Section, SnapshotSink, SnapshotUnavailable,
    StateBackfill, StateRestorer, Stats, TagImpact, Wait,
};
pub use partition_set::PartitionSet;
pub use ports::{ModelTally, ScoreModel, ScoreModels, Sink};
pub use program::{AttributeStats, CellName, CompiledCatalog, Program, RecordBounds, Schema, SchemaError};
