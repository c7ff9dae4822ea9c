//! One model, ready to be called: rows in, one score per row out, or none where the model fails.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::session_pool::SessionPool;
use crate::engine::{ModelTally, ScoreModel};

/// The most rows of one call: it bounds the time that a call takes.
const ROWS_MAX: usize = 256;

/// A call that takes longer is too slow: it is made between two events.
pub(crate) const CALL_MAX: Duration = Duration::from_millis(100);

/// After a call that is too slow, the model is paused for this many times as long: so it takes at most a tenth of a
/// worker's time.
const PAUSE_FACTOR: u32 = 9;

/// What to do with a model that is too slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlowModelPolicy {
    /// Wait for it: the same events give the same scores. For commands that read files.
    Wait,
    /// Pause it: meanwhile its rows have no score and are counted as skipped. For the service, which must keep up.
    Pause,
}

/// A model that fits its `score`. All workers share it; none waits for another.
pub struct Scorer {
    backend: Backend,
    width: usize,
    policy: SlowModelPolicy,
    paused_until: Mutex<Option<Instant>>,
    scored: AtomicU64,
    failed: AtomicU64,
    skipped: AtomicU64,
    slow_calls: AtomicU64,
}

/// The score of a row, or why there is none.
type Formula = Box<dyn Fn(&[f64]) -> Result<f64, String> + Send + Sync>;

enum Backend {
    Onnx(SessionPool),
    Formula(Formula),
}

impl Scorer {
    pub(super) fn of_model(sessions: SessionPool, width: usize, policy: SlowModelPolicy) -> Self {
        Scorer::new(Backend::Onnx(sessions), width, policy)
    }

    /// A model that is a function: for tests without a file.
    pub fn of_formula(
        width: usize,
        policy: SlowModelPolicy,
        formula: impl Fn(&[f64]) -> Result<f64, String> + Send + Sync + 'static,
    ) -> Self {
        Scorer::new(Backend::Formula(Box::new(formula)), width, policy)
    }

    fn new(backend: Backend, width: usize, policy: SlowModelPolicy) -> Self {
        Scorer {
            backend,
            width,
            policy,
            paused_until: Mutex::new(None),
            scored: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            slow_calls: AtomicU64::new(0),
        }
    }

    fn score_chunk(&self, rows: &[f64], out: &mut Vec<Option<f64>>) {
        let count = rows.len() / self.width;
        let began = Instant::now();
        if self.is_paused(began) {
            self.skipped.fetch_add(count as u64, Ordering::Relaxed);
            out.extend(std::iter::repeat_n(None, count));
            return;
        }
        match self.backend.run(rows, self.width, out) {
            Ok(()) => {
                self.scored.fetch_add(count as u64, Ordering::Relaxed);
            }
            // One row must not cost the others their score: the score of a row never depends on the other rows.
            Err(_) if count > 1 => return rows.chunks(self.width).for_each(|row| self.score_chunk(row, out)),
            Err(why) => {
                out.push(None);
                self.record_failure(&why);
            }
        }
        self.check_duration(began);
    }

    fn is_paused(&self, now: Instant) -> bool {
        self.policy == SlowModelPolicy::Pause && self.paused_until().is_some_and(|until| now < until)
    }

    fn paused_until(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.paused_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call that took too long, and pauses the model if the policy says so.
    fn check_duration(&self, began: Instant) {
        let took = began.elapsed();
        if took <= CALL_MAX {
            return;
        }
        let times = self.slow_calls.fetch_add(1, Ordering::Relaxed) + 1;
        if self.policy == SlowModelPolicy::Pause {
            *self.paused_until() = Some(Instant::now() + took * PAUSE_FACTOR);
            if times.is_power_of_two() {
                tracing::warn!(?took, times, "a model is too slow; it is paused");
            }
        }
    }

    /// Counts a row on which the model failed; logs the first one, the second, the fourth and so on.
    fn record_failure(&self, why: &str) {
        let times = self.failed.fetch_add(1, Ordering::Relaxed) + 1;
        if times.is_power_of_two() {
            tracing::warn!(why, times, "a model failed; the previous score stays");
        }
    }
}

impl ScoreModel for Scorer {
    fn width(&self) -> usize {
        self.width
    }

    fn score(&self, rows: &[f64], out: &mut Vec<Option<f64>>) {
        out.clear();
        for chunk in rows.chunks(ROWS_MAX * self.width) {
            self.score_chunk(chunk, out);
        }
    }

    fn tally(&self) -> ModelTally {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        ModelTally {
            scored: read(&self.scored),
            failed: read(&self.failed),
            skipped: read(&self.skipped),
            slow_calls: read(&self.slow_calls),
        }
    }
}

impl Backend {
    /// Appends one score per row; appends nothing on an error.
    fn run(&self, rows: &[f64], width: usize, out: &mut Vec<Option<f64>>) -> Result<(), String> {
        match self {
            Backend::Onnx(sessions) => sessions.run(rows, width, out),
            Backend::Formula(formula) => {
                let scores: Result<Vec<f64>, String> = rows.chunks(width).map(formula).collect();
                out.extend(scores?.into_iter().map(Some));
                Ok(())
            }
        }
    }
}

impl fmt::Debug for Scorer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scorer").field("width", &self.width).field("policy", &self.policy).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_fails_costs_no_other_its_score() {
        let scorer = Scorer::of_formula(1, SlowModelPolicy::Wait, |row| {
            if row[0] == 3.0 { Err("three".to_owned()) } else { Ok(row[0] * 2.0) }
        });
        let mut out = vec![Some(9.0)];
        scorer.score(&[1.0, 3.0, 5.0], &mut out);
        assert_eq!(out, [Some(2.0), None, Some(10.0)]);
        assert_eq!(scorer.tally(), ModelTally { scored: 2, failed: 1, ..ModelTally::default() });
    }

    #[test]
    fn a_model_that_is_too_slow_is_given_a_rest() {
        let slow = |row: &[f64]| {
            std::thread::sleep(CALL_MAX + Duration::from_millis(5));
            Ok(row[0])
        };
        let scorer = Scorer::of_formula(1, SlowModelPolicy::Pause, slow);
        let mut out = Vec::new();
        scorer.score(&[1.0], &mut out);
        assert_eq!(out, [Some(1.0)]);
        scorer.score(&[2.0, 3.0], &mut out);
        assert_eq!(out, [None, None]);
        assert_eq!(scorer.tally(), ModelTally { scored: 1, skipped: 2, slow_calls: 1, failed: 0 });
        let patient = Scorer::of_formula(1, SlowModelPolicy::Wait, slow);
        patient.score(&[1.0], &mut out);
        patient.score(&[2.0], &mut out);
        assert_eq!(out, [Some(2.0)]);
        assert_eq!(patient.tally(), ModelTally { scored: 2, slow_calls: 2, ..ModelTally::default() });
    }
}
