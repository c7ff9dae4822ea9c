//! A changed catalog in a worker: its impact is measured between records, then all tasks switch to it at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Worker;
use super::plan::WorkerError;
use crate::codec::{Decoder, InputAudit, RolloutNote};
use crate::engine::{ChangeImpact, ImpactPreview};
use crate::kafka::broker::KafkaClients;
use crate::kafka::catalog_rollout::CatalogVersion;
use crate::kafka::events::{CatalogEvent, Occurrence, WorkerId};
use crate::kafka::state::{LatestNote, RestoredNote, RolloutReader};
use crate::kafka::task::{RunningTask, Task};
use crate::kafka::topology::PartitionId;

/// How many entities are measured in one turn: some milliseconds.
const SLICE: usize = 2_000;
/// The pause between two such turns, in which records are applied.
const PAUSE: Duration = Duration::from_millis(10);
/// How long the last commit under the old catalog may take while records still come.
const SETTLE_PATIENCE: Duration = Duration::from_secs(3);
/// Until other processes have the catalog, too, takes this long without a word.
const UNDECIDED_REPORT_AFTER: Duration = Duration::from_secs(10);

/// A pending catalog whose impact is being measured.
pub(super) struct ImpactMeasurement {
    number: u64,
    left: Vec<(PartitionId, Box<ImpactPreview>)>,
    impacts: BTreeMap<PartitionId, ChangeImpact>,
    pub(super) next_at: Instant,
}

/// What a worker knows of the catalogs.
pub(super) struct CatalogSwitch<W: KafkaClients> {
    /// The revision of the rollout that the worker has seen.
    seen: u64,
    /// The number of the version that is active in this worker.
    active: u64,
    pub(super) measurement: Option<ImpactMeasurement>,
    /// Reads what other processes note.
    reader: RolloutReader<W>,
    /// Since when partitions are not counted that a decision needs.
    undecided_since: Option<Instant>,
}

impl<W: KafkaClients> CatalogSwitch<W> {
    pub(super) fn new(clients: W) -> Self {
        let reader = RolloutReader::new(clients);
        CatalogSwitch { seen: 0, active: 0, measurement: None, reader, undecided_since: None }
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
        for (partition, task) in &mut self.tasks {
            if let Task::Running(running) = task
                && running.keeps_state()
            {
                let note = view.update(*partition, running.rollout());
                self.plan.rollout.note_changed(*partition, &note);
                let held = view.held(&note);
                running.note_rollout(note, held);
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
        let Some(Task::Running(running)) = self.tasks.get(partition) else {
            // The next owner of a partition that was given up counts it.
            measurement.left.pop();
            return;
        };
        if let Some(impact) = survey.step(running.state(), SLICE).cloned() {
            measurement.impacts.insert(*partition, impact);
            measurement.left.pop();
        }
    }

    /// What a partition that was read back notes of the rollout, after what is known now.
    pub(super) fn begin_rollout(&self, partition: PartitionId, running: &mut RunningTask, found: RestoredNote) {
        let RestoredNote { note: found, is_committed } = found;
        let view = self.plan.rollout.view();
        let note = view.update(partition, &found);
        let is_committed = is_committed && note == found;
        running.note_rollout(note.clone(), view.held(&note));
        running.set_rollout_committed(is_committed);
        self.plan.rollout.run_partition(self.plan.id, partition, &note, is_committed);
    }

    /// Looks what other processes note, while something waits for them. One worker does it for its process.
    pub(super) fn watch_rollout(&mut self) {
        if self.plan.id != WorkerId(0) {
            return;
        }
        let rollout = &self.plan.rollout;
        let active = self.plan.compiled.catalog.fingerprint;
        for (partition, found) in self.catalog_switch.reader.answer() {
            match found {
                LatestNote::Nothing => rollout.note_read(partition, &RolloutNote::of(active)),
                LatestNote::Under { catalog, note } if catalog == active => {
                    let note = note.filter(|note| note.catalog == active);
                    rollout.note_read(partition, &note.unwrap_or_else(|| RolloutNote::of(active)));
                }
                LatestNote::Under { .. } | LatestNote::Unknown => rollout.not_counted(partition),
            }
        }
        self.catalog_switch.reader.ask(rollout.partitions_to_read());
        let Some((fingerprint, partitions)) = rollout.uncounted() else {
            self.catalog_switch.undecided_since = None;
            return;
        };
        let now = self.clients.now();
        if now >= *self.catalog_switch.undecided_since.get_or_insert(now) + UNDECIDED_REPORT_AFTER {
            self.report(Occurrence::Catalog(CatalogEvent::Uncounted { fingerprint, partitions }));
        }
    }

    /// Switches all tasks to another catalog, whose changed tags are re-evaluated.
    fn switch_catalog(&mut self, active: &CatalogVersion) {
        self.catalog_switch.active = active.number;
        self.catalog_switch.measurement = None;
        let compiled = &active.compiled;
        self.plan.compiled = Arc::clone(compiled);
        self.scratch.decoder.decoder = Decoder::new(&compiled.catalog);
        self.scratch.audit = InputAudit::new(Arc::clone(compiled.user()));
        self.restorer.switch_catalog(Arc::clone(compiled));
        let view = self.plan.rollout.view();
        let mut again = Vec::new();
        for (partition, task) in &mut self.tasks {
            let impact = active.impacts.get(partition);
            match task {
                Task::Running(running) if impact.is_some() || !running.keeps_state() => {
                    let role = self.plan.topology.plan(partition.topic).role;
                    let counts = || impact.cloned().unwrap_or_default();
                    let note = view.update(*partition, &self.plan.rollout.count(active.fingerprint(), counts));
                    let held = view.held(&note);
                    let change = running.switch_catalog(Arc::clone(role.program(compiled)), held.clone());
                    running.note_rollout(note.clone(), held);
                    running.set_rollout_committed(!running.keeps_state());
                    if running.keeps_state() {
                        self.plan.rollout.run_partition(self.plan.id, *partition, &note, false);
                    }
                    let name = self.plan.topology.name(*partition);
                    (self.plan.listener)(Occurrence::CatalogChanged { partition: name, change }.of(self.plan.id));
                }
                // Its restoring began under the old catalog, or ended after the impact was measured.
                Task::Restoring(_) | Task::Running(_) => again.push(*partition),
                Task::Assigned { .. } | Task::Stopped(_) => {}
            }
        }
        again.into_iter().for_each(|partition| self.restart_task(partition));
    }
}
