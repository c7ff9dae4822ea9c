//! Turns what the workers report into metrics and probes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::health::{Health, REPORT_AFTER};
use super::probes::Probes;
use crate::codec::Reject;
use crate::kafka::{CatalogRollout, Clock, Occurrence, PartitionStatus, ProducerReset, WorkStats, WorkerEvent};
use crate::model::ChangeType;
use crate::telemetry::{DroppedLines, Metrics};

/// The outcomes of a transaction; for a transaction in doubt, the outcome that was read back.
const COMMITTED: &str = "committed";
const ABORTED: &str = "aborted";
const DOUBT_COMMITTED: &str = "doubt_committed";
const DOUBT_OPEN: &str = "doubt_open";
const DOUBT_ELSEWHERE: &str = "doubt_elsewhere";
const OUTCOMES: [&str; 5] = [COMMITTED, ABORTED, DOUBT_COMMITTED, DOUBT_OPEN, DOUBT_ELSEWHERE];

/// The outcomes of a call of a model.
const SCORED: &str = "scored";
const FAILED: &str = "failed";
const SKIPPED: &str = "skipped";

/// The types of a rebalance.
const ASSIGNED: &str = "assigned";
const REVOKED: &str = "revoked";
const LOST: &str = "lost";

/// The directions of a step of the wall clock.
const BACK: &str = "back";
const FORWARD: &str = "forward";

/// Observes the workers; answers `/metrics`, `/livez` and `/readyz`.
pub struct Monitor {
    rollout: Arc<CatalogRollout>,
    clock: Clock,
    health: Mutex<Health>,
    metrics: Metrics,
    dropped_log_lines: DroppedLines,
}

impl Monitor {
    /// Every series whose labels are known is exported from the start.
    pub fn new(rollout: Arc<CatalogRollout>, workers: usize, clock: Clock, dropped_log_lines: DroppedLines) -> Self {
        let compiled = rollout.view().active.compiled;
        let program = compiled.user();
        let metrics = Metrics::new();
        metrics.build.set(&[env!("CARGO_PKG_VERSION")], 1.0);
        metrics.catalog.set(&[&program.fingerprint], 1.0);
        for reason in Reject::ALL {
            metrics.rejected.create(&[reason.code()]);
        }
        for tag in &program.catalog.tags {
            for change_type in ChangeType::ALL {
                metrics.changes.create(&[&tag.name, change_type.name()]);
            }
        }
        for counter in &program.catalog.counters {
            for family in [&metrics.heard, &metrics.passed, &metrics.skipped] {
                family.create(&[&counter.name]);
            }
        }
        for attribute in &program.catalog.attributes {
            metrics.misfits.create(&[&attribute.name]);
        }
        for (tag, _) in program.score_models() {
            [SCORED, FAILED, SKIPPED].iter().for_each(|outcome| metrics.scores.create(&[tag, outcome]));
            metrics.slow_scores.create(&[tag]);
        }
        for outcome in OUTCOMES {
            metrics.transactions.create(&[outcome]);
        }
        for reason in ProducerReset::ALL {
            metrics.recycled.create(&[reason.code()]);
        }
        for outcome in [ASSIGNED, REVOKED, LOST] {
            metrics.rebalances.create(&[outcome]);
        }
        for direction in [BACK, FORWARD] {
            metrics.clock_steps.create(&[direction]);
        }
        Monitor { rollout, clock, health: Mutex::new(Health::new(workers)), metrics, dropped_log_lines }
    }

    /// Takes what a worker reports.
    pub fn observe(&self, event: &WorkerEvent) {
        let now = Instant::now();
        let metrics = &self.metrics;
        match &event.what {
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
                    // Its partitions have been revoked since.
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
            Occurrence::Restored { entities, bytes, foreign, took, .. } => {
                metrics.foreign_records.add(*foreign);
                metrics.restore_duration.observe(*took);
                metrics.restored_entities.add(*entities as u64);
                metrics.restored_bytes.add(*bytes);
            }
            Occurrence::Outage { .. } => metrics.outage.set(1.0),
            Occurrence::ClockStepped { step_ms } => {
                metrics.clock_steps.of(&[if *step_ms < 0 { BACK } else { FORWARD }]).inc();
            }
            Occurrence::OutageOver => metrics.outage.set(0.0),
            _ => {}
        }
        self.health().observe(event, now);
    }

    /// The workers that hang, one line each.
    pub fn hung(&self) -> Vec<String> {
        self.health().hung(Instant::now())
    }

    /// What the process still waits for before it is ready, one line each.
    pub fn not_ready(&self) -> Vec<String> {
        self.health().not_ready(Instant::now())
    }

