//! A wall clock that steps: it is noticed, and events are held against other clocks, too, before they are refused.

use std::time::{Duration, Instant};

use rdkafka::Timestamp as RecordTime;
use tagstream::kafka::ClockWatch;
use tagstream::model::Timestamp;

const START_MS: i64 = 1_760_000_000_000;
const HOUR_MS: i64 = 3_600_000;

/// A watch, and the two clocks.
struct Clocks {
    watch: ClockWatch,
    begun: Instant,
    passed: Duration,
    ahead_ms: i64,
}

impl Clocks {
    fn new() -> Clocks {
        Clocks { watch: ClockWatch::default(), begun: Instant::now(), passed: Duration::ZERO, ahead_ms: 0 }
    }

    /// What the wall clock shows as long as it does not step, later by this much.
    fn true_ms(&self, later_ms: i64) -> i64 {
        START_MS + self.passed.as_millis() as i64 + later_ms
    }

    fn wall(&self) -> Timestamp {
        Timestamp::from_ms(self.true_ms(self.ahead_ms))
    }

    fn look(&mut self) -> Option<i64> {
        self.watch.look(self.wall(), self.begun + self.passed)
    }

    /// Lets time pass, and looks.
    fn pass(&mut self, seconds: u64) -> Option<i64> {
        self.passed += Duration::from_secs(seconds);
        self.look()
    }

    /// The present for a record of this time, relative to the true one.
    fn present(&self, record: RecordTime) -> i64 {
        let present = self.watch.present(self.wall(), record, || self.begun + self.passed);
        present.ms() - self.true_ms(0)
    }

    fn sent(&self, later_ms: i64) -> RecordTime {
        RecordTime::CreateTime(self.true_ms(later_ms))
    }
}

#[test]
fn a_step_is_told_once_and_a_slow_adjustment_is_none() {
    let mut clocks = Clocks::new();
    assert_eq!(clocks.look(), None);
    assert_eq!(clocks.pass(3_600), None, "it was asleep, but both clocks went on");
    clocks.ahead_ms = -HOUR_MS;
    assert!(clocks.watch.is_behind(clocks.wall()));
    assert_eq!(clocks.look(), Some(-HOUR_MS));
    assert_eq!(clocks.look(), None);
    assert_eq!(clocks.pass(1), None);
    clocks.ahead_ms += 1_500;
    assert_eq!(clocks.pass(1), None);
    clocks.ahead_ms = 0;
    assert_eq!(clocks.pass(1), Some(HOUR_MS - 1_500));
}

#[test]
fn after_a_step_back_the_senders_time_counts_as_far_as_the_wall_clock_was() {
    let mut clocks = Clocks::new();
    clocks.look();
    clocks.pass(60);
    assert_eq!(clocks.present(clocks.sent(20_000)), 0, "without a step only the wall clock counts");
    clocks.ahead_ms = -HOUR_MS;
    clocks.pass(10);
    assert_eq!(clocks.present(clocks.sent(-500)), -500);
    assert_eq!(clocks.present(clocks.sent(20_000)), 0, "a sender whose clock is fast is not believed");
    assert_eq!(clocks.present(RecordTime::NotAvailable), -HOUR_MS);
    assert_eq!(clocks.present(RecordTime::LogAppendTime(clocks.true_ms(-7))), -7);
    // Once it is right again, it is enough.
    clocks.ahead_ms = 0;
    assert_eq!(clocks.pass(1), Some(HOUR_MS));
    assert_eq!(clocks.present(clocks.sent(20_000)), 0);
}

#[test]
fn a_glitch_forward_lets_nothing_from_the_future_in() {
    let mut clocks = Clocks::new();
    clocks.look();
    clocks.ahead_ms = 48 * HOUR_MS;
    assert_eq!(clocks.pass(1), Some(48 * HOUR_MS));
    clocks.ahead_ms = 0;
    assert_eq!(clocks.pass(1), Some(-48 * HOUR_MS));
    assert_eq!(clocks.present(clocks.sent(0)), 0, "the sender's clock did not have it");
}

#[test]
fn the_brokers_own_time_counts_always() {
    let clocks = Clocks { ahead_ms: -HOUR_MS, ..Clocks::new() };
    assert_eq!(clocks.present(RecordTime::LogAppendTime(clocks.true_ms(0))), 0);
    let fast = Clocks { ahead_ms: HOUR_MS, ..Clocks::new() };
    assert_eq!(fast.present(RecordTime::LogAppendTime(fast.true_ms(0))), HOUR_MS);
}
