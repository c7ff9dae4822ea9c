//! The wire over librdkafka: who reads changelogs back.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Offset, TopicPartitionList};

use super::clients::Plain;
use super::native::bounds;
use super::native_lists::offset_of;
use super::streams::{PartitionId, Streams};
use super::wire::{Bounds, ChangelogReader, WireError};

/// A reader of the changelog, and who asks for what the reader does not see yet.
pub struct NativeChangelog {
    reader: BaseConsumer<Plain>,
    inquirer: BaseConsumer<Plain>,
    streams: Arc<Streams>,
}

impl NativeChangelog {
    pub fn new(reader: BaseConsumer<Plain>, inquirer: BaseConsumer<Plain>, streams: Arc<Streams>) -> Self {
        NativeChangelog { reader, inquirer, streams }
    }

    fn topic(&self, partition: PartitionId) -> &str {
        &self.streams.plan(partition.stream).changelog
    }
}

impl ChangelogReader for NativeChangelog {
    type Record<'a> = BorrowedMessage<'a>;

    fn end(&self, partition: PartitionId, patience: Duration) -> Result<i64, WireError> {
        Ok(bounds(&self.inquirer, self.topic(partition), partition.number, patience)?.high)
    }

    fn stable(&self, partition: PartitionId, patience: Duration) -> Result<Bounds, WireError> {
        bounds(&self.reader, self.topic(partition), partition.number, patience)
    }

    fn open(&self, partition: PartitionId, offset: i64) -> Result<(), WireError> {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(self.topic(partition), partition.number, Offset::Offset(offset))?;
        Ok(self.reader.assign(&list)?)
    }

    fn poll(&self, wait: Duration) -> Option<Result<BorrowedMessage<'_>, WireError>> {
        self.reader.poll(wait).map(|polled| polled.map_err(WireError::from))
    }

    fn position(&self, partition: PartitionId) -> Result<Option<i64>, WireError> {
        let positions = self.reader.position()?;
        Ok(positions.find_partition(self.topic(partition), partition.number).as_ref().and_then(offset_of))
    }
}
