//! One model, ready to be called: rows in, a score a row out, whatever happens.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::sessions::Sessions;

/// More rows than this go to a model in several calls: what a call takes is bounded.
const ROWS_MAX: usize = 256;

/// A call that takes longer is too slow to stand between two events.
pub const CALL_MAX: Duration = Duration::from_millis(100);

/// After a call that was too slow the model is left alone for so many times as long: of a worker's time it has at most
/// a tenth then.
const REST_FACTOR: u32 = 9;

/// What to do about a model that is too slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Wait as long as it takes: the same events give the same scores. For whoever reads files.
    Endless,
    /// Count it and give the model a rest, in which it scores nobody. For whoever has to keep up.
    Bounded,
}

/// What has become of the rows so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub scored: u64,
    /// The model failed on them.
    pub failed: u64,
    /// They came while the model rested.
    pub skipped: u64,
    /// Calls that took too long.
    pub slow_calls: u64,
}

/// A model that fits its place in the catalog. Shared by all workers; none waits for another.
pub struct Scorer {
    source: Source,
    width: usize,
    patience: Patience,
    rests_until: Mutex<Option<Instant>>,
    scored: AtomicU64,
    failed: AtomicU64,
    skipped: AtomicU64,
    slow_calls: AtomicU64,
}

/// A number for a row, or why there is none.
type Formula = Box<dyn Fn(&[f64]) -> Result<f64, String> + Send + Sync>;

enum Source {
    Sessions(Sessions),
    Formula(Formula),
}

impl Scorer {
    pub(super) fn of_model(sessions: Sessions, width: usize, patience: Patience) -> Self {
        Scorer::new(Source::Sessions(sessions), width, patience)
    }

    /// A model that is a formula: for whoever tests without a file.
    pub fn of_formula(
        width: usize,
        patience: Patience,
        formula: impl Fn(&[f64]) -> Result<f64, String> + Send + Sync + 'static,
    ) -> Self {
        Scorer::new(Source::Formula(Box::new(formula)), width, patience)
    }

    fn new(source: Source, width: usize, patience: Patience) -> Self {
        Scorer {
            source,
            width,
            patience,
            rests_until: Mutex::new(None),
            scored: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            slow_calls: AtomicU64::new(0),
        }
    }

    /// How many numbers a row has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Scores rows that stand one behind the other. NaN in a row: there is no such value. NaN as a score: the model gives
    /// these values none. `None`: it was not to be had, now; the reason is counted.
    pub fn score(&self, rows: &[f64], out: &mut Vec<Option<f64>>) {
        out.clear();
        for some in rows.chunks(ROWS_MAX * self.width) {
            self.score_some(some, out);
        }
    }

    fn score_some(&self, rows: &[f64], out: &mut Vec<Option<f64>>) {
        let count = rows.len() / self.width;
        let began = Instant::now();
        if self.rests(began) {
            self.skipped.fetch_add(count as u64, Ordering::Relaxed);
            out.extend(std::iter::repeat_n(None, count));
            return;
        }
        match self.source.run(rows, self.width, out) {
            Ok(()) => {
                self.scored.fetch_add(count as u64, Ordering::Relaxed);
            }
            // One row must not cost the others their score: what a row comes to never depends on its company.
            Err(_) if count > 1 => rows.chunks(self.width).for_each(|row| self.score_some(row, out)),
            Err(why) => {
                out.push(None);
                self.complain(&why);
            }
        }
        self.watch(began);
    }

    fn rests(&self, now: Instant) -> bool {
        self.patience == Patience::Bounded && self.resting().is_some_and(|until| now < until)
    }

    fn resting(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.rests_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// EventListener a call that took too long.
    fn watch(&self, began: Instant) {
        let took = began.elapsed();
        if took <= CALL_MAX {
            return;
        }
        let times = self.slow_calls.fetch_add(1, Ordering::Relaxed) + 1;
        if self.patience == Patience::Bounded {
            *self.resting() = Some(Instant::now() + took * REST_FACTOR);
            if times.is_power_of_two() {
                tracing::warn!(?took, times, "a model is too slow; it scores nobody for a while");
            }
        }
    }

    /// Counts a row on which the model failed; says so the first time, the second, the fourth and so on.
    fn complain(&self, why: &str) {
        let times = self.failed.fetch_add(1, Ordering::Relaxed) + 1;
        if times.is_power_of_two() {
            tracing::warn!(why, times, "a model failed; the score before stands");
        }
    }

    pub fn tally(&self) -> Tally {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Tally {
            scored: read(&self.scored),
            failed: read(&self.failed),
            skipped: read(&self.skipped),
            slow_calls: read(&self.slow_calls),
        }
    }
}

impl Source {
    /// Adds a score a row; none where it fails.
    fn run(&self, rows: &[f64], width: usize, out: &mut Vec<Option<f64>>) -> Result<(), String> {
        match self {
            Source::Sessions(sessions) => sessions.run(rows, width, out),
            Source::Formula(formula) => {
                let scores: Result<Vec<f64>, String> = rows.chunks(width).map(formula).collect();
                out.extend(scores?.into_iter().map(Some));
                Ok(())
            }
        }
    }
}

impl fmt::Debug for Scorer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scorer").field("width", &self.width).field("patience", &self.patience).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_fails_costs_no_other_its_score() {
        let scorer = Scorer::of_formula(1, Patience::Endless, |row| {
            if row[0] == 3.0 { Err("three".to_owned()) } else { Ok(row[0] * 2.0) }
        });
        let mut out = vec![Some(9.0)];
        scorer.score(&[1.0, 3.0, 5.0], &mut out);
        assert_eq!(out, [Some(2.0), None, Some(10.0)]);
        assert_eq!(scorer.tally(), Tally { scored: 2, failed: 1, ..Tally::default() });
    }

    #[test]
    fn a_model_that_is_too_slow_is_given_a_rest() {
        let slow = |row: &[f64]| {
            std::thread::sleep(CALL_MAX + Duration::from_millis(5));
            Ok(row[0])
        };
        let scorer = Scorer::of_formula(1, Patience::Bounded, slow);
        let mut out = Vec::new();
        scorer.score(&[1.0], &mut out);
        assert_eq!(out, [Some(1.0)]);
        scorer.score(&[2.0, 3.0], &mut out);
        assert_eq!(out, [None, None]);
        assert_eq!(scorer.tally(), Tally { scored: 1, skipped: 2, slow_calls: 1, failed: 0 });
        let patient = Scorer::of_formula(1, Patience::Endless, slow);
        patient.score(&[1.0], &mut out);
        patient.score(&[2.0], &mut out);
        assert_eq!(out, [Some(2.0)]);
        assert_eq!(patient.tally(), Tally { scored: 2, slow_calls: 2, ..Tally::default() });
    }
}
