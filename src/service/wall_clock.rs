//! The wall clock: the only place that reads the system's time.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::kafka::Clock;
use crate::model::Timestamp;

/// The system's time. The parts below the shell are given this clock, or an instant.
pub fn wall_clock() -> Clock {
    Clock::new(|| {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_ms(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    })
}
