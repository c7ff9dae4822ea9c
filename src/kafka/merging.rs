//! Merged partitions in a worker: what is read waits, what may go is applied; and sources that are far ahead rest.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::message::Message;

use super::ahead::SourceLead;
use super::body::OutputBuffer;
use super::broker::{CommittedOffset, GroupConsumer, KafkaClients};
use super::cycle::TransactionState;
use super::merge::{SourcePartition, TimeMerge};
use super::note::OffsetMetadata;
use super::notice::Notice;
use super::passing::{Repartitioner, source_position};
use super::restore::MergeProgress;
use super::slot::{Advanced, RunningTask, TakeOutcome, Task, WorkerScratch};
use super::streams::{PartitionId, Role};
use super::worker::Worker;
use crate::engine::Partition;
use crate::model::Timestamp;

/// For one look at the offsets of all inputs.
const COMMITTED_PATIENCE: Duration = Duration::from_millis(400);
/// Whoever accepted an event has seen to it that it is not of the future.
const ACCEPTED: Timestamp = Timestamp::MAX;

impl RunningTask {
    /// Takes a record of a merged partition in, and applies what may go then.
    pub fn take_merged(&mut self, message: &impl Message, scratch: &mut WorkerScratch) -> TakeOutcome {
        if self.is_full() {
            return TakeOutcome::Full;
        }
        let Some(merge) = &mut self.merge else { return TakeOutcome::Done { accepted: false } };
        let place = message.offset();
        match (source_position(message), message.payload()) {
            (Some(position), Some(payload)) => {
                merge.take(position, place, payload.len(), payload.into());
            }
            (Some(position), None) => merge.watermark(position, place),
            (None, _) => {
                // Nobody but us should write there.
                merge.skip(place);
                self.work.unmerged += 1;
            }
        }
        self.apply_merged(scratch);
        TakeOutcome::Done { accepted: false }
    }

    /// Applies what may go, in its order, and lets time pass up to the clock, as far as the body has room.
    pub fn apply_merged(&mut self, scratch: &mut WorkerScratch) -> Advanced {
        if self.is_sealed() {
            return Advanced::Fully;
        }
        while let Some(clock) = self.merge.as_ref().and_then(TimeMerge::ready) {
            if self.advance_to(clock) == Advanced::UntilFull || self.is_full() {
                return Advanced::UntilFull;
            }
            let Some(payload) = self.merge.as_mut().and_then(TimeMerge::release) else { break };
            self.has_applied_merged = true;
            match scratch.decoder.decode(&payload, ACCEPTED, &mut scratch.event) {
                Ok(()) => self.apply(&scratch.event),
                // It was an event to whoever passed it on.
                Err(_) => self.work.unmerged += 1,
            }
        }
        match self.merge.as_ref().and_then(TimeMerge::current_watermark) {
            Some(clock) => self.advance_to(clock),
            None => Advanced::Fully,
        }
    }
}

impl<W: KafkaClients> Worker<W> {
    /// Runs a partition that only passes events on: all its state stands beside the committed offset.
    pub(super) fn run_repartition_task(
        &mut self,
        partition: PartitionId,
        committed: &CommittedOffset,
        next_offset: i64,
    ) {
        let role = self.topology().plan(partition.topic).role;
        let mut state = Partition::new(Arc::clone(role.program(&self.plan.programs)));
        let note = OffsetMetadata::read(&committed.metadata);
        if let Some(clock) = note.clock {
            state.advance(clock, &mut OutputBuffer::default());
        }
        let mut running = RunningTask::new(role, state, 0, next_offset, committed.offset);
        self.attach_repartition(&mut running, partition, None, note.ahead);
        self.run_task(partition, running, next_offset);
    }

