//! The wire over librdkafka: who reads changelogs back, and histories.

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

/// What is read of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shelf {
    Changelog,
    /// The partition itself.
    History,
}

/// A reader of the changelog, and who asks for what the reader does not see yet.
pub struct NativeChangelog {
    reader: BaseConsumer<Plain>,
    inquirer: BaseConsumer<Plain>,
    streams: Arc<Streams>,
    shelf: Shelf,
}

impl NativeChangelog {
    pub fn new(
        reader: BaseConsumer<Plain>,
        inquirer: BaseConsumer<Plain>,
        streams: Arc<Streams>,
        shelf: Shelf,
    ) -> Self {
        NativeChangelog { reader, inquirer, streams, shelf }
    }

    fn topic(&self, partition: PartitionId) -> &str {
        let plan = self.streams.plan(partition.stream);
        match self.shelf {
            Shelf::Changelog => &plan.changelog,
            Shelf::History => &plan.topic,
        }
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
