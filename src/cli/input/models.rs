//! The models of a catalog, and the option that says where the ONNX Runtime is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::catalog::{Catalog, LoadedCatalog};
use crate::engine::CompiledCatalog;
use crate::scoring::{Models, ScorePart, SlowModelPolicy};

/// The variable with the path of the ONNX Runtime, if no option names one; ONNX's own tools use it too.
const LIBRARY_VARIABLE: &str = "ORT_DYLIB_PATH";

/// What catalogs with a `score` need
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct ModelArgs {
    /// The ONNX Runtime, for a catalog with a `score`: the library, or its folder [env: ORT_DYLIB_PATH]
    #[arg(long, value_name = "PATH")]
    onnx_runtime: Option<PathBuf>,
}

impl ModelArgs {
    /// For commands that read files: a score may take any time.
    pub(crate) fn access(&self) -> ModelAccess {
        ModelAccess::new(self.onnx_runtime.clone(), SlowModelPolicy::Wait)
    }
}

/// How to open models.
#[derive(Clone, Debug)]
pub(crate) struct ModelAccess {
    library: Option<PathBuf>,
    /// `None`: models are not opened.
    patience: Option<SlowModelPolicy>,
}

impl ModelAccess {
    /// Without a `library`, the environment may name one.
    pub(crate) fn new(library: Option<PathBuf>, patience: SlowModelPolicy) -> Self {
        let named = || std::env::var_os(LIBRARY_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        ModelAccess { library: library.or_else(named), patience: Some(patience) }
    }

    /// For commands that do not score.
    pub(crate) fn none() -> Self {
        ModelAccess { library: None, patience: None }
    }

    /// Loads the models of a catalog that was read from `path`, and adds their mismatches to its problems.
    pub(crate) fn open(&self, path: &Path, text: &str, loaded: &mut LoadedCatalog) -> Models {
        let folder = path.parent().unwrap_or(Path::new(""));
        let (Some(catalog), Some(patience)) = (loaded.catalog.as_mut(), self.patience) else {
            return Models::default();
        };
        let mismatches = match Models::load(catalog, folder, self.library.as_deref(), patience) {
            Ok(models) => return models,
            Err(mismatches) => mismatches,
        };
        for one in mismatches {
            let Some(places) = loaded.models.iter().find(|places| places.tag == one.tag) else { continue };
            let span = match one.mismatch.part {
                ScorePart::Model => places.model,
                ScorePart::Inputs => places.inputs,
                ScorePart::Input(index) => places.names.get(index).copied().unwrap_or(places.inputs),
                ScorePart::Output => places.output,
            };
            loaded.reject(text, "bad-model", span, one.mismatch.message, one.mismatch.help);
        }
        Models::default()
    }
}

/// A catalog without errors, and its models.
#[derive(Clone, Debug)]
pub(crate) struct Runnable {
    pub catalog: Catalog,
    pub models: Models,
}

impl Runnable {
    pub(crate) fn compile(self) -> Arc<CompiledCatalog> {
        CompiledCatalog::with_models(self.catalog, self.models)
    }
}
