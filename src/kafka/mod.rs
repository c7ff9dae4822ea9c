//! Kafka: clients, workers, the commit cycle, rebalances, topics. The only part that knows librdkafka.
//!
//! A [`Worker`] is one thread. It alone owns a consumer, a transactional producer, and the state of its partitions, each
//! of which is a task. It applies records to a task; the task's output waits; the outputs of all tasks are sealed and leave
//! in one transaction with the input's offsets. While a transaction ends, the producer is on a thread of its own, and the
//! worker applies the next records. The worker answers the group between two polls. The state of a task comes
//! back from its changelog, most of it from a snapshot on the local disk if there is one. Workers share a stop signal,
//! [`InputLiveness`] and the [`CatalogRollout`], and nothing else.
//!
//! # The map
//! A room imports only rooms and files above it. The files of this level know no room, but for `catalog_rollout`, which
//! reports `events`.
//!
//! | room or file | holds | does not know |
//! | --- | --- | --- |
//! | `failpoint` | the places where a test kills the process | who passes them |
//! | `clock` | the wall clock, as the service hands it down; its steps | the system's time |
//! | `topology` | the topics that the group reads, and what becomes of their events | clients |
//! | `broker` | what a worker needs of Kafka, as traits | librdkafka's calls |
//! | `events` | what workers report | who listens |
//! | `catalog_rollout` | the active catalog, the pending one, and the tags that wait for approval | how notes are committed |
//! | `client` | librdkafka behind the traits | when it is called |
//! | `repartition` | events forwarded to merged partitions, and their order there | clients, state |
//! | `state` | changelogs, snapshots and histories read back | transactions, the group |
//! | `task` | one partition at work, and its transaction | other partitions |
//! | `worker` | the loop: commit cycle, rebalances, catalog switch, snapshots | signals, other workers |
//! | `admin` | topics created, checked, scanned and followed | workers |
//!
//! # What is always true
//! - A sealed output is of one moment and does not change, however often it has to be sent; what is applied later goes into
//!   the next one. After a commit that failed, nothing is applied until one has succeeded.
//! - A partition is given up only after its outputs were committed, or together with its state; and never while the
//!   committer may still send something of it.
//! - A state is copied into a snapshot only when all that was applied to it is committed.
//! - Every transaction carries the offset of every partition that takes part in it, also when only time has passed.
//! - An event of a merged partition is applied when no source can still send an event that comes before it.
//! - Whether a transaction was committed is never guessed: the committed offsets carry the transaction's name.

mod failpoint;
mod clock;
mod topology;
pub mod broker;
mod events;
mod catalog_rollout;
mod client;
mod repartition;
mod state;
mod task;
mod worker;
mod admin;

pub use admin::{
    ChangelogTail, ChangelogTailRecord, ChangesMember, ChangesTail, ChangesTailRecord, ClusterError, CommandSender,
    LetterSender, MemberError, MemberRequest, MissingTopicsError, OnWritten, SubscribedRecord, TopicScan,
    TopicScanError, WrittenRecord, await_cluster, missing_topics, topics,
};
pub use broker::{BrokerError, ClientError, ErrorClass, OffsetBounds};
pub use catalog_rollout::{Board, CatalogRollout, ReadingReason, RolloutStatus};
pub use client::{EmbeddedBroker, EmbeddedError, FETCH_WAIT, Feed, RdkafkaClients, Tail, check_properties};
pub use clock::{Clock, ClockWatch};
pub use events::{
    Action, CatalogEvent, ChangeStats, EventListener, Occurrence, PartitionStatus, ProducerReset, RunningFigures,
    TagNames, WorkStats, WorkerEvent, WorkerId, WorkerStats,
};
#[cfg(feature = "http")]
pub(crate) use events::{future_words, schema_wait_words, unreadable_words};
pub use repartition::{SourcePosition, SourceProgress, TimeMerge};
pub use state::{Backfill, Recovery, RecoveryPoint, prepare_snapshots};
pub use topology::{PartitionId, PartitionName, Role, SourcePartition, TopicId, TopicPlan, Topology};
pub use worker::{InputLiveness, StopSignal, Worker, WorkerError, WorkerPlan};
