//! How much goes into one transaction: less after those that were too large for the brokers' pace.
//!
//! Brokers that are slow, or that hold a client to a quota, may need longer for a transaction than it may last. It is then
//! aborted, and the same output sent again would be aborted again. So after two such transactions in a row half of the last
//! one is the limit, as often as it takes. One may be an outage, after which the same output fits; two are a pace. While
//! transactions end in good time, the limit rises again, an eighth at a time.

use std::time::Duration;

/// A transaction that was not committed in this time may have been too large.
const TOO_SLOW: Duration = Duration::from_secs(5);
/// One that was committed in this time has room for more.
const IN_GOOD_TIME: Duration = Duration::from_secs(1);
/// The output of about one entity: less cannot be sent.
const BYTES_LEAST: usize = 1 << 10;

/// The limit of a worker's transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TransactionLimit {
    bytes: usize,
    bytes_max: usize,
    slow_in_a_row: u32,
}

impl TransactionLimit {
    /// `bytes_max`: for brokers of any pace.
    pub(crate) fn new(bytes_max: usize) -> Self {
        TransactionLimit { bytes: bytes_max, bytes_max, slow_in_a_row: 0 }
    }

    pub(crate) fn bytes(self) -> usize {
        self.bytes
    }

    /// A transaction of this size was not committed after this time. Returns whether the limit is lower now.
    pub(crate) fn note_failure(&mut self, bytes: usize, took: Duration) -> bool {
        if took < TOO_SLOW {
            return false;
        }
        self.slow_in_a_row += 1;
        if self.slow_in_a_row < 2 || self.bytes <= BYTES_LEAST {
            return false;
        }
        self.bytes = (bytes.min(self.bytes) / 2).max(BYTES_LEAST);
        true
    }

    /// A transaction was committed after this time.
    pub(crate) fn note_commit(&mut self, took: Duration) {
        self.slow_in_a_row = 0;
        if took < IN_GOOD_TIME {
            self.bytes = (self.bytes + self.bytes / 8).min(self.bytes_max);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOW: Duration = Duration::from_secs(12);
    const FAST: Duration = Duration::from_millis(20);

    #[test]
    fn two_slow_failures_in_a_row_halve_it() {
        let mut limit = TransactionLimit::new(32 << 20);
        assert!(!limit.note_failure(1 << 20, SLOW), "it may have been an outage");
        limit.note_commit(FAST);
        assert!(!limit.note_failure(1 << 20, SLOW));
        assert!(limit.note_failure(1 << 20, SLOW));
        assert_eq!(limit.bytes(), 1 << 19);
        assert!(limit.note_failure(1 << 19, SLOW));
        assert_eq!(limit.bytes(), 1 << 18);
        for _ in 0..20 {
            limit.note_failure(1 << 18, SLOW);
        }
        assert_eq!(limit.bytes(), BYTES_LEAST);
    }

    #[test]
    fn other_failures_do_not() {
        let mut limit = TransactionLimit::new(32 << 20);
        assert!((0..9).all(|_| !limit.note_failure(1 << 20, FAST)));
        assert_eq!(limit.bytes(), 32 << 20);
    }

    #[test]
    fn it_rises_again_while_transactions_are_fast() {
        let mut limit = TransactionLimit::new(1 << 20);
        for _ in 0..6 {
            limit.note_failure(1 << 20, SLOW);
        }
        let low = limit.bytes();
        limit.note_commit(Duration::from_secs(3));
        assert_eq!(limit.bytes(), low);
        limit.note_commit(FAST);
        assert_eq!(limit.bytes(), low + low / 8);
        (0..100).for_each(|_| limit.note_commit(FAST));
        assert_eq!(limit.bytes(), 1 << 20);
    }
}
