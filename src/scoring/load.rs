//! Loads the models of a catalog: each is read, opened, compared with its `score` and probed.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use xxhash_rust::xxh3::xxh3_64;

use super::mismatch::{ModelMismatch, ScorePart};
use super::scorer::{CALL_MAX, Scorer, SlowModelPolicy};
use super::session_pool::SessionPool;
use crate::catalog::{Catalog, Score, TagDefinition, TagId};
use crate::engine::ScoreModels;

/// The largest model file that is read into memory; usual models are far smaller.
const MODEL_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// How often a model is timed: the shortest time counts, since the machine may be busy.
const TRIALS: usize = 3;

/// The models of a catalog, by tag.
#[derive(Clone, Debug, Default)]
pub struct Models(Vec<Option<Arc<Scorer>>>);

/// A mismatch of a model with the `score` of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagMismatch {
    pub tag: TagId,
    pub mismatch: ModelMismatch,
}

impl Models {
    /// The model of a tag; `None` where it has none, or none was loaded.
    pub fn of(&self, tag: TagId) -> Option<&Arc<Scorer>> {
        self.0.get(usize::from(tag.0))?.as_ref()
    }

    pub fn insert(&mut self, tag: TagId, scorer: Scorer) {
        let index = usize::from(tag.0);
        if self.0.len() <= index {
            self.0.resize(index + 1, None);
        }
        self.0[index] = Some(Arc::new(scorer));
    }

    /// Loads the model of every `score`, and sets the digests of their files in the catalog.
    ///
    /// `folder` is the catalog's folder; `library` is the ONNX Runtime: its file, its folder, or `None` for the system's.
    ///
    /// # Errors
    /// All mismatches of all models.
    pub fn load(
        catalog: &mut Catalog,
        folder: &Path,
        library: Option<&Path>,
        policy: SlowModelPolicy,
    ) -> Result<Models, Vec<TagMismatch>> {
        let (mut models, mut mismatches, mut digests) = (Models::default(), Vec::new(), Vec::new());
        for (id, tag) in (0_u16..).map(TagId).zip(&catalog.tags) {
            let TagDefinition::Score(score) = &tag.definition else { continue };
            match open(score, folder, library, policy) {
                Ok((scorer, digest)) => {
                    digests.push((id, digest));
                    models.insert(id, scorer);
                }
                Err(found) => mismatches.extend(found.into_iter().map(|mismatch| TagMismatch { tag: id, mismatch })),
            }
        }
        if !mismatches.is_empty() {
            return Err(mismatches);
        }
        digests.into_iter().for_each(|(tag, digest)| catalog.set_model_digest(tag, digest));
        Ok(models)
    }
}

impl From<Models> for ScoreModels {
    fn from(models: Models) -> Self {
        let mut taken = ScoreModels::default();
        for (tag, scorer) in (0_u16..).map(TagId).zip(models.0) {
            if let Some(scorer) = scorer {
                taken.insert(tag, scorer);
            }
        }
        taken
    }
}

fn open(
    score: &Score,
    folder: &Path,
    library: Option<&Path>,
    policy: SlowModelPolicy,
) -> Result<(Scorer, u64), Vec<ModelMismatch>> {
    let bytes = read(&folder.join(&*score.model), &score.model).map_err(|mismatch| vec![mismatch])?;
    let digest = xxh3_64(&bytes);
    let sessions = SessionPool::open(bytes, score, library)?;
    let width = score.inputs.len();
    probe(&sessions, width).map_err(|mismatch| vec![mismatch])?;
    Ok((Scorer::of_model(sessions, width, policy), digest))
}

fn read(path: &PathBuf, written: &str) -> Result<Vec<u8>, ModelMismatch> {
    let mismatch = |why: String| {
        let help = format!("a path is taken from the catalog's folder: {} was looked for", path.display());
        ModelMismatch::new(ScorePart::Model, format!("can't read the model {written}: {why}")).help(help)
    };
    if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(mismatch("it is not a plain file".to_owned()));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| mismatch(error.to_string()))?;
    file.take(MODEL_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| mismatch(error.to_string()))?;
    if bytes.len() as u64 > MODEL_BYTES_MAX {
        return Err(mismatch(format!("it has more than {} MiB", MODEL_BYTES_MAX >> 20)));
    }
    Ok(bytes)
}

/// Scores an entity without any known value: every model must be able to, within [`CALL_MAX`].
fn probe(sessions: &SessionPool, width: usize) -> Result<(), ModelMismatch> {
    let row = vec![f64::NAN; width];
    let mut scores = Vec::new();
    let mut least = Duration::MAX;
    for _ in 0..TRIALS {
        let began = Instant::now();
        sessions.run(&row, width, &mut scores).map_err(|why| {
            let message = format!("the model fails on a user without any known value: {why}");
            ModelMismatch::new(ScorePart::Model, message)
                .help("an absent input is NaN: begin the model with an imputer")
        })?;
        least = least.min(began.elapsed());
    }
    if least > CALL_MAX {
        let message = format!("the model takes {least:.0?} for one user; it may take {CALL_MAX:?}");
        let help = "it is called between two events: train a smaller one";
        return Err(ModelMismatch::new(ScorePart::Model, message).help(help));
    }
    Ok(())
}
