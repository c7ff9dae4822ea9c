//! A catalog compiled for the engine: a program for each entity kind.

use std::sync::Arc;

use super::plan::Program;
use crate::catalog::Catalog;
use crate::engine::ports::ScoreModels;
use crate::model::EntityKindId;

/// The programs of all kinds of entity of one catalog.
#[derive(Debug)]
pub struct CompiledCatalog {
    pub catalog: Arc<Catalog>,
    /// By kind, in the catalog's order.
    programs: Vec<Arc<Program>>,
}

impl CompiledCatalog {
    /// Of a catalog without models: a tag with a `score` is never on.
    pub fn new(catalog: Catalog) -> Arc<Self> {
        CompiledCatalog::with_models(catalog, ScoreModels::default())
    }

    pub fn with_models(catalog: Catalog, models: impl Into<ScoreModels>) -> Arc<Self> {
        let models = models.into();
        let catalog = Arc::new(catalog);
        let kinds = (0..catalog.entities.len()).map(|index| EntityKindId(index as u16));
        let programs = kinds.map(|kind| Program::of(Arc::clone(&catalog), kind, models.clone())).collect();
        Arc::new(CompiledCatalog { catalog, programs })
    }

    pub fn of(&self, kind: EntityKindId) -> &Arc<Program> {
        &self.programs[kind.index()]
    }

    /// By kind, in the catalog's order.
    pub(crate) fn programs(&self) -> impl Iterator<Item = &Arc<Program>> {
        self.programs.iter()
    }

    /// The hash of the catalog's meaning, in hex, as tag changes bear it.
    pub fn fingerprint(&self) -> &str {
        &self.user().fingerprint
    }

    /// Of the users.
    pub fn user(&self) -> &Arc<Program> {
        self.of(self.catalog.user())
    }
}
