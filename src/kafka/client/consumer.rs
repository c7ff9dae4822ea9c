//! A worker's consumer, and how it leaves the group.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::CStr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, ConsumerGroupMetadata};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::metadata::MetadataTopic;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList, bindings};

use super::acls;
use super::client_config;
use super::client_config::{report_client_error, report_client_log};
use super::errors::with_advice;
use super::observer::Observer;
use super::partition_list::{bounds, list};
use super::partition_list::{committed_in, offsets_of, partition_of};
use crate::kafka::broker::{
    BrokerError, ClientError, CommittedOffset, ErrorClass, GroupConsumer, OffsetBounds, Rebalance,
};
use crate::kafka::events::{EventListener, WorkerId};
use crate::kafka::topology::{PartitionId, Topology};
use crate::settings::Settings;

/// How long a consumer that leaves waits for requests that are on their way.
const LEAVE_PATIENCE: Duration = Duration::from_secs(1);

/// A worker's consumer.
pub struct RdkafkaConsumer {
    client: BaseConsumer<ConsumerCallbacks>,
    arrival: Arc<Arrival>,
    observer: Observer,
    topology: Arc<Topology>,
    settings: Arc<Settings>,
}

impl RdkafkaConsumer {
    pub(super) fn new(
        settings: Arc<Settings>,
        topology: Arc<Topology>,
        worker: WorkerId,
        listener: EventListener,
    ) -> Result<Self, ClientError> {
        let callbacks = ConsumerCallbacks {
            listener: listener.clone(),
            rebalances: Mutex::default(),
            leave: Mutex::default(),
            topology: Arc::clone(&topology),
        };
        let mut client: BaseConsumer<ConsumerCallbacks> =
            client_config::consumer(&settings, worker).create_with_context(callbacks).map_err(ClientError::from)?;
        let arrival = Arc::new(Arrival::default());
        let signal = Arc::clone(&arrival);
        client.set_nonempty_callback(move || signal.give());
        let observer = Observer::new(Arc::clone(&settings), worker, listener);
        Ok(RdkafkaConsumer { client, arrival, observer, topology, settings })
    }

    /// The membership that a transaction names to the group.
    pub(super) fn group_metadata(&self) -> Option<ConsumerGroupMetadata> {
        self.client.group_metadata()
    }

    /// Gives everything up, and answers the requests of the group so far: a consumer that is closed cannot answer.
    fn give_all_back(&self) -> Result<(), BrokerError> {
        let until = Instant::now() + LEAVE_PATIENCE;
        self.client.incremental_unassign(&self.client.assignment()?)?;
        loop {
            let is_quiet = self.client.poll(Duration::ZERO).is_none() || Instant::now() >= until;
            match self.next_rebalance() {
                Some(Rebalance::Assign(_)) => self.accept()?,
                // Everything that was fetched is given up already.
                Some(Rebalance::Revoke { .. }) => self.give_up(&[])?,
                Some(Rebalance::Failed(_)) => {}
                None if is_quiet => return Ok(()),
                None => {}
            }
        }
    }

    fn list(&self, partitions: &[PartitionId], offset: Offset) -> TopicPartitionList {
        list(&self.topology, partitions.iter().map(|partition| (*partition, offset)))
    }
}

impl GroupConsumer for RdkafkaConsumer {
    type Record<'a> = BorrowedMessage<'a>;

    fn join(&self) -> Result<(), BrokerError> {
        let topics: Vec<&str> = self.topology.iter().map(|(_, plan)| &*plan.topic).collect();
        Ok(self.client.subscribe(&topics)?)
    }

