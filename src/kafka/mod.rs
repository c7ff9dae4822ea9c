//! Kafka: clients, workers, the commit cycle, rebalances, topics. The only part that knows librdkafka.
//!
//! A [`Worker`] is a thread that alone owns a consumer, a transactional producer and the state of its partitions
//! ([`slot`]). It reaches the cluster through the traits of [`broker`], behind which librdkafka stands ([`native`]) or a
//! simulation. It turns records into a [`body`] a partition, and the bodies into transactions ([`cycle`], over
//! [`transactor`]); what the group wants of it is answered between two polls ([`rebalance`]). State comes
//! back from the changelog ([`restore`], and [`rebuild`] for what it lacks), most of it from a local file where there is one ([`scribe`]). Workers share nothing
//! but a stop signal and the [`Pulse`] of the input.
//!
//! Which topics there are to read, and what becomes of their events, is in [`streams`]. Those that do not come by entity are
//! passed on ([`passing`]), in the same transactions, to where they are merged in the order of time ([`merge`], driven by
//! [`merging`]); whoever is far ahead of the others rests ([`ahead`]).
//!
//! What is always true:
//! - While a transaction's fate is open, no record is applied: the bodies are what was sent, or will be sent again.
//! - A partition is given up only after its body was committed, or together with its state.
//! - Every transaction carries the offset of every partition that has a part in it, also when only time has passed.
//! - An event of a merged partition is applied when nothing before it in the order can still come from any input.
//! - Whether a transaction was committed is never guessed: the committed offsets bear the transaction's name.

mod admin;
mod ahead;
mod archive;
mod body;
mod breaker;
pub mod broker;
mod clients;
mod clock;
mod cluster;
mod counts;
mod cycle;
mod embedded;
mod failpoint;
mod faults;
mod herald;
mod idle;
mod inquirer;
mod link;
mod merge;
mod merging;
mod murmur2;
mod native;
mod native_changelog;
mod native_consumer;
mod native_lists;
mod native_observer;
mod news;
mod note;
mod notice;
mod passing;
mod properties;
mod pulse;
mod rebalance;
mod rebuild;
mod refusal;
mod renewal;
mod restore;
mod rights;
mod scribe;
mod sending;
mod slot;
mod snapshots;
mod standing;
mod streams;
pub mod topics;
mod transactor;
mod wanted;
mod worker;

pub use archive::{TopicScan, TopicScanError};
pub use breaker::{CatalogRollout, RolloutStatus, TagNames};
pub use clients::ClientError;
pub use clock::Clock;
pub use cluster::{ClusterError, await_cluster};
pub use counts::{ChangeStats, WorkStats, WorkerStats};
pub use embedded::{EmbeddedBroker, EmbeddedError, FETCH_WAIT, Feed, Tail};
pub use merge::{SourcePartition, SourcePosition, SourceProgress, TimeMerge};
pub use native::RdkafkaClients;
pub use news::CatalogEvent;
pub use notice::{Notice, Notices, ProducerReset, WorkerId};
pub use properties::check as check_properties;
pub use pulse::InputLiveness;
pub use rebuild::Backfill;
pub use snapshots::prepare as prepare_snapshots;
pub use standing::{PartitionStatus, RunningFigures};
pub use streams::{PartitionId, PartitionName, Role, TopicId, TopicPlan, Topology};
pub use worker::{StopSignal, Worker, WorkerError, WorkerPlan};
