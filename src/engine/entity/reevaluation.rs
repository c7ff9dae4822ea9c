//! When entities are evaluated again after the catalog has changed.

use crate::model::Timestamp;

/// So many entities are evaluated at the same millisecond under a changed catalog: at most, for whoever lets time pass can
/// only stop between two instants; and not many, for that is the share of the time that the stream has to give up.
const AT_ONCE: u64 = 200;

/// When the entities of a partition take their turns to be evaluated under another catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reevaluation {
    /// The clock at which it began.
    pub since: Timestamp,
    /// Over so many milliseconds behind it the turns are spread, by the keys.
    pub over_ms: u64,
}

impl Reevaluation {
    pub(crate) fn begin(clock: Timestamp, entities: usize) -> Self {
        Reevaluation { since: clock, over_ms: (entities as u64).div_ceil(AT_ONCE).max(1) }
    }

    /// The turn of the entity whose key has this hash.
    pub(crate) fn due(self, hash: u64) -> Timestamp {
        self.since.plus(1 + ((u128::from(hash) * u128::from(self.over_ms)) >> 64) as i64)
    }

    /// Whether somebody may not have had a turn yet.
    pub(crate) fn is_on(self, clock: Timestamp) -> bool {
        clock < self.since.plus(self.over_ms as i64)
    }
}
