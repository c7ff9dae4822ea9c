//! A changed catalog in a worker: its partitions are surveyed between records, then all of them go on under it at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::breaker::Edition;
use super::notice::Notice;
use super::slot::Slot;
use super::streams::PartitionId;
use super::wire::Wire;
use super::worker::{Worker, WorkerError};
use crate::codec::Decoder;
use crate::engine::{ChangeImpact, ImpactPreview};

/// So many entities are looked at in one go: some milliseconds.
const SLICE: usize = 2_000;
/// The pause between two goes, which belongs to the stream.
const PAUSE: Duration = Duration::from_millis(10);
/// How long the last commit under the old catalog may take until records wait for it.
const SETTLE_PATIENCE: Duration = Duration::from_secs(3);

/// A catalog that is being looked at.
pub(super) struct Surveying {
    number: u64,
    left: Vec<(PartitionId, Box<ImpactPreview>)>,
    outlooks: BTreeMap<PartitionId, ChangeImpact>,
    pub(super) next_at: Instant,
}

/// What a worker knows of the catalogs.
pub(super) struct Renewal {
    /// The version of the breaker that was looked at.
    seen: u64,
    /// The number of the edition that runs.
    edition: u64,
    pub(super) surveying: Option<Surveying>,
}

impl Renewal {
    pub(super) fn new() -> Self {
        Renewal { seen: 0, edition: 0, surveying: None }
    }

    pub(super) fn is_behind(&self, version: u64) -> bool {
        self.seen != version
    }
}

impl<W: Wire> Worker<W> {
    /// Does what the breaker has decided, and looks at what it has to decide.
    pub(super) fn heed_breaker(&mut self) -> Result<(), WorkerError> {
        let view = self.plan.breaker.look();
        if view.edition.number != self.renewal.edition {
            self.settle_within(SETTLE_PATIENCE)?;
            if !self.is_settled() {
                // Looked at again when the loop comes round: what was sent has to end first.
                return Ok(());
            }
            self.renew(&view.edition);
        }
        self.renewal.seen = view.version;
        for slot in self.slots.values_mut() {
            if let Slot::Running(running) = slot {
                running.release_others(&view.held);
            }
        }
        let known = self.renewal.surveying.as_ref().map(|surveying| surveying.number);
        match view.candidate {
            Some((number, programs)) if known != Some(number) => {
                let mut left = Vec::new();
                for (partition, slot) in &self.slots {
                    if let Slot::Running(running) = slot
                        && running.keeps_state()
                    {
                        let role = self.plan.streams.plan(partition.stream).role;
                        left.push((*partition, Box::new(ImpactPreview::new(running.state(), role.program(&programs)))));
                    }
                }
                let next_at = self.wire.now();
                self.renewal.surveying = Some(Surveying { number, left, outlooks: BTreeMap::new(), next_at });
            }
            Some(_) => {}
            None => self.renewal.surveying = None,
        }
        self.commit_later();
        Ok(())
    }

    /// Looks at some more entities.
    pub(super) fn survey(&mut self) {
        let next_at = self.wire.now() + PAUSE;
        let Some(surveying) = &mut self.renewal.surveying else { return };
        surveying.next_at = next_at;
        let Some((partition, survey)) = surveying.left.last_mut() else {
            let (number, outlooks) = (surveying.number, std::mem::take(&mut surveying.outlooks));
            self.renewal.surveying = None;
            return self.plan.breaker.report(self.plan.id, number, outlooks);
        };
        // Of a partition that was given up meanwhile somebody else takes care.
        let found = match self.slots.get(partition) {
            Some(Slot::Running(running)) => survey.step(running.state(), SLICE).cloned(),
            _ => Some(ChangeImpact::default()),
        };
        if let Some(outlook) = found {
            surveying.outlooks.insert(*partition, outlook);
            surveying.left.pop();
        }
    }

    /// Goes on under another catalog, with everything.
    fn renew(&mut self, edition: &Edition) {
        self.renewal.edition = edition.number;
        self.renewal.surveying = None;
        let programs = &edition.programs;
        self.plan.programs = Arc::clone(programs);
        self.bench.decoder = Decoder::new(&programs.catalog);
        self.restorer.renew(Arc::clone(programs));
        let mut again = Vec::new();
        for (partition, slot) in &mut self.slots {
            match slot {
                Slot::Running(running) => {
                    let role = self.plan.streams.plan(partition.stream).role;
                    let change = running.adopt(Arc::clone(role.program(programs)), edition.held.clone());
                    let (worker, name) = (self.plan.id, self.plan.streams.name(*partition));
                    (self.plan.notices)(Notice::CatalogChanged { worker, partition: name, change });
                }
                // What is being read back was begun under the old one.
                Slot::Restoring(_) => again.push(*partition),
                Slot::Assigned { .. } | Slot::Stopped(_) => {}
            }
        }
        again.into_iter().for_each(|partition| self.begin_again(partition));
    }
}
