//! Conversions between librdkafka's lists of partitions and the topology.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{Offset, TopicPartitionList};

use crate::kafka::broker::{BrokerError, CommittedOffset, OffsetBounds};
use crate::kafka::topology::{PartitionId, Topology};

/// The offset of an element; `None`: it has none.
pub(super) fn offset_of(element: &TopicPartitionListElem<'_>) -> Option<i64> {
    match (element.error(), element.offset()) {
        (Ok(()), Offset::Offset(offset)) => Some(offset),
        _ => None,
    }
}

/// The partition of an element; `None`: the group does not read its topic.
pub(super) fn partition_of(topology: &Topology, element: &TopicPartitionListElem<'_>) -> Option<PartitionId> {
    topology.partition(element.topic(), element.partition())
}

pub(super) fn offsets_of(topology: &Topology, list: &TopicPartitionList) -> BTreeMap<PartitionId, i64> {
    let elements = list.elements();
    let offset = |element: &TopicPartitionListElem<'_>| Some((partition_of(topology, element)?, offset_of(element)?));
    elements.iter().filter_map(offset).collect()
}

pub(super) fn list(
    topology: &Topology,
    partitions: impl IntoIterator<Item = (PartitionId, Offset)>,
) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for (partition, offset) in partitions {
        // The offset is always valid: a real one, or one of librdkafka's named ones.
        let _ = list.add_partition(topology.topic(partition.topic), partition.number).set_offset(offset);
    }
    list
}

/// The committed offsets in a list.
pub(super) fn committed_in(
    topology: &Topology,
    list: &TopicPartitionList,
) -> BTreeMap<PartitionId, Result<CommittedOffset, BrokerError>> {
    let committed = |element: &TopicPartitionListElem<'_>| {
        element.error()?;
        Ok(CommittedOffset { offset: offset_of(element), metadata: element.metadata().to_owned() })
    };
    let elements = list.elements();
    elements.iter().filter_map(|element| Some((partition_of(topology, element)?, committed(element)))).collect()
}

/// The first offset of a partition, and its end.
pub(crate) fn bounds<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    topic: &str,
    partition: i32,
    patience: Duration,
) -> Result<OffsetBounds, BrokerError> {
    let (low, high) = client.fetch_watermarks(topic, partition, patience)?;
    Ok(OffsetBounds { low, high })
}