    /// The metrics in Prometheus' text format.
    pub fn metrics(&self) -> String {
        // Locked to the end: of two concurrent requests, neither may see what the other has half set.
        let health = self.health();
        let now = Instant::now();
        self.metrics.ready.set(f64::from(u8::from(health.not_ready(now).is_empty())));
        let status = self.rollout.status();
        self.metrics.catalog.clear();
        self.metrics.catalog.set(&[&status.fingerprint], 1.0);
        self.metrics.held_tags.set(status.held.len() as f64);
        self.metrics.uncounted_partitions.set(status.uncounted.len() as f64);
        self.metrics.dropped_log_lines.raise_to(self.dropped_log_lines.count());
        self.count(&health);
        self.measure(&health, now);
        self.metrics.text()
    }

    fn count(&self, health: &Health) {
        let mut work = WorkStats::default();
        for counts in health.counts() {
            work.add(counts.work.clone());
        }
        let metrics = &self.metrics;
        metrics.events.raise_to(work.events);
        metrics.duplicates.raise_to(work.duplicates);
        metrics.ids_crowded_out.raise_to(work.ids_crowded_out);
        metrics.items_left_out.raise_to(work.items_left_out);
        metrics.tombstones.raise_to(work.tombstones);
        metrics.timers.raise_to(work.timers);
        metrics.unmerged.raise_to(work.unmerged);
        metrics.gap_offsets.raise_to(work.gap_offsets);
        for (reason, count) in &work.rejected {
            metrics.rejected.of(&[reason]).raise_to(*count);
        }
        let by_counter =
            [(&work.heard, &metrics.heard), (&work.passed, &metrics.passed), (&work.skipped, &metrics.skipped)];
        for (counts, family) in by_counter {
            counts.iter().for_each(|(counter, count)| family.of(&[counter]).raise_to(*count));
        }
        for (attribute, count) in &work.misfits {
            metrics.misfits.of(&[attribute]).raise_to(*count);
        }
        let compiled = self.rollout.view().active.compiled;
        for (tag, scorer) in compiled.user().score_models() {
            let tally = scorer.tally();
            for (outcome, count) in [(SCORED, tally.scored), (FAILED, tally.failed), (SKIPPED, tally.skipped)] {
                metrics.scores.of(&[tag, outcome]).raise_to(count);
            }
            metrics.slow_scores.of(&[tag]).raise_to(tally.slow_calls);
        }
        for (tag, counts) in work.changes.iter() {
            for (change_type, count) in counts {
                metrics.changes.of(&[tag, change_type.name()]).raise_to(count);
            }
        }
    }

    /// Exports only partitions that this process has, so that it does not contradict the process that has the others.
    fn measure(&self, health: &Health, now: Instant) {
        let metrics = &self.metrics;
        let by_partition = [
            &metrics.lag,
            &metrics.clock_delay,
            &metrics.committed_offset,
            &metrics.entities,
            &metrics.state_bytes,
            &metrics.waiting_bytes,
            &metrics.open_transaction,
            &metrics.schema_wait,
        ];
        for levels in by_partition {
            levels.clear();
        }
        let wall_clock = self.clock.now();
        let mut states = [("starting", 0.0), ("restoring", 0.0), ("running", 0.0), ("stopped", 0.0)];
        for (partition, partition_health) in health.partitions() {
            let partition = partition.label();
            let labels = [partition.as_str()];
            states[match partition_health.standing {
                PartitionStatus::Starting => 0,
                PartitionStatus::Restoring => 1,
                PartitionStatus::Running(_) => 2,
                PartitionStatus::Stopped(_) => 3,
            }]
            .1 += 1.0;
            let PartitionStatus::Running(figures) = &partition_health.standing else { continue };
            // An old value that the brokers do not confirm is not exported as the lag.
            if let Some((lag, at)) = partition_health.lag
                && now.saturating_duration_since(at) < REPORT_AFTER
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
            metrics.open_transaction.set(&labels, figures.held_for.unwrap_or_default().as_secs_f64());
            let waited = figures.schema_wait.map_or(Duration::ZERO, |(_, waited)| waited);
            metrics.schema_wait.set(&labels, waited.as_secs_f64());
            if let Some(bytes) = figures.waiting_bytes {
                metrics.waiting_bytes.set(&labels, bytes as f64);
            }
        }
        for (state, count) in states {
            metrics.partitions.set(&[state], count);
        }
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Probes for Monitor {
    fn metrics(&self) -> String {
        Monitor::metrics(self)
    }

    fn hung(&self) -> Vec<String> {
        Monitor::hung(self)
    }

    fn not_ready(&self) -> Vec<String> {
        Monitor::not_ready(self)
    }
}