    /// Gives a partition that is about to run what it needs to pass events on, or to merge them. Of what was passed on
    /// before, this many bytes may be `ahead` of the other sources.
    pub(super) fn attach_repartition(
        &self,
        running: &mut RunningTask,
        partition: PartitionId,
        found: Option<MergeProgress>,
        ahead: usize,
    ) {
        let topology = self.topology();
        let inputs = topology.sources();
        if let Role::Merged(_) = topology.plan(partition.topic).role {
            let place = running.next_offset();
            running.merge = Some(match found {
                Some(MergeProgress { read_to, sources }) => TimeMerge::restored(&inputs, &sources, place, read_to),
                None => TimeMerge::new(&inputs, place),
            });
            return;
        }
        let routes = topology.routes();
        if !routes.is_empty() {
            let mut kept = SourceLead::new(topology.room());
            if let Some(clock) = running.clock() {
                kept.add(clock, ahead);
            }
            running.repartitioner = Some(Repartitioner::new(topology.source(partition), routes, kept));
        }
    }

    /// Applies what merged partitions have that may go: a body was full, or nothing has come since.
    pub(super) fn apply_merged_tasks(&mut self) {
        if self.held || !matches!(self.transaction, TransactionState::Clear) {
            return;
        }
        let mut full = false;
        let mut merges = false;
        for task in self.tasks.values_mut() {
            if let Task::Running(running) = task
                && running.merge.is_some()
            {
                full |= running.apply_merged(&mut self.scratch) == Advanced::UntilFull;
                merges |= running.is_dirty();
            }
        }
        if full {
            self.commit_at = Some(self.clients.now());
        } else if merges {
            self.commit_later();
        }
    }

    /// Has a partition rest that is far ahead of the others. What has been fetched of it already is taken still.
    pub(super) fn pause_for_alignment(&mut self, partition: PartitionId) {
        let Some(Task::Running(running)) = self.tasks.get_mut(&partition) else { return };
        running.paused_for_alignment = true;
        if let Err(error) = self.consumer.pause(&[partition]) {
            self.report(Notice::Trouble { worker: self.plan.id, what: "pausing", why: error.text });
        }
    }

    /// After a commit: others have come on, maybe, and what was passed on of ours is certain.
    pub(super) fn resume_aligned(&mut self) {
        if self.tasks.values().any(|task| matches!(task, Task::Running(running) if running.paused_for_alignment)) {
            self.align_sources();
        }
    }

    /// Looks where the other sources are, if one of ours may be far ahead of them, and has those go on that are not.
    pub(super) fn align_sources(&mut self) {
        let notable = |task: &Task| matches!(task, Task::Running(running) if running.is_lead_notable());
        if !self.tasks.values().any(notable) {
            return;
        }
        let Some((clock, source)) = self.min_watermark_source() else { return };
        let mut aligned = Vec::new();
        for (partition, task) in &mut self.tasks {
            let Task::Running(running) = task else { continue };
            running.settle_lead((clock, &source));
            if running.paused_for_alignment && !running.is_ahead() {
                running.paused_for_alignment = false;
                aligned.push(*partition);
            }
        }
        if self.held || aligned.is_empty() {
            return;
        }
        if let Err(error) = self.consumer.resume(&aligned) {
            self.report(Notice::Trouble { worker: self.plan.id, what: "pausing", why: error.text });
        }
        // The client fetches again when it wakes up: after half a second, or with any request.
        drop(self.consumer.ends(&aligned, COMMITTED_PATIENCE));
    }

    /// The source that is furthest behind, as far as is committed, and what all merged partitions know of its clock.
    fn min_watermark_source(&self) -> Option<(Option<Timestamp>, SourcePartition)> {
        let topology = self.topology();
        let asked: Vec<PartitionId> = topology.input_partitions();
        // What is about to be committed is only further on.
        let found = self.consumer.committed_unstable(&asked, COMMITTED_PATIENCE).ok()?;
        let mut announced = Vec::new();
        for partition in asked {
            let committed = found.get(&partition)?;
            announced.push((OffsetMetadata::read(&committed.metadata).announced, topology.source(partition)));
        }
        announced.into_iter().min()
    }
}
