//! Scores that were computed together, by their input rows.

use std::collections::HashMap;

use xxhash_rust::xxh3::Xxh3;

use crate::engine::program::ScorePlan;

/// The scores of many entities that are due at one instant, computed in one call.
///
/// A model's score depends only on its row, so each evaluation looks its row up here and calls the model where it is
/// missing.
#[derive(Debug, Default)]
pub(crate) struct ScoreCache(HashMap<u128, Option<f64>>);

impl ScoreCache {
    /// At most this many entities of one instant are scored together.
    pub(crate) const TOGETHER_MAX: usize = 256;

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Stores the scores of rows that stand one after another.
    pub(crate) fn insert(&mut self, plan: &ScorePlan, width: usize, rows: &[f64], scores: Vec<Option<f64>>) {
        self.0.extend(rows.chunks(width).map(|row| ScoreCache::key(plan, row)).zip(scores));
    }

    /// The score of a row, from here or else from `ask`; `None` where the model could not answer.
    pub(crate) fn score(&self, plan: &ScorePlan, row: &[f64], ask: impl FnOnce() -> Option<f64>) -> Option<f64> {
        if self.0.is_empty() {
            return ask();
        }
        self.0.get(&ScoreCache::key(plan, row)).copied().unwrap_or_else(ask)
    }

    fn key(plan: &ScorePlan, row: &[f64]) -> u128 {
        let mut hash = Xxh3::with_seed(plan.identity);
        row.iter().for_each(|number| hash.update(&number.to_bits().to_le_bytes()));
        hash.digest128()
    }
}
