//! Where what the Kafka part has to say becomes the log.

use std::sync::Arc;

use crate::kafka::{Notice, Notices};
use crate::telemetry::Log;

/// Writes every notice to the log, repeats of the same trouble once in a while.
pub fn to_log() -> Notices {
    let log = Log::default();
    Arc::new(move |notice: Notice| log.write(notice.severity(), notice.repeats_as(), &notice))
}
