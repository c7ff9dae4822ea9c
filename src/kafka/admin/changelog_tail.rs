//! Reads changelogs as a replica does: committed records of many partitions, from an offset on, in no group.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Message, Offset, TopicPartitionList};

use crate::catalog::Catalog;
use crate::kafka::broker::{BrokerError, ClientError, OffsetBounds};
use crate::kafka::client::{ClientCallbacks, bounds, client_config};
use crate::kafka::events::EventListener;
use crate::kafka::topology::{PartitionId, PartitionName, Role, Topology};
use crate::settings::Settings;

/// A client that reads changelogs.
pub struct ChangelogTail {
    consumer: BaseConsumer<ClientCallbacks>,
    topology: Topology,
}

/// A committed record of a changelog.
#[derive(Clone, Copy, Debug)]
pub struct ChangelogTailRecord<'a> {
    pub partition: PartitionId,
    pub offset: i64,
    pub key: &'a [u8],
    pub value: Option<&'a [u8]>,
}

impl ChangelogTail {
    /// A client for the changelogs that belong to a catalog.
    ///
    /// # Errors
    /// librdkafka refuses the properties.
    pub fn new(settings: &Settings, catalog: &Catalog, listener: EventListener) -> Result<Self, ClientError> {
        let mut config = client_config::changelog_tail(settings);
        config.set("isolation.level", "read_committed");
        let consumer = config.create_with_context(ClientCallbacks::new(listener)).map_err(ClientError::from)?;
        Ok(ChangelogTail { consumer, topology: Topology::of(settings, Some(catalog)) })
    }

    /// The partitions of the changelogs: all, or those with these numbers.
    ///
    /// # Errors
    /// The brokers do not answer, or a changelog does not exist.
    pub fn partitions(
        &mut self,
        wanted: Option<&BTreeSet<i32>>,
        patience: Duration,
    ) -> Result<Vec<PartitionId>, BrokerError> {
        let mut counts = BTreeMap::new();
        for (_, plan) in self.topology.iter().filter(|(_, plan)| !plan.changelog.is_empty()) {
            let metadata = self.consumer.fetch_metadata(Some(&plan.changelog), patience)?;
            let count = metadata.topics().iter().find(|topic| topic.name() == plan.changelog);
            let count = count.filter(|topic| topic.error().is_none()).map_or(0, |topic| topic.partitions().len());
            counts.insert(plan.topic.to_string(), count as i32);
        }
        self.topology = self.topology.clone().counted(|topic| counts.get(topic).copied().unwrap_or(0));
        let is_wanted = |partition: &PartitionId| wanted.is_none_or(|wanted| wanted.contains(&partition.number));
        Ok(self.topology.partitions().into_iter().filter(is_wanted).collect())
    }

    /// The changelogs that do not exist, or have no partitions, as far as [`ChangelogTail::partitions`] has found.
    pub fn missing(&self) -> Vec<String> {
        let missing = self.topology.iter().filter(|(_, plan)| !plan.changelog.is_empty() && plan.partitions == 0);
        missing.map(|(_, plan)| plan.changelog.clone()).collect()
    }

    pub fn name(&self, partition: PartitionId) -> PartitionName {
        self.topology.name(partition)
    }

    pub fn role(&self, partition: PartitionId) -> Role {
        self.topology.plan(partition.topic).role
    }

    /// Where a changelog begins, and where its committed records end.
    ///
    /// # Errors
    /// The brokers do not answer.
    pub fn bounds(&self, partition: PartitionId, patience: Duration) -> Result<OffsetBounds, BrokerError> {
        bounds(&self.consumer, &self.topology.plan(partition.topic).changelog, partition.number, patience)
    }

    /// About how many records another topic has: the ends of transactions count, too. `None`: there is no such topic.
    ///
    /// # Errors
    /// The brokers do not answer, or the right to describe the topic is missing.
    pub fn count(&self, topic: &str, patience: Duration) -> Result<Option<u64>, BrokerError> {
        let metadata = self.consumer.fetch_metadata(Some(topic), patience)?;
        let found = metadata.topics().iter().find(|found| found.name() == topic && found.error().is_none());
        let Some(found) = found else { return Ok(None) };
        let mut count = 0;
        for partition in found.partitions() {
            let OffsetBounds { low, high } = bounds(&self.consumer, topic, partition.id(), patience)?;
            count += u64::try_from(high - low).unwrap_or(0);
        }
        Ok(Some(count))
    }

    /// Reads these partitions from these offsets on, and no others.
    ///
    /// # Errors
    /// librdkafka refuses an offset.
    pub fn assign(&self, partitions: &BTreeMap<PartitionId, i64>) -> Result<(), BrokerError> {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in partitions {
            let topic = &self.topology.plan(partition.topic).changelog;
            list.add_partition_offset(topic, partition.number, Offset::Offset(*offset))?;
        }
        Ok(self.consumer.assign(&list)?)
    }

    /// Hands on the next record, if one comes in time; whether one has come.
    ///
    /// # Errors
    /// Why records cannot be read at present.
    pub fn poll(&self, wait: Duration, take: impl FnOnce(ChangelogTailRecord<'_>)) -> Result<bool, BrokerError> {
        let Some(polled) = self.consumer.poll(wait) else { return Ok(false) };
        let message = polled?;
        if let Some(partition) = self.partition(message.topic(), message.partition()) {
            let (key, value) = (message.key().unwrap_or_default(), message.payload());
            take(ChangelogTailRecord { partition, offset: message.offset(), key, value });
        }
        Ok(true)
    }

    /// Where each partition goes on; records that are no data are behind it.
    ///
    /// # Errors
    /// librdkafka's client has failed.
    pub fn positions(&self) -> Result<BTreeMap<PartitionId, i64>, BrokerError> {
        let list = self.consumer.position()?;
        let position = |element: &rdkafka::topic_partition_list::TopicPartitionListElem<'_>| match element.offset() {
            Offset::Offset(offset) => Some((self.partition(element.topic(), element.partition())?, offset)),
            _ => None,
        };
        Ok(list.elements().iter().filter_map(position).collect())
    }

    fn partition(&self, changelog: &str, number: i32) -> Option<PartitionId> {
        let plan = self.topology.iter().find(|(_, plan)| plan.changelog == changelog);
        plan.map(|(topic, _)| PartitionId { topic, number })
    }
}
