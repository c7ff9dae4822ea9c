//! A steady stream of events, to go on while bad things happen.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::broker::Broker;
use super::client::produce;
use super::durable::{USERS, events};

/// Between two writes: several commits of 20 ms see something new each.
const PAUSE: Duration = Duration::from_millis(10);

/// A thread that writes one event for each user, again and again.
pub struct Steady {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<usize>,
}

impl Steady {
    pub fn start(broker: &'static Broker, topic: String) -> Steady {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut written = 0;
            while !told.load(Ordering::Relaxed) {
                produce(broker, &topic, events(written, USERS));
                written += USERS;
                thread::sleep(PAUSE);
            }
            written
        });
        Steady { stop, thread }
    }

    /// Returns how many events there are.
    pub fn stop(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the writer")
    }
}
