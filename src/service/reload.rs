//! A changed catalog file on a running service: read, checked, and handed to the workers.

use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::catalog::Catalog;
use crate::engine::Programs;
use crate::http::{Refused, Reread};
use crate::kafka::{CatalogRollout, Topology};
use crate::settings::Settings;

/// Reads the catalog anew, or tells all its problems where it has errors.
pub type CatalogSource = Arc<dyn Fn() -> Result<Arc<Programs>, CatalogFaults> + Send + Sync>;

/// Why there is no catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogFaults {
    /// For people.
    pub report: String,
    /// For programs, as `check --format json` has them; none where the file cannot be read at all.
    pub problems: Vec<Json>,
}

const NO_CATALOG: &str = "the catalog has errors; the one that runs goes on";

/// Why a catalog does not take effect. The one that runs goes on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReloadError {
    #[error("{NO_CATALOG}\n{}", .0.report)]
    Catalog(CatalogFaults),
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
    pub breaker: Arc<CatalogRollout>,
}

impl Reloader {
    /// # Errors
    /// Why the catalog that runs goes on.
    fn reload(&self) -> Result<Reloaded, ReloadError> {
        let programs = (self.source)().map_err(ReloadError::Catalog)?;
        let running = self.breaker.view().active.programs;
        if programs.catalog.fingerprint == running.catalog.fingerprint {
            return Ok(Reloaded::Unchanged { fingerprint: running.fingerprint().to_owned() });
        }
        let topics = |catalog: &Catalog| -> Vec<String> {
            Topology::of(&self.settings, Some(catalog)).iter().map(|(_, plan)| plan.topic.to_string()).collect()
        };
        let wanted = topics(&programs.catalog);
        if wanted != topics(&running.catalog) {
            return Err(ReloadError::Topics { wanted: wanted.join(", ") });
        }
        let fingerprint = programs.fingerprint().to_owned();
        self.breaker.submit(programs);
        Ok(Reloaded::Proposed { fingerprint })
    }

    /// Reloads, and tells the log what came of it, whoever asked. Of a changed catalog the breaker tells.
    pub fn reload_and_log(&self) -> Result<Reloaded, ReloadError> {
        let result = self.reload();
        match &result {
            Ok(Reloaded::Unchanged { fingerprint }) => {
                tracing::info!(catalog = fingerprint, "the catalog was read again and computes the same");
            }
            Ok(Reloaded::Proposed { .. }) => {}
            Err(error) => tracing::error!("{error}"),
        }
        result
    }

    /// The same, for whoever asked over HTTP.
    pub fn answer(&self) -> Result<Reread, Refused> {
        match self.reload_and_log() {
            Ok(done @ Reloaded::Unchanged { .. }) => Ok(Reread::Unchanged(done.to_string())),
            Ok(done @ Reloaded::Proposed { .. }) => Ok(Reread::Proposed(done.to_string())),
            Err(ReloadError::Catalog(CatalogFaults { report, problems })) if problems.is_empty() => {
                Err(Refused { error: format!("{NO_CATALOG}: {report}"), problems })
            }
            Err(ReloadError::Catalog(faults)) => {
                Err(Refused { error: NO_CATALOG.to_owned(), problems: faults.problems })
            }
            Err(error) => Err(Refused { error: error.to_string(), problems: Vec::new() }),
        }
    }
}
