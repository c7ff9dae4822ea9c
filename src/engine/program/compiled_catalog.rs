//! A catalog compiled for the engine: a program for each entity kind.

use std::sync::Arc;

use super::plan::Program;
use crate::catalog::Catalog;
use crate::engine::ports::ScoreModels;
use crate::model::EntityKindId;

/// A catalog with a program for each entity kind.
#[derive(Debug)]
pub struct CompiledCatalog {
    pub catalog: Arc<Catalog>,
    /// By entity kind, in the catalog's order.
    programs: Vec<Arc<Program>>,
}

impl CompiledCatalog {
    /// Without models: a tag with a `score` is never on.
    pub fn new(catalog: Catalog) -> Arc<Self> {
        CompiledCatalog::with_models(catalog, ScoreModels::default())
    }

    /// With the models of its tags; a tag whose model is missing is never on.
    pub fn with_models(catalog: Catalog, models: impl Into<ScoreModels>) -> Arc<Self> {
        let models = models.into();
        let catalog = Arc::new(catalog);
        let kinds = (0..catalog.entities.len()).map(|index| EntityKindId(index as u16));
        let programs = kinds.map(|kind| Program::of(Arc::clone(&catalog), kind, models.clone())).collect();
        Arc::new(CompiledCatalog { catalog, programs })
    }

    /// The program of an entity kind.
    pub fn of(&self, kind: EntityKindId) -> &Arc<Program> {
        &self.programs[kind.index()]
    }

    /// By entity kind, in the catalog's order.
    pub fn programs(&self) -> impl Iterator<Item = &Arc<Program>> {
        self.programs.iter()
    }

    /// The hash of the catalog's meaning, in hex, as tag changes carry it.
    pub fn fingerprint(&self) -> &str {
        &self.user().fingerprint
    }

    /// The program of the entity kind `user`.
    pub fn user(&self) -> &Arc<Program> {
        self.of(self.catalog.user())
    }
}
