//! A changed catalog in a worker: its impact is measured between records, then all tasks switch to it at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Worker;
use super::plan::WorkerError;
use crate::codec::Decoder;
use crate::engine::{ChangeImpact, ImpactPreview};
use crate::kafka::broker::KafkaClients;
use crate::kafka::catalog_rollout::CatalogVersion;
use crate::kafka::events::Occurrence;
use crate::kafka::task::Task;
use crate::kafka::topology::PartitionId;

/// How many entities are measured in one turn: some milliseconds.
const SLICE: usize = 2_000;
/// The pause between two such turns, in which records are applied.
const PAUSE: Duration = Duration::from_millis(10);
/// How long the last commit under the old catalog may take while records still come.
const SETTLE_PATIENCE: Duration = Duration::from_secs(3);

/// A pending catalog whose impact is being measured.
pub(super) struct ImpactMeasurement {
    number: u64,
    left: Vec<(PartitionId, Box<ImpactPreview>)>,
    impacts: BTreeMap<PartitionId, ChangeImpact>,
    pub(super) next_at: Instant,
}

/// What a worker knows of the catalogs.
pub(super) struct CatalogSwitch {
    /// The revision of the rollout that the worker has seen.
    seen: u64,
    /// The number of the version that is active in this worker.
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
    /// Does what the rollout has decided, and begins to measure what it has to decide.
    pub(super) fn apply_rollout(&mut self) -> Result<(), WorkerError> {
        let view = self.plan.rollout.view();
        if view.active.number != self.catalog_switch.active {
            self.commit_all_within(SETTLE_PATIENCE)?;
            if !self.is_all_committed() {
                // Tried again at the next turn: the open transaction has to end first.
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
            Some((number, compiled)) if known != Some(number) => {
                let mut left = Vec::new();
                for (partition, task) in &self.tasks {
                    if let Task::Running(running) = task
                        && running.keeps_state()
                    {
                        let role = self.plan.topology.plan(partition.topic).role;
                        left.push((*partition, Box::new(ImpactPreview::new(running.state(), role.program(&compiled)))));
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

    /// Measures the impact on some more entities.
    pub(super) fn measure_impact(&mut self) {
        let next_at = self.clients.now() + PAUSE;
        let Some(measurement) = &mut self.catalog_switch.measurement else { return };
        measurement.next_at = next_at;
        let Some((partition, survey)) = measurement.left.last_mut() else {
            let (number, impacts) = (measurement.number, std::mem::take(&mut measurement.impacts));
            self.catalog_switch.measurement = None;
            return self.plan.rollout.report_impact(self.plan.id, number, impacts);
        };
        // The next owner of a partition that was given up measures it.
        let found = match self.tasks.get(partition) {
            Some(Task::Running(running)) => survey.step(running.state(), SLICE).cloned(),
            _ => Some(ChangeImpact::default()),
        };
        if let Some(impact) = found {
            measurement.impacts.insert(*partition, impact);
            measurement.left.pop();
        }
    }

    /// Switches all tasks to another catalog, whose changed tags are re-evaluated.
    fn switch_catalog(&mut self, active: &CatalogVersion) {
        self.catalog_switch.active = active.number;
        self.catalog_switch.measurement = None;
        let compiled = &active.compiled;
        self.plan.compiled = Arc::clone(compiled);
        self.scratch.decoder = Decoder::new(&compiled.catalog);
        self.restorer.switch_catalog(Arc::clone(compiled));
        let mut again = Vec::new();
        for (partition, task) in &mut self.tasks {
            match task {
                Task::Running(running) => {
                    let role = self.plan.topology.plan(partition.topic).role;
                    let change = running.switch_catalog(Arc::clone(role.program(compiled)), active.held.clone());
                    let name = self.plan.topology.name(*partition);
                    (self.plan.listener)(Occurrence::CatalogChanged { partition: name, change }.of(self.plan.id));
                }
                // Its restoring has begun under the old catalog.
                Task::Restoring(_) => again.push(*partition),
                Task::Assigned { .. } | Task::Stopped(_) => {}
            }
        }
        again.into_iter().for_each(|partition| self.restart_task(partition));
    }
}
