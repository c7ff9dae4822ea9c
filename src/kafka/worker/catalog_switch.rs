//! A changed catalog in a worker: its partitions are surveyed between records, then all of them go on under it at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Worker;
use super::plan::WorkerError;
use crate::codec::Decoder;
use crate::engine::{Outlook, Survey};
use crate::kafka::broker::KafkaClients;
use crate::kafka::catalog_rollout::CatalogVersion;
use crate::kafka::events::Occurrence;
use crate::kafka::task::Task;
use crate::kafka::topology::PartitionId;

/// So many entities are looked at in one go: some milliseconds.
const SLICE: usize = 2_000;
/// The pause between two goes, which belongs to the stream.
const PAUSE: Duration = Duration::from_millis(10);
/// How long the last commit under the old catalog may take until records wait for it.
const SETTLE_PATIENCE: Duration = Duration::from_secs(3);

/// A catalog that is being looked at.
pub(super) struct ImpactMeasurement {
    number: u64,
    left: Vec<(PartitionId, Box<Survey>)>,
    impacts: BTreeMap<PartitionId, Outlook>,
    pub(super) next_at: Instant,
}

/// What a worker knows of the catalogs.
pub(super) struct CatalogSwitch {
    /// The version of the breaker that was looked at.
    seen: u64,
    /// The number of the edition that runs.
    active: u64,
    pub(super) measurement: Option<ImpactMeasurement>,
}

impl CatalogSwitch {
    pub(super) fn new() -> Self {
        CatalogSwitch { seen: 0, active: 0, measurement: None }
    }

    pub(super) fn is_behind(&self, revision: u64) -> bool {
        self.seen != revision
    }
}

impl<W: KafkaClients> Worker<W> {
    /// Does what the breaker has decided, and looks at what it has to decide.
    pub(super) fn apply_rollout(&mut self) -> Result<(), WorkerError> {
        let view = self.plan.rollout.view();
        if view.active.number != self.catalog_switch.active {
            self.commit_all_within(SETTLE_PATIENCE)?;
            if !self.is_all_committed() {
                // Looked at again when the loop comes round: what was sent has to end first.
                return Ok(());
            }
            self.switch_catalog(&view.active);
        }
        self.catalog_switch.seen = view.revision;
        for task in self.tasks.values_mut() {
            if let Task::Running(running) = task {
                running.release_others(&view.held);
            }
        }
        let known = self.catalog_switch.measurement.as_ref().map(|measurement| measurement.number);
        match view.pending {
            Some((number, programs)) if known != Some(number) => {
                let mut left = Vec::new();
                for (partition, task) in &self.tasks {
                    if let Task::Running(running) = task
                        && running.keeps_state()
                    {
                        let role = self.plan.topology.plan(partition.topic).role;
                        left.push((*partition, Box::new(Survey::new(running.state(), role.program(&programs)))));
                    }
                }
                let next_at = self.clients.now();
                self.catalog_switch.measurement =
                    Some(ImpactMeasurement { number, left, impacts: BTreeMap::new(), next_at });
            }
            Some(_) => {}
            None => self.catalog_switch.measurement = None,
        }
        self.commit_later();
        Ok(())
    }

    /// Looks at some more entities.
    pub(super) fn measure_impact(&mut self) {
        let next_at = self.clients.now() + PAUSE;
        let Some(measurement) = &mut self.catalog_switch.measurement else { return };
        measurement.next_at = next_at;
        let Some((partition, survey)) = measurement.left.last_mut() else {
            let (number, impacts) = (measurement.number, std::mem::take(&mut measurement.impacts));
            self.catalog_switch.measurement = None;
            return self.plan.rollout.report_impact(self.plan.id, number, impacts);
        };
        // Of a partition that was given up meanwhile somebody else takes care.
        let found = match self.tasks.get(partition) {
            Some(Task::Running(running)) => survey.step(running.state(), SLICE).cloned(),
            _ => Some(Outlook::default()),
        };
        if let Some(impact) = found {
            measurement.impacts.insert(*partition, impact);
            measurement.left.pop();
        }
    }

    /// Goes on under another catalog, with everything.
    fn switch_catalog(&mut self, active: &CatalogVersion) {
        self.catalog_switch.active = active.number;
        self.catalog_switch.measurement = None;
        let programs = &active.programs;
        self.plan.programs = Arc::clone(programs);
        self.scratch.decoder = Decoder::new(&programs.catalog);
        self.restorer.switch_catalog(Arc::clone(programs));
        let mut again = Vec::new();
        for (partition, task) in &mut self.tasks {
            match task {
                Task::Running(running) => {
                    let role = self.plan.topology.plan(partition.topic).role;
                    let change = running.adopt(Arc::clone(role.program(programs)), active.held.clone());
                    let name = self.plan.topology.name(*partition);
                    (self.plan.listener)(Occurrence::CatalogChanged { partition: name, change }.of(self.plan.id));
                }
                // What is being read back was begun under the old one.
                Task::Restoring(_) => again.push(*partition),
                Task::Assigned { .. } | Task::Stopped(_) => {}
            }
        }
        again.into_iter().for_each(|partition| self.restart_task(partition));
    }
}
