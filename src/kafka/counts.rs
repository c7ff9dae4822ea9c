//! What a worker has done since it started, in one plain struct.

use std::collections::BTreeMap;
use std::fmt;

/// Counts of one worker. Work that was done again after an abort counts once: nothing is ever applied twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records taken from the input, of whatever kind.
    pub records: u64,
    /// Of these, accepted events.
    pub events: u64,
    /// Of these, null records, which are skipped.
    pub tombstones: u64,
    /// Of these, rejected ones, by reason code.
    pub rejected: BTreeMap<&'static str, u64>,
    /// Tag changes that were committed.
    pub changes: u64,
    pub commits: u64,
    pub aborts: u64,
    /// How often the producer was made anew.
    pub recycled: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { records, events, tombstones, changes, commits, .. } = self;
        write!(f, "{records} records, {events} events, {changes} changes, {commits} commits")?;
        let rejected: u64 = self.rejected.values().sum();
        if rejected > 0 {
            write!(f, ", {rejected} rejected {:?}", self.rejected)?;
        }
        if *tombstones > 0 {
            write!(f, ", {tombstones} tombstones")?;
        }
        if self.aborts > 0 {
            write!(f, ", {} aborts", self.aborts)?;
        }
        Ok(())
    }
}
