//! Feeds the gym's events to the broker and moves the demo's time on, step by step.
//!
//! An idle partition follows the clock, so time that runs ahead of events which are still on their way would make
//! these late. Live, `idle_grace` of some seconds keeps that from happening; here a second is a day. So time goes in
//! steps, and `idle_grace` is one step:
//!
//! ```text
//!   time is set to `to`, then the events of the step go to the topic
//!         from         to
//!   ───────┼── events ──┼──▶ time
//!          └ an idle partition stands here until the next step is set
//! ```
//!
//! The next step is set when the broker has all events of this one. So nothing comes late at any speed, and the changes
//! are those of a replay of the same events.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::iter::Peekable;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::gym::Gym;
use super::time::{DemoTime, Pace, Speed};
use crate::kafka::{EmbeddedError, Feed, StopSignal};
use crate::model::Timestamp;

/// How often to look whether the service has read on.
const LOOK_PAUSE: Duration = Duration::from_millis(2);
/// How far the service may fall behind: the broker forgets what does not fit (5 MiB a partition).
const UNREAD_MAX: u64 = 10_000;
/// When the service has looked at the clock so often, what it did after the first of these looks is done.
const LOOKS_MIN: u64 = 3;

/// What the demo's threads know of each other.
#[derive(Debug)]
pub struct Progress {
    pub time: DemoTime,
    /// Tells service and feeder to end.
    pub stop: StopSignal,
    /// Records that the service has read, with everything that came of them committed.
    read: AtomicU64,
}

impl Progress {
    pub fn new(start: Timestamp) -> Self {
        Progress { time: DemoTime::new(start), stop: StopSignal::default(), read: AtomicU64::new(0) }
    }

    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Acquire)
    }

    pub fn has_read(&self, records: u64) {
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

pub struct Feeder {
    gym: Peekable<Gym>,
    feed: Feed,
    save: Option<BufWriter<File>>,
    pace: Pace,
    step_ms: i64,
    progress: Arc<Progress>,
    /// Events that went to the topic.
    fed: u64,
}

impl Feeder {
    pub fn new(gym: Gym, feed: Feed, save: Option<File>, speed: Speed, progress: Arc<Progress>) -> Self {
        let pace = Pace::new(speed, progress.time.now());
        let save = save.map(BufWriter::new);
        Feeder { gym: gym.peekable(), feed, save, pace, step_ms: speed.step_ms(), progress, fed: 0 }
    }

    /// Lives through everything up to `end`, until the service has come there too; or until somebody wants to stop.
    ///
    /// # Errors
    /// What keeps an event from being fed or saved.
    pub fn run(mut self, end: Timestamp) -> Result<(), FeedError> {
        let mut now = self.progress.time.now();
        while now < end && !self.progress.stop.is_given() {
            now = now.plus(self.step_ms).min(end);
            self.progress.time.set(now);
            self.feed_until(now)?;
            self.hold_back();
            self.keep_pace(now);
        }
        if let Some(save) = &mut self.save {
            save.flush()?;
        }
        self.see_off(now);
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

    /// Waits for the service to come, and not to fall too far behind.
    fn hold_back(&self) {
        let fed = self.fed;
        self.wait_until(|progress| fed == 0 || (progress.read() > 0 && progress.read() + UNREAD_MAX >= fed));
    }

    /// Idle partitions stay one step behind: one more brings them to the end.
    fn see_off(&self, end: Timestamp) {
        self.wait_until(|progress| progress.read() >= self.fed);
        self.progress.time.set(end.plus(self.step_ms));
        // All records are read: the service looks at the clock only to follow it.
        let looks = self.progress.time.looks() + LOOKS_MIN;
        self.wait_until(|progress| progress.time.looks() >= looks);
    }

    fn keep_pace(&mut self, now: Timestamp) {
        let due = Instant::now() + self.pace.wait(now);
        self.wait_until(|_| Instant::now() >= due);
    }

    /// Waits until something is so, or the demo is to end.
    fn wait_until(&self, is_so: impl Fn(&Progress) -> bool) {
        while !is_so(&self.progress) && !self.progress.stop.is_given() {
            thread::sleep(LOOK_PAUSE);
        }
    }
}
