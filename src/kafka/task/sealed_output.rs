//! The output of a partition as a transaction carries it: complete, and of one moment.

use std::sync::Arc;

use super::offset_metadata::OffsetMetadata;
use super::output_buffer::{OutputBuffer, SealedMeta};
use super::running_task::RunningTask;
use crate::codec::{PartitionFacts, RolloutNote, write_current_tags};
use crate::kafka::broker::PartitionOffset;
use crate::kafka::events::WorkStats;
use crate::kafka::repartition::Repartitioner;
use crate::kafka::topology::PartitionId;

/// What does not change any more until it is certain that it was committed, or it is dropped. It is the same each time
/// that it is sent; only the transaction's name is another.
pub(crate) struct SealedOutput {
    pub buffer: OutputBuffer,
    /// The offset to commit.
    pub next_offset: i64,
    /// What stands beside it, without the transaction's name.
    pub metadata: OffsetMetadata<'static>,
    /// What was done for it.
    pub work: WorkStats,
    /// What it notes of the rollout; `None`: that was committed before.
    pub rollout: Option<RolloutNote>,
}

impl SealedOutput {
    /// The offset that a transaction of this name commits.
    pub(crate) fn offset(&self, partition: PartitionId, transaction: &str) -> PartitionOffset {
        let metadata = OffsetMetadata { transaction, ..self.metadata }.write();
        PartitionOffset { partition, next_offset: self.next_offset, metadata }
    }
}

impl RunningTask {
    /// Completes the output for a transaction, unless one is sealed that is to be sent again. It stays as it is, however
    /// often it is sent, while further records fill another. `with_tags`: whether current tags are sent.
    pub(crate) fn seal(&mut self, with_tags: bool) -> &SealedOutput {
        let sealed = self.sealed.take().unwrap_or_else(|| self.complete_output(with_tags));
        self.sealed.insert(sealed)
    }

    fn complete_output(&mut self, with_tags: bool) -> SealedOutput {
        if let Some(repartitioner) = &mut self.repartitioner {
            repartitioner.add_watermarks(self.state.clock(), self.next_offset, &mut self.output.repartition);
        }
        if self.keeps_state() {
            self.state.write_changelog(&mut self.output);
            if with_tags {
                self.seal_current_tags();
            }
            if let Some(merge) = &self.merge {
                self.output.add_sources(merge);
            }
            let meta = self.meta();
            self.output.add_meta(meta);
        }
        let mut work = std::mem::take(&mut self.work);
        work.engine(&self.state.take_stats(), self.state.program());
        (self.has_applied_merged, self.begins_anew) = (false, false);
        SealedOutput {
            next_offset: self.next_offset(),
            metadata: self.offset_metadata(),
            work,
            rollout: std::mem::take(&mut self.owes_rollout).then(|| self.rollout.clone()),
            buffer: std::mem::replace(&mut self.output, std::mem::take(&mut self.spare)),
        }
    }

    /// The changelog's record of where the partition stands now.
    fn meta(&self) -> SealedMeta {
        let program = self.state.program();
        let says_nothing = self.rollout == RolloutNote::of(self.rollout.catalog);
        let rollout = (!says_nothing).then(|| self.rollout.clone());
        let facts = PartitionFacts { topics: self.topics.clone(), rollout };
        let mut encoded = Vec::new();
        facts.write(&mut encoded);
        SealedMeta {
            log: self.log_id,
            next_offset: self.next_offset(),
            clock: self.state.clock(),
            extent: self.state.extent(),
            catalog: program.catalog.fingerprint,
            schema: program.schema.id(),
            facts: encoded,
            notes: self.state.notes(),
        }
    }

    fn seal_current_tags(&mut self) {
        let program = Arc::clone(self.state.program());
        let entity = program.entity();
        let mut key = String::new();
        for touched in self.output.touched() {
            key.clear();
            key.push_str(self.output.text(touched));
            let state = &mut self.state;
            self.output.add_current_tags(entity, &key, |out| {
                state.current_tags(&key, |tags| write_current_tags(entity, &key, tags, out)).is_some()
            });
        }
    }

    /// What stands beside the offset if it is committed now, without the transaction's name.
    fn offset_metadata(&self) -> OffsetMetadata<'static> {
        let repartitioner = self.repartitioner.as_ref();
        OffsetMetadata {
            transaction: "",
            clock: repartitioner.and_then(|_| self.state.clock()),
            announced: repartitioner.and_then(Repartitioner::announced),
            ahead: repartitioner.map_or(0, |repartitioner| repartitioner.lead.bytes()),
            topic: self.topic,
        }
    }

    /// The sealed output was committed. Returns what was done for it, and what it notes of the rollout if that was not
    /// committed before; `None`: there was no sealed output.
    pub(crate) fn mark_committed(&mut self) -> Option<(WorkStats, Option<RolloutNote>)> {
        let SealedOutput { mut buffer, next_offset, mut work, rollout, .. } = self.sealed.take()?;
        self.committed = Some(next_offset);
        work.changes = buffer.clear();
        self.spare = buffer;
        Some((work, rollout))
    }
}
