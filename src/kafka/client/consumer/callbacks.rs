//! What a worker's consumer calls: requests of the group are kept until the worker answers them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;

use crate::kafka::broker::Rebalance;
use crate::kafka::client::client_config::{report_client_error, report_client_log};
use crate::kafka::client::partition_list::partition_of;
use crate::kafka::events::EventListener;
use crate::kafka::topology::Topology;

/// Callbacks of a worker's consumer.
pub(super) struct ConsumerCallbacks {
    listener: EventListener,
    rebalances: Mutex<VecDeque<Rebalance>>,
    leave: Mutex<LeaveProgress>,
    topology: Arc<Topology>,
}

/// How far a consumer is on its way out of the group.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum LeaveProgress {
    #[default]
    Working,
    /// The worker has nothing to commit: partitions are given up without asking it.
    Closing,
    /// The group was answered. A closing consumer takes the first answer for all; it may be gone when a second request
    /// comes, which would then wait without end (librdkafka #4884).
    Answered,
}

impl LeaveProgress {
    /// A request of the group has come. Returns the progress before it.
    fn asked(&mut self) -> LeaveProgress {
        let before = *self;
        if before == LeaveProgress::Closing {
            *self = LeaveProgress::Answered;
        }
        before
    }
}

impl ConsumerCallbacks {
    pub(super) fn new(listener: EventListener, topology: Arc<Topology>) -> Self {
        ConsumerCallbacks { listener, rebalances: Mutex::default(), leave: Mutex::default(), topology }
    }

    pub(super) fn leave(&self) -> MutexGuard<'_, LeaveProgress> {
        self.leave.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn rebalances(&self) -> MutexGuard<'_, VecDeque<Rebalance>> {
        self.rebalances.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for ConsumerCallbacks {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        report_client_log(&self.listener, level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        report_client_error(&self.listener, &error, reason);
    }
}

impl ConsumerContext for ConsumerCallbacks {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<ConsumerCallbacks>,
        code: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        let leave = self.leave().asked();
        if leave == LeaveProgress::Closing {
            // An error can neither be reported nor repaired here.
            let _ = consumer.unassign();
        }
        if leave != LeaveProgress::Working {
            return;
        }
        let elements = list.elements();
        let partitions = elements.iter().filter_map(|element| partition_of(&self.topology, element)).collect();
        self.rebalances().push_back(match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Rebalance::Assign(partitions),
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS => {
                Rebalance::Revoke { partitions, lost: consumer.assignment_lost() }
            }
            other => Rebalance::Failed(RDKafkaErrorCode::from(other).to_string()),
        });
    }

    fn commit_callback(&self, _: KafkaResult<()>, _: &TopicPartitionList) {}
}
