//! Tests that start a real Kafka, by subject. What needs no Kafka is in the other binary, `it`.
//!
//! They need Java 17 or later, Maven and openssl, which `deploy/setup.sh` installs. Most share one broker; each has topics
//! and an application of its own.
//!
//! - [`support`]: what both binaries need.
//! - [`installed`]: what `deploy/setup.sh` has installed for them.
//! - [`fixture`]: brokers, proxies, clients, and events to write.
//! - [`oracle`]: what must stand in Kafka after a run.
//! - [`startup`]: what `tagstream run` checks and waits for before it works.
//! - [`delivery`]: each event counts once, whatever dies, is late or is refused.
//! - [`restore`]: state that comes back: changelog, snapshots, backfill, erasure.
//! - [`input`]: an input that does not stay as it was.
//! - [`rebalance`]: partitions that move between processes.
//! - [`repartition`]: inputs that are merged.
//! - [`catalog`]: a changed catalog on a running service, and the tools that read the input topic.
//! - [`security`]: passwords, certificates, rights.
//! - [`operations`]: metrics, probes, `tagstream topics create`, the read side beside workers.
//! - [`chaos`]: instances and brokers that die at random; `TAGSTREAM_KILLS` makes it long.

#[path = "../support/mod.rs"]
mod support;

#[path = "../it/installed.rs"]
mod installed;

mod fixture;
mod oracle;

mod catalog;
mod chaos;
mod delivery;
mod input;
mod operations;
mod rebalance;
mod repartition;
mod restore;
mod security;
mod startup;
