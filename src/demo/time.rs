//! The demo's own time: weeks that pass in a minute.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::model::Timestamp;

/// What the service takes for the wall clock. Whoever feeds it the events moves it on.
#[derive(Debug)]
pub struct DemoTime {
    ms: AtomicI64,
    looks: AtomicU64,
}

impl DemoTime {
    pub fn new(start: Timestamp) -> Self {
        DemoTime { ms: AtomicI64::new(start.ms()), looks: AtomicU64::new(0) }
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.ms.load(Ordering::Acquire))
    }

    pub fn set(&self, now: Timestamp) {
        self.ms.store(now.ms(), Ordering::Release);
    }

    /// The service looks at its clock.
    pub fn look(&self) -> Timestamp {
        self.looks.fetch_add(1, Ordering::AcqRel);
        self.now()
    }

    /// How often the service has looked.
    pub fn looks(&self) -> u64 {
        self.looks.load(Ordering::Acquire)
    }
}

/// How many times faster than life.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    Times(f64),
    /// As fast as the service reads.
    Max,
}

/// A step takes at least this long on the wall, so that the broker and the service are not busy with waiting.
const STEP_MS_REAL: f64 = 50.0;
/// Some steps a day, however fast: people want to see the days pass.
const STEP_MS_MAX: i64 = 6 * 3_600_000;
/// A second of real time, however slow.
const STEP_MS_MIN: i64 = 1_000;

impl Speed {
    /// How much of the demo's time passes in one step, in milliseconds.
    pub fn step_ms(self) -> i64 {
        match self {
            Speed::Max => STEP_MS_MAX,
            Speed::Times(times) => ((times * STEP_MS_REAL) as i64).clamp(STEP_MS_MIN, STEP_MS_MAX),
        }
    }

    /// How long a stretch of the demo's time should take on the wall.
    fn real(self, ms: i64) -> Duration {
        match self {
            Speed::Max => Duration::ZERO,
            Speed::Times(times) => Duration::from_secs_f64(ms.max(0) as f64 / 1_000.0 / times),
        }
    }
}

/// Holds the demo back where it would run ahead of its speed.
#[derive(Debug)]
pub struct Pace {
    speed: Speed,
    start: Timestamp,
    /// On the wall, when the first step was done.
    began: Option<Instant>,
}

impl Pace {
    pub fn new(speed: Speed, start: Timestamp) -> Self {
        Pace { speed, start, began: None }
    }

    /// How long to wait, now that the demo has come to `now`. The time until the service was there does not count.
    pub fn wait(&mut self, now: Timestamp) -> Duration {
        let began = *self.began.get_or_insert_with(Instant::now);
        self.speed.real(now.since(self.start)).saturating_sub(began.elapsed())
    }
}
