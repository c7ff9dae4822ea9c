//! The wall clock, as the service hands it down: nothing in this part asks the system for the time of day.

use std::sync::Arc;

use crate::model::Timestamp;

/// Tells the time of day: the real one, or one that runs faster in a demo.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Clock(Arc::new(now))
    }

    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}
