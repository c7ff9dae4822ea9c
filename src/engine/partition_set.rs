//! One partition for each entity kind, on one clock; every event goes to each of its entities.

use crate::engine::partition::Partition;
use crate::engine::ports::Sink;
use crate::engine::program::CompiledCatalog;
use crate::model::{EntityKindId, Event, Timestamp};

/// The partitions of all entity kinds, as `replay` drives them (spec 8).
#[derive(Debug)]
pub struct PartitionSet {
    /// By entity kind, in the catalog's order.
    partitions: Vec<Partition>,
}

impl PartitionSet {
    /// Empty partitions, one for each entity kind of the catalog.
    pub fn new(compiled: &CompiledCatalog) -> Self {
        PartitionSet { partitions: compiled.programs().cloned().map(Partition::new).collect() }
    }

    /// As [`Partition::fetch`], for all kinds of entities.
    pub fn fetch(&self, events: &[Event]) {
        self.partitions.iter().for_each(|partition| partition.fetch(events.iter()));
    }

    /// First everything that is due up to the event's time, in all partitions; then the event, for each of its
    /// entities.
    pub fn apply(&mut self, event: &Event, sink: &mut impl Sink) {
        self.advance(event.time, sink);
        for partition in &mut self.partitions {
            partition.apply(event, sink);
        }
    }

    /// Lets time pass up to an instant. Timers fire in the order of their instants; of one instant, the first kind's
    /// first.
    pub fn advance(&mut self, to: Timestamp, sink: &mut impl Sink) {
        if let [only] = self.partitions.as_mut_slice() {
            return only.advance(to, sink);
        }
        while let Some(due) = self.first_due(to) {
            self.partitions.iter_mut().for_each(|partition| partition.advance(due, sink));
        }
        self.partitions.iter_mut().for_each(|partition| partition.advance(to, sink));
    }

    fn first_due(&mut self, limit: Timestamp) -> Option<Timestamp> {
        self.partitions.iter_mut().filter_map(|partition| partition.first_due(limit)).min()
    }

    /// The clock of all partitions; `None` before the first event.
    pub fn clock(&self) -> Option<Timestamp> {
        self.partitions.first().and_then(Partition::clock)
    }

    /// The partition of an entity kind.
    pub fn partition(&self, kind: EntityKindId) -> &Partition {
        &self.partitions[kind.index()]
    }

    /// The partition of an entity kind.
    pub fn partition_mut(&mut self, kind: EntityKindId) -> &mut Partition {
        &mut self.partitions[kind.index()]
    }

    /// In the catalog's order of entity kinds.
    pub fn partitions(&self) -> &[Partition] {
        &self.partitions
    }

    /// In the catalog's order of entity kinds.
    pub fn partitions_mut(&mut self) -> &mut [Partition] {
        &mut self.partitions
    }
}
