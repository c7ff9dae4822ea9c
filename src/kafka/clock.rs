//! The wall clock, as the service hands it down: nothing here asks the system for the time of day.

use crate::model::Timestamp;

/// Tells the time of day.
#[derive(Clone, Copy, Debug)]
pub struct Clock(fn() -> Timestamp);

impl Clock {
    pub fn new(now: fn() -> Timestamp) -> Self {
        Clock(now)
    }

    pub fn now(self) -> Timestamp {
        (self.0)()
    }
}
