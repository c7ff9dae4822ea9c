//! Merged partitions in a worker: events wait for their order, and sources that are far ahead pause for alignment. And
//! partitions that pause until the schema of their next record is known.

use std::sync::Arc;
use std::time::Duration;

use super::Worker;
use super::gaps::StartPoint;
use crate::engine::Partition;
use crate::kafka::broker::{CommittedOffset, GroupConsumer, KafkaClients};
use crate::kafka::events::{Action, Occurrence};
use crate::kafka::repartition::{Repartitioner, SourceLead, TimeMerge};
use crate::kafka::state::MergeProgress;
use crate::kafka::task::{Advanced, OffsetMetadata, OutputBuffer, RunningTask, Task};
use crate::kafka::topology::{PartitionId, Role, SourcePartition};
use crate::model::Timestamp;

/// For one request for the offsets of all inputs.
const COMMITTED_PATIENCE: Duration = Duration::from_millis(400);

impl<W: KafkaClients> Worker<W> {
    /// Runs a task that only forwards events: all its state stands beside the committed offset.
    pub(super) fn run_repartition_task(
        &mut self,
        partition: PartitionId,
        committed: &CommittedOffset,
        start: StartPoint,
    ) {
        let role = self.topology().plan(partition.topic).role;
        let mut state = Partition::new(Arc::clone(role.program(&self.plan.compiled)));
        let note = OffsetMetadata::read(&committed.metadata);
        if let Some(clock) = note.clock {
            state.advance(clock, &mut OutputBuffer::default());
        }
        let mut running = RunningTask::new(role, state, 0, start.next_offset, committed.offset);
        self.attach_repartition(&mut running, partition, None, note.ahead);
        self.note_gap(partition, &mut running, start);
        self.run_task(partition, running, start.next_offset);
    }

    /// Gives a task what it needs to forward events or to merge them. `ahead`: how many bytes its last owner had
    /// forwarded that may be ahead of the other sources.
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
        let topics = topology.repartition_topics();
        if !topics.is_empty() {
            let mut lead = SourceLead::new(topology.room());
            if let Some(clock) = running.clock() {
                lead.add(clock, ahead);
            }
            running.repartitioner = Some(Repartitioner::new(topology.source(partition), topics, lead));
        }
    }

    /// Applies the events of merged partitions that are ready and have not been applied, since an output was full or
    /// nothing was read since.
    pub(super) fn apply_merged_tasks(&mut self) {
        if !self.cycle.applies_records() {
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
            self.cycle.commit_at = Some(self.clients.now());
        } else if merges {
            self.commit_later();
        }
    }

    /// Pauses a partition that is far ahead of the others. Records of it that come nevertheless are dropped: it is fetched
    /// again from where it stands.
    pub(super) fn pause_for_alignment(&mut self, partition: PartitionId) {
        let Some(Task::Running(running)) = self.tasks.get_mut(&partition) else { return };
        running.paused_for_alignment = true;
        if let Err(error) = self.consumer.pause(&[partition]) {
            self.report(Occurrence::Failed { action: Action::Pause, why: error.text });
        }
    }

    /// After a commit: other sources may have caught up, and what was forwarded here is certain.
    pub(super) fn resume_aligned(&mut self) {
        if self.tasks.values().any(|task| matches!(task, Task::Running(running) if running.paused_for_alignment)) {
            self.align_sources();
        }
    }

    /// Reads how far the other sources are, if one of this worker's may be far ahead, and resumes those that are not
    /// any more.
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
                // One that waits for a schema goes on pausing.
                if running.schema_wait.is_none() {
                    aligned.push((*partition, running.position()));
                }
            }
        }
        if !self.fetch_again(&aligned) {
            // The next look tries it again.
            for (partition, _) in aligned {
                if let Some(Task::Running(running)) = self.tasks.get_mut(&partition) {
                    running.paused_for_alignment = true;
                }
            }
        }
    }

    /// Resumes paused partitions, each from an offset on. Returns whether it has succeeded.
    fn fetch_again(&self, starts: &[(PartitionId, i64)]) -> bool {
        if starts.is_empty() {
            return true;
        }
        if let Err(error) = self.consumer.resume(starts) {
            self.report(Occurrence::Failed { action: Action::Resume, why: error.text });
            return false;
        }
        // The client fetches again when it wakes up: after half a second, or at any request.
        let partitions: Vec<PartitionId> = starts.iter().map(|(partition, _)| *partition).collect();
        drop(self.consumer.stable_ends(&partitions, COMMITTED_PATIENCE));
        true
    }

    /// Pauses a partition whose next record has a schema that is not known yet: its offset does not move.
    pub(super) fn pause_for_schema(&mut self, partition: PartitionId) {
        let now = self.clients.now();
        let Some(Task::Running(running)) = self.tasks.get_mut(&partition) else { return };
        running.schema_wait = self.scratch.ahead.schema_wait(now);
        if let Err(error) = self.consumer.pause(&[partition]) {
            self.report(Occurrence::Failed { action: Action::Pause, why: error.text });
        }
    }

    /// Resumes the partitions whose schema is known now, and tells of those that still wait.
    pub(super) fn watch_schema_waits(&mut self) {
        let Some(payloads) = self.plan.payloads.clone() else { return };
        let now = self.clients.now();
        let mut known = Vec::new();
        let mut events = Vec::new();
        for (partition, task) in &mut self.tasks {
            let Task::Running(running) = task else { continue };
            let offset = running.position();
            let Some(wait) = &mut running.schema_wait else { continue };
            let (name, schema) = (self.plan.topology.name(*partition), wait.schema);
            let waited = now.saturating_duration_since(wait.since);
            match payloads.waits_for(schema) {
                Some(why) => {
                    wait.why = why;
                    let why = wait.why.to_string();
                    events.push(Occurrence::WaitsForSchema { partition: name, offset, schema, waited, why });
                }
                None => {
                    events.push(Occurrence::SchemaKnown { partition: name, schema, waited });
                    known.push((*partition, offset, running.schema_wait.take(), running.paused_for_alignment));
                }
            }
        }
        events.into_iter().for_each(|event| self.report(event));
        for (partition, offset, wait, is_ahead) in known {
            if !is_ahead
                && !self.fetch_again(&[(partition, offset)])
                && let Some(Task::Running(running)) = self.tasks.get_mut(&partition)
            {
                // The next look tries it again.
                running.schema_wait = wait;
            }
        }
    }

    /// The source with the lowest committed watermark, and that watermark.
    fn min_watermark_source(&self) -> Option<(Option<Timestamp>, SourcePartition)> {
        let topology = self.topology();
        let asked: Vec<PartitionId> = topology.input_partitions();
        // An open transaction can only raise a watermark.
        let found = self.consumer.committed_unstable(&asked, COMMITTED_PATIENCE).ok()?;
        let mut announced = Vec::new();
        for partition in asked {
            let committed = found.get(&partition)?;
            announced.push((OffsetMetadata::read(&committed.metadata).announced, topology.source(partition)));
        }
        announced.into_iter().min()
    }
}
