//! All kinds of entity on one clock: a partition each, and every event goes to each of its entities.

use std::sync::Arc;

use super::models::ScoreModels;
use super::partition::{Partition, Sink};
use super::program::Program;
use crate::catalog::Catalog;
use crate::model::{EntityKindId, Event, Timestamp};

/// The programs of all kinds of entity of one catalog.
#[derive(Debug)]
pub struct CompiledCatalog {
    pub catalog: Arc<Catalog>,
    /// By kind, in the catalog's order.
    programs: Vec<Arc<Program>>,
}

impl CompiledCatalog {
    /// Of a catalog without models: a tag with a `score` is never on.
    pub fn new(catalog: Catalog) -> Arc<Self> {
        CompiledCatalog::with_models(catalog, ScoreModels::default())
    }

    pub fn with_models(catalog: Catalog, models: impl Into<ScoreModels>) -> Arc<Self> {
        let models = models.into();
        let catalog = Arc::new(catalog);
        let kinds = (0..catalog.entities.len()).map(|index| EntityKindId(index as u16));
        let programs = kinds.map(|kind| Program::of(Arc::clone(&catalog), kind, models.clone())).collect();
        Arc::new(CompiledCatalog { catalog, programs })
    }

    pub fn of(&self, kind: EntityKindId) -> &Arc<Program> {
        &self.programs[kind.index()]
    }

    /// The hash of the catalog's meaning, in hex, as tag changes bear it.
    pub fn fingerprint(&self) -> &str {
        &self.user().fingerprint
    }

    /// Of the users.
    pub fn user(&self) -> &Arc<Program> {
        self.of(self.catalog.user())
    }
}

/// What one partition of events is to a catalog that knows several kinds of entity, as `replay` sees it (spec 8).
#[derive(Debug)]
pub struct PartitionSet {
    /// By kind, in the catalog's order.
    partitions: Vec<Partition>,
}

impl PartitionSet {
    pub fn new(programs: &CompiledCatalog) -> Self {
        PartitionSet { partitions: programs.programs.iter().cloned().map(Partition::new).collect() }
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
