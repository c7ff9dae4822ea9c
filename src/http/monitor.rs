//! Hears the workers and answers the operator: the pages, from what was said.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::watch::{PATIENCE, Watch};
use crate::codec::Reject;
use crate::kafka::{CatalogRollout, Clock, Occurrence, PartitionStatus, ProducerReset, WorkStats, WorkerEvent};
use crate::model::ChangeKind;
use crate::telemetry::Metrics;

/// The ways in which a transaction ends; of one in doubt, what was read back.
const COMMITTED: &str = "committed";
const ABORTED: &str = "aborted";
const DOUBT_COMMITTED: &str = "doubt_committed";
const DOUBT_OPEN: &str = "doubt_open";
const DOUBT_ELSEWHERE: &str = "doubt_elsewhere";
const OUTCOMES: [&str; 5] = [COMMITTED, ABORTED, DOUBT_COMMITTED, DOUBT_OPEN, DOUBT_ELSEWHERE];

/// What becomes of a question to a model.
const SCORED: &str = "scored";
const FAILED: &str = "failed";
const SKIPPED: &str = "skipped";

/// The ways in which partitions come and go.
const ASSIGNED: &str = "assigned";
const REVOKED: &str = "revoked";
const LOST: &str = "lost";

pub struct Monitor {
    breaker: Arc<CatalogRollout>,
    clock: Clock,
    watch: Mutex<Watch>,
    metrics: Metrics,
}

impl Monitor {
    /// Every series whose labels are known shows from the start.
    pub fn new(breaker: Arc<CatalogRollout>, workers: usize, clock: Clock) -> Self {
        let programs = breaker.view().active.programs;
        let program = programs.user();
        let metrics = Metrics::new();
        metrics.build.set(&[env!("CARGO_PKG_VERSION")], 1.0);
        metrics.catalog.set(&[&program.fingerprint], 1.0);
        for reason in Reject::ALL {
            metrics.rejected.show(&[reason.code()]);
        }
        for tag in &program.catalog.tags {
            for kind in ChangeKind::ALL {
                metrics.changes.show(&[&tag.name, kind.name()]);
            }
        }
        for counter in &program.catalog.counters {
            metrics.skipped.show(&[&counter.name]);
        }
        for attribute in &program.catalog.attributes {
            metrics.misfits.show(&[&attribute.name]);
        }
        for (tag, _) in program.scorers() {
            [SCORED, FAILED, SKIPPED].iter().for_each(|outcome| metrics.scores.show(&[tag, outcome]));
            metrics.slow_scores.show(&[tag]);
        }
        for outcome in OUTCOMES {
            metrics.transactions.show(&[outcome]);
        }
        for reason in ProducerReset::ALL {
            metrics.recycled.show(&[reason.code()]);
        }
        for kind in [ASSIGNED, REVOKED, LOST] {
            metrics.rebalances.show(&[kind]);
        }
        Monitor { breaker, clock, watch: Mutex::new(Watch::new(workers)), metrics }
    }

    /// Takes note of what a worker says.
    pub fn hear(&self, notice: &WorkerEvent) {
        let now = Instant::now();
        let metrics = &self.metrics;
        match &notice.what {
            Occurrence::Committed { took, .. } => {
                metrics.commit_duration.observe(*took);
                metrics.transactions.of(&[COMMITTED]).inc();
            }
            Occurrence::Aborted { .. } => metrics.transactions.of(&[ABORTED]).inc(),
            Occurrence::DoubtResolved { committed, open, elsewhere, .. } => {
                let outcome = match (committed, open, elsewhere) {
                    (_, _, 1..) => Some(DOUBT_ELSEWHERE),
                    (1.., _, 0) => Some(DOUBT_COMMITTED),
                    (0, 1.., 0) => Some(DOUBT_OPEN),
                    // Its partitions were given up meanwhile.
                    (0, 0, 0) => None,
                };
                if let Some(outcome) = outcome {
                    metrics.transactions.of(&[outcome]).inc();
                }
            }
            Occurrence::ProducerReset { why, .. } => metrics.recycled.of(&[why.code()]).inc(),
            Occurrence::Assigned { partitions, .. } if !partitions.is_empty() => {
                metrics.rebalances.of(&[ASSIGNED]).inc()
            }
            Occurrence::Revoked { lost, .. } => metrics.rebalances.of(&[if *lost { LOST } else { REVOKED }]).inc(),
            Occurrence::Restored { entities, bytes, took, .. } => {
                metrics.restore_duration.observe(*took);
                metrics.restored_entities.add(*entities as u64);
                metrics.restored_bytes.add(*bytes);
            }
            Occurrence::Outage { .. } => metrics.outage.set(1.0),
            Occurrence::OutageOver => metrics.outage.set(0.0),
            _ => {}
        }
        self.watch().hear(notice, now);
    }

