//! A task that runs: it applies records to a partition's state, and holds what is not committed yet.
//!
//! ```text
//!   records ──▶ state ──▶ output ──── seal ────▶ sealed output ──── committed ────▶ gone
//!                          (open)                 (in a transaction)
//! ```
//!
//! The open output grows while records are applied. Sealing it for a transaction takes the changelog records, the current
//! tags, the offset and everything else of that moment; from then on further records fill a new open output, which goes
//! into the next transaction. There is at most one sealed output, and it is sent as often as it takes. The state is ahead of
//! it, so it never goes back: who cannot commit a sealed output drops the task, with the open output and the state.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use rdkafka::message::Message;

use super::decoded_ahead::{Decoded, DecodedAhead, SchemaWait};
use super::output_buffer::OutputBuffer;
use super::sealed_output::SealedOutput;
use crate::codec::{
    ChangelogKey, DecodedRecord, Decoder, InputAudit, OwnedRecord, RecordDecoder, RolloutNote, TopicFacts,
};
use crate::engine::{Extent, MigrationReport, Partition, Program, SnapshotSink, SnapshotUnavailable};
use crate::kafka::broker::TopicUuid;
use crate::kafka::events::{TagNames, WorkStats, WorkerStats};
use crate::kafka::repartition::{
    MinWatermark, Repartitioner, TimeMerge, forwarded_record, input_record, source_position,
};
use crate::kafka::topology::Role;
use crate::model::{Event, Timestamp};

/// Forwarded events are not checked against the wall clock: the task that accepted them has done that.
const ACCEPTED: Timestamp = Timestamp::MAX;

/// What became of a record that was offered to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TakeOutcome {
    /// It was applied, rejected or skipped; the next offset is behind it.
    Done { accepted: bool },
    /// The output is full and has to be committed first; then the record is to be offered again.
    Full,
    /// The schema of its value is not known yet: the partition has to wait for it.
    Waits,
}

/// About how many bytes of changelog records one partition may have in a transaction.
const LOG_BYTES_MAX: usize = 8 << 20;

/// A task whose state is complete.
pub(crate) struct RunningTask {
    pub(super) state: Partition,
    /// What further records fill.
    pub output: OutputBuffer,
    /// What was completed for a transaction that is not known to be committed; `None`: there is none.
    pub(super) sealed: Option<SealedOutput>,
    /// An empty buffer, kept for its memory.
    pub(super) spare: OutputBuffer,
    /// Whether its state takes the place of another in the changelog, which does not have it yet.
    pub(super) begins_anew: bool,
    role: Role,
    /// Forwards events; `None`: no other partition needs them.
    pub repartitioner: Option<Repartitioner>,
    /// Holds events of several sources; only of a merged partition.
    pub merge: Option<TimeMerge<OwnedRecord>>,
    /// Whether an event of the merge was applied since the output was last sealed.
    pub has_applied_merged: bool,
    /// Whether it is not fetched, since its source is far ahead of the others.
    pub paused_for_alignment: bool,
    /// What it waits for and is not fetched meanwhile: the schema of its next record; `None`: it does not wait.
    pub schema_wait: Option<SchemaWait>,
    /// Tells this changelog from an earlier one of the same name.
    pub(super) log_id: u64,
    /// The offset behind the last record that was applied. A merged partition uses the merge's.
    pub(super) next_offset: i64,
    /// The offset that the group has committed, as far as this worker knows; `None`: none.
    pub(super) committed: Option<i64>,
    /// What was done since the output was last sealed.
    pub work: WorkStats,
    /// Records that were not applied when the broker last told where the partition ends; `None`: it did not tell.
    pub lag: Option<u64>,
    /// Since when a sender's open transaction holds back what was written; `None`: none does.
    pub held_since: Option<Instant>,
    /// About how many bytes its output may have, as its worker says.
    pub room: usize,
    /// The offset from which on records cannot be read; `None`: they can.
    pub unreadable_from: Option<i64>,
    /// The id of the topic that is read; `None`: it is not known.
    pub topic: Option<TopicUuid>,
    /// What is known of the topics that it reads and writes.
    pub topics: BTreeMap<String, TopicFacts>,
    /// What the partition notes of the rollout of its catalog, and whether no output was sealed with it yet.
    pub(super) rollout: RolloutNote,
    pub(super) owes_rollout: bool,
}

