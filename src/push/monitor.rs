//! How each partition stands, for metrics and probes.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::answer::Answer;
use super::courier::LetterReason;
use crate::http::{HANG_AFTER, Probes};
use crate::telemetry::{Log, PushMetrics, Severity};

const ACCEPTED: &str = "accepted";
const REFUSED: &str = "refused";
const POSTPONED: &str = "postponed";
/// A step of the loop may wait for the request that is under way.
const STEP_MAX: Duration = Duration::from_secs(60);

/// Counts, and knows how each partition stands.
pub struct PushMonitor {
    metrics: PushMetrics,
    log: Log,
    standing: Mutex<Standing>,
}

struct Standing {
    /// When the loop last went round.
    heard: Instant,
    /// What the process waits for before it is ready.
    waits_for: Option<String>,
    lags: BTreeMap<i32, i64>,
    /// Partitions whose changes are not taken, and since when.
    stalled: BTreeMap<i32, Instant>,
}

impl PushMonitor {
    pub fn new() -> Self {
        let metrics = PushMetrics::new();
        metrics.build.set(&[env!("CARGO_PKG_VERSION")], 1.0);
        [ACCEPTED, REFUSED, POSTPONED].iter().for_each(|outcome| metrics.requests.create(&[outcome]));
        metrics.changes.create(&[ACCEPTED]);
        LetterReason::ALL.iter().for_each(|reason| metrics.changes.create(&[reason.code()]));
        let standing = Standing {
            heard: Instant::now(),
            waits_for: Some("the brokers have not answered".to_owned()),
            lags: BTreeMap::new(),
            stalled: BTreeMap::new(),
        };
        PushMonitor { metrics, log: Log::default(), standing: Mutex::new(standing) }
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The loop has gone round.
    pub(super) fn note_round(&self) {
        self.standing().heard = Instant::now();
    }

    /// What the process waits for before it is ready; `None`: it is ready.
    pub(super) fn wait_for(&self, what: Option<&str>) {
        self.standing().waits_for = what.map(str::to_owned);
    }

    pub(super) fn note_lags(&self, lags: BTreeMap<i32, i64>) {
        self.standing().lags = lags;
    }

    pub(super) fn note_gap(&self, partition: i32, offsets: i64) {
        self.metrics.gap_offsets.add(offsets.unsigned_abs());
        tracing::error!(
            partition,
            offsets,
            "the topic no longer has tag changes that were not posted: the receiver does not get them; raise the topic's \
             retention.ms, or take the state of the entities from the current tags"
        );
    }

    /// A request was answered, or not.
    pub(super) fn note_answer(&self, partition: i32, answer: &Answer, took: Duration) {
        self.metrics.request_duration.observe(took);
        let outcome = match answer {
            Answer::Accepted => ACCEPTED,
            Answer::Refused { .. } => REFUSED,
            Answer::Postponed { .. } => POSTPONED,
        };
        self.metrics.requests.of(&[outcome]).inc();
        match answer {
            Answer::Postponed { why, .. } => self.note_stall(partition, why),
            Answer::Accepted | Answer::Refused { .. } => self.note_progress(partition),
        }
    }

    pub(super) fn note_stall(&self, partition: i32, why: &str) {
        self.standing().stalled.entry(partition).or_insert_with(Instant::now);
        let line = format!("partition {partition} waits, its changes are sent again: {why}");
        self.log.write(Severity::Warn, Some(format!("stall {partition}")), &line);
    }

    fn note_progress(&self, partition: i32) {
        if let Some(since) = self.standing().stalled.remove(&partition) {
            let line = format!("partition {partition} goes on after {:.1} s", since.elapsed().as_secs_f64());
            self.log.write(Severity::Info, Some(format!("progress {partition}")), &line);
        }
    }

    pub(super) fn note_accepted(&self, changes: usize) {
        self.metrics.changes.of(&[ACCEPTED]).add(changes as u64);
    }

    /// A change has become a dead letter.
    pub(super) fn note_letter(&self, partition: i32, reason: LetterReason, detail: &str) {
        self.metrics.changes.of(&[reason.code()]).inc();
        let line = format!("a change of partition {partition} is a dead letter ({}): {detail}", reason.code());
        self.log.write(Severity::Warn, Some(format!("letter {}", reason.code())), &line);
        self.note_progress(partition);
    }

    /// The group has taken partitions away.
    pub(super) fn forget(&self, partitions: &[i32]) {
        let mut standing = self.standing();
        standing.stalled.retain(|partition, _| !partitions.contains(partition));
        standing.lags.retain(|partition, _| !partitions.contains(partition));
    }
}

impl Default for PushMonitor {
    fn default() -> Self {
        PushMonitor::new()
    }
}

impl Probes for PushMonitor {
    fn metrics(&self) -> String {
        // Locked to the end: of two concurrent requests, neither may see what the other has half set.
        let standing = self.standing();
        self.metrics.ready.set(f64::from(u8::from(standing.waits_for.is_none())));
        self.metrics.lag.clear();
        self.metrics.stalled.clear();
        for (partition, lag) in &standing.lags {
            let stalled = standing.stalled.get(partition).map_or(0.0, |since| since.elapsed().as_secs_f64());
            self.metrics.lag.set(&[&partition.to_string()], *lag as f64);
            self.metrics.stalled.set(&[&partition.to_string()], stalled);
        }
        self.metrics.text()
    }

    fn hung(&self) -> Vec<String> {
        let silent = self.standing().heard.elapsed();
        let hangs = silent >= HANG_AFTER + STEP_MAX;
        hangs.then(|| format!("the loop has not run for {} s", silent.as_secs())).into_iter().collect()
    }

    fn not_ready(&self) -> Vec<String> {
        self.standing().waits_for.clone().into_iter().collect()
    }
}
