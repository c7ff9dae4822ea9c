//! The demo's own time: weeks that pass in a minute.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::model::Timestamp;

/// The service's wall clock in the demo. The feeder sets it.
#[derive(Debug)]
pub(crate) struct DemoClock {
    ms: AtomicI64,
    reads: AtomicU64,
}

impl DemoClock {
    pub(crate) fn new(start: Timestamp) -> Self {
        DemoClock { ms: AtomicI64::new(start.ms()), reads: AtomicU64::new(0) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.ms.load(Ordering::Acquire))
    }

    pub(crate) fn set(&self, now: Timestamp) {
        self.ms.store(now.ms(), Ordering::Release);
    }

    /// The service reads its clock: the time, and the read is counted.
    pub(crate) fn read_by_service(&self) -> Timestamp {
        self.reads.fetch_add(1, Ordering::AcqRel);
        self.now()
    }

    /// How often the service has read the clock.
    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Acquire)
    }
}

/// How many times faster than life.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    Times(f64),
    /// As fast as the service reads.
    Max,
}

/// A step takes at least this long in real time, so that the broker and the service do not spend their time on waiting.
const STEP_MS_REAL: f64 = 50.0;
/// At least four steps a day at any speed, so that people see the days pass.
const STEP_MS_MAX: i64 = 6 * 3_600_000;
/// At least a second of the demo's time, at any speed.
const STEP_MS_MIN: i64 = 1_000;

impl Speed {
    /// How much of the demo's time passes in one step, in milliseconds.
    pub fn step_ms(self) -> i64 {
        match self {
            Speed::Max => STEP_MS_MAX,
            Speed::Times(times) => ((times * STEP_MS_REAL) as i64).clamp(STEP_MS_MIN, STEP_MS_MAX),
        }
    }

    /// How long an interval of the demo's time takes in real time.
    fn real(self, ms: i64) -> Duration {
        match self {
            Speed::Max => Duration::ZERO,
            Speed::Times(times) => Duration::from_secs_f64(ms.max(0) as f64 / 1_000.0 / times),
        }
    }
}

/// Slows the demo down to its speed.
#[derive(Debug)]
pub(crate) struct Pacer {
    speed: Speed,
    start: Timestamp,
    /// The real time at which the first step was done.
    began: Option<Instant>,
}

impl Pacer {
    pub(crate) fn new(speed: Speed, start: Timestamp) -> Self {
        Pacer { speed, start, began: None }
    }

    /// How long to wait, now that the demo has reached `now`. The time until the service was ready does not count.
    pub(crate) fn wait(&mut self, now: Timestamp) -> Duration {
        let began = *self.began.get_or_insert_with(Instant::now);
        self.speed.real(now.since(self.start)).saturating_sub(began.elapsed())
    }
}
