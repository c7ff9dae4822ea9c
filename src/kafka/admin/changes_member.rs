//! A member of a group of subscribers: committed tag changes of the partitions that the group gives it, and its offsets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::Message;
use rdkafka::consumer::Consumer;
use rdkafka::message::{Headers, OwnedHeaders};

use crate::kafka::broker::{
    BrokerError, ClientError, GroupConsumer, KafkaClients, OffsetBounds, Rebalance, RecordBatch,
};
use crate::kafka::client::{RdkafkaClients, client_config};
use crate::kafka::events::{EventListener, WorkerId};
use crate::kafka::failpoint::{self, Failpoint};
use crate::kafka::topology::{PartitionId, TopicId, Topology};
use crate::settings::{PartitionedBy, Settings};

type MemberConsumer = <RdkafkaClients as KafkaClients>::Consumer;

/// A member of a group that reads the tag changes.
pub struct ChangesMember {
    // Records are dropped before their consumer.
    batch: RecordBatch<<MemberConsumer as GroupConsumer>::Record>,
    consumer: MemberConsumer,
}

/// A record of the topic of tag changes.
#[derive(Clone, Debug)]
pub struct SubscribedRecord {
    pub partition: i32,
    pub offset: i64,
    pub key: Option<Vec<u8>>,
    pub value: Vec<u8>,
    pub(super) headers: OwnedHeaders,
}

impl SubscribedRecord {
    /// A record without headers.
    pub fn new(partition: i32, offset: i64, key: &str, value: impl Into<Vec<u8>>) -> Self {
        let key = Some(key.as_bytes().to_vec());
        SubscribedRecord { partition, offset, key, value: value.into(), headers: OwnedHeaders::new() }
    }
}

/// What the group requests.
#[derive(Clone, Debug)]
pub enum MemberRequest {
    Assign(Vec<i32>),
    /// `is_lost`: another member may already have them, and their offsets cannot be committed.
    Revoke {
        partitions: Vec<i32>,
        is_lost: bool,
    },
    Failed(String),
}

impl ChangesMember {
    /// Joins a group.
    ///
    /// # Errors
    /// librdkafka refuses the properties.
    pub fn join(settings: &Settings, group: &str, listener: EventListener) -> Result<Self, MemberError> {
        let mut settings = settings.clone();
        settings.kafka.application = group.to_owned();
        settings.input.topics = vec![settings.output.changes.clone()];
        settings.input.partitioned_by = PartitionedBy::User;
        let topology = Arc::new(Topology::of(&settings, None));
        let clients = RdkafkaClients::new(Arc::new(settings), topology, WorkerId(0), listener);
        let consumer = clients.consumer()?;
        consumer.join()?;
        Ok(ChangesMember { consumer, batch: RecordBatch::default() })
    }

    /// The member id; another one means that the membership before has ended.
    pub fn id(&self) -> Option<String> {
        self.consumer.member()
    }

    /// Hands on the records that have come, if any come in time.
    ///
    /// # Errors
    /// Why records cannot be read at present.
    pub fn poll(&mut self, wait: Duration, mut take: impl FnMut(SubscribedRecord)) -> Result<(), BrokerError> {
        self.consumer.poll(wait, &mut self.batch)?;
        while let Some((partition, record)) = self.batch.first() {
            let headers = record.headers().into_iter().flat_map(Headers::iter);
            take(SubscribedRecord {
                partition: partition.number,
                offset: record.offset(),
                key: record.key().map(<[u8]>::to_vec),
                value: record.payload().unwrap_or_default().to_vec(),
                headers: headers.fold(OwnedHeaders::new(), |headers, header| headers.insert(header)),
            });
            self.batch.pass();
        }
        Ok(())
    }

    pub fn next_request(&self) -> Option<MemberRequest> {
        let numbers = |partitions: Vec<PartitionId>| partitions.iter().map(|partition| partition.number).collect();
        self.consumer.next_rebalance().map(|rebalance| match rebalance {
            Rebalance::Assign(partitions) => MemberRequest::Assign(numbers(partitions)),
            Rebalance::Revoke { partitions, lost } => {
                MemberRequest::Revoke { partitions: numbers(partitions), is_lost: lost }
            }
            Rebalance::Failed(why) => MemberRequest::Failed(why),
        })
    }

    /// Accepts an assignment. Nothing of it is read yet.
    ///
    /// # Errors
    /// librdkafka's client has failed; so for the others that return nothing.
    pub fn accept(&self) -> Result<(), BrokerError> {
        self.consumer.accept()
    }

    /// Gives partitions up, of which these were read.
    #[allow(clippy::missing_errors_doc, reason = "as for `accept`")]
    pub fn give_up(&self, read: &[i32]) -> Result<(), BrokerError> {
        self.consumer.give_up(&self.ids(read))
    }

