//! The pauses between two requests: each twice as long as the one before, with a random part.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(60);

/// The pauses of one batch.
#[derive(Clone, Debug)]
pub struct Backoff {
    next: Duration,
    random: fastrand::Rng,
}

impl Backoff {
    pub fn new(random: fastrand::Rng) -> Self {
        Backoff { next: FIRST, random }
    }

    /// The next pause: between a half and the whole of its length, so that partitions do not come all at once. It is never
    /// shorter than what the receiver asks for.
    pub fn pause(&mut self, asked: Option<Duration>) -> Duration {
        let half = self.next / 2;
        let pause = half + half.mul_f64(self.random.f64());
        self.next = (self.next * 2).min(LONGEST);
        pause.max(asked.unwrap_or_default())
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff::new(fastrand::Rng::new())
    }
}
