//! A worker's consumer, and how it leaves the group.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::CStr;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerGroupMetadata};
use rdkafka::error::KafkaError;
use rdkafka::metadata::MetadataTopic;
use rdkafka::{Message, Offset, TopicPartitionList, bindings};

use super::arrival::Arrival;
use super::callbacks::{ConsumerCallbacks, LeaveProgress};
use super::error_places::ErrorPlaces;
use super::record_queue::{RecordQueue, Taken, TakenRecord};
use crate::kafka::broker::{
    BrokerError, ClientError, CommittedOffset, ErrorClass, GroupConsumer, OffsetBounds, Rebalance, RecordBatch,
};
use crate::kafka::client::errors::with_advice;
use crate::kafka::client::observer::Observer;
use crate::kafka::client::partition_list::{bounds, committed_in, list, offsets_of};
use crate::kafka::client::{acls, client_config};
use crate::kafka::events::{EventListener, WorkerId};
use crate::kafka::topology::{PartitionId, Topology};
use crate::settings::Settings;

/// How long a seek may take: it is a question to the client's own thread.
const SEEK_PATIENCE: Duration = Duration::from_secs(1);
/// How long a consumer that leaves waits for requests that are on their way.
const LEAVE_PATIENCE: Duration = Duration::from_secs(1);

/// A worker's consumer.
pub struct RdkafkaConsumer {
    records: RecordQueue<ConsumerCallbacks>,
    client: Arc<BaseConsumer<ConsumerCallbacks>>,
    arrival: Arc<Arrival>,
    /// What was taken beside records.
    troubles: Mutex<Troubles>,
    observer: Observer,
    topology: Arc<Topology>,
    settings: Arc<Settings>,
}

/// Errors of partitions.
#[derive(Default)]
struct Troubles {
    /// Those that the worker has not heard of.
    waiting: VecDeque<BrokerError>,
    places: ErrorPlaces,
}

impl RdkafkaConsumer {
    pub(in crate::kafka::client) fn new(
        settings: Arc<Settings>,
        topology: Arc<Topology>,
        worker: WorkerId,
        listener: EventListener,
    ) -> Result<Self, ClientError> {
        let callbacks = ConsumerCallbacks::new(listener.clone(), Arc::clone(&topology));
        let mut client: BaseConsumer<ConsumerCallbacks> =
            client_config::consumer(&settings, worker).create_with_context(callbacks).map_err(ClientError::from)?;
        let arrival = Arc::new(Arrival::default());
        let signal = Arc::clone(&arrival);
        client.set_nonempty_callback(move || signal.give());
        let client = Arc::new(client);
        let records = RecordQueue::new(Arc::clone(&client), Arc::clone(&arrival))
            .ok_or_else(|| ClientError("there is no memory for a queue".to_owned()))?;
        let observer = Observer::new(Arc::clone(&settings), worker, listener);
        Ok(RdkafkaConsumer { records, client, arrival, troubles: Mutex::default(), observer, topology, settings })
    }

    fn troubles(&self) -> MutexGuard<'_, Troubles> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the records that are there. Errors of partitions wait until these records were applied.
    fn take(&self, batch: &mut RecordBatch<TakenRecord>) {
        let mut troubles = self.troubles();
        // Records of a partition come one after the other: its number is looked up once for all of them.
        let (mut handle, mut number, mut partition) = (ptr::null(), -1, None);
        self.records.take(|taken| {
            let (Taken::Record(record) | Taken::Error(_, record)) = &taken;
            if record.topic_handle() != handle || record.partition() != number {
                (handle, number) = (record.topic_handle(), record.partition());
                partition = self.topology.partition(record.topic(), number);
            }
            match (taken, partition) {
                (Taken::Record(record), Some(partition)) => {
                    troubles.places.note_record(partition, record.offset());
                    batch.push(partition, record);
                }
                (Taken::Record(_), None) => {}
                (Taken::Error(code, record), partition) => {
                    troubles.waiting.push_back(self.advised(KafkaError::MessageConsumption(code)));
                    if let Some(partition) = partition {
                        troubles.places.note_error(partition, record.offset());
                    }
                }
            }
        });
    }

    fn advised(&self, error: KafkaError) -> BrokerError {
        with_advice(error, |code| acls::not_read(code, &self.settings, &self.topology))
    }

