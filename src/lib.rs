//! tagstream: behaviour events in, exact tag changes out, at the instant at which they become true.
//!
//! # The road of an event
//! A worker of [`kafka`] polls a record; [`codec`] makes an [`Event`](model::Event) of it or says why it is rejected;
//! the [`Partition`](engine::Partition) that owns the entity lets time pass up to the event (timers fire, each at its
//! own instant), counts it, evaluates the tags that it made stale and hands out
//! [`TagChange`](model::TagChange)s; [`codec`] writes them; [`kafka`] commits them in one transaction with the input's
//! offsets. Where an entity's events do not come in one partition, the worker passes them on to another topic first, and
//! whoever reads that merges them in the order of time. `tagstream replay` drives the same partition from a file.
//!
//! # The parts, in reading order
//! A part imports only parts above it (a test checks that).
//!
//! | part | holds | does not know |
//! | --- | --- | --- |
//! | [`model`] | the words: event, instant, value, tag change | anything else |
//! | [`catalog`] | YAML as written → all its problems → the checked, compiled catalog; test files likewise | events, time that passes |
//! | [`scoring`] | models in ONNX files, compared with the catalog and called; the ONNX Runtime | users, events, when to score |
//! | [`engine`] | windows, verdicts that know until when they hold, timers, tags: pure | bytes of records, clocks, threads, I/O |
//! | [`codec`] | bytes ↔ model | what the values are for |
//! | [`settings`] | files, environment and flags → checked settings | what a catalog says |
//! | [`telemetry`] | the log; the names of all metrics | whose lines it writes, who counts |
//! | [`kafka`] | clients, workers, the commit cycle, rebalances, dead letters | signals, the wall clock's source |
//! | [`http`] | metrics and probes: what the workers said, for whoever asks; the pages about the catalog | how a worker works |
//! | [`service`] | the thin shell: starts workers, listens to signals; the only wall clock | what a worker does |
//! | [`demo`] | generated events, an embedded broker, a picture of the tag changes | how the service does it |
//! | [`cli`] | one file a command | |
//!
//! # What is always true
//! - The clock of a partition never goes back and moves only through `apply` and `advance`.
//! - An entity's timer may be early, never late; evaluating more often never changes a result.
//! - The latest state of every entity stands in a live segment of the partition's changelog.
//! - Whoever owns a partition is the only one to touch it: no locks, nothing shared.
//! - A transaction carries the offsets of every partition whose changes it carries.
//! - No record is dropped without a dead letter or a count.
//!
//! # Where do I change …
//! - an aggregate: `catalog::Aggregate`, `engine::series`;
//! - a kind of tag: `catalog::TagKind`, `engine::tags`;
//! - a function of expressions: `catalog::calls`, `catalog::Expr`, `engine::eval`;
//! - what an entity keeps: `engine::record`, `engine::series`, and the page on the format in `codec::changelog`;
//! - what a history gives to new counters: `engine::rebuild`; how it is read: `kafka::state::backfill`;
//! - what makes two counters of two catalogs the same: `engine::journal::meaning`;
//! - what a test file can say: `catalog::casebook`, `cli::test`;
//! - what is told of a tag's reasons: `engine::explain`, `cli::shown`;
//! - a reason for rejection: `codec::Reject`;
//! - what a snapshot holds, and when it is taken: `engine::journal::copy`, `codec::snapshot`, `kafka::worker::snapshot_scheduler`;
//! - a metric: `telemetry::Metrics`, then `http::Monitor`, which fills it;
//! - what is passed on between inputs and merged partitions: `kafka::repartition`; the order in which it is applied: `kafka::repartition::time_merge`;
//! - what happens when the catalog changes at work: `kafka::catalog_rollout` decides, `kafka::worker::catalog_switch` does it in a worker,
//!   `engine::adoption` in a partition;
//! - what is known of a counter that has not seen its window: `engine::unseen`, `engine::possible`;
//! - a setting: `settings::check`;
//! - a step of the commit cycle: `kafka::worker::commit`.

pub mod model;
pub mod catalog;
pub mod scoring;
pub mod engine;
pub mod codec;
pub mod settings;
pub mod telemetry;
pub mod kafka;
pub mod http;
pub mod service;
pub mod demo;
pub mod cli;