    fn poll(&self, wait: Duration) -> Option<Result<BorrowedMessage<'_>, BrokerError>> {
        let advice = |code| acls::not_read(code, &self.settings, &self.topology);
        let poll = || self.client.poll(Duration::ZERO);
        let polled = poll().or_else(|| {
            self.arrival.wait(wait);
            poll()
        });
        polled.map(|polled| polled.map_err(|error| with_advice(error, advice)))
    }

    fn next_rebalance(&self) -> Option<Rebalance> {
        self.client.context().rebalances().pop_front()
    }

    fn member(&self) -> Option<String> {
        let client = self.client.client().native_ptr();
        // SAFETY: the client outlives the call; the name is a C string that belongs to us and is freed once.
        let name = unsafe {
            let name = bindings::rd_kafka_memberid(client);
            if name.is_null() {
                return None;
            }
            let copy = CStr::from_ptr(name).to_string_lossy().into_owned();
            bindings::rd_kafka_mem_free(client, name.cast());
            copy
        };
        Some(name).filter(|name| !name.is_empty())
    }

    fn accept(&self) -> Result<(), BrokerError> {
        Ok(self.client.incremental_assign(&TopicPartitionList::new())?)
    }

    fn give_up(&self, fetched: &[PartitionId]) -> Result<(), BrokerError> {
        Ok(self.client.incremental_unassign(&self.list(fetched, Offset::Invalid))?)
    }

    fn fetch(&self, starts: &[(PartitionId, i64)]) -> Result<(), BrokerError> {
        let starts = starts.iter().map(|(partition, offset)| (*partition, Offset::Offset(*offset)));
        let starts = list(&self.topology, starts);
        self.client.incremental_assign(&starts)?;
        Ok(self.client.resume(&starts)?)
    }

    fn pause(&self, partitions: &[PartitionId]) -> Result<(), BrokerError> {
        Ok(self.client.pause(&self.list(partitions, Offset::Invalid))?)
    }

    fn resume(&self, partitions: &[PartitionId]) -> Result<(), BrokerError> {
        Ok(self.client.resume(&self.list(partitions, Offset::Invalid))?)
    }

    fn committed(
        &self,
        partitions: &[PartitionId],
        patience: Duration,
    ) -> Result<BTreeMap<PartitionId, Result<CommittedOffset, BrokerError>>, BrokerError> {
        let found = self.client.committed_offsets(self.list(partitions, Offset::Invalid), patience)?;
        Ok(committed_in(&self.topology, &found))
    }

    fn committed_unstable(
        &self,
        partitions: &[PartitionId],
        patience: Duration,
    ) -> Result<BTreeMap<PartitionId, CommittedOffset>, BrokerError> {
        self.observer.committed_unstable(&self.topology, partitions, patience)
    }

    fn bounds(&self, partition: PartitionId, patience: Duration) -> Result<OffsetBounds, BrokerError> {
        bounds(&self.client, self.topology.topic(partition.topic), partition.number, patience)
    }

    fn ends(&self, partitions: &[PartitionId], patience: Duration) -> Result<BTreeMap<PartitionId, i64>, BrokerError> {
        self.observer.ends(&self.topology, partitions, patience)
    }

    fn stable_ends(
        &self,
        partitions: &[PartitionId],
        patience: Duration,
    ) -> Result<BTreeMap<PartitionId, i64>, BrokerError> {
        Ok(offsets_of(&self.topology, &self.client.offsets_for_times(self.list(partitions, Offset::End), patience)?))
    }

    fn input_end(&self, patience: Duration) -> Result<i64, BrokerError> {
        let mut asked: Vec<PartitionId> = Vec::new();
        for (topic, plan) in self.topology.inputs() {
            let metadata = self.client.fetch_metadata(Some(&plan.topic), patience)?;
            let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
            asked.extend(partitions.map(|partition| PartitionId { topic, number: partition.id() }));
        }
        let ends = self.ends(&asked, patience)?;
        if ends.len() < asked.len() {
            let text = "not all partitions of the input have a leader now".to_owned();
            return Err(BrokerError { class: ErrorClass::Retriable, code: None, text });
        }
        Ok(ends.values().sum())
    }

    fn positions(&self) -> Result<BTreeMap<PartitionId, i64>, BrokerError> {
        Ok(offsets_of(&self.topology, &self.client.position()?))
    }

    fn leave(&self) -> Result<(), BrokerError> {
        let given_back = self.give_all_back();
        *self.client.context().leave() = LeaveProgress::Closing;
        given_back
    }
}

/// Whether something has come for a consumer. librdkafka would wait for it by the wall clock: until the same time comes
/// again, where that steps back.
#[derive(Default)]
struct Arrival {
    has_come: Mutex<bool>,
    changed: Condvar,
}

impl Arrival {
    fn give(&self) {
        *self.has_come.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }

    /// Waits until something has come since the last time, by the monotonic clock.
    fn wait(&self, longest: Duration) {
        let has_come = self.has_come.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(has_come, longest, |has_come| !*has_come);
        let (mut has_come, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *has_come = false;
    }
}

/// Callbacks of a worker's consumer.
struct ConsumerCallbacks {
    listener: EventListener,
    rebalances: Mutex<VecDeque<Rebalance>>,
    leave: Mutex<LeaveProgress>,
    topology: Arc<Topology>,
}

/// How far a consumer is on its way out of the group.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum LeaveProgress {
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
    fn leave(&self) -> MutexGuard<'_, LeaveProgress> {
        self.leave.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rebalances(&self) -> MutexGuard<'_, VecDeque<Rebalance>> {
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
