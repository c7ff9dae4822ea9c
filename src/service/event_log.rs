//! Writes what the workers report to the log.

use std::sync::Arc;

use crate::kafka::{EventListener, WorkerEvent};
use crate::telemetry::Log;

/// A listener that writes everything to the log; repeats of one failure are limited.
pub fn to_log() -> EventListener {
    let log = Log::default();
    Arc::new(move |event: WorkerEvent| log.write(event.severity(), event.repeats_as(), &event))
}
