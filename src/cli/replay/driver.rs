//! A world driven by lines: decode, apply, and at the end let time pass.

use super::remarks::{Late, tell_skipped};
use crate::codec::{Decoder, Reject};
use crate::engine::{CompiledCatalog, PartitionSet, Sink};
use crate::model::{Event, Timestamp};

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Applied,
    /// Its event lies after `until`.
    LeftOut,
    Rejected(Reject),
}

/// A replay of recorded events as those of one partition (spec 5, 7).
#[derive(Debug)]
pub struct Replay {
    decoder: Decoder,
    event: Event,
    world: PartitionSet,
    now: Timestamp,
    until: Option<Timestamp>,
    late: Late,
}

impl Replay {
    /// `now`: the wall clock, for events that lie in the future.
    pub fn new(programs: &CompiledCatalog, now: Timestamp, until: Option<Timestamp>) -> Self {
        Replay {
            decoder: Decoder::new(&programs.catalog),
            event: Event::default(),
            world: PartitionSet::new(programs),
            now,
            until,
            late: Late::default(),
        }
    }

    pub fn line(&mut self, line: &[u8], sink: &mut impl Sink) -> Outcome {
        let until = self.until.unwrap_or(Timestamp::FOREVER);
        match self.read(line) {
            Ok(event) if event.time > until => Outcome::LeftOut,
            Ok(_) => {
                self.apply(sink);
                Outcome::Applied
            }
            Err(reject) => Outcome::Rejected(reject),
        }
    }

    /// Decodes a line, and does nothing with it yet.
    pub fn read(&mut self, line: &[u8]) -> Result<&Event, Reject> {
        self.decoder.decode(line, self.now, &mut self.event)?;
        self.late.note(self.world.clock().map_or(0, |clock| clock.since(self.event.time).max(0)));
        Ok(&self.event)
    }

    /// What was wrong with the line that was rejected last, in words, where its reason does not say it all.
    pub fn detail(&self) -> Option<&str> {
        self.decoder.detail()
    }

    /// Applies the event that was read.
    pub fn apply(&mut self, sink: &mut impl Sink) {
        self.world.apply(&self.event, sink);
    }

    /// Lets time pass.
    pub fn advance(&mut self, to: Timestamp, sink: &mut impl Sink) {
        self.world.advance(to, sink);
    }

    /// Ends the replay: the clock stops at the last event, or runs on to `until`.
    pub fn finish(&mut self, sink: &mut impl Sink) {
        if let Some(until) = self.until {
            self.world.advance(until, sink);
        }
    }

    /// Where the clock stops, if not at the last event.
    pub fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// Says what was odd about the events.
    pub fn tell_remarks(&mut self) {
        tell_skipped(&mut self.world);
        self.late.tell();
    }

    pub fn world(&self) -> &PartitionSet {
        &self.world
    }

    pub fn world_mut(&mut self) -> &mut PartitionSet {
        &mut self.world
    }
}
