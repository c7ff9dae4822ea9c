//! The health of the workers, from the events that they report: whether their loops run, and whether all are ready.
//!
//! No clock is read here: the callers pass the time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::kafka::{
    Occurrence, PartitionName, PartitionStatus, WorkerEvent, WorkerId, WorkerStats, future_words, schema_wait_words,
    unreadable_words,
};

/// A worker that reports nothing for this long hangs: its loop reports twice a second, and no step takes this long.
pub const HANG_AFTER: Duration = Duration::from_secs(60);
/// Brokers may not answer, and a commit may take, this long before `/readyz` reports it.
pub const REPORT_AFTER: Duration = Duration::from_secs(5);

/// The workers of a process, as they last reported themselves.
#[derive(Debug)]
pub struct Health {
    cluster: ClusterHealth,
    workers: Vec<WorkerHealth>,
}

#[derive(Debug)]
enum ClusterHealth {
    /// With the reason, as far as it is known.
    Silent(String),
    Reached,
}

#[derive(Debug, Default)]
struct WorkerHealth {
    liveness: Liveness,
    /// Whether it is a member of the group, with or without partitions.
    joined: bool,
    partitions: BTreeMap<PartitionName, PartitionHealth>,
    /// Since when no commit has ended, and why.
    stuck: Option<(Instant, String)>,
    /// Since when the brokers have not returned the end offsets of its partitions.
    unanswered: Option<Instant>,
    /// Why many events are refused.
    future: Option<String>,
    counts: WorkerStats,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Liveness {
    #[default]
    NotStarted,
    /// When it last reported something.
    LastHeard(Instant),
    Stopped,
}

/// A partition that a worker has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionHealth {
    pub standing: PartitionStatus,
    /// The last known number of records to read, and when it was known.
    pub lag: Option<(u64, Instant)>,
}

impl Health {
    /// Workers are numbered from 0.
    pub fn new(workers: usize) -> Self {
        let cluster = ClusterHealth::Silent("no broker has answered yet".to_owned());
        Health { cluster, workers: std::iter::repeat_with(WorkerHealth::default).take(workers).collect() }
    }

    pub fn observe(&mut self, event: &WorkerEvent, now: Instant) {
        match &event.what {
            Occurrence::Unreachable { brokers, why, .. } => {
                self.cluster = ClusterHealth::Silent(format!("no answer from the brokers at {brokers} ({why})"));
            }
            Occurrence::Reached { .. } => self.cluster = ClusterHealth::Reached,
            _ => {}
        }
        if let Some(worker_health) = event.reporting_loop().and_then(|worker| self.workers.get_mut(worker.0)) {
            worker_health.observe(event, now);
        }
    }

    /// The workers that hang, one line each.
    pub fn hung(&self, now: Instant) -> Vec<String> {
        self.workers_by_id().filter_map(|(worker, worker_health)| worker_health.hangs(worker, now)).collect()
    }

    /// What the process still waits for before it is ready, one line each.
    pub fn not_ready(&self, now: Instant) -> Vec<String> {
        if let ClusterHealth::Silent(why) = &self.cluster {
            return vec![why.clone()];
        }
        let mut lines = Vec::new();
        for (worker, worker_health) in self.workers_by_id() {
            lines.extend(worker_health.hangs(worker, now));
            match worker_health.liveness {
                Liveness::NotStarted => lines.push(format!("{worker} has not started")),
                Liveness::Stopped => lines.push(format!("{worker} has stopped")),
                Liveness::LastHeard(_) => worker_health.not_ready(worker, now, &mut lines),
            }
        }
        lines
    }

    /// The partitions of all workers.
    pub fn partitions(&self) -> impl Iterator<Item = (&PartitionName, &PartitionHealth)> {
        self.workers.iter().flat_map(|worker_health| worker_health.partitions.iter())
    }

    /// What each worker has committed since it started.
    pub fn counts(&self) -> impl Iterator<Item = &WorkerStats> {
        self.workers.iter().map(|worker_health| &worker_health.counts)
    }

    fn workers_by_id(&self) -> impl Iterator<Item = (WorkerId, &WorkerHealth)> {
        self.workers.iter().enumerate().map(|(number, worker_health)| (WorkerId(number), worker_health))
    }
}

