//! Feeds the gym's events to the broker and advances the demo's clock, step by step.
//!
//! An idle partition follows the clock, so a clock that runs ahead of events that are still on their way makes them
//! late. In production an `idle_grace` of some seconds prevents that; here a second is a day. So time advances in
//! steps, and `idle_grace` is one step:
//!
//! ```text
//!   time is set to `to`, then the events of the step go to the topic
//!         from         to
//!   ───────┼── events ──┼──▶ time
//!          └ an idle partition stands here until the next step is set
//! ```
//!
//! The next step is set when the broker has all events of this one. So no event is late at any speed, and the changes
//! are those of a replay of the same events.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::iter::Peekable;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::clock::{DemoClock, Pacer, Speed};
use super::gym::Gym;
use crate::kafka::{EmbeddedError, Feed, StopSignal};
use crate::model::Timestamp;

/// The pause between two checks of how far the service has read.
const POLL_PAUSE: Duration = Duration::from_millis(2);
/// How far the service may fall behind: the broker forgets what does not fit (5 MiB a partition).
const UNREAD_MAX: u64 = 10_000;
/// After this many reads of the clock, what the service did after the first of them is done.
const CLOCK_READS_MIN: u64 = 3;

/// What the demo's threads share.
#[derive(Debug)]
pub(crate) struct Progress {
    pub clock: DemoClock,
    /// Stops the service and the feeder.
    pub stop: StopSignal,
    /// Records that the service has read and committed, with all their changes.
    read: AtomicU64,
}

impl Progress {
    pub(crate) fn new(start: Timestamp) -> Self {
        Progress { clock: DemoClock::new(start), stop: StopSignal::default(), read: AtomicU64::new(0) }
    }

    pub(crate) fn read(&self) -> u64 {
        self.read.load(Ordering::Acquire)
    }

    pub(crate) fn has_read(&self, records: u64) {
        self.read.store(records, Ordering::Release);
    }
}

#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    #[error(transparent)]
    Broker(#[from] EmbeddedError),
    #[error("cannot save the events: {0}")]
    Save(#[from] io::Error),
}

pub(crate) struct Feeder {
    gym: Peekable<Gym>,
    feed: Feed,
    save: Option<BufWriter<File>>,
    pacer: Pacer,
    step_ms: i64,
    progress: Arc<Progress>,
    /// Events that were written to the topic.
    fed: u64,
}

impl Feeder {
    pub(crate) fn new(gym: Gym, feed: Feed, save: Option<File>, speed: Speed, progress: Arc<Progress>) -> Self {
        let pacer = Pacer::new(speed, progress.clock.now());
        let save = save.map(BufWriter::new);
        Feeder { gym: gym.peekable(), feed, save, pacer, step_ms: speed.step_ms(), progress, fed: 0 }
    }

    /// Feeds everything up to `end` and returns when the service has reached it too, or when the demo is stopped.
    ///
    /// # Errors
    /// What keeps an event from being fed or saved.
    pub(crate) fn run(mut self, end: Timestamp) -> Result<(), FeedError> {
        let mut now = self.progress.clock.now();
        while now < end && !self.progress.stop.is_given() {
            now = now.plus(self.step_ms).min(end);
            self.progress.clock.set(now);
            self.feed_until(now)?;
            self.wait_for_service();
            self.keep_pace(now);
        }
        if let Some(save) = &mut self.save {
            save.flush()?;
        }
        self.drain(now);
        Ok(())
    }

    fn feed_until(&mut self, now: Timestamp) -> Result<(), FeedError> {
        while let Some(event) = self.gym.next_if(|event| event.time < now) {
            self.feed.send(&event.key, &event.line)?;
            if let Some(save) = &mut self.save {
                writeln!(save, "{}", event.line)?;
            }
            self.fed += 1;
        }
        Ok(self.feed.settle()?)
    }

    /// Waits until the service has started to read and is at most [`UNREAD_MAX`] records behind.
    fn wait_for_service(&self) {
        let fed = self.fed;
        self.wait_until(|progress| fed == 0 || (progress.read() > 0 && progress.read() + UNREAD_MAX >= fed));
    }

    /// Waits until the service has read everything. Idle partitions stay one step behind: one more step completes them.
    fn drain(&self, end: Timestamp) {
        self.wait_until(|progress| progress.read() >= self.fed);
        self.progress.clock.set(end.plus(self.step_ms));
        // All records are read: the service reads the clock only to follow it.
        let reads = self.progress.clock.reads() + CLOCK_READS_MIN;
        self.wait_until(|progress| progress.clock.reads() >= reads);
    }

    fn keep_pace(&mut self, now: Timestamp) {
        let due = Instant::now() + self.pacer.wait(now);
        self.wait_until(|_| Instant::now() >= due);
    }

    /// Waits until the condition holds, or the demo is stopped.
    fn wait_until(&self, condition: impl Fn(&Progress) -> bool) {
        while !condition(&self.progress) && !self.progress.stop.is_given() {
            thread::sleep(POLL_PAUSE);
        }
    }
}
