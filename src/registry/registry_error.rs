//! Why there is no registry to ask.

use std::path::PathBuf;

/// Why there is no registry to ask.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    #[error("schema_registry.ca: {}: {why}", path.display())]
    Certificates { path: PathBuf, why: String },
    #[error("schema_registry.ca: the system has no certificates to trust; name a file")]
    NoCertificates,
    #[error("the thread that requests schemas: {0}")]
    Thread(#[from] std::io::Error),
}
