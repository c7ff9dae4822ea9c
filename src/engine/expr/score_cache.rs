//! Scores that were asked for together, by the rows that they belong to.

use std::collections::HashMap;

use xxhash_rust::xxh3::Xxh3;

use crate::engine::program::ScorePlan;

/// Answers to what many entities are about to ask at one instant, had in one call.
///
/// A model's answer depends on its row and nothing else, so whoever asks finds it here by the row, or asks for it.
#[derive(Debug, Default)]
pub(crate) struct ScoreCache(HashMap<u128, Option<f64>>);

impl ScoreCache {
    /// So many entities of one instant are looked at together.
    pub(crate) const TOGETHER_MAX: usize = 256;

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Keeps the scores of rows that stand one after another.
    pub(crate) fn insert(&mut self, plan: &ScorePlan, width: usize, rows: &[f64], scores: Vec<Option<f64>>) {
        self.0.extend(rows.chunks(width).map(|row| ScoreCache::key(plan, row)).zip(scores));
    }

    pub(crate) fn find(&self, plan: &ScorePlan, row: &[f64]) -> Option<Option<f64>> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&ScoreCache::key(plan, row)).copied()
    }

    fn key(plan: &ScorePlan, row: &[f64]) -> u128 {
        let mut hash = Xxh3::with_seed(plan.identity);
        row.iter().for_each(|number| hash.update(&number.to_bits().to_le_bytes()));
        hash.digest128()
    }
}
