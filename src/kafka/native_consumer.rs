//! The wire over librdkafka: a worker's consumer, and how it leaves the group.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::CStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, ConsumerGroupMetadata};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::metadata::MetadataTopic;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList, bindings};

use super::clients::{self, ClientError, pass_error_on, pass_on};
use super::faults::told;
use super::native::bounds;
use super::native_lists::{list, noted_in, offsets_of, partition_of};
use super::native_observer::Observer;
use super::notice::{Notices, WorkerId};
use super::rights;
use super::streams::{PartitionId, Streams};
use super::wire::{Bounds, Class, Committed, GroupConsumer, Rebalance, WireError};
use crate::settings::Settings;

/// How long one that leaves listens to what it was already sent.
const LEAVE_PATIENCE: Duration = Duration::from_secs(1);

/// A worker's consumer.
pub struct NativeConsumer {
    client: BaseConsumer<ConsumerSide>,
    observer: Observer,
    streams: Arc<Streams>,
    settings: Arc<Settings>,
}

impl NativeConsumer {
    pub(super) fn new(
        settings: Arc<Settings>,
        streams: Arc<Streams>,
        worker: WorkerId,
        notices: Notices,
    ) -> Result<Self, ClientError> {
        let side = ConsumerSide {
            notices: notices.clone(),
            rebalances: Mutex::default(),
            leave: Mutex::default(),
            streams: Arc::clone(&streams),
        };
        let client = clients::consumer(&settings, worker).create_with_context(side).map_err(ClientError::from)?;
        let observer = Observer::new(Arc::clone(&settings), worker, notices);
        Ok(NativeConsumer { client, observer, streams, settings })
    }

    /// What a transaction tells the group about who commits.
    pub(super) fn group_metadata(&self) -> Option<ConsumerGroupMetadata> {
        self.client.group_metadata()
    }

    /// Gives up everything, and answers what the group has asked so far: once it is closed there is nobody to take an
    /// answer.
    fn give_all_back(&self) -> Result<(), WireError> {
        let until = Instant::now() + LEAVE_PATIENCE;
        self.client.incremental_unassign(&self.client.assignment()?)?;
        loop {
            let is_quiet = self.client.poll(Duration::ZERO).is_none() || Instant::now() >= until;
            match self.next_rebalance() {
                Some(Rebalance::Assign(_)) => self.accept()?,
                // All that was fetched is given up already.
                Some(Rebalance::Revoke { .. }) => self.give_up(&[])?,
                Some(Rebalance::Failed(_)) => {}
                None if is_quiet => return Ok(()),
                None => {}
            }
        }
    }

    fn list(&self, partitions: &[PartitionId], offset: Offset) -> TopicPartitionList {
        list(&self.streams, partitions.iter().map(|partition| (*partition, offset)))
    }
}

impl GroupConsumer for NativeConsumer {
    type Record<'a> = BorrowedMessage<'a>;

    fn join(&self) -> Result<(), WireError> {
        let topics: Vec<&str> = self.streams.iter().map(|(_, plan)| &*plan.topic).collect();
        Ok(self.client.subscribe(&topics)?)
    }

    fn poll(&self, wait: Duration) -> Option<Result<BorrowedMessage<'_>, WireError>> {
        let words = |code| rights::not_read(code, &self.settings, &self.streams);
        self.client.poll(wait).map(|polled| polled.map_err(|error| told(error, words)))
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

    fn accept(&self) -> Result<(), WireError> {
        Ok(self.client.incremental_assign(&TopicPartitionList::new())?)
    }

    fn give_up(&self, fetched: &[PartitionId]) -> Result<(), WireError> {
        Ok(self.client.incremental_unassign(&self.list(fetched, Offset::Invalid))?)
    }

    fn fetch(&self, starts: &[(PartitionId, i64)]) -> Result<(), WireError> {
        let starts = starts.iter().map(|(partition, offset)| (*partition, Offset::Offset(*offset)));
        let starts = list(&self.streams, starts);
        self.client.incremental_assign(&starts)?;
        Ok(self.client.resume(&starts)?)
    }

