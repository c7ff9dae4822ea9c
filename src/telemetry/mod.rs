//! The log: how it looks, what goes in, and how often the same trouble may be told. The metrics: their names.

mod log;
mod registry;
mod metrics;

pub use log::{Log, Severity, init};
pub use metrics::Metrics;
pub use registry::{MetricDescription, TEXT_FORMAT};