/// What a worker needs to apply a record of any partition.
pub(crate) struct WorkerScratch {
    pub decoder: RecordDecoder,
    /// What the events say about the catalog.
    pub audit: InputAudit,
    pub ahead: DecodedAhead,
    /// An event of a merged partition.
    pub event: Event,
    pub counts: WorkerStats,
}

impl RunningTask {
    pub(crate) fn new(role: Role, state: Partition, log_id: u64, next_offset: i64, committed: Option<i64>) -> Self {
        let rollout = RolloutNote::of(state.program().catalog.fingerprint);
        RunningTask {
            state,
            output: OutputBuffer::default(),
            sealed: None,
            spare: OutputBuffer::default(),
            begins_anew: false,
            role,
            repartitioner: None,
            merge: None,
            has_applied_merged: false,
            paused_for_alignment: false,
            schema_wait: None,
            log_id,
            next_offset,
            committed,
            work: WorkStats::default(),
            lag: None,
            held_since: None,
            room: usize::MAX,
            unreadable_from: None,
            topic: None,
            topics: BTreeMap::new(),
            rollout,
            owes_rollout: false,
        }
    }

    /// What it notes of the rollout of its catalog.
    pub(crate) fn rollout(&self) -> &RolloutNote {
        &self.rollout
    }

    /// Notes how far the rollout is, and holds these tags alone. What is noted stands in its next transaction.
    pub(crate) fn note_rollout(&mut self, note: RolloutNote, held: TagNames) {
        self.owes_rollout |= note != self.rollout;
        self.rollout = note;
        self.state.hold_only(held);
    }

    /// Whether what is noted is in the changelog.
    pub(crate) fn set_rollout_committed(&mut self, is_committed: bool) {
        self.owes_rollout = !is_committed && self.keeps_state();
    }

    /// Has its state take the place of another in the changelog, of which these records are to be cleared.
    pub(crate) fn replace_state(&mut self, cleared: &[ChangelogKey]) {
        self.begins_anew = true;
        self.output.clear_keys(cleared);
    }

    /// Whether it keeps state in a changelog.
    pub(crate) fn keeps_state(&self) -> bool {
        self.role != Role::Forwarded
    }

    /// Copies what the changelog holds.
    pub(crate) fn copy(&self, out: &mut impl SnapshotSink) -> Result<(), SnapshotUnavailable> {
        self.state.write_snapshot(out)
    }

    pub(crate) fn extent(&self) -> Extent {
        self.state.extent()
    }

    pub(crate) fn log_id(&self) -> u64 {
        self.log_id
    }

    pub(crate) fn state_bytes(&self) -> usize {
        self.state.state_bytes() as usize
    }

    /// Whether the changelog holds everything that was applied.
    pub(crate) fn is_committed(&self) -> bool {
        !self.is_dirty() && self.state.pending_bytes() == 0
    }

    /// About how many bytes wait for a commit, also those that are on their way.
    pub(crate) fn unsent_bytes(&self) -> usize {
        self.sealed_bytes() + self.open_bytes()
    }

    /// About how many bytes it would send in the next transaction.
    pub(crate) fn next_bytes(&self) -> usize {
        if self.sealed.is_some() { self.sealed_bytes() } else { self.open_bytes() }
    }

    /// About how many bytes the larger of its outputs has.
    pub(crate) fn largest_output_bytes(&self) -> usize {
        self.sealed_bytes().max(self.open_bytes())
    }

    fn sealed_bytes(&self) -> usize {
        self.sealed.as_ref().map_or(0, |sealed| sealed.buffer.bytes())
    }

    /// How many bytes the open output will have when it is sealed.
    fn open_bytes(&self) -> usize {
        self.output.bytes() + self.state.pending_bytes()
    }

    pub(crate) fn clock(&self) -> Option<Timestamp> {
        self.state.clock()
    }

    /// Whether the open output has no room.
    pub(crate) fn is_full(&self) -> bool {
        self.output.is_full() || self.output.bytes() >= self.room || self.is_log_full()
    }

