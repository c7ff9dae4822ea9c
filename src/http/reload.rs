//! What a request to reload the catalog comes to: its outcomes, its errors, and the function that does it.

use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

/// Reads the catalog again and hands it to the workers. The service supplies it.
pub type Reload = Arc<dyn Fn() -> Result<Reloaded, ReloadError> + Send + Sync>;

/// What a reload has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reloaded {
    /// The catalog computes the same as the running one; nothing changes.
    Unchanged { fingerprint: String },
    /// The catalog differs: its impact is computed, then it takes effect.
    Proposed { fingerprint: String },
}

/// Why a catalog cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogErrors {
    /// For people.
    pub report: String,
    /// For programs, as `check --format json` prints them; empty where the file cannot be read at all.
    pub problems: Vec<Json>,
}

const CATALOG_REJECTED: &str = "the catalog has errors; the running catalog stays in force";

/// Why a reload has no effect. The running catalog stays in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReloadError {
    #[error("{CATALOG_REJECTED}\n{}", .0.report)]
    Catalog(CatalogErrors),
    #[error(
        "the catalog needs other topics ({wanted}) than the running one: create them (tagstream topics create) and restart"
    )]
    Topics { wanted: String },
}

impl ReloadError {
    /// The error without the catalog's problems, which [`problems`](ReloadError::problems) returns.
    pub fn summary(&self) -> String {
        match self {
            ReloadError::Catalog(errors) if errors.problems.is_empty() => {
                format!("{CATALOG_REJECTED}: {}", errors.report)
            }
            ReloadError::Catalog(_) => CATALOG_REJECTED.to_owned(),
            ReloadError::Topics { .. } => self.to_string(),
        }
    }

    /// The catalog's problems, as `check --format json` prints them.
    pub fn problems(&self) -> &[Json] {
        match self {
            ReloadError::Catalog(errors) => &errors.problems,
            ReloadError::Topics { .. } => &[],
        }
    }
}

impl fmt::Display for Reloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reloaded::Unchanged { fingerprint } => {
                write!(f, "catalog {fingerprint} computes the same as the running one")
            }
            Reloaded::Proposed { fingerprint } => {
                write!(f, "the impact of catalog {fingerprint} is computed, then it takes effect")
            }
        }
    }
}
