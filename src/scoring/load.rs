//! Loading the models of a catalog: each is read, opened, compared with its `score` and tried.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use xxhash_rust::xxh3::xxh3_64;

use super::misfit::{Misfit, Place};
use super::scorer::{CALL_MAX, Patience, Scorer};
use super::sessions::Sessions;
use crate::catalog::{Catalog, Score, TagId, TagKind};
use crate::engine::ScoreModels;

/// A model's file is read into memory; one of this kind is far smaller.
const MODEL_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// How often a model is timed: the least counts, whatever else the machine does.
const TRIALS: usize = 3;

/// The models of a catalog, by tag.
#[derive(Clone, Debug, Default)]
pub struct Models(Vec<Option<Arc<Scorer>>>);

/// What does not fit at the `score` of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    pub tag: TagId,
    pub misfit: Misfit,
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

    /// Loads the model of every `score`, and has the catalog know what is in the files.
    ///
    /// `folder` is the catalog's; `library` is where the ONNX Runtime is: its file, a folder that holds it, or `None` for
    /// the one that the system knows.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn load(
        catalog: &mut Catalog,
        folder: &Path,
        library: Option<&Path>,
        patience: Patience,
    ) -> Result<Models, Vec<Unfit>> {
        let (mut models, mut unfit, mut digests) = (Models::default(), Vec::new(), Vec::new());
        for (id, tag) in (0_u16..).map(TagId).zip(&catalog.tags) {
            let TagKind::Score(score) = &tag.kind else { continue };
            match open(score, folder, library, patience) {
                Ok((scorer, digest)) => {
                    digests.push((id, digest));
                    models.insert(id, scorer);
                }
                Err(misfits) => unfit.extend(misfits.into_iter().map(|misfit| Unfit { tag: id, misfit })),
            }
        }
        if !unfit.is_empty() {
            return Err(unfit);
        }
        digests.into_iter().for_each(|(tag, digest)| catalog.know_model(tag, digest));
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
    patience: Patience,
) -> Result<(Scorer, u64), Vec<Misfit>> {
    let bytes = read(&folder.join(&*score.model), &score.model).map_err(|misfit| vec![misfit])?;
    let digest = xxh3_64(&bytes);
    let sessions = Sessions::open(bytes, score, library)?;
    let width = score.inputs.len();
    try_out(&sessions, width).map_err(|misfit| vec![misfit])?;
    Ok((Scorer::of_model(sessions, width, patience), digest))
}

fn read(path: &PathBuf, written: &str) -> Result<Vec<u8>, Misfit> {
    let misfit = |why: String| {
        let help = format!("a path is taken from the catalog's folder: {} was looked for", path.display());
        Misfit::new(Place::Model, format!("can't read the model {written}: {why}")).help(help)
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| misfit(error.to_string()))?;
    file.take(MODEL_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| misfit(error.to_string()))?;
    if bytes.len() as u64 > MODEL_BYTES_MAX {
        return Err(misfit(format!("it has more than {} MiB", MODEL_BYTES_MAX >> 20)));
    }
    Ok(bytes)
}

/// Scores somebody of whom nothing is known: a model must be able to, and soon.
fn try_out(sessions: &Sessions, width: usize) -> Result<(), Misfit> {
    let row = vec![f64::NAN; width];
    let mut scores = Vec::new();
    let mut least = Duration::MAX;
    for _ in 0..TRIALS {
        let began = Instant::now();
        sessions.run(&row, width, &mut scores).map_err(|why| {
            let message = format!("the model fails on a user of whom nothing is known: {why}");
            Misfit::new(Place::Model, message).help("an absent input is NaN: begin the model with an imputer")
        })?;
        least = least.min(began.elapsed());
    }
    if least > CALL_MAX {
        let message = format!("the model takes {least:.0?} for one user; it may take {CALL_MAX:?}");
        let help = "it is called between two events: train a smaller one";
        return Err(Misfit::new(Place::Model, message).help(help));
    }
    Ok(())
}
