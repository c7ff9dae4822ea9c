//! What workers report, as plain values: nothing here knows a client or a partition's state.
//!
//! | file | holds |
//! | --- | --- |
//! | [`catalog_event`] | the steps of a changed catalog, and the tags that are held back |
//! | [`stats`] | what a worker has committed, counted |
//! | [`status`] | how each partition stands |
//! | [`producer_reset`] | why a producer is replaced |
//! | [`worker_event`] | one event per life-cycle step or failure, with its severity |
//! | [`wording`] | what events say, in words |
//! | [`failure_words`] | words that the log and the probe share |

mod catalog_event;
mod stats;
mod status;
mod producer_reset;
mod failure_words;
mod worker_event;
mod wording;

pub use catalog_event::{CatalogEvent, TagNames};
#[cfg(feature = "http")]
pub(crate) use failure_words::{future_words, schema_wait_words, unreadable_words};
pub use producer_reset::ProducerReset;
pub use stats::{ChangeStats, WorkStats, WorkerStats};
pub use status::{PartitionStatus, RunningFigures};
pub use worker_event::{Action, EventListener, Occurrence, WorkerEvent, WorkerId};