    fn pause(&self, partitions: &[PartitionId]) -> Result<(), WireError> {
        Ok(self.client.pause(&self.list(partitions, Offset::Invalid))?)
    }

    fn resume(&self, partitions: &[PartitionId]) -> Result<(), WireError> {
        Ok(self.client.resume(&self.list(partitions, Offset::Invalid))?)
    }

    fn committed(
        &self,
        partitions: &[PartitionId],
        patience: Duration,
    ) -> Result<BTreeMap<PartitionId, Result<Committed, WireError>>, WireError> {
        let found = self.client.committed_offsets(self.list(partitions, Offset::Invalid), patience)?;
        Ok(noted_in(&self.streams, &found))
    }

    fn noted(
        &self,
        partitions: &[PartitionId],
        patience: Duration,
    ) -> Result<BTreeMap<PartitionId, Committed>, WireError> {
        self.observer.noted(&self.streams, partitions, patience)
    }

    fn bounds(&self, partition: PartitionId, patience: Duration) -> Result<Bounds, WireError> {
        bounds(&self.client, self.streams.topic(partition.stream), partition.number, patience)
    }

    fn ends(&self, partitions: &[PartitionId], patience: Duration) -> Result<BTreeMap<PartitionId, i64>, WireError> {
        Ok(offsets_of(&self.streams, &self.client.offsets_for_times(self.list(partitions, Offset::End), patience)?))
    }

    fn input_end(&self, patience: Duration) -> Result<i64, WireError> {
        let mut asked: Vec<PartitionId> = Vec::new();
        for (stream, plan) in self.streams.inputs() {
            let metadata = self.client.fetch_metadata(Some(&plan.topic), patience)?;
            let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
            asked.extend(partitions.map(|partition| PartitionId { stream, number: partition.id() }));
        }
        let ends = self.ends(&asked, patience)?;
        if ends.len() < asked.len() {
            let text = "not all partitions of the input have a leader now".to_owned();
            return Err(WireError { class: Class::Again, code: None, text });
        }
        Ok(ends.values().sum())
    }

    fn positions(&self) -> Result<BTreeMap<PartitionId, i64>, WireError> {
        Ok(offsets_of(&self.streams, &self.client.position()?))
    }

    fn leave(&self) -> Result<(), WireError> {
        let given_back = self.give_all_back();
        *self.client.context().leave() = Leave::Closing;
        given_back
    }
}

/// Callbacks of a worker's consumer.
struct ConsumerSide {
    notices: Notices,
    rebalances: Mutex<VecDeque<Rebalance>>,
    leave: Mutex<Leave>,
    streams: Arc<Streams>,
}

/// How far a consumer is on its way out of the group.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Leave {
    #[default]
    Working,
    /// The worker has nothing left to commit: partitions are given up without asking it.
    Closing,
    /// The group has had its answer. A closing consumer takes the first one for all, and may be gone when a second one
    /// comes, which would then be waited for without an end (librdkafka #4884).
    Answered,
}

impl Leave {
    /// The group asks something: how far things were then.
    fn asked(&mut self) -> Leave {
        let before = *self;
        if before == Leave::Closing {
            *self = Leave::Answered;
        }
        before
    }
}

impl ConsumerSide {
    fn leave(&self) -> MutexGuard<'_, Leave> {
        self.leave.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rebalances(&self) -> MutexGuard<'_, VecDeque<Rebalance>> {
        self.rebalances.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for ConsumerSide {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        pass_on(&self.notices, level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        pass_error_on(&self.notices, &error, reason);
    }
}

impl ConsumerContext for ConsumerSide {
    fn rebalance(&self, consumer: &BaseConsumer<ConsumerSide>, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let leave = self.leave().asked();
        if leave == Leave::Closing {
            // There is nobody to tell of an error, and nothing to do about it.
            let _ = consumer.unassign();
        }
        if leave != Leave::Working {
            return;
        }
        let elements = list.elements();
        let partitions = elements.iter().filter_map(|element| partition_of(&self.streams, element)).collect();
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
