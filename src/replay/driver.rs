//! Drives the partitions of a catalog with lines: decodes each, applies its event, and lets time pass at the end.

use crate::codec::{Decoder, InputAudit, InputRecord, Reject};
use crate::engine::{CompiledCatalog, Partition, PartitionSet, Sink};
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
    /// Buffers for the events that are decoded before the first of them is applied.
    events: Vec<Event>,
    /// How many of them have not been applied.
    decoded: usize,
    partition_set: PartitionSet,
    now: Timestamp,
    until: Option<Timestamp>,
    lateness: Lateness,
    audit: InputAudit,
    lines_read: u64,
}

impl Replay {
    /// `now` is the wall clock, for events that lie in the future: of a record with a timestamp that is the wall clock
    /// of then. Events after `until` are left out.
    pub fn new(compiled: &CompiledCatalog, now: Timestamp, until: Option<Timestamp>) -> Self {
        Replay {
            decoder: Decoder::new(&compiled.catalog),
            events: vec![Event::default(); Partition::FETCHED],
            decoded: 0,
            partition_set: PartitionSet::new(compiled),
            now,
            until,
            lateness: Lateness::default(),
            audit: InputAudit::new(compiled.user().clone()),
            lines_read: 0,
        }
    }

    pub fn line(&mut self, line: &[u8], sink: &mut impl Sink) -> LineOutcome {
        self.record(InputRecord::line(line), sink)
    }

    /// As [`Replay::line`], for a record of a topic.
    pub fn record(&mut self, record: InputRecord<'_>, sink: &mut impl Sink) -> LineOutcome {
        let outcome = self.decode(record);
        self.apply_decoded(sink);
        outcome
    }

    /// As [`Replay::line`] for several lines, faster: what applying their events reads is fetched for some of them together.
    /// `rejected` gets each line that is rejected, by its place, with what [`Replay::detail`] says of it; the changes of the
    /// lines before it have been written.
    pub fn lines<'a, S: Sink>(
        &mut self,
        lines: impl Iterator<Item = &'a [u8]>,
        sink: &mut S,
        mut rejected: impl FnMut(&mut S, usize, Reject, Option<&str>),
    ) {
        for (index, line) in lines.enumerate() {
            let outcome = self.decode(InputRecord::line(line));
            if self.decoded == self.events.len() {
                self.apply_decoded(sink);
            }
            if let LineOutcome::Rejected(reject) = outcome {
                self.apply_decoded(sink);
                rejected(sink, index, reject, self.decoder.detail());
            }
        }
        self.apply_decoded(sink);
    }

    /// Decodes a line or record, whose event is to be applied unless it is after `until`.
    fn decode(&mut self, record: InputRecord<'_>) -> LineOutcome {
        if let Err(reject) = self.decode_next(record) {
            return LineOutcome::Rejected(reject);
        }
        if self.until.is_some_and(|until| self.events[self.decoded].time > until) {
            self.note_lateness(self.decoded);
            return LineOutcome::LeftOut;
        }
        self.decoded += 1;
        LineOutcome::Applied
    }

    fn decode_next(&mut self, record: InputRecord<'_>) -> Result<(), Reject> {
        self.lines_read += 1;
        let event = &mut self.events[self.decoded];
        self.decoder.decode_record(record, record.came_at(self.now), event)?;
        if self.until.is_none_or(|until| event.time <= until) {
            self.audit.note_line(event, self.lines_read);
        }
        Ok(())
    }

    fn note_lateness(&mut self, index: usize) {
        let time = self.events[index].time;
        self.lateness.record(self.partition_set.clock().map_or(0, |clock| clock.since(time).max(0)));
    }

    fn apply_decoded(&mut self, sink: &mut impl Sink) {
        if self.decoded > 1 {
            self.partition_set.fetch(&self.events[..self.decoded]);
        }
        for index in 0..std::mem::take(&mut self.decoded) {
            self.note_lateness(index);
            self.partition_set.apply(&self.events[index], sink);
        }
    }

    /// Decodes a line or record without applying it.
    pub fn read(&mut self, record: InputRecord<'_>) -> Result<&Event, Reject> {
        self.decode_next(record)?;
        self.note_lateness(0);
        Ok(&self.events[0])
    }

    /// What is wrong with the last rejected line, in words; `None` where the reason code is enough.
    pub fn detail(&self) -> Option<&str> {
        self.decoder.detail()
    }

    /// Applies the event that was read last.
    pub fn apply(&mut self, sink: &mut impl Sink) {
        self.partition_set.apply(&self.events[0], sink);
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
