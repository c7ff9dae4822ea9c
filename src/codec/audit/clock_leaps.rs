//! Events that moved the clock far ahead of all that follow them, and how many came late because of each.

use crate::model::{Event, Timestamp};

/// An event whose time lies this much after all others before and after it is told.
const LEAP_MS: i64 = 86_400_000;

/// Behind the clock by more than this, an event is late.
const LATE_MS: i64 = 3_600_000;

/// The most leaps that are remembered: where there are more, the order of the input is at fault, and not an event.
const LEAPS_MAX: usize = 16;

/// An event that moved the clock by more than a day past all that follow it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockLeap {
    /// The number of its line among all lines.
    pub line: u64,
    pub key: String,
    pub event_type: String,
    pub time: Timestamp,
    /// The greatest time of the other events.
    pub next: Timestamp,
    /// How many events came late because of it.
    pub late: u64,
}

/// The leaps of the clock that no later event has caught up with.
#[derive(Debug, Default)]
pub(super) struct ClockLeaps {
    /// In the order of their lines and of their times.
    open: Vec<ClockLeap>,
    /// The clock without them; `None` while the first event may be one.
    clock: Option<Timestamp>,
}

impl ClockLeaps {
    /// Notes the next event.
    pub(super) fn note(&mut self, event: &Event, line: u64) {
        // An event that comes within a day of a leap, or after it, shows that it was none.
        let (mut clock, reached) = (self.clock, event.time.plus(LEAP_MS));
        self.open.retain(|leap| {
            let is_open = leap.time >= reached;
            clock = if is_open { clock } else { clock.max(Some(leap.time)) };
            is_open
        });
        let ahead = self.open.last().map(|leap| leap.time).or(clock);
        if ahead.is_none_or(|ahead| event.time > ahead.plus(LEAP_MS)) && self.open.len() < LEAPS_MAX {
            let (key, event_type) = (event.key().to_owned(), event.type_name().to_owned());
            let next = clock.unwrap_or(Timestamp::MIN);
            self.open.push(ClockLeap { line, key, event_type, time: event.time, next, late: 0 });
        } else if clock.is_none_or(|clock| event.time >= clock.plus(-LATE_MS)) {
            for leap in &mut self.open {
                leap.late += 1;
                leap.next = leap.next.max(event.time);
            }
            // What lies between the clock and a leap may be another one.
            if clock.is_none_or(|clock| event.time <= clock.plus(LEAP_MS)) {
                clock = clock.max(Some(event.time));
            }
        }
        self.clock = clock;
    }

    /// The leaps that made events late.
    pub(super) fn found(&self) -> impl Iterator<Item = &ClockLeap> {
        self.open.iter().filter(|leap| leap.late > 0)
    }
}
