//! Reads changelogs and histories through librdkafka.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Offset, TopicPartitionList};

use super::client_config::ClientCallbacks;
use super::partition_list::{bounds, offset_of};
use crate::kafka::broker::{BrokerError, ChangelogReader, OffsetBounds};
use crate::kafka::topology::{PartitionId, Topology};

/// Which topic of a partition is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadTopic {
    Changelog,
    /// The topic of the partition itself.
    Input,
}

/// A `read_committed` consumer that reads, and a `read_uncommitted` one that asks for the end.
pub struct RdkafkaChangelogReader {
    reader: BaseConsumer<ClientCallbacks>,
    metadata: BaseConsumer<ClientCallbacks>,
    topology: Arc<Topology>,
    read: ReadTopic,
}

impl RdkafkaChangelogReader {
    pub fn new(
        reader: BaseConsumer<ClientCallbacks>,
        metadata: BaseConsumer<ClientCallbacks>,
        topology: Arc<Topology>,
        read: ReadTopic,
    ) -> Self {
        RdkafkaChangelogReader { reader, metadata, topology, read }
    }

    fn topic(&self, partition: PartitionId) -> &str {
        let plan = self.topology.plan(partition.topic);
        match self.read {
            ReadTopic::Changelog => &plan.changelog,
            ReadTopic::Input => &plan.topic,
        }
    }
}

impl ChangelogReader for RdkafkaChangelogReader {
    type Record<'a> = BorrowedMessage<'a>;

    fn end(&self, partition: PartitionId, patience: Duration) -> Result<i64, BrokerError> {
        Ok(bounds(&self.metadata, self.topic(partition), partition.number, patience)?.high)
    }

    fn stable(&self, partition: PartitionId, patience: Duration) -> Result<OffsetBounds, BrokerError> {
        bounds(&self.reader, self.topic(partition), partition.number, patience)
    }

    fn open(&self, partition: PartitionId, offset: i64) -> Result<(), BrokerError> {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(self.topic(partition), partition.number, Offset::Offset(offset))?;
        Ok(self.reader.assign(&list)?)
    }

    fn poll(&self, wait: Duration) -> Option<Result<BorrowedMessage<'_>, BrokerError>> {
        self.reader.poll(wait).map(|polled| polled.map_err(BrokerError::from))
    }

    fn position(&self, partition: PartitionId) -> Result<Option<i64>, BrokerError> {
        let positions = self.reader.position()?;
        Ok(positions.find_partition(self.topic(partition), partition.number).as_ref().and_then(offset_of))
    }
}
