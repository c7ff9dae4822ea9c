//! Reads the tag changes as a subscriber does that keeps its own place: committed records, from offsets on, in no group.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{Message, Offset, TopicPartitionList};

use crate::kafka::broker::{BrokerError, ClientError, OffsetBounds};
use crate::kafka::client::{ClientCallbacks, bounds, client_config};
use crate::kafka::events::EventListener;
use crate::settings::Settings;

/// A client that reads the topic of tag changes.
pub struct ChangesTail {
    consumer: BaseConsumer<ClientCallbacks>,
    topic: String,
}

/// A committed record of the topic.
#[derive(Clone, Copy, Debug)]
pub struct ChangesTailRecord<'a> {
    pub partition: i32,
    pub offset: i64,
    pub value: &'a [u8],
}

impl ChangesTail {
    /// # Errors
    /// librdkafka refuses the properties.
    pub fn new(settings: &Settings, listener: EventListener) -> Result<Self, ClientError> {
        let config = client_config::changes_tail(settings);
        let consumer = config.create_with_context(ClientCallbacks::new(listener)).map_err(ClientError::from)?;
        Ok(ChangesTail { consumer, topic: settings.output.changes.clone() })
    }

    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// How many partitions the topic has; 0: it does not exist.
    ///
    /// # Errors
    /// The brokers do not answer.
    pub fn partitions(&self, patience: Duration) -> Result<i32, BrokerError> {
        let metadata = self.consumer.fetch_metadata(Some(&self.topic), patience)?;
        let topic = metadata.topics().iter().find(|topic| topic.name() == self.topic);
        Ok(topic.filter(|topic| topic.error().is_none()).map_or(0, |topic| topic.partitions().len() as i32))
    }

    /// Where a partition begins, and where its committed records end.
    ///
    /// # Errors
    /// The brokers do not answer.
    pub fn bounds(&self, partition: i32, patience: Duration) -> Result<OffsetBounds, BrokerError> {
        bounds(&self.consumer, &self.topic, partition, patience)
    }

    /// Reads these partitions, each from this offset on.
    ///
    /// # Errors
    /// librdkafka refuses an offset.
    pub fn assign(&self, starts: &BTreeMap<i32, i64>) -> Result<(), BrokerError> {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in starts {
            list.add_partition_offset(&self.topic, *partition, Offset::Offset(*offset))?;
        }
        Ok(self.consumer.assign(&list)?)
    }

    /// Hands on the next record, if one comes in time; whether one has come.
    ///
    /// # Errors
    /// Why records cannot be read at present.
    pub fn poll<T>(
        &self,
        wait: Duration,
        take: impl FnOnce(ChangesTailRecord<'_>) -> T,
    ) -> Result<Option<T>, BrokerError> {
        let Some(polled) = self.consumer.poll(wait) else { return Ok(None) };
        let message = polled?;
        let (partition, offset) = (message.partition(), message.offset());
        Ok(Some(take(ChangesTailRecord { partition, offset, value: message.payload().unwrap_or_default() })))
    }

    /// The next offset of each partition that has brought a record, behind transaction markers.
    ///
    /// # Errors
    /// librdkafka's client has failed.
    pub fn positions(&self) -> Result<BTreeMap<i32, i64>, BrokerError> {
        let position = |element: &TopicPartitionListElem<'_>| match element.offset() {
            Offset::Offset(offset) => Some((element.partition(), offset)),
            _ => None,
        };
        Ok(self.consumer.position()?.elements().iter().filter_map(position).collect())
    }
}
