//! Between when an entity was heard of: its earliest and latest event, and its commands where these count.

use crate::engine::encoding::{ByteReader, put_timestamp, put_unsigned};
use crate::model::Timestamp;

/// Set in the stored length of a life where the clock of a command follows; a length in milliseconds has no such bit.
const COMMAND_FOLLOWS: u64 = 1 << 62;

/// The times that say how old an entity is, and how long it has been silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifespan {
    /// The time of the earliest event; [`Timestamp::FOREVER`] where there were only commands.
    first_seen: Timestamp,
    /// The time of the latest event, or the clock at the latest command where there were only commands.
    last_seen: Timestamp,
    /// The clock at the latest command that came before any event, where that is later than all events.
    commanded: Option<Timestamp>,
}

impl Lifespan {
    pub(crate) const NEW: Self =
        Lifespan { first_seen: Timestamp::FOREVER, last_seen: Timestamp::MIN, commanded: None };

    /// Notes an event's time; whether it is the earliest so far.
    pub(crate) fn see(&mut self, time: Timestamp) -> bool {
        if !self.had_events() {
            let commanded = Some(self.last_seen);
            *self = Lifespan { first_seen: time, last_seen: time, commanded };
            self.forget_earlier_command();
            return true;
        }
        self.last_seen = self.last_seen.max(time);
        let is_earliest = time < self.first_seen;
        self.first_seen = self.first_seen.min(time);
        self.forget_earlier_command();
        is_earliest
    }

    /// Notes a command. As long as an entity has no events, the time since its last command counts as its silence.
    pub(crate) fn see_command(&mut self, clock: Timestamp) {
        if !self.had_events() {
            self.last_seen = clock;
        }
    }

    fn forget_earlier_command(&mut self) {
        self.commanded = self.commanded.filter(|commanded| *commanded > self.last_seen);
    }

    /// Whether there were events, not only commands.
    pub(crate) fn had_events(&self) -> bool {
        self.first_seen != Timestamp::FOREVER
    }

    pub(crate) fn first_seen(&self) -> Option<Timestamp> {
        self.had_events().then_some(self.first_seen)
    }

    pub(crate) fn last_seen(&self) -> Option<Timestamp> {
        self.had_events().then_some(self.last_seen)
    }

    /// The time of the last sign of the entity. It never goes back: a late event shortens no life.
    pub(crate) fn silent_since(&self) -> Timestamp {
        self.commanded.unwrap_or(self.last_seen)
    }

    /// One life that two partitions have seen parts of.
    pub(crate) fn joined(self, other: Self) -> Self {
        match (self.had_events(), other.had_events()) {
            (true, false) => self,
            (false, true) => other,
            _ => {
                let mut joined = Lifespan {
                    first_seen: self.first_seen.min(other.first_seen),
                    last_seen: self.last_seen.max(other.last_seen),
                    commanded: self.commanded.max(other.commanded),
                };
                joined.forget_earlier_command();
                joined
            }
        }
    }

    pub(crate) fn read(reader: &mut ByteReader<'_>) -> Self {
        let first_seen = reader.timestamp();
        Lifespan::read_since(first_seen, reader)
    }

    /// Reads what follows the first time.
    pub(super) fn read_since(first_seen: Timestamp, reader: &mut ByteReader<'_>) -> Self {
        let length = reader.unsigned();
        let follows = first_seen != Timestamp::FOREVER && length & COMMAND_FOLLOWS != 0;
        let length = if follows { length & !COMMAND_FOLLOWS } else { length };
        let last_seen = first_seen.plus(length as i64);
        let commanded = follows.then(|| last_seen.plus(reader.unsigned() as i64));
        Lifespan { first_seen, last_seen, commanded }
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        put_timestamp(out, self.first_seen);
        self.put_since(out);
    }

    /// Appends what follows the first time.
    pub(super) fn put_since(&self, out: &mut Vec<u8>) {
        let length = self.last_seen.since(self.first_seen) as u64;
        match self.commanded {
            None => put_unsigned(out, length),
            Some(commanded) => {
                put_unsigned(out, length | COMMAND_FOLLOWS);
                put_unsigned(out, commanded.since(self.last_seen) as u64);
            }
        }
    }
}
