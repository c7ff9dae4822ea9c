//! A catalog that can be run: with the models that it names, and the flag that tells where their runtime is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::catalog::{Catalog, Loaded};
use crate::engine::CompiledCatalog;
use crate::scoring::{Models, Patience, Place};

/// Where the ONNX Runtime is, unless something nearer tells it; ONNX's own tools look there too.
const LIBRARY_VARIABLE: &str = "ORT_DYLIB_PATH";

/// What catalogs with a `score` need
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ModelArgs {
    /// The ONNX Runtime, for a catalog with a `score`: the library, or the folder that it is in [env: ORT_DYLIB_PATH]
    #[arg(long, value_name = "PATH")]
    onnx_runtime: Option<PathBuf>,
}

impl ModelArgs {
    /// For whoever reads files: a score takes as long as it takes.
    pub fn access(&self) -> ModelAccess {
        ModelAccess::new(self.onnx_runtime.clone(), Patience::Endless)
    }
}

/// How models are to be opened.
#[derive(Clone, Debug)]
pub struct ModelAccess {
    library: Option<PathBuf>,
    /// `None`: not at all.
    patience: Option<Patience>,
}

impl ModelAccess {
    /// Where no library is named the environment may name one.
    pub fn new(library: Option<PathBuf>, patience: Patience) -> Self {
        let named = || std::env::var_os(LIBRARY_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        ModelAccess { library: library.or_else(named), patience: Some(patience) }
    }

    /// For whoever scores nobody.
    pub fn none() -> Self {
        ModelAccess { library: None, patience: None }
    }

    /// Loads the models of a catalog that was read from `path`; what is wrong with them goes to its problems.
    pub fn open(&self, path: &Path, text: &str, loaded: &mut Loaded) -> Models {
        let folder = path.parent().unwrap_or(Path::new(""));
        let (Some(catalog), Some(patience)) = (loaded.catalog.as_mut(), self.patience) else {
            return Models::default();
        };
        let unfit = match Models::load(catalog, folder, self.library.as_deref(), patience) {
            Ok(models) => return models,
            Err(unfit) => unfit,
        };
        for one in unfit {
            let Some(places) = loaded.models.iter().find(|places| places.tag == one.tag) else { continue };
            let span = match one.misfit.place {
                Place::Model => places.model,
                Place::Inputs => places.inputs,
                Place::Input(index) => places.names.get(index).copied().unwrap_or(places.inputs),
                Place::Output => places.output,
            };
            loaded.reject(text, "bad-model", span, one.misfit.message, one.misfit.help);
        }
        Models::default()
    }
}

/// A catalog without a mistake, and its models.
#[derive(Clone, Debug)]
pub struct Runnable {
    pub catalog: Catalog,
    pub models: Models,
}

impl Runnable {
    pub fn programs(self) -> Arc<CompiledCatalog> {
        CompiledCatalog::with_models(self.catalog, self.models)
    }
}
