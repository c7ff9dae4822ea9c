//! What the evaluation of a tag with a `score` needs beside the catalog.

use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::catalog::{Catalog, Expr, Score, TagId};
use crate::engine::ports::{ScoreModel, ScoreModels};

/// What an evaluation of a score needs beside the catalog.
#[derive(Clone, Debug)]
pub struct ScorePlan {
    /// Everything that the inputs mention, with the clock left out: a `days_since(x)` stands for its x.
    pub watched: Vec<Expr>,
    /// Of the model and what is asked of it: another one has not given the answer that stands.
    pub identity: u64,
    /// `None`: nobody has loaded the model.
    pub scorer: Option<Arc<dyn ScoreModel>>,
}

impl ScorePlan {
    pub fn new(catalog: &Catalog, id: TagId, score: &Score, models: &ScoreModels) -> Self {
        let mut watched: Vec<Expr> = Vec::new();
        for leaf in score.inputs.iter().flat_map(|input| &input.value.leaves) {
            let still = match &leaf.expr {
                Expr::Since { of, .. } | Expr::Until { of, .. } => Expr::Time(*of),
                other => other.clone(),
            };
            if !watched.contains(&still) {
                watched.push(still);
            }
        }
        let mut asked = format!("{} {}", score.digest, score.output);
        for input in &score.inputs {
            asked.push('\n');
            asked.push_str(&catalog.written(&input.value.expr));
        }
        ScorePlan { watched, identity: xxh3_64(asked.as_bytes()), scorer: models.of(id).cloned() }
    }
}