impl WorkerHealth {
    fn observe(&mut self, event: &WorkerEvent, now: Instant) {
        if self.liveness == Liveness::Stopped {
            // It reports while it closes its clients: that does not count.
            return;
        }
        self.liveness = Liveness::LastHeard(now);
        match &event.what {
            Occurrence::Ended(counts) => {
                self.counts.clone_from(counts);
                self.liveness = Liveness::Stopped;
                self.partitions.clear();
            }
            Occurrence::Committed { counts, .. } => {
                self.counts.clone_from(counts);
                self.stuck = None;
            }
            Occurrence::Assigned { partitions, .. } => {
                self.joined = true;
                let starting = PartitionHealth { standing: PartitionStatus::Starting, lag: None };
                self.partitions.extend(partitions.iter().map(|partition| (partition.clone(), starting.clone())));
            }
            Occurrence::Revoked { partitions, lost, .. } => {
                // A worker that has lost partitions has to join the group again.
                self.joined &= !lost;
                self.partitions.retain(|partition, _| !partitions.contains(partition));
            }
            Occurrence::FutureEvents { refused, of, is_alarm } => {
                self.future = is_alarm.then(|| future_words(*refused, *of));
            }
            Occurrence::Waiting { step, why, .. } => self.mark_stuck(format!("{step}: {why}"), now),
            Occurrence::Aborted { why, .. } => self.mark_stuck(format!("aborted: {why}"), now),
            Occurrence::Status { held, partitions, .. } => {
                if !held {
                    self.stuck = None;
                }
                self.update_standing(partitions, now);
            }
            _ => {}
        }
    }

    fn mark_stuck(&mut self, why: String, now: Instant) {
        let since = self.stuck.as_ref().map_or(now, |(since, _)| *since);
        self.stuck = Some((since, why));
    }

    fn update_standing(&mut self, partitions: &[(PartitionName, PartitionStatus)], now: Instant) {
        let is_silent = |(_, standing): &(PartitionName, PartitionStatus)| matches!(standing, PartitionStatus::Running(at) if at.lag.is_none());
        self.unanswered = partitions.iter().any(is_silent).then(|| self.unanswered.unwrap_or(now));
        let before = std::mem::take(&mut self.partitions);
        let partition_health = |(partition, standing): &(PartitionName, PartitionStatus)| {
            let known = match standing {
                PartitionStatus::Running(at) => at.lag.map(|lag| (lag, now)),
                _ => None,
            };
            let lag = known.or_else(|| before.get(partition).and_then(|partition_health| partition_health.lag));
            (partition.clone(), PartitionHealth { standing: standing.clone(), lag })
        };
        self.partitions = partitions.iter().map(partition_health).collect();
    }

    fn hangs(&self, worker: WorkerId, now: Instant) -> Option<String> {
        let Liveness::LastHeard(at) = self.liveness else { return None };
        let silent = now.saturating_duration_since(at);
        (silent >= HANG_AFTER).then(|| format!("{worker} has not run its loop for {} s", silent.as_secs()))
    }

    fn not_ready(&self, worker: WorkerId, now: Instant, lines: &mut Vec<String>) {
        let reportable = |since: Instant| {
            let lasts = now.saturating_duration_since(since);
            (lasts >= REPORT_AFTER).then_some(lasts.as_secs())
        };
        if !self.joined {
            lines.push(format!("{worker} waits for the group"));
        }
        for (partition, partition_health) in &self.partitions {
            match &partition_health.standing {
                PartitionStatus::Starting => lines.push(format!("{worker} starts partition {partition}")),
                PartitionStatus::Restoring => lines.push(format!("{worker} restores partition {partition}")),
                PartitionStatus::Running(figures) => {
                    let words = |offset| format!("{worker}: {}", unreadable_words(partition, offset));
                    lines.extend(figures.unreadable_from.map(words));
                    let waits = figures.schema_wait.filter(|(_, waited)| *waited >= REPORT_AFTER);
                    lines.extend(
                        waits.map(|(schema, waited)| {
                            format!("{worker}: {}", schema_wait_words(partition, schema, waited))
                        }),
                    );
                }
                PartitionStatus::Stopped(why) => {
                    lines.push(format!("{worker} has stopped partition {partition}: {why}"))
                }
            }
        }
        if let Some((since, why)) = &self.stuck
            && let Some(seconds) = reportable(*since)
        {
            lines.push(format!("{worker}: a commit has not ended for {seconds} s ({why})"));
        }
        lines.extend(self.future.as_ref().map(|why| format!("{worker}: {why}")));
        if let Some(seconds) = self.unanswered.and_then(reportable) {
            lines.push(format!("{worker}: no answer from the brokers for {seconds} s"));
        }
    }
}
