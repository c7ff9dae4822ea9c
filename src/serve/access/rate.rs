//! How often a client may ask: a bucket of requests that fills at a steady rate.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Limits the requests of each client.
#[derive(Debug)]
pub struct RateLimit {
    /// `None`: there is no limit.
    requests_a_second: Option<f64>,
    buckets: Mutex<HashMap<String, Bucket>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    requests: f64,
    filled_at: Instant,
}

/// A bucket holds the requests of this time: a page asks for several things at once.
const BURST: Duration = Duration::from_secs(2);

impl RateLimit {
    pub fn new(requests_a_second: Option<u32>) -> Self {
        RateLimit { requests_a_second: requests_a_second.map(f64::from), buckets: Mutex::default() }
    }

    /// Takes a request of a client.
    ///
    /// # Errors
    /// How long it is until the next one is taken.
    pub fn take(&self, client: &str, now: Instant) -> Result<(), Duration> {
        let Some(rate) = self.requests_a_second else { return Ok(()) };
        let full = (rate * BURST.as_secs_f64()).max(1.0);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if !buckets.contains_key(client) {
            buckets.insert(client.to_owned(), Bucket { requests: full, filled_at: now });
        }
        // The names of clients are those of the tokens: there are few.
        let Some(bucket) = buckets.get_mut(client) else { return Ok(()) };
        let passed = now.saturating_duration_since(bucket.filled_at).as_secs_f64();
        bucket.requests = (bucket.requests + passed * rate).min(full);
        bucket.filled_at = now;
        if bucket.requests < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - bucket.requests) / rate));
        }
        bucket.requests -= 1.0;
        Ok(())
    }
}
