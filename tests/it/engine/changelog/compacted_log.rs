//! A changelog partition in memory, with compaction as Kafka does it, in whatever progress.

use std::collections::HashMap;
use std::sync::Arc;

use tagstream::codec::{
    ChangelogKey, ChangelogRecord, Meta, SnapshotHead, SnapshotProgress, SnapshotReader, SnapshotWriter,
};
use tagstream::engine::{
    ChangelogError, ChangelogSink, Checkpoint, Partition, Program, RestoredPartition, Segment, Slot,
    SnapshotUnavailable, StateRestorer,
};

/// A record as Kafka has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    pub offset: usize,
    pub key: Vec<u8>,
    /// None: a tombstone.
    pub value: Option<Vec<u8>>,
}

/// A changelog partition.
#[derive(Clone, Default)]
pub struct Compacted {
    pub records: Vec<Stored>,
    next: usize,
    /// Bytes of entries that were ever written.
    pub written: usize,
    /// What the partition notes beside its position.
    pub facts: Vec<u8>,
}

impl Compacted {
    fn push(&mut self, record: &ChangelogRecord<'_>) {
        let (mut key, mut value) = (Vec::new(), Vec::new());
        record.key().write(&mut key);
        let value = record.write_value(&mut value).then_some(value);
        self.records.push(Stored { offset: self.next, key, value });
        self.next += 1;
    }

    /// One transaction of a partition.
    pub fn write(&mut self, partition: &mut Partition) {
        partition.write_changelog(self);
        let Checkpoint { clock, extent, catalog, schema, notes } = partition.checkpoint();
        let facts = self.facts.clone();
        let meta = Meta {
            log: 7,
            next_offset: 0,
            clock,
            extent,
            catalog,
            schema,
            transaction: "t",
            facts: &facts,
            notes: &notes,
        };
        self.push(&ChangelogRecord::Meta(meta));
    }

    /// Removes of the first `clean` records those in front of `end` that have a later one of their key among them, and
    /// with `is_late` the tombstones too.
    pub fn compact(&mut self, end: usize, clean: usize, is_late: bool) {
        let cleaned = &self.records[..clean];
        let last: HashMap<Vec<u8>, usize> = cleaned.iter().map(|record| (record.key.clone(), record.offset)).collect();
        let mut index = 0;
        self.records.retain(|record| {
            index += 1;
            let is_last = last.get(&record.key) == Some(&record.offset);
            index > end || is_last && !(is_late && record.value.is_none())
        });
    }

    pub fn compact_all(&mut self) {
        let len = self.records.len();
        self.compact(len, len, true);
    }

    pub fn bytes(&self) -> usize {
        self.records.iter().map(|record| record.key.len() + record.value.as_ref().map_or(0, Vec::len)).sum()
    }

    /// A partition made from the log by a reader that read the first `passed` records of it as they were `earlier`.
    pub fn restore_raced(&self, earlier: &Compacted, passed: usize, program: &Arc<Program>) -> RestoredPartition {
        let (before, after) = earlier.records.split_at(passed);
        let newest = before.last().map_or(0, |record| record.offset);
        let rest = after.iter().chain(&self.records).filter(|record| record.offset > newest);
        let rest = rest.filter(|record| self.records.iter().any(|kept| kept.offset == record.offset));
        restore(before.iter().chain(rest), program).expect("the log is whole")
    }

    pub fn restore(&self, program: &Arc<Program>) -> RestoredPartition {
        self.try_restore(program).expect("the log is whole")
    }

    pub fn try_restore(&self, program: &Arc<Program>) -> Result<RestoredPartition, ChangelogError> {
        restore(self.records.iter(), program)
    }

    /// A snapshot of the partition whose log this is, to be read with what stands here from `back` records ago on.
    pub fn snapshot(&self, partition: &Partition, back: usize) -> Result<Vec<u8>, SnapshotUnavailable> {
        let offset = self.next.saturating_sub(back) as i64;
        let mut writer =
            SnapshotWriter::new(&SnapshotHead { log: 7, offset, partition: 3, topic: "changelog".to_owned() }, 0);
        partition.write_snapshot(&mut writer)?;
        Ok(writer.finish())
    }

    /// A partition made from a snapshot and the end of the log.
    pub fn try_restore_after(
        &self,
        snapshot: &[u8],
        program: &Arc<Program>,
    ) -> Result<RestoredPartition, ChangelogError> {
        let mut restoring = StateRestorer::new(program.clone());
        let mut reader = SnapshotReader::new(snapshot).expect("it is a snapshot");
        while reader.read_into(&mut restoring).expect("it is whole") == SnapshotProgress::More {}
        let from = reader.head().offset as usize;
        restore_on(restoring, self.records.iter().filter(|record| record.offset >= from))
    }

    pub fn holds(&self, text: &str) -> bool {
        let text = text.as_bytes();
        let values = self.records.iter().filter_map(|record| record.value.as_ref());
        values.into_iter().any(|value| value.windows(text.len()).any(|part| part == text))
    }
}

fn restore<'a>(
    records: impl Iterator<Item = &'a Stored>,
    program: &Arc<Program>,
) -> Result<RestoredPartition, ChangelogError> {
    restore_on(StateRestorer::new(program.clone()), records)
}

fn restore_on<'a>(
    mut restoring: StateRestorer,
    records: impl Iterator<Item = &'a Stored>,
) -> Result<RestoredPartition, ChangelogError> {
    let mut position = None;
    for record in records {
        let read = ChangelogRecord::read(&record.key, record.value.as_deref());
        match read.expect("the record is as it was written") {
            ChangelogRecord::Meta(meta) => position = Some(meta.checkpoint()),
            ChangelogRecord::Schema { id, meaning } => restoring.schema(id, meaning)?,
            ChangelogRecord::Segment(segment) => restoring.segment(segment)?,
            ChangelogRecord::Cleared(ChangelogKey::Segment(slot)) => restoring.clear(slot),
            ChangelogRecord::Cleared(ChangelogKey::Schema(id)) => restoring.clear_schema(id),
            ChangelogRecord::Sources { .. } | ChangelogRecord::Cleared(ChangelogKey::Sources) => {
                panic!("nothing is merged")
            }
            ChangelogRecord::Cleared(ChangelogKey::Meta) => panic!("nobody removes the meta record"),
        }
    }
    restoring.finish(position.expect("there is a meta record"))
}

impl ChangelogSink for Compacted {
    fn segment(&mut self, segment: Segment<'_>) {
        self.written += segment.entries.len();
        self.push(&ChangelogRecord::Segment(segment));
    }

    fn clear(&mut self, slot: Slot) {
        self.push(&ChangelogRecord::Cleared(ChangelogKey::Segment(slot)));
    }

    fn schema(&mut self, id: u64, meaning: &[u8]) {
        self.push(&ChangelogRecord::Schema { id, meaning });
    }

    fn clear_schema(&mut self, id: u64) {
        self.push(&ChangelogRecord::Cleared(ChangelogKey::Schema(id)));
    }
}

impl Stored {
    pub fn is_segment_of_slot(&self, slot: Slot) -> bool {
        let mut key = Vec::new();
        ChangelogKey::Segment(slot).write(&mut key);
        self.key == key
    }

    pub fn is_schema(&self) -> bool {
        matches!(ChangelogRecord::read(&self.key, self.value.as_deref()), Ok(ChangelogRecord::Schema { .. }))
    }
}
