//! What the evaluation of a tag with a `score` needs beside the catalog.

use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::catalog::{Catalog, Expr, Score, TagId};
use crate::engine::ports::{ScoreModel, ScoreModels};

/// What the evaluation of a score needs beside the catalog.
#[derive(Clone, Debug)]
pub struct ScorePlan {
    /// Everything that the inputs mention, without the clock: for a `days_since(x)` it is x.
    pub watched: Vec<Expr>,
    /// A hash of the model and of its inputs: another model's score is not reused.
    pub identity: u64,
    /// `None` where the model was not loaded.
    pub model: Option<Arc<dyn ScoreModel>>,
}

impl ScorePlan {
    pub fn new(catalog: &Catalog, id: TagId, score: &Score, models: &ScoreModels) -> Self {
        let mut watched: Vec<Expr> = Vec::new();
        for leaf in score.inputs.iter().flat_map(|input| &input.value.reported) {
            let still = match &leaf.expr {
                Expr::Since { of, .. } | Expr::Until { of, .. } | Expr::Calendar(_, of) => Expr::Time(*of),
                other => other.clone(),
            };
            if !watched.contains(&still) {
                watched.push(still);
            }
        }
        let mut asked = format!("{} {}", score.digest, score.output);
        for input in &score.inputs {
            asked.push('\n');
            asked.push_str(&catalog.format_expr(&input.value.expr));
        }
        ScorePlan { watched, identity: xxh3_64(asked.as_bytes()), model: models.of(id).cloned() }
    }
}