    fn is_log_full(&self) -> bool {
        self.state.pending_bytes() >= LOG_BYTES_MAX.min(self.room)
    }

    /// The offset to commit: the first record that the next owner has to read.
    pub(crate) fn next_offset(&self) -> i64 {
        self.merge.as_ref().map_or(self.next_offset, TimeMerge::first_place)
    }

    /// The offset behind the last record that was read.
    pub(crate) fn position(&self) -> i64 {
        self.merge.as_ref().map_or(self.next_offset, TimeMerge::next_place)
    }

    /// No record is between the last one that was read and this offset, only marks of transactions and what was aborted
    /// or compacted away: the next record is there or behind.
    pub(crate) fn pass_to(&mut self, position: i64) {
        // The client is also ahead of records that were dropped since the partition is paused.
        if self.is_paused() || position <= self.position() {
            return;
        }
        match &mut self.merge {
            Some(merge) => merge.skip(position - 1),
            None => self.next_offset = position,
        }
    }

    pub(crate) fn committed(&self) -> Option<i64> {
        self.committed
    }

    /// Whether there is something to commit: records to write, or an offset that has moved.
    pub(crate) fn is_dirty(&self) -> bool {
        let is_behind = |repartitioner: &Repartitioner| repartitioner.is_behind(self.state.clock());
        self.sealed.is_some()
            || !self.output.is_empty()
            || self.committed != Some(self.next_offset())
            || self.has_applied_merged
            || self.owes_rollout
            || self.begins_anew
            || self.state.owes_coverage()
            // Changelog records that no output holds yet have used up their room.
            || self.is_log_full()
            || self.repartitioner.as_ref().is_some_and(is_behind)
    }

    /// Whether it takes part in the next transaction: it is dirty, or its changelog is being purged, which goes on in
    /// the background.
    pub(crate) fn is_due(&self) -> bool {
        self.is_dirty() || self.keeps_state() && self.state.is_purging()
    }

    pub(crate) fn state(&self) -> &Partition {
        &self.state
    }

    /// Switches to another catalog; the output has to be committed.
    pub(crate) fn switch_catalog(&mut self, program: Arc<Program>, held: TagNames) -> MigrationReport {
        debug_assert!(self.sealed.is_none(), "a sealed output belongs to the catalog before");
        self.work.engine(&self.state.take_stats(), self.state.program());
        self.state.switch_catalog(program, held)
    }

