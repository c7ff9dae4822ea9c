//! What the engine asks of its caller: a sink for tag changes, and models that give scores.

use std::fmt;
use std::sync::Arc;

use crate::catalog::TagId;
use crate::model::TagChange;

/// A model that gives each row of numbers a score. The same row has the same score every time.
pub trait ScoreModel: fmt::Debug + Send + Sync {
    /// How many numbers a row has.
    fn width(&self) -> usize;

    /// Replaces the content of `scores` by one score per row. `rows` holds row after row, `width` numbers each; NaN
    /// stands for an absent value. A score is NaN where the model has none for these values, and `None` where the model
    /// could not answer now; the implementation counts why.
    fn score(&self, rows: &[f64], scores: &mut Vec<Option<f64>>);

    /// Counts for the operator. The engine does not look at them.
    fn tally(&self) -> ModelTally;
}

/// What has become of the rows that a model was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModelTally {
    pub scored: u64,
    /// Rows on which the model failed.
    pub failed: u64,
    /// Rows for which the model was not asked, because its last call took too long.
    pub skipped: u64,
    /// Calls that took too long.
    pub slow_calls: u64,
}

/// The models of a catalog, by tag.
#[derive(Clone, Debug, Default)]
pub struct ScoreModels {
    by_tag: Vec<Option<Arc<dyn ScoreModel>>>,
}

impl ScoreModels {
    /// The model of a tag; `None` where it has none, or none was loaded.
    pub fn of(&self, tag: TagId) -> Option<&Arc<dyn ScoreModel>> {
        self.by_tag.get(usize::from(tag.0))?.as_ref()
    }

    /// Sets the model of a tag.
    pub fn insert(&mut self, tag: TagId, model: Arc<dyn ScoreModel>) {
        let index = usize::from(tag.0);
        if self.by_tag.len() <= index {
            self.by_tag.resize(index + 1, None);
        }
        self.by_tag[index] = Some(model);
    }
}

/// Takes the tag changes, in the order in which they become true.
pub trait Sink {
    fn change(&mut self, change: &TagChange<'_>);

    /// The entity with this key has ended: nothing of it is kept.
    fn ended(&mut self, _key: &str) {}
}

/// A sink that drops everything.
pub(super) struct NullSink;

impl Sink for NullSink {
    fn change(&mut self, _: &TagChange<'_>) {}
}
