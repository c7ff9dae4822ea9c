//! Counts the history of a partition again, from its input, so that new counters need not begin empty.
//!
//! It is the last step of restoring, on the same thread. All records that the state has seen are read: from the first
//! one that is retained up to the committed offset.

use std::ops::Range;
use std::time::Duration;

use rdkafka::Message;

use super::restore::{Backfill, CALL_PATIENCE, POLL, PROGRESS, RestoreInterruption, RestoreJob, RestoreRequest};
use super::restore_error::RestoreError;
use crate::codec::{DecodedRecord, Decoder, InputRecord, RecordDecoder};
use crate::engine::{CellName, MigrationReport, Partition, RetainedHistory, StateBackfill};
use crate::kafka::broker::{ChangelogReader, KafkaClients, OffsetBounds};
use crate::kafka::events::Occurrence;
use crate::kafka::failpoint::{self, Failpoint};
use crate::kafka::repartition::{forwarded_record, input_record, source_position};
use crate::kafka::topology::Role;
use crate::model::{Event, Timestamp};

/// How reading a history has ended.
enum HistoryReading {
    /// At the committed offset.
    Whole(Box<StateBackfill>),
    /// It does not go further back than the state.
    Futile,
    /// Its first records were deleted meanwhile.
    Gone,
}

impl<W: KafkaClients> RestoreJob<W> {
    /// Counts the history of a state that ends at this offset, if there is something to gain. Returns whether there
    /// was.
    pub(super) fn rebuild(
        &self,
        request: &RestoreRequest,
        state: &mut Partition,
        end: i64,
        change: Option<&MigrationReport>,
    ) -> Result<bool, RestoreInterruption> {
        let partition = request.partition;
        if self.context.backfill == Backfill::Off || self.context.topology.plan(partition.topic).role != Role::Direct {
            return Ok(false);
        }
        let attributes =
            change.is_some_and(|change| change.new.iter().any(|name| matches!(name, CellName::Attribute(_))));
        if StateBackfill::new(state, RetainedHistory::Whole, attributes).is_none() {
            return Ok(false);
        }
        let reader = self.clients.history().map_err(RestoreError::Client)?;
        let started = self.clients.now();
        loop {
            let OffsetBounds { low, .. } = self.insist(request, || reader.stable(partition, CALL_PATIENCE))?;
            let retained = if low == 0 { RetainedHistory::Whole } else { RetainedHistory::Rest };
            let Some(rebuild) = StateBackfill::new(state, retained, attributes) else { return Ok(false) };
            let rebuild = match self.read_history(&reader, request, low..end, rebuild)? {
                HistoryReading::Whole(rebuild) => rebuild,
                HistoryReading::Futile => return Ok(false),
                HistoryReading::Gone => continue,
            };
            let Some(rebuilt) = state.merge_backfill(*rebuild) else { return Ok(false) };
            let name = self.context.topology.name(partition);
            let took = self.clients.now().duration_since(started);
            (self.context.listener)(Occurrence::Rebuilt { partition: name, rebuilt, took }.of(self.context.worker));
            return Ok(true);
        }
    }

    fn read_history(
        &self,
        reader: &W::Changelog,
        request: &RestoreRequest,
        range: Range<i64>,
        mut rebuild: StateBackfill,
    ) -> Result<HistoryReading, RestoreInterruption> {
        let partition = request.partition;
        let payloads = self.context.payloads.as_ref().map(|format| format.reader());
        let mut decoder = RecordDecoder::new(Decoder::new(&self.program(partition).catalog), payloads);
        let (mut event, now) = (Event::default(), self.context.clock.now());
        let (started, mut position) = (self.clients.now(), range.start);
        let mut tell_at = started + PROGRESS;
        if !range.is_empty() {
            self.insist(request, || reader.open(partition, range.start))?;
        }
        while position < range.end {
            if request.cancel.is_given() {
                return Err(RestoreInterruption::Cancelled);
            }
            match reader.poll(POLL) {
                Some(Ok(record)) if record.offset() >= range.end => break,
                Some(Ok(record)) => {
                    position = record.offset() + 1;
                    failpoint::pass(Failpoint::RebuildRecord);
                    let input = record.payload().map(|value| match source_position(&record) {
                        Some(_) => forwarded_record(&record, value),
                        None => input_record(&record, value),
                    });
                    // A record that is not an event was rejected when the state saw it.
                    if let Some(input) = input
                        && self.is_event(request, input, now, &mut decoder, &mut event)?
                    {
                        rebuild.apply(&event);
                    }
                }
                answer => {
                    if let Some(Err(error)) = answer {
                        self.trouble(error.text);
                        if self.insist(request, || reader.stable(partition, CALL_PATIENCE))?.low > position {
                            return Ok(HistoryReading::Gone);
                        }
                    }
                    position = self.insist(request, || reader.position(partition))?.unwrap_or(position).max(position);
                }
            }
            if rebuild.is_futile() {
                return Ok(HistoryReading::Futile);
            }
            let now = self.clients.now();
            if now >= tell_at {
                tell_at = now + PROGRESS;
                self.tell(
                    request,
                    rebuild.events(),
                    position - range.start,
                    range.clone(),
                    now.duration_since(started),
                );
            }
        }
        Ok(HistoryReading::Whole(Box::new(rebuild)))
    }

    /// Decodes a record; waits for its schema, if the registry does not answer. Returns whether it is an event.
    fn is_event(
        &self,
        request: &RestoreRequest,
        input: InputRecord<'_>,
        now: Timestamp,
        decoder: &mut RecordDecoder,
        event: &mut Event,
    ) -> Result<bool, RestoreInterruption> {
        loop {
            match decoder.decode(input, now, event) {
                DecodedRecord::Waits { schema, why } => {
                    self.trouble(format!("the schema registry has not given the schema with {schema}: {why}"));
                    if request.cancel.is_given() {
                        return Err(RestoreInterruption::Cancelled);
                    }
                    self.clients.sleep(POLL);
                }
                decoded => return Ok(decoded == DecodedRecord::Event),
            }
        }
    }

    fn tell(&self, request: &RestoreRequest, events: u64, read: i64, range: Range<i64>, took: Duration) {
        let share = read as f64 / (range.end - range.start) as f64;
        let left = (share > 0.0).then(|| took.mul_f64((1.0 - share) / share));
        let partition = self.context.topology.name(request.partition);
        (self.context.listener)(Occurrence::Rebuilding { partition, events, left }.of(self.context.worker));
    }
}
