//! How the times of events are read: texts with or without an offset, and integers in the catalog's unit.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::catalog::Catalog;
use super::input_mapping::TimeUnit;
use crate::model::{Timestamp, WrittenTime};

/// Reads times as the catalog's `input` says (spec 9.5).
#[derive(Clone, Debug)]
pub struct TimeReader {
    unit: TimeUnit,
    /// The zone of times without an offset; `None` where they are not taken.
    local: Option<TimeZone>,
}

impl TimeReader {
    pub fn new(catalog: &Catalog) -> Self {
        let input = &catalog.input;
        TimeReader { unit: input.time_unit, local: input.local_times.then(|| catalog.timezone.clone()) }
    }

    /// The instant that a text names.
    pub fn text(&self, text: &str) -> Option<Timestamp> {
        match WrittenTime::parse(text)? {
            WrittenTime::Instant(at) => Some(at),
            WrittenTime::Local(at) => resolve(self.local.as_ref()?, at),
        }
    }

    /// The instant of an integer, cut towards the past; one that no instant holds is the last or the first instant.
    pub fn integer(&self, count: i64) -> Timestamp {
        Timestamp::from_ms(match self.unit {
            TimeUnit::Seconds => count.saturating_mul(1_000),
            TimeUnit::Milliseconds => count,
            TimeUnit::Microseconds => count.div_euclid(1_000),
            TimeUnit::Nanoseconds => count.div_euclid(1_000_000),
        })
    }
}

/// The instant at which the wall clock of a zone shows a time, which is given as if in UTC. Of a time that it shows
/// twice it is the earlier; of one that it never shows, the instant at which the clock is set forward.
fn resolve(zone: &TimeZone, local: Timestamp) -> Option<Timestamp> {
    let shown: DateTime = jiff::Timestamp::from_millisecond(local.ms()).ok()?.to_zoned(TimeZone::UTC).datetime();
    let at = |offset: jiff::tz::Offset| local.plus(-i64::from(offset.seconds()) * 1_000);
    Some(match zone.to_ambiguous_timestamp(shown).offset() {
        AmbiguousOffset::Unambiguous { offset } => at(offset),
        AmbiguousOffset::Fold { before, .. } => at(before),
        // Read with the offset of before it lies behind the transition, by less than the clock is set forward.
        AmbiguousOffset::Gap { before, .. } => {
            let behind = jiff::Timestamp::from_millisecond(at(before).plus(1).ms()).ok()?;
            Timestamp::from_ms(zone.preceding(behind).next()?.timestamp().as_millisecond())
        }
    })
}
