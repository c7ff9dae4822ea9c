//! When each entity is evaluated again after the catalog has changed.

use crate::model::Timestamp;

/// At most about this many entities are evaluated at one millisecond: the caller can only stop between two instants,
/// and the stream waits meanwhile.
const AT_ONCE: u64 = 200;

/// The instants at which the entities of a partition are evaluated under a new catalog, spread over the milliseconds
/// after the change by the hash of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reevaluation {
    /// The clock at the change.
    pub since: Timestamp,
    /// The number of milliseconds over which the entities are spread.
    pub over_ms: u64,
}

impl Reevaluation {
    pub(crate) fn begin(clock: Timestamp, entities: usize) -> Self {
        Reevaluation { since: clock, over_ms: (entities as u64).div_ceil(AT_ONCE).max(1) }
    }

    /// The instant for the entity whose key has this hash.
    pub(crate) fn due(self, hash: u64) -> Timestamp {
        self.since.plus(1 + ((u128::from(hash) * u128::from(self.over_ms)) >> 64) as i64)
    }

    /// Whether some entities may not have been evaluated yet.
    pub(crate) fn is_on(self, clock: Timestamp) -> bool {
        clock < self.since.plus(self.over_ms as i64)
    }
}