    /// The workers that hang, a line each.
    pub fn hung(&self) -> Vec<String> {
        self.watch().hung(Instant::now())
    }

    /// What is missing until all runs, a line each.
    pub fn not_ready(&self) -> Vec<String> {
        self.watch().not_ready(Instant::now())
    }

    /// The metrics in Prometheus' text format.
    pub fn metrics(&self) -> String {
        // Locked to the end: of two who ask at a time, one must not see what the other is about to set.
        let watch = self.watch();
        let now = Instant::now();
        self.metrics.ready.set(f64::from(u8::from(watch.not_ready(now).is_empty())));
        let status = self.breaker.status();
        self.metrics.catalog.clear();
        self.metrics.catalog.set(&[&status.fingerprint], 1.0);
        self.metrics.held_tags.set(status.held.len() as f64);
        self.count(&watch);
        self.measure(&watch, now);
        self.metrics.text()
    }

    fn count(&self, watch: &Watch) {
        let mut work = WorkStats::default();
        for counts in watch.counts() {
            work.add(counts.work.clone());
        }
        let metrics = &self.metrics;
        metrics.events.raise_to(work.events);
        metrics.duplicates.raise_to(work.duplicates);
        metrics.tombstones.raise_to(work.tombstones);
        metrics.timers.raise_to(work.timers);
        metrics.unmerged.raise_to(work.unmerged);
        for (reason, count) in &work.rejected {
            metrics.rejected.of(&[reason]).raise_to(*count);
        }
        for (counter, count) in &work.skipped {
            metrics.skipped.of(&[counter]).raise_to(*count);
        }
        for (attribute, count) in &work.misfits {
            metrics.misfits.of(&[attribute]).raise_to(*count);
        }
        let programs = self.breaker.view().active.programs;
        for (tag, scorer) in programs.user().scorers() {
            let tally = scorer.tally();
            for (outcome, count) in [(SCORED, tally.scored), (FAILED, tally.failed), (SKIPPED, tally.skipped)] {
                metrics.scores.of(&[tag, outcome]).raise_to(count);
            }
            metrics.slow_scores.of(&[tag]).raise_to(tally.slow_calls);
        }
        for (tag, kinds) in work.changes.iter() {
            for (kind, count) in kinds {
                metrics.changes.of(&[tag, kind.name()]).raise_to(count);
            }
        }
    }

    /// Only partitions that this process has show: what another process says of them must not be contradicted.
    fn measure(&self, watch: &Watch, now: Instant) {
        let metrics = &self.metrics;
        let by_partition = [
            &metrics.lag,
            &metrics.clock_delay,
            &metrics.committed_offset,
            &metrics.entities,
            &metrics.state_bytes,
            &metrics.waiting_bytes,
        ];
        for levels in by_partition {
            levels.clear();
        }
        let wall_clock = self.clock.now();
        let mut states = [("starting", 0.0), ("restoring", 0.0), ("running", 0.0), ("stopped", 0.0)];
        for (partition, place) in watch.places() {
            let partition = partition.label();
            let labels = [partition.as_str()];
            states[match place.standing {
                PartitionStatus::Starting => 0,
                PartitionStatus::Restoring => 1,
                PartitionStatus::Running(_) => 2,
                PartitionStatus::Stopped(_) => 3,
            }]
            .1 += 1.0;
            let PartitionStatus::Running(figures) = &place.standing else { continue };
            // What was true a while ago, and nobody can tell whether it still is, is no lag.
            if let Some((lag, at)) = place.lag
                && now.saturating_duration_since(at) < PATIENCE
            {
                metrics.lag.set(&labels, lag as f64);
            }
            if let Some(clock) = figures.clock {
                metrics.clock_delay.set(&labels, wall_clock.since(clock) as f64 / 1_000.0);
            }
            if let Some(committed) = figures.committed {
                metrics.committed_offset.set(&labels, committed as f64);
            }
            metrics.entities.set(&labels, figures.entities as f64);
            metrics.state_bytes.set(&labels, figures.state_bytes as f64);
            if let Some(bytes) = figures.waiting_bytes {
                metrics.waiting_bytes.set(&labels, bytes as f64);
            }
        }
        for (state, count) in states {
            metrics.partitions.set(&[state], count);
        }
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
