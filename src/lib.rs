//! tagstream: behaviour events in, exact tag changes out, at the instant at which they become true.
//!
//! # As a library
//! Begin with [`Engine`]: a catalog in, then records and time; tag changes come out through a closure. Without default
//! features the crate is that alone. The features `kafka`, `registry`, `http`, `serve`, `push`, `demo` and `cli` each add what stands
//! below in the table, and what it needs of the features before; `onnx` adds models in ONNX files. The other parts are the
//! program's own: they are public for its tests, and may change with each version.
//!
//! # The road of an event
//! 1. A worker (`kafka`) polls a record of the input topic.
//! 2. The decoder ([`codec`]) makes an [`Event`](model::Event) of it, or returns the reason for which it is rejected;
//!    rejected records go to the dead-letter topic.
//! 3. The partition ([`engine`]) that owns the event's entity advances its clock to the event. Timers that are due until
//!    then fire, each at its own instant.
//! 4. The partition counts the event in the entity's state, evaluates the tags that it may have changed, and passes
//!    [`TagChange`]s to its sink.
//! 5. [`codec`] writes the tag changes and the changed state; the worker buffers them.
//! 6. The worker commits them in one Kafka transaction with the input's offsets, and applies the next records meanwhile.
//!
//! Where the events of an entity are not in one partition of the input, the worker first writes them to a repartition
//! topic, keyed by entity; the worker that reads that topic merges its sources in the order of time. `tagstream replay`,
//! `test`, `explain`, `diff` and `forecast` drive the same engine from files (`replay`).
//!
//! # The parts, in reading order
//! A part imports only parts above it; a test checks that.
//!
//! | part | holds | does not know |
//! | --- | --- | --- |
//! | [`model`] | the types that all parts use: event, instant, value, tag change | any other part |
//! | [`catalog`] | YAML as written → all its problems → the checked, compiled catalog; test files likewise | events, time |
//! | [`engine`] | windows, entities, timers, tags: pure; it asks for scores through a trait | bytes of records, clocks, threads, I/O |
//! | [`scoring`] | models in ONNX files: compared with the catalog, called, limited | entities, events, when to score |
//! | [`codec`] | bytes ↔ model; the formats of the changelog and of snapshots | what the values are for |
//! | [`embed`] | the library's face: one catalog, its entities and their tags in one value | Kafka, files, clocks |
//! | `replay` | drives the engine from recorded files | the command line, Kafka |
//! | `settings` | files, environment and flags → checked settings | what a catalog contains |
//! | `telemetry` | the log; the names of all metrics | who logs and who counts |
//! | `registry` | payloads with schemas in a registry → JSON; the registry's client | Kafka, catalogs |
//! | `kafka` | clients, workers, the commit cycle, rebalances, restore, dead letters | signals, where the time comes from |
//! | `http` | metrics, probes, the pages about the catalog | how a worker works |
//! | `service` | the thin shell: starts workers, handles signals; the only wall clock | what a worker does |
//! | `serve` | the read side: who has which tag, why and since when, over HTTP | how tags are computed, the workers |
//! | `push` | tag changes, posted to a webhook: signed, repeated, in order | how tags are computed, the read side |
//! | `demo` | generated events, an embedded broker, a picture of the tag changes | how the service does it |
//! | `cli` | one file or folder per command | |
//!
//! # Glossary
//! The words of the code. In brackets: the name in Kafka Streams, where there is one.
//!
//! - **Entity**: what is tagged: a user, or another kind that the catalog declares; it is identified by kind and key.
//! - **Tag**: a named value of an entity, such as `churn_risk`, that the catalog defines by a condition, by bands or
//!   stages, by a value, by a model, or as set by commands.
//! - **Tag change**: a tag of one entity was added, changed or removed, at an instant and for reasons; the output.
//! - **Verdict**: the result of a tag's condition, with the instant until which it holds if no event comes.
//! - **Program**: what a partition runs for one kind of entity: the catalog's counters and tags, compiled for it.
//! - **Compiled catalog** (`CompiledCatalog`): the checked catalog with the program of each kind of entity. (topology)
//! - **Series**: the counted events of one counter of one entity, divided into panes.
//! - **Pane**: a fixed interval of a window, such as an hour or a local day; a window is a run of panes. (hopping window)
//! - **Coverage**: since when a counter has seen all events of its window; before that its value is only bounded.
//! - **Partition**: the engine's state of one Kafka partition for one kind of entity, with one owner. (state store)
//! - **Partition set** (`PartitionSet`): one partition for each kind of entity, driven together as in a replay.
//! - **Partition clock**: the greatest time up to which a partition has processed; it never goes back. (stream time)
//! - **Timer**: an instant at which an entity has to be evaluated again. (punctuation)
//! - **Task**: a worker's processing of one input partition: its state, its buffers, its offsets. (task)
//! - **Worker**: a thread with a consumer, a producer and its tasks. (stream thread)
//! - **Output buffer**: the records that a task has produced since its output was last sealed.
//! - **Sealed output**: a task's output as a transaction carries it. It does not change; what is applied later goes into the next one.
//! - **Changelog**: the compacted topic from which the state of a partition is restored. (changelog topic)
//! - **Segment**: a record of the changelog with the states of several entities; live segments contain every entity.
//! - **Snapshot**: a copy of a partition's state on the local disk, which makes a restore shorter. (local checkpoint)
//! - **Restore**: reading the state of a partition back, from a snapshot and the changelog. (restoration)
//! - **Backfill**: filling new counters from the records that the input topic retains.
//! - **Repartition topic**: the topic to which events are written again, keyed by another kind of entity. (repartition
//!   topic)
//! - **Watermark**: in a merge, the instant before which no source can still have an event.
//! - **Dead letter**: a record that is rejected, with its reason and its origin, in a topic of its own.
//! - **Rollout**: how a changed catalog takes effect: its impact is computed, changes of more entities than allowed are
//!   held until they are approved, and all workers switch.
//! - **Sink**: receives what the engine produces: tag changes, and the end of entities. (processor context)
//! - **Lateness**: how long after its time an event arrives, measured by the partition clock.
//!
//! # What is always true
//! - The clock of a partition never goes back and moves only through `apply` and `advance`.
//! - An entity's timer may be early, never late; evaluating more often never changes a result.
//! - The latest state of every entity is in a live segment of the partition's changelog.
//! - A partition has exactly one owner: no locks, nothing shared.
//! - A transaction contains the offsets of every partition whose changes it contains.
//! - No record is dropped without a dead letter or a count.
//!
//! # Where do I change …
//! - an aggregate: `catalog::Aggregate`, `engine::aggregate`;
//! - a type of tag: `catalog::TagDefinition`, `engine::tags`;
//! - a function of expressions: `catalog::typecheck`, `catalog::Expr`, `engine::expr`;
//! - what the state of an entity contains: `engine::entity`, `engine::aggregate`, and the page on the format in
//!   `codec::changelog`;
//! - what a tag's reasons contain: `engine::partition::explain`; how they are printed: `cli::output::format`;
//! - what a history gives to new counters: `engine::partition::backfill`; how it is read: `kafka::state`;
//! - which counters of two catalogs are the same: `engine::program::cell_meaning`;
//! - what is known of a counter that has not seen its whole window: `engine::unknown`;
//! - what a test file can contain: `catalog::test_file`, `cli::test`;
//! - a reason for rejection: `codec::Reject`; what is read of a record: `codec::decode`;
//! - what a snapshot contains, and when it is taken: `codec::snapshot`, `kafka::state`, `kafka::worker`;
//! - which events go to repartition topics, and the order in which they are applied: `kafka::repartition`;
//! - a step of the commit cycle: `kafka::worker::commit`, `kafka::task`;
//! - what happens when the catalog changes at runtime: `kafka::catalog_rollout` decides, `kafka::worker` switches,
//!   `engine::partition::catalog_change` re-evaluates;
//! - a metric: `telemetry::Metrics`, then `http::Monitor`, which sets it;
//! - a format of the input's values: `codec::decode::record` (the port), `registry`; what stands around an event:
//!   `codec::decode::record`;
//! - a setting: `settings::check`; one of the read side: `settings::serve`; one of `tagstream push`: `settings::push`;
//! - a format of tag changes: `codec::change::change_format`, and `change_reader`, which reads each of them;
//! - what a webhook is sent: `push::request`; what its answers mean: `push::answer`;
//! - an option of a command: its file in `cli`; what several commands read or print: `cli::input`, `cli::output`.

// What is `pub` is meant to be used from outside: by programs that embed the engine, or by the tests of a part.
#![warn(unreachable_pub)]

pub mod model;
pub mod catalog;
pub mod engine;
pub mod scoring;
pub mod codec;
pub mod embed;
#[cfg(feature = "cli")]
pub mod replay;
#[cfg(feature = "kafka")]
pub mod settings;
#[cfg(feature = "kafka")]
pub mod telemetry;
#[cfg(feature = "registry")]
pub mod registry;
#[cfg(feature = "kafka")]
pub mod kafka;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "http")]
pub mod service;
#[cfg(feature = "serve")]
pub mod serve;
#[cfg(feature = "push")]
pub mod push;
#[cfg(feature = "demo")]
pub mod demo;
#[cfg(feature = "cli")]
pub mod cli;

pub use embed::{CatalogError, Engine, EntityTag, RejectedEvent, UpcomingChange};
pub use engine::{Explanation, ScoreModel, ScoreModels};
pub use model::{Cause, ChangeType, Decimal, Number, Scalar, TagChange, Timestamp, Value};
