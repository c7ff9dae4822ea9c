//! Models: what they score, what is said of those that do not fit, and that none of it stalls.
//!
//! - `runtime`: where the ONNX Runtime is.
//! - `scores`: what models score, compared with Python's runtime.
//! - `compatibility`: catalogs whose models do not fit.
//! - `reevaluation`: when a model is asked, and how long its answer stands.
//! - `catalog_change`: scores under a changed catalog.
//! - `oracle`: random events, compared with a naive reading.

mod catalog_change;
mod compatibility;
mod oracle;
mod reevaluation;
mod runtime;
mod scores;

pub use runtime::library;