    /// Serves the client's own queue once. `None`: there was nothing, or a request of the group.
    fn serve(&self) -> Option<BrokerError> {
        match self.client.poll(Duration::ZERO)? {
            Err(error) => Some(self.advised(error)),
            // The queue of every partition is forwarded before it is fetched.
            Ok(record) => {
                let text = format!("a record of partition {} came past the queue of records", record.partition());
                Some(BrokerError { class: ErrorClass::Fatal, code: None, text })
            }
        }
    }

    /// The membership that a transaction names to the group.
    pub(in crate::kafka::client) fn group_metadata(&self) -> Option<ConsumerGroupMetadata> {
        self.client.group_metadata()
    }

    /// Commits offsets outside of transactions, and waits for the answer.
    pub(in crate::kafka) fn commit(&self, next: &[(PartitionId, i64)]) -> Result<(), BrokerError> {
        let offsets = next.iter().map(|(partition, offset)| (*partition, Offset::Offset(*offset)));
        Ok(self.client.commit(&list(&self.topology, offsets), CommitMode::Sync)?)
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

    fn forward(&self, starts: &[(PartitionId, i64)]) {
        for (partition, _) in starts {
            self.records.forward(self.topology.topic(partition.topic), partition.number);
        }
    }

    fn list(&self, partitions: &[PartitionId], offset: Offset) -> TopicPartitionList {
        list(&self.topology, partitions.iter().map(|partition| (*partition, offset)))
    }
}

impl GroupConsumer for RdkafkaConsumer {
    type Record = TakenRecord;

    fn join(&self) -> Result<(), BrokerError> {
        let topics: Vec<&str> = self.topology.iter().map(|(_, plan)| &*plan.topic).collect();
        Ok(self.client.subscribe(&topics)?)
    }

    fn poll_group(&self, wait: Duration) -> Result<(), BrokerError> {
        let error = self.serve().or_else(|| {
            self.arrival.wait(wait);
            self.serve()
        });
        error.map_or(Ok(()), Err)
    }

    fn poll(&self, wait: Duration, batch: &mut RecordBatch<TakenRecord>) -> Result<(), BrokerError> {
        if let Some(error) = self.troubles().waiting.pop_front() {
            return Err(error);
        }
        for wait in [wait, Duration::ZERO] {
            if let Some(error) = self.serve() {
                return Err(error);
            }
            self.take(batch);
            if !batch.is_empty() || !self.troubles().waiting.is_empty() || wait.is_zero() {
                break;
            }
            self.arrival.wait(wait);
        }
        Ok(())
    }

    fn waker(&self) -> Box<dyn Fn() + Send> {
        let arrival = Arc::clone(&self.arrival);
        Box::new(move || arrival.give())
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
        fetched.iter().for_each(|partition| self.troubles().places.forget(*partition));
        Ok(self.client.incremental_unassign(&self.list(fetched, Offset::Invalid))?)
    }

    fn fetch(&self, starts: &[(PartitionId, i64)]) -> Result<(), BrokerError> {
        let offsets = starts.iter().map(|(partition, offset)| (*partition, Offset::Offset(*offset)));
        let list = list(&self.topology, offsets);
        // Before, so that no record comes through the client's own queue; again after, since the end of an earlier fetch,
        // which the client's thread has worked off by then, takes it back.
        self.forward(starts);
        self.client.incremental_assign(&list)?;
        self.forward(starts);
        Ok(self.client.resume(&list)?)
    }

    fn pause(&self, partitions: &[PartitionId]) -> Result<(), BrokerError> {
        Ok(self.client.pause(&self.list(partitions, Offset::Invalid))?)
    }

    fn resume(&self, starts: &[(PartitionId, i64)]) -> Result<(), BrokerError> {
        // While they are paused: of its own, the client would go on behind what was taken, which may not be applied.
        for (partition, offset) in starts {
            self.troubles().places.forget(*partition);
            let topic = self.topology.topic(partition.topic);
            self.client.seek(topic, partition.number, Offset::Offset(*offset), SEEK_PATIENCE)?;
        }
        let partitions: Vec<PartitionId> = starts.iter().map(|(partition, _)| *partition).collect();
        Ok(self.client.resume(&self.list(&partitions, Offset::Invalid))?)
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
        let mut positions = offsets_of(&self.topology, &self.client.position()?);
        let troubles = self.troubles();
        for (partition, position) in &mut positions {
            *position = troubles.places.correct(*partition, *position);
        }
        Ok(positions)
    }

    fn leave(&self) -> Result<(), BrokerError> {
        let given_back = self.give_all_back();
        *self.client.context().leave() = LeaveProgress::Closing;
        given_back
    }
}