    /// Reads partitions, each from this offset on.
    #[allow(clippy::missing_errors_doc, reason = "as for `accept`")]
    pub fn read(&self, starts: &BTreeMap<i32, i64>) -> Result<(), BrokerError> {
        self.consumer.fetch(&self.places(starts))
    }

    #[allow(clippy::missing_errors_doc, reason = "as for `accept`")]
    pub fn pause(&self, partition: i32) -> Result<(), BrokerError> {
        self.consumer.pause(&self.ids(&[partition]))
    }

    /// Reads partitions again, each from this offset on.
    #[allow(clippy::missing_errors_doc, reason = "as for `accept`")]
    pub fn resume(&self, starts: &BTreeMap<i32, i64>) -> Result<(), BrokerError> {
        self.consumer.resume(&self.places(starts))
    }

    /// What the group has committed for these partitions; `None`: nothing yet.
    ///
    /// # Errors
    /// The brokers do not answer.
    pub fn committed(&self, partitions: &[i32], patience: Duration) -> Result<BTreeMap<i32, Option<i64>>, BrokerError> {
        let committed = self.consumer.committed(&self.ids(partitions), patience)?;
        committed.into_iter().map(|(partition, found)| Ok((partition.number, found?.offset))).collect()
    }

    /// Commits the offset behind the last record that is done, for each partition. Waits for the brokers' answer.
    ///
    /// # Errors
    /// The group no longer has this member, or the brokers do not answer.
    pub fn commit(&self, next: &BTreeMap<i32, i64>) -> Result<(), BrokerError> {
        failpoint::pass(Failpoint::PushAnswered);
        self.consumer.commit(&self.places(next))
    }

    /// Where a partition begins, and where its committed records end.
    ///
    /// # Errors
    /// The brokers do not answer.
    pub fn bounds(&self, partition: i32, patience: Duration) -> Result<OffsetBounds, BrokerError> {
        self.consumer.bounds(self.id_of(partition), patience)
    }

    /// Where the committed records of partitions end.
    ///
    /// # Errors
    /// The brokers do not answer.
    pub fn ends(&self, partitions: &[i32], patience: Duration) -> Result<BTreeMap<i32, i64>, BrokerError> {
        Ok(numbered(self.consumer.stable_ends(&self.ids(partitions), patience)?))
    }

    /// The next offset of each partition that has brought a record, behind transaction markers.
    ///
    /// # Errors
    /// librdkafka's client has failed.
    pub fn positions(&self) -> Result<BTreeMap<i32, i64>, BrokerError> {
        Ok(numbered(self.consumer.positions()?))
    }

    /// Leaves the group when it is dropped, without a request to this member.
    pub fn leave(&self) {
        // What the group does not hear now, it finds out when the session ends.
        let _ = self.consumer.leave();
    }

    fn id_of(&self, partition: i32) -> PartitionId {
        // The topology has one topic: see `join`.
        PartitionId { topic: TopicId(0), number: partition }
    }

    fn ids(&self, partitions: &[i32]) -> Vec<PartitionId> {
        partitions.iter().map(|partition| self.id_of(*partition)).collect()
    }

    fn places(&self, offsets: &BTreeMap<i32, i64>) -> Vec<(PartitionId, i64)> {
        offsets.iter().map(|(partition, offset)| (self.id_of(*partition), *offset)).collect()
    }
}

fn numbered(offsets: BTreeMap<PartitionId, i64>) -> BTreeMap<i32, i64> {
    offsets.into_iter().map(|(partition, offset)| (partition.number, offset)).collect()
}

/// Why there is no member.
#[derive(Debug, thiserror::Error)]
pub enum MemberError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("cannot join the group: {0}")]
    Join(#[from] BrokerError),
}

/// Those of these topics that do not exist, or that this user may not see.
///
/// # Errors
/// The brokers do not answer.
pub fn missing_topics(
    settings: &Settings,
    topics: &[String],
    listener: EventListener,
    patience: Duration,
) -> Result<Vec<String>, MissingTopicsError> {
    let client = client_config::metadata_client(settings, listener)?;
    let mut missing = Vec::new();
    for topic in topics {
        let metadata = client.fetch_metadata(Some(topic), patience).map_err(BrokerError::from).map_err(|error| {
            let why = client.client().context().refusal().unwrap_or(error.text);
            MissingTopicsError::Unreachable { brokers: settings.kafka.brokers.clone(), why }
        })?;
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        if found.is_none_or(|found| found.error().is_some() || found.partitions().is_empty()) {
            missing.push(topic.clone());
        }
    }
    Ok(missing)
}

/// Why it is not known which topics are missing.
#[derive(Debug, thiserror::Error)]
pub enum MissingTopicsError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("no answer from the brokers at {brokers}: {why}")]
    Unreachable { brokers: String, why: String },
}
