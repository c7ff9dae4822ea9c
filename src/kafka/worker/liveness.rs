//! When the whole input was last heard of: silence of the pipeline must not be taken for silence of the users.
//!
//! The partitions of one process may be silent while others are not. So before a process takes its own silence for an
//! outage it looks whether the input grows anywhere.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use crate::kafka::events::{EventListener, Occurrence};
use crate::model::Timestamp;

const PROBE_INTERVAL_MAX: Duration = Duration::from_secs(30);

/// Shared by the workers of a process: the last wall-clock time at which one of them accepted an event.
pub struct InputLiveness {
    last_ms: AtomicI64,
    silent: AtomicBool,
    outage_after: Option<Duration>,
    listener: EventListener,
}

impl InputLiveness {
    /// The start counts as an event: a quiet hour before it is nobody's outage.
    pub fn new(start: Timestamp, outage_after: Option<Duration>, listener: EventListener) -> Self {
        InputLiveness { last_ms: AtomicI64::new(start.ms()), silent: AtomicBool::new(false), outage_after, listener }
    }

    /// An event was accepted.
    pub fn record_event(&self, at: Timestamp) {
        self.last_ms.fetch_max(at.ms(), Ordering::Relaxed);
        if self.silent.swap(false, Ordering::Relaxed) {
            (self.listener)(Occurrence::OutageOver.of_process());
        }
    }

    /// How often to look whether events come to others, if none has come to us for so long that it is time to.
    pub fn probe_interval(&self, now: Timestamp) -> Option<Duration> {
        let outage_after = self.outage_after?;
        let silent_ms = now.since(Timestamp::from_ms(self.last_ms.load(Ordering::Relaxed)));
        let silent_for = Duration::from_millis(u64::try_from(silent_ms).unwrap_or_default());
        (silent_for >= outage_after / 2).then_some((outage_after / 10).min(PROBE_INTERVAL_MAX))
    }

    /// The wall clock as far as clocks may follow it: up to the beginning of an outage.
    pub fn clock_limit(&self, now: Timestamp) -> Timestamp {
        let Some(outage_after) = self.outage_after else { return now };
        let after_ms = i64::try_from(outage_after.as_millis()).unwrap_or(i64::MAX);
        let last = Timestamp::from_ms(self.last_ms.load(Ordering::Relaxed));
        let stop = last.plus(after_ms);
        if now < stop {
            return now;
        }
        if !self.silent.swap(true, Ordering::Relaxed) {
            let silent_for = Duration::from_millis(now.since(last).unsigned_abs());
            (self.listener)(Occurrence::Outage { silent_for }.of_process());
        }
        stop
    }
}
