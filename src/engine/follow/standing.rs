//! How a partition stands at an instant, beside the states of its entities.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::catalog::CounterId;
use crate::engine::aggregate::Now;
use crate::engine::expr::Coverage;
use crate::engine::partition::Partition;
use crate::engine::program::Program;
use crate::model::Timestamp;

/// How a partition stands after a transaction: everything that its entities' states do not say.
#[derive(Clone, Debug)]
pub struct PartitionStanding {
    pub(super) program: Arc<Program>,
    pub(super) now: Option<Now>,
    pub(super) coverage: Coverage,
    pub(super) held: BTreeSet<Box<str>>,
    /// The fingerprint of the catalog that is in force.
    pub(super) catalog: u64,
}

impl PartitionStanding {
    /// A partition in which nothing has happened.
    pub fn empty(program: Arc<Program>) -> Self {
        let (coverage, catalog) = (Coverage::complete(&program), program.catalog.fingerprint);
        PartitionStanding { program, now: None, coverage, held: BTreeSet::new(), catalog }
    }

    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// The partition's clock; `None` before the first event.
    pub fn clock(&self) -> Option<Timestamp> {
        self.now.map(|now| now.at)
    }

    /// The fingerprint of the catalog under which the partition runs.
    pub fn catalog(&self) -> u64 {
        self.catalog
    }

    /// Whether the partition runs under the catalog with which it is read.
    pub fn is_of_its_catalog(&self) -> bool {
        self.catalog == self.program.catalog.fingerprint
    }

    /// The tags whose changes wait for approval.
    pub fn held_tags(&self) -> impl Iterator<Item = &str> {
        self.held.iter().map(|name| &**name)
    }

    /// From when on a counter has seen its whole window, where it has not yet; `FOREVER`: never.
    pub fn incomplete_until(&self, counter: CounterId) -> Option<Timestamp> {
        let now = self.now?.at;
        (!self.coverage.is_complete(counter, now)).then(|| self.coverage.complete_at(counter))
    }

    /// A partition that stands like this, with these entities: a state and the instant at which it is due.
    pub fn partition<'a>(&self, states: impl Iterator<Item = (&'a [u8], Timestamp)>) -> Partition {
        let (program, coverage) = (Arc::clone(&self.program), self.coverage.clone());
        Partition::assemble(program, self.now, coverage, self.held.clone(), states)
    }
}
