//! All kinds of entity on one clock: a partition each, and every event goes to each of its entities.

use crate::engine::partition::Partition;
use crate::engine::ports::Sink;
use crate::engine::program::CompiledCatalog;
use crate::model::{EntityKindId, Event, Timestamp};

/// What one partition of events is to a catalog that knows several kinds of entity, as `replay` sees it (spec 8).
#[derive(Debug)]
pub struct PartitionSet {
    /// By kind, in the catalog's order.
    partitions: Vec<Partition>,
}

impl PartitionSet {
    pub fn new(compiled: &CompiledCatalog) -> Self {
        PartitionSet { partitions: compiled.programs().cloned().map(Partition::new).collect() }
    }

    /// What is due up to the event's time comes first, for all; then the event, for each of its entities in turn.
    pub fn apply(&mut self, event: &Event, sink: &mut impl Sink) {
        self.advance(event.time, sink);
        for partition in &mut self.partitions {
            partition.apply(event, sink);
        }
    }

    /// Time passes up to an instant: timers fire in their order, of one instant those of the first kind first.
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

    /// The clock that all have; none before the first event.
    pub fn clock(&self) -> Option<Timestamp> {
        self.partitions.first().and_then(Partition::clock)
    }

    pub fn partition(&self, kind: EntityKindId) -> &Partition {
        &self.partitions[kind.index()]
    }

    pub fn partition_mut(&mut self, kind: EntityKindId) -> &mut Partition {
        &mut self.partitions[kind.index()]
    }

    /// In the catalog's order of kinds.
    pub fn partitions(&self) -> &[Partition] {
        &self.partitions
    }

    pub fn partitions_mut(&mut self) -> &mut [Partition] {
        &mut self.partitions
    }
}
