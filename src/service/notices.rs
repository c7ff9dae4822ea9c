//! Where what the Kafka part has to say becomes the log.

use std::sync::Arc;

use crate::kafka::{EventListener, WorkerEvent};
use crate::telemetry::Log;

/// Writes every notice to the log, repeats of the same trouble once in a while.
pub fn to_log() -> EventListener {
    let log = Log::default();
    Arc::new(move |notice: WorkerEvent| log.write(notice.severity(), notice.repeats_as(), &notice))
}
