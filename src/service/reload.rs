//! A changed catalog file on a running service: read, checked, and proposed to the workers.

use std::sync::Arc;

use crate::catalog::Catalog;
use crate::engine::CompiledCatalog;
use crate::http::{CatalogErrors, ReloadError, Reloaded};
use crate::kafka::{CatalogRollout, Topology};
use crate::settings::Settings;

/// Reads the catalog again, or returns all its problems.
pub type CatalogSource = Arc<dyn Fn() -> Result<Arc<CompiledCatalog>, CatalogErrors> + Send + Sync>;

/// Reloads the catalog, for a signal or an HTTP request.
#[derive(Clone)]
pub(crate) struct Reloader {
    pub source: CatalogSource,
    pub settings: Arc<Settings>,
    pub rollout: Arc<CatalogRollout>,
}

impl Reloader {
    /// # Errors
    /// Why the running catalog stays in force.
    fn reload(&self) -> Result<Reloaded, ReloadError> {
        let compiled = (self.source)().map_err(ReloadError::Catalog)?;
        let running = self.rollout.view().active.compiled;
        if compiled.catalog.fingerprint == running.catalog.fingerprint {
            // An edit that was taken back before it came into force does not come into force.
            self.rollout.withdraw();
            return Ok(Reloaded::Unchanged { fingerprint: running.fingerprint().to_owned() });
        }
        let topics = |catalog: &Catalog| -> Vec<String> {
            Topology::of(&self.settings, Some(catalog)).iter().map(|(_, plan)| plan.topic.to_string()).collect()
        };
        let wanted = topics(&compiled.catalog);
        if wanted != topics(&running.catalog) {
            return Err(ReloadError::Topics { wanted: wanted.join(", ") });
        }
        let fingerprint = compiled.fingerprint().to_owned();
        self.rollout.submit(compiled);
        Ok(Reloaded::Proposed { fingerprint })
    }

    /// Reloads, and logs the outcome. The rollout itself logs a changed catalog.
    pub(crate) fn reload_and_log(&self) -> Result<Reloaded, ReloadError> {
        let result = self.reload();
        match &result {
            Ok(Reloaded::Unchanged { fingerprint }) => {
                tracing::info!(catalog = fingerprint, "the reloaded catalog computes the same");
            }
            Ok(Reloaded::Proposed { .. }) => {}
            Err(error) => tracing::error!("{error}"),
        }
        result
    }
}
