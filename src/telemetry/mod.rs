//! The log and the metrics.
//!
//! - `log_queue`: the thread that writes log lines, so that no other thread waits for the standard error;
//! - `log`: the form of log lines, and how often one failure is repeated;
//! - `registry`: counters, gauges and histograms; the only file that knows the package behind them;
//! - `system_limit`: what the system refuses a process, and what to do about it;
//! - `metrics`: the name, the labels and the help text of every metric of the service; `serve_metrics`: those of the read
//!   side; `push_metrics`: those of `tagstream push`.
//!
//! Nothing here knows who logs or counts.

mod system_limit;
mod log_queue;
mod log;
mod registry;
mod metrics;
mod serve_metrics;
mod push_metrics;

pub use log::{Log, Severity, init};
pub use log_queue::{DroppedLines, LogOutput};
pub use metrics::Metrics;
pub use push_metrics::PushMetrics;
pub use registry::{MetricDescription, TEXT_FORMAT};
pub use serve_metrics::ServeMetrics;
pub use system_limit::{short_of_files, system_limit};
