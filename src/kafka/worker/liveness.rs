//! Whether the whole input is silent: an outage of the pipeline must not be taken for silence of the users.
//!
//! The partitions of one process may be silent while others are not. So before a process takes its own silence for an
//! outage, it looks whether the input grows anywhere.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use crate::kafka::events::{EventListener, Occurrence};
use crate::model::Timestamp;

const PROBE_INTERVAL_MAX: Duration = Duration::from_secs(30);

/// The wall-clock time at which a worker of the process last accepted an event; shared by all of them.
pub struct InputLiveness {
    last_ms: AtomicI64,
    silent: AtomicBool,
    outage_after: Option<Duration>,
    listener: EventListener,
}

impl InputLiveness {
    /// The start counts as an event, so that a quiet hour before it is not an outage.
    pub fn new(start: Timestamp, outage_after: Option<Duration>, listener: EventListener) -> Self {
        InputLiveness { last_ms: AtomicI64::new(start.ms()), silent: AtomicBool::new(false), outage_after, listener }
    }

    /// A worker has accepted an event.
    pub fn record_event(&self, at: Timestamp) {
        self.last_ms.fetch_max(at.ms(), Ordering::Relaxed);
        if self.silent.swap(false, Ordering::Relaxed) {
            (self.listener)(Occurrence::OutageOver.of_process());
        }
    }

    /// The wall clock has stepped back: an event that was accepted later than now was accepted at most now.
    pub fn step_back(&self, now: Timestamp) {
        self.last_ms.fetch_min(now.ms(), Ordering::Relaxed);
    }

    /// How often to look whether other processes get events. `None`: this process has got one recently.
    pub fn probe_interval(&self, now: Timestamp) -> Option<Duration> {
        let outage_after = self.outage_after?;
        let silent_ms = now.since(Timestamp::from_ms(self.last_ms.load(Ordering::Relaxed)));
        let silent_for = Duration::from_millis(u64::try_from(silent_ms).unwrap_or_default());
        (silent_for >= outage_after / 2).then_some((outage_after / 10).min(PROBE_INTERVAL_MAX))
    }

    /// The wall clock, but at most the beginning of an outage.
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
