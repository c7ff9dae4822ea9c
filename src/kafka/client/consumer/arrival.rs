//! Waits until something has come for a consumer.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Whether something has come for a consumer. librdkafka would wait for it by the wall clock: until the same time comes
/// again, where that steps back.
#[derive(Default)]
pub(super) struct Arrival {
    has_come: Mutex<bool>,
    changed: Condvar,
}

impl Arrival {
    pub(super) fn give(&self) {
        *self.has_come.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }

    /// Waits until something has come since the last time, by the monotonic clock.
    pub(super) fn wait(&self, longest: Duration) {
        let has_come = self.has_come.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(has_come, longest, |has_come| !*has_come);
        let (mut has_come, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *has_come = false;
    }
}
