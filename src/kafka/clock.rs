//! The wall clock, as the service hands it down, and whether it can be believed: nothing in this part asks the system for
//! the time of day.

use std::sync::Arc;
use std::time::Instant;

use rdkafka::Timestamp as RecordTime;

use crate::model::Timestamp;

/// A difference between the wall clock and the monotonic one of at least this is a step; less is a clock that is
/// adjusted, or a thread that has waited between the two readings.
const STEP_MS: i64 = 2_000;

/// Tells the time of day: the real one, or one that runs faster in a demo.
#[derive(Clone)]
pub struct Clock {
    read: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    pace: Pace,
}

/// How fast a clock runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// As time passes: a difference from the monotonic clock is a step.
    Real,
    /// At a pace of its own, which the monotonic clock says nothing about.
    Own,
}

impl Clock {
    /// A clock that shows the time of day.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Clock { read: Arc::new(now), pace: Pace::Real }
    }

    /// A clock that runs at a pace of its own, as a demo's.
    pub fn with_own_pace(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Clock { read: Arc::new(now), pace: Pace::Own }
    }

    pub fn now(&self) -> Timestamp {
        (self.read)()
    }

    /// Whether the monotonic clock tells how far this one moves.
    pub(super) fn is_real(&self) -> bool {
        self.pace == Pace::Real
    }
}

/// The wall clock at an instant of the monotonic one.
#[derive(Clone, Copy, Debug)]
struct Reading {
    wall: Timestamp,
    at: Instant,
}

impl Reading {
    /// What the wall clock shows at an instant if it does not step.
    fn expected(self, at: Instant) -> Timestamp {
        self.wall.plus(at.saturating_duration_since(self.at).as_millis() as i64)
    }
}

/// Compares the wall clock with the monotonic one, which never steps.
///
/// Which of the two sides of a step is right, only other clocks tell. So an event that is in the future after a step
/// back is held against the timestamp of its record, too: the brokers' own, or that of its sender, which counts as far as
/// the wall clock has shown it before.
#[derive(Clone, Debug, Default)]
pub struct ClockWatch {
    last: Option<Reading>,
    /// The reading that is furthest ahead; `None`: the clock has not stepped back.
    ahead: Option<Reading>,
}

impl ClockWatch {
    /// Compares two readings that were taken together. Returns by how many milliseconds the wall clock has stepped.
    pub fn look(&mut self, wall: Timestamp, at: Instant) -> Option<i64> {
        let last = self.last.replace(Reading { wall, at })?;
        let step_ms = wall.since(last.expected(at));
        if step_ms.abs() < STEP_MS {
            return None;
        }
        let ahead = self.ahead.unwrap_or(last);
        let is_caught_up = wall >= ahead.expected(at);
        self.ahead = (!is_caught_up).then_some(ahead);
        Some(step_ms)
    }

    /// Whether the wall clock shows less than at the last look, so that it is time for another.
    pub fn is_behind(&self, wall: Timestamp) -> bool {
        self.last.is_some_and(|last| wall < last.wall)
    }

    /// The present time for an event in a record of this time: a later event is from the future.
    pub fn present(&self, wall: Timestamp, record: RecordTime, at: impl FnOnce() -> Instant) -> Timestamp {
        match (record, self.ahead) {
            (RecordTime::LogAppendTime(ms), _) => wall.max(Timestamp::from_ms(ms)),
            (RecordTime::CreateTime(ms), Some(ahead)) => wall.max(Timestamp::from_ms(ms).min(ahead.expected(at()))),
            _ => wall,
        }
    }
}
