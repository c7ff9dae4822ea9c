//! The log: how it looks, what goes in, and how often the same trouble may be told. The metrics: their names.

mod instruments;
mod log;
mod metrics;

pub use instruments::{Described, Durations, Level, Levels, TEXT_FORMAT, Total, Totals};
pub use log::{Log, Severity, init};
pub use metrics::Metrics;
