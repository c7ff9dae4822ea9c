//! Models as the engine sees them: it asks for scores by rows; the caller loads, runs and limits the models.

use std::fmt;
use std::sync::Arc;

use crate::catalog::TagId;
use crate::model::TagChange;

/// A model that gives each row of numbers a score. The same row has the same score every time.
pub trait ScoreModel: fmt::Debug + Send + Sync {
    /// How many numbers a row has.
    fn width(&self) -> usize;

    /// Replaces what is in `scores` by one score for each row; the rows stand one after another.
    ///
    /// NaN in a row: there is no such value. NaN as a score: the model gives these values none. `None`: the model could
    /// not answer now; the caller counts why.
    fn score(&self, rows: &[f64], scores: &mut Vec<Option<f64>>);

    /// Counts for the operator; the engine only passes them on.
    fn tally(&self) -> ModelTally;
}

/// What has become of the rows that a model was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModelTally {
    pub scored: u64,
    /// The model failed on them.
    pub failed: u64,
    /// The model was not asked, because its last call took too long.
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

    pub fn insert(&mut self, tag: TagId, model: Arc<dyn ScoreModel>) {
        let index = usize::from(tag.0);
        if self.by_tag.len() <= index {
            self.by_tag.resize(index + 1, None);
        }
        self.by_tag[index] = Some(model);
    }
}

/// Takes the changes, in the order in which they become true.
pub trait Sink {
    fn change(&mut self, change: &TagChange<'_>);

    /// Nothing is left of the entity of this key.
    fn ended(&mut self, _key: &str) {}
}

/// Hears nothing, where what happens is not to be told.
pub(super) struct NullSink;

impl Sink for NullSink {
    fn change(&mut self, _: &TagChange<'_>) {}
}