    /// Decodes some of the next records ahead; those of a merged partition wait for their order first.
    pub(crate) fn decode_ahead<'a, M: Message + 'a>(
        &self,
        records: impl Iterator<Item = (&'a M, Timestamp)>,
        scratch: &mut WorkerScratch,
    ) {
        if self.merge.is_none() {
            scratch.ahead.fill(records, self.next_offset, &mut scratch.decoder, &self.state);
        }
    }

    /// Applies one record of the partition, the next of those that were decoded ahead.
    pub(crate) fn take(&mut self, message: &impl Message, scratch: &mut WorkerScratch) -> TakeOutcome {
        if message.offset() < self.position() {
            // The state has applied this record already.
            scratch.ahead.pass();
            return TakeOutcome::Done { accepted: false };
        }
        if self.merge.is_some() {
            return self.take_merged(message, scratch);
        }
        if self.is_full() {
            return TakeOutcome::Full;
        }
        let Some((decoded, event)) = scratch.ahead.first() else { return TakeOutcome::Full };
        let accepted = match decoded {
            Decoded::Nothing => {
                self.work.tombstones += 1;
                false
            }
            Decoded::Record(DecodedRecord::Event) => {
                if self.advance_to(event.time) == Advanced::UntilFull {
                    return TakeOutcome::Full;
                }
                if self.role == Role::Direct {
                    self.apply(event);
                }
                self.forward(message, event, &scratch.decoder.decoder);
                scratch.audit.note(event);
                self.work.events += 1;
                true
            }
            Decoded::Record(DecodedRecord::Waits { .. }) => return TakeOutcome::Waits,
            Decoded::Record(DecodedRecord::Rejected { reason, detail }) => {
                *self.work.rejected.entry(reason.code()).or_default() += 1;
                self.output.reject(message, *reason, detail.as_deref());
                false
            }
        };
        scratch.ahead.pass();
        self.work.records += 1;
        self.next_offset = message.offset() + 1;
        TakeOutcome::Done { accepted }
    }

    /// Forwards an event to the merged partitions of its entities, if there are any.
    fn forward(&mut self, message: &impl Message, event: &Event, decoder: &Decoder) {
        let (Some(repartitioner), Some(clock)) = (&mut self.repartitioner, self.state.clock()) else { return };
        let beside = decoder.reads_metadata().then(|| (input_record(message, &[]), decoder.headers()));
        repartitioner.forward(event, beside, message.offset(), clock, &mut self.output.repartition);
    }

    /// Reads a record of a merged partition, and applies the events that are ready.
    pub(crate) fn take_merged(&mut self, message: &impl Message, scratch: &mut WorkerScratch) -> TakeOutcome {
        if self.is_full() {
            return TakeOutcome::Full;
        }
        let Some(merge) = &mut self.merge else { return TakeOutcome::Done { accepted: false } };
        let place = message.offset();
        match (source_position(message), message.payload()) {
            (Some(position), Some(payload)) => {
                merge.take(position, place, payload.len(), forwarded_record(message, payload).to_owned());
            }
            (Some(position), None) => merge.watermark(position, place),
            (None, _) => {
                // Another program has written there.
                merge.skip(place);
                self.work.unmerged += 1;
            }
        }
        self.apply_merged(scratch);
        TakeOutcome::Done { accepted: false }
    }

    /// Applies the events that are ready, in order, and lets time pass up to the watermark, as far as the output has
    /// room.
    pub(crate) fn apply_merged(&mut self, scratch: &mut WorkerScratch) -> Advanced {
        while let Some(clock) = self.merge.as_ref().and_then(TimeMerge::ready) {
            if self.advance_to(clock) == Advanced::UntilFull || self.is_full() {
                return Advanced::UntilFull;
            }
            let Some(record) = self.merge.as_mut().and_then(TimeMerge::release) else { break };
            self.has_applied_merged = true;
            match scratch.decoder.decoder.decode_record(record.borrowed(), ACCEPTED, &mut scratch.event) {
                Ok(()) => self.apply(&scratch.event),
                // It was an event to the task that forwarded it.
                Err(_) => self.work.unmerged += 1,
            }
        }
        match self.merge.as_ref().and_then(TimeMerge::current_watermark) {
            Some(clock) => self.advance_to(clock),
            None => Advanced::Fully,
        }
    }

    /// Applies an event to the state.
    pub(crate) fn apply(&mut self, event: &Event) {
        self.state.apply(event, &mut self.output);
    }

    /// Whether its source is so far ahead that the watermarks of the others are needed.
    pub(crate) fn is_lead_notable(&self) -> bool {
        self.repartitioner.as_ref().is_some_and(|repartitioner| repartitioner.lead.is_notable())
    }

    /// Whether it is not fetched: what comes of it nevertheless is dropped, and fetched again later.
    pub(crate) fn is_paused(&self) -> bool {
        self.paused_for_alignment || self.schema_wait.is_some()
    }

    /// Whether its source has to pause.
    pub(crate) fn is_ahead(&self) -> bool {
        self.repartitioner.as_ref().is_some_and(|repartitioner| repartitioner.lead.is_too_large())
    }

    /// Takes the watermark of the slowest source.
    pub(crate) fn settle_lead(&mut self, least: MinWatermark<'_>) {
        if let Some(repartitioner) = &mut self.repartitioner {
            let source = repartitioner.source().clone();
            repartitioner.lead.settle(&source, least);
        }
    }

    /// Lets time pass, from one timer to the next, as far as the output has room.
    pub(crate) fn advance_to(&mut self, to: Timestamp) -> Advanced {
        loop {
            let due = self.state.next_due();
            if due > to {
                self.state.advance(to, &mut self.output);
                return Advanced::Fully;
            }
            if self.is_full() {
                return Advanced::UntilFull;
            }
            self.state.advance(due, &mut self.output);
        }
    }
}

/// How far time has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Advanced {
    Fully,
    /// The output is full: it has to be committed first.
    UntilFull,
}
