//! What a worker is made from, how it is told to stop, and why it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rdkafka::types::RDKafkaErrorCode;

use super::liveness::InputLiveness;
use crate::codec::PayloadFormat;
use crate::engine::CompiledCatalog;
use crate::kafka::broker::{BrokerError, ClientError};
use crate::kafka::catalog_rollout::CatalogRollout;
use crate::kafka::clock::Clock;
use crate::kafka::events::{EventListener, WorkerId};
use crate::kafka::state::{Backfill, Recovery, RestoreContext};
use crate::kafka::topology::Topology;
use crate::settings::Settings;

/// Tells workers to finish their commit cycle and leave.
#[derive(Clone, Debug, Default)]
pub struct StopSignal(Arc<AtomicBool>);

impl StopSignal {
    pub fn give(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_given(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Why a worker has ended.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("cannot join the group: {0}")]
    Join(BrokerError),
    #[error(
        "another process runs as instance \"{instance}\" of this application; give each its own service.instance ({code})"
    )]
    Fenced { instance: String, code: RDKafkaErrorCode },
    /// A new consumer can join: see `Worker::fenced`.
    #[error("the session has ended, and its consumer cannot join again ({code})")]
    Expired { code: RDKafkaErrorCode },
    #[error("the consumer has failed and cannot be used again: {0}")]
    Fatal(String),
    #[error(
        "a record is too large for the topic {topic}: raise its max.message.bytes (kafka-configs --alter --add-config); \
         nothing was lost, and the service goes on where it stood"
    )]
    TooLarge { topic: String },
}

/// What a worker is made from.
#[derive(Clone)]
pub struct WorkerPlan {
    pub id: WorkerId,
    pub settings: Arc<Settings>,
    /// The topics that the group reads.
    pub topology: Arc<Topology>,
    /// The format of the input's values; `None`: JSON.
    pub payloads: Option<Arc<dyn PayloadFormat>>,
    pub compiled: Arc<CompiledCatalog>,
    pub rollout: Arc<CatalogRollout>,
    pub backfill: Backfill,
    pub recovery: Recovery,
    pub listener: EventListener,
    pub clock: Clock,
    pub liveness: Arc<InputLiveness>,
    pub stop: StopSignal,
}

impl WorkerPlan {
    /// What reading states back needs to know.
    pub(super) fn restore_context(&self) -> RestoreContext {
        RestoreContext {
            worker: self.id,
            topology: Arc::clone(&self.topology),
            payloads: self.payloads.clone(),
            compiled: Arc::clone(&self.compiled),
            rollout: Arc::clone(&self.rollout),
            backfill: self.backfill,
            clock: self.clock.clone(),
            listener: Arc::clone(&self.listener),
        }
    }
}
