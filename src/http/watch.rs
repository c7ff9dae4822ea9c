//! What is known of the workers by what they say: whether their loops turn, and whether all are ready.
//!
//! No clock is read here: whoever tells and whoever asks says what time it is.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::kafka::{Occurrence, PartitionName, PartitionStatus, WorkerEvent, WorkerId, WorkerStats};

/// A worker that says nothing for so long hangs: its loop speaks twice a second, and no step of it takes this long.
pub const HANG_AFTER: Duration = Duration::from_secs(60);
/// Brokers may fall silent, and commits take, this long before it is worth a word.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// The workers of a process, as they last described themselves.
#[derive(Debug)]
pub struct Watch {
    cluster: Cluster,
    workers: Vec<View>,
}

#[derive(Debug)]
enum Cluster {
    /// With what is known of the reason.
    Silent(String),
    Reached,
}

#[derive(Debug, Default)]
struct View {
    life: Life,
    /// Whether it has a place in the group, be it one without partitions.
    joined: bool,
    places: BTreeMap<PartitionName, Place>,
    /// Since when commits do not end, and why.
    stuck: Option<(Instant, String)>,
    /// Since when the brokers do not tell where its partitions end.
    unanswered: Option<Instant>,
    counts: WorkerStats,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Life {
    #[default]
    Unborn,
    /// It last said something then.
    Heard(Instant),
    Over,
}

/// A partition that a worker has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub standing: PartitionStatus,
    /// The last that was known of how much there is to read, and when.
    pub lag: Option<(u64, Instant)>,
}

impl Watch {
    /// Workers are numbered from 0.
    pub fn new(workers: usize) -> Self {
        let cluster = Cluster::Silent("no broker has answered yet".to_owned());
        Watch { cluster, workers: std::iter::repeat_with(View::default).take(workers).collect() }
    }

    pub fn hear(&mut self, notice: &WorkerEvent, now: Instant) {
        match &notice.what {
            Occurrence::Unreachable { brokers, why, .. } => {
                self.cluster = Cluster::Silent(format!("no answer from the brokers at {brokers} ({why})"));
            }
            Occurrence::Reached { .. } => self.cluster = Cluster::Reached,
            _ => {}
        }
        if let Some(view) = notice.reporting_loop().and_then(|worker| self.workers.get_mut(worker.0)) {
            view.hear(notice, now);
        }
    }

    /// The workers that hang, a line each.
    pub fn hung(&self, now: Instant) -> Vec<String> {
        self.views().filter_map(|(worker, view)| view.hangs(worker, now)).collect()
    }

    /// What is missing until all runs, a line each.
    pub fn not_ready(&self, now: Instant) -> Vec<String> {
        if let Cluster::Silent(why) = &self.cluster {
            return vec![why.clone()];
        }
        let mut lines = Vec::new();
        for (worker, view) in self.views() {
            lines.extend(view.hangs(worker, now));
            match view.life {
                Life::Unborn => lines.push(format!("{worker} has not started")),
                Life::Over => lines.push(format!("{worker} has stopped")),
                Life::Heard(_) => view.not_ready(worker, now, &mut lines),
            }
        }
        lines
    }

    /// The partitions of all workers.
    pub fn places(&self) -> impl Iterator<Item = (&PartitionName, &Place)> {
        self.workers.iter().flat_map(|view| view.places.iter())
    }

    /// What each worker has committed since it started.
    pub fn counts(&self) -> impl Iterator<Item = &WorkerStats> {
        self.workers.iter().map(|view| &view.counts)
    }

    fn views(&self) -> impl Iterator<Item = (WorkerId, &View)> {
        self.workers.iter().enumerate().map(|(number, view)| (WorkerId(number), view))
    }
}

impl View {
    fn hear(&mut self, notice: &WorkerEvent, now: Instant) {
        if self.life == Life::Over {
            // Last words, as it gives its clients up.
            return;
        }
        self.life = Life::Heard(now);
        match &notice.what {
            Occurrence::Ended(counts) => {
                self.counts.clone_from(counts);
                self.life = Life::Over;
                self.places.clear();
            }
            Occurrence::Committed { counts, .. } => {
                self.counts.clone_from(counts);
                self.stuck = None;
            }
            Occurrence::Assigned { partitions, .. } => {
                self.joined = true;
                let starting = Place { standing: PartitionStatus::Starting, lag: None };
                self.places.extend(partitions.iter().map(|partition| (partition.clone(), starting.clone())));
            }
            Occurrence::Revoked { partitions, lost, .. } => {
                // One that has lost partitions has to join again.
                self.joined &= !lost;
                self.places.retain(|partition, _| !partitions.contains(partition));
            }
            Occurrence::Waiting { step, why, .. } => self.is_stuck(format!("{step}: {why}"), now),
            Occurrence::Aborted { why, .. } => self.is_stuck(format!("aborted: {why}"), now),
            Occurrence::Status { held, partitions, .. } => {
                if !held {
                    self.stuck = None;
                }
                self.stands(partitions, now);
            }
            _ => {}
        }
    }

    fn is_stuck(&mut self, why: String, now: Instant) {
        let since = self.stuck.as_ref().map_or(now, |(since, _)| *since);
        self.stuck = Some((since, why));
    }

    fn stands(&mut self, partitions: &[(PartitionName, PartitionStatus)], now: Instant) {
        let is_silent = |(_, standing): &(PartitionName, PartitionStatus)| matches!(standing, PartitionStatus::Running(at) if at.lag.is_none());
        self.unanswered = partitions.iter().any(is_silent).then(|| self.unanswered.unwrap_or(now));
        let before = std::mem::take(&mut self.places);
        let place = |(partition, standing): &(PartitionName, PartitionStatus)| {
            let known = match standing {
                PartitionStatus::Running(at) => at.lag.map(|lag| (lag, now)),
                _ => None,
            };
            let lag = known.or_else(|| before.get(partition).and_then(|place| place.lag));
            (partition.clone(), Place { standing: standing.clone(), lag })
        };
        self.places = partitions.iter().map(place).collect();
    }

    fn hangs(&self, worker: WorkerId, now: Instant) -> Option<String> {
        let Life::Heard(at) = self.life else { return None };
        let silent = now.saturating_duration_since(at);
        (silent >= HANG_AFTER).then(|| format!("{worker} has not turned its loop for {} s", silent.as_secs()))
    }

    fn not_ready(&self, worker: WorkerId, now: Instant, lines: &mut Vec<String>) {
        let worth_a_word = |since: Instant| {
            let lasts = now.saturating_duration_since(since);
            (lasts >= PATIENCE).then_some(lasts.as_secs())
        };
        if !self.joined {
            lines.push(format!("{worker} waits for the group"));
        }
        for (partition, place) in &self.places {
            match &place.standing {
                PartitionStatus::Starting => lines.push(format!("{worker} starts partition {partition}")),
                PartitionStatus::Restoring => {
                    lines.push(format!("{worker} reads the state of partition {partition} back"))
                }
                PartitionStatus::Running(_) => {}
                PartitionStatus::Stopped(why) => {
                    lines.push(format!("{worker} has stopped partition {partition}: {why}"))
                }
            }
        }
        if let Some((since, why)) = &self.stuck
            && let Some(seconds) = worth_a_word(*since)
        {
            lines.push(format!("{worker}: a commit has not ended for {seconds} s ({why})"));
        }
        if let Some(seconds) = self.unanswered.and_then(worth_a_word) {
            lines.push(format!("{worker}: no answer from the brokers for {seconds} s"));
        }
    }
}
