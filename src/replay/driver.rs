//! Drives the partitions of a catalog with lines: decodes each, applies its event, and lets time pass at the end.

use crate::codec::{Decoder, InputAudit, InputRecord, Reject};
use crate::engine::{CompiledCatalog, PartitionSet, Sink};
use crate::model::{Event, Timestamp};

/// The outcome of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineOutcome {
    Applied,
    /// Its event is after `until`.
    LeftOut,
    Rejected(Reject),
}

/// How late events were: the time from the event to the partition's clock.
#[derive(Clone, Debug, Default)]
pub struct Lateness {
    /// All events.
    pub events: u64,
    /// Events that were more than an hour late: in live streams less is normal.
    pub late: u64,
    /// The lateness of the latest of all.
    pub max_ms: i64,
}

const LATE_MS: i64 = 3_600_000;

impl Lateness {
    fn record(&mut self, late_ms: i64) {
        self.events += 1;
        self.late += u64::from(late_ms > LATE_MS);
        self.max_ms = self.max_ms.max(late_ms);
    }
}

/// A replay of recorded events as those of one partition (spec 5, 7).
#[derive(Debug)]
pub struct Replay {
    decoder: Decoder,
    event: Event,
    partition_set: PartitionSet,
    now: Timestamp,
    until: Option<Timestamp>,
    lateness: Lateness,
    audit: InputAudit,
    /// The lines that were read.
    lines: u64,
}

impl Replay {
    /// `now` is the wall clock, for events that lie in the future: of a record with a timestamp that is the wall clock
    /// of then. Events after `until` are left out.
    pub fn new(compiled: &CompiledCatalog, now: Timestamp, until: Option<Timestamp>) -> Self {
        Replay {
            decoder: Decoder::new(&compiled.catalog),
            event: Event::default(),
            partition_set: PartitionSet::new(compiled),
            now,
            until,
            lateness: Lateness::default(),
            audit: InputAudit::new(compiled.user().clone()),
            lines: 0,
        }
    }

    pub fn line(&mut self, line: &[u8], sink: &mut impl Sink) -> LineOutcome {
        self.record(InputRecord::line(line), sink)
    }

    /// As [`Replay::line`], for a record of a topic.
    pub fn record(&mut self, record: InputRecord<'_>, sink: &mut impl Sink) -> LineOutcome {
        let until = self.until.unwrap_or(Timestamp::FOREVER);
        match self.read(record) {
            Ok(event) if event.time > until => LineOutcome::LeftOut,
            Ok(_) => {
                self.apply(sink);
                LineOutcome::Applied
            }
            Err(reject) => LineOutcome::Rejected(reject),
        }
    }

    /// Decodes a line or record without applying it.
    pub fn read(&mut self, record: InputRecord<'_>) -> Result<&Event, Reject> {
        self.lines += 1;
        self.decoder.decode_record(record, record.came_at(self.now), &mut self.event)?;
        if self.until.is_none_or(|until| self.event.time <= until) {
            self.audit.note_line(&self.event, self.lines);
        }
        self.lateness.record(self.partition_set.clock().map_or(0, |clock| clock.since(self.event.time).max(0)));
        Ok(&self.event)
    }

    /// What is wrong with the last rejected line, in words; `None` where the reason code is enough.
    pub fn detail(&self) -> Option<&str> {
        self.decoder.detail()
    }

    /// Applies the event that was read last.
    pub fn apply(&mut self, sink: &mut impl Sink) {
        self.partition_set.apply(&self.event, sink);
    }

    /// Advances the clock.
    pub fn advance(&mut self, to: Timestamp, sink: &mut impl Sink) {
        self.partition_set.advance(to, sink);
    }

    /// Ends the replay: the clock stops at the last event, or runs on to `until`.
    pub fn finish(&mut self, sink: &mut impl Sink) {
        if let Some(until) = self.until {
            self.partition_set.advance(until, sink);
        }
    }

    /// The end of the replay; `None`: the last event.
    pub fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// How late events were behind the clock so far.
    pub fn lateness(&self) -> &Lateness {
        &self.lateness
    }

    /// What the events so far say about the catalog.
    pub fn audit(&self) -> &InputAudit {
        &self.audit
    }

    pub fn partition_set(&self) -> &PartitionSet {
        &self.partition_set
    }

    pub fn partition_set_mut(&mut self) -> &mut PartitionSet {
        &mut self.partition_set
    }
}
