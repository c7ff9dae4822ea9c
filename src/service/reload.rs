//! A changed catalog file on a running service: read, checked, and handed to the workers.

use std::fmt;
use std::sync::Arc;

use crate::catalog::Catalog;
use crate::engine::Programs;
use crate::kafka::{Breaker, Streams};
use crate::settings::Settings;

/// Reads the catalog anew, or tells the words of all its problems where it has errors.
pub type CatalogSource = Arc<dyn Fn() -> Result<Arc<Programs>, String> + Send + Sync>;

/// Why a catalog does not take effect. The one that runs goes on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReloadError {
    #[error("the catalog has errors; the one that runs goes on\n{0}")]
    Catalog(String),
    #[error(
        "the catalog needs other topics ({wanted}) than the one that runs: create them (tagstream topics create) and restart"
    )]
    Topics { wanted: String },
}

/// What became of a wish to reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reloaded {
    /// It computes the same as the one that runs.
    Unchanged { fingerprint: String },
    /// Its effects are being looked at; then it is in force.
    Proposed { fingerprint: String },
}

impl fmt::Display for Reloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reloaded::Unchanged { fingerprint } => {
                write!(f, "catalog {fingerprint} computes what the one that runs does")
            }
            Reloaded::Proposed { fingerprint } => write!(f, "catalog {fingerprint} is looked at, then it is in force"),
        }
    }
}

/// Whoever may want a reload has a copy.
#[derive(Clone)]
pub struct Reloader {
    pub source: CatalogSource,
    pub settings: Arc<Settings>,
    pub breaker: Arc<Breaker>,
}

impl Reloader {
    /// # Errors
    /// Why the catalog that runs goes on.
    pub fn reload(&self) -> Result<Reloaded, ReloadError> {
        let programs = (self.source)().map_err(ReloadError::Catalog)?;
        let running = self.breaker.look().edition.programs;
        if programs.catalog.fingerprint == running.catalog.fingerprint {
            return Ok(Reloaded::Unchanged { fingerprint: running.fingerprint().to_owned() });
        }
        let topics = |catalog: &Catalog| -> Vec<String> {
            Streams::of(&self.settings, Some(catalog)).iter().map(|(_, plan)| plan.topic.to_string()).collect()
        };
        let wanted = topics(&programs.catalog);
        if wanted != topics(&running.catalog) {
            return Err(ReloadError::Topics { wanted: wanted.join(", ") });
        }
        let fingerprint = programs.fingerprint().to_owned();
        self.breaker.propose(programs);
        Ok(Reloaded::Proposed { fingerprint })
    }

    /// Reloads, and tells the log what came of it.
    pub fn reload_and_log(&self) {
        match self.reload() {
            Ok(Reloaded::Unchanged { fingerprint }) => {
                tracing::info!(catalog = fingerprint, "the catalog was read again and computes the same");
            }
            Ok(Reloaded::Proposed { fingerprint }) => {
                tracing::info!(catalog = fingerprint, "a changed catalog: its effects are being looked at");
            }
            Err(error) => tracing::error!("{error}"),
        }
    }
}
