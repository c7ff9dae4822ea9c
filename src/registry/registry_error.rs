//! Why there is no registry to ask.

use super::https_agent::TrustError;

/// Why there is no registry to ask.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    #[error("schema_registry.ca: {0}")]
    Trust(#[from] TrustError),
    #[error("the thread that requests schemas: {0}")]
    Thread(#[from] std::io::Error),
}
