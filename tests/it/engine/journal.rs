//! The changelog of a partition: whatever compaction leaves of it, the partition made from it goes on as if nothing
//! had happened.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use tagstream::codec::{ChangelogKey, ChangelogRecord, Decoder, Meta};
use tagstream::engine::{Log, Partition, Position, Program, Restored, Restoring, Segment, Slot};
use tagstream::model::{Event, Timestamp};

use super::agreement::{Collected, NOW_MS};
use crate::generate::{self, Case};

/// A changelog partition in memory: keys and values as Kafka has them.
#[derive(Clone, Default)]
pub struct Compacted {
    pub records: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Compacted {
    fn push(&mut self, record: &ChangelogRecord<'_>) {
        let (mut key, mut value) = (Vec::new(), Vec::new());
        record.key().write(&mut key);
        let value = record.write_value(&mut value).then_some(value);
        self.records.push((key, value));
    }

    /// One transaction of a partition.
    pub fn write(&mut self, partition: &mut Partition) {
        partition.journal(self);
        self.push(&ChangelogRecord::Meta(Meta {
            log: 7,
            next_offset: 0,
            clock: partition.clock(),
            extent: partition.extent(),
            catalog: 0,
            schema: 0,
            transaction: "t",
        }));
    }

    /// Removes records up to `end` behind which, up to `clean`, there is one of the same key, and tombstones up to `end`
    /// that have had their time.
    pub fn compact(&mut self, end: usize, clean: usize, is_late: bool) {
        let mut last = HashMap::new();
        for (index, (key, _)) in self.records[..clean].iter().enumerate() {
            last.insert(key.clone(), index);
        }
        let mut index = 0;
        self.records.retain(|(key, value)| {
            let is_needed = index >= end || last[key] == index && !(is_late && value.is_none());
            index += 1;
            is_needed
        });
    }

    pub fn compact_all(&mut self) {
        let len = self.records.len();
        self.compact(len, len, true);
    }

    pub fn bytes(&self) -> usize {
        self.records.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len)).sum()
    }

    pub fn restore(&self, program: &Arc<Program>) -> Restored {
        restore(self.records.iter(), program)
    }

    pub fn holds(&self, text: &str) -> bool {
        let text = text.as_bytes();
        self.records.iter().flat_map(|(_, value)| value).any(|value| value.windows(text.len()).any(|part| part == text))
    }
}

fn restore<'a>(records: impl Iterator<Item = &'a (Vec<u8>, Option<Vec<u8>>)>, program: &Arc<Program>) -> Restored {
    let mut restoring = Restoring::new(program.clone());
    let mut position = None;
    for (key, value) in records {
        match ChangelogRecord::read(key, value.as_deref()).expect("the record is as it was written") {
            ChangelogRecord::Meta(meta) => position = Some(Position { clock: meta.clock, extent: meta.extent }),
            ChangelogRecord::Schema { id, meaning } => restoring.schema(id, meaning).expect("a schema"),
            ChangelogRecord::Segment(segment) => restoring.segment(segment).expect("a segment"),
            ChangelogRecord::Cleared(ChangelogKey::Segment(slot)) => restoring.clear(slot),
            ChangelogRecord::Cleared(ChangelogKey::Schema(id)) => restoring.clear_schema(id),
            ChangelogRecord::Cleared(ChangelogKey::Meta) => panic!("nobody removes the meta record"),
        }
    }
    restoring.finish(position.expect("there is a meta record")).expect("the log is whole")
}

impl Log for Compacted {
    fn segment(&mut self, segment: Segment<'_>) {
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

pub fn program(catalog: &str) -> Arc<Program> {
    let loaded = tagstream::catalog::load("case.yaml", catalog);
    Program::new(loaded.catalog.unwrap_or_else(|| panic!("{:#?}", loaded.problems)))
}

/// A partition with what it takes to feed it lines.
pub struct Driven {
    pub partition: Partition,
    decoder: Decoder,
    event: Event,
    pub changes: Collected,
}

impl Driven {
    pub fn new(program: &Arc<Program>) -> Self {
        Driven {
            partition: Partition::new(program.clone()),
            decoder: Decoder::new(&program.catalog),
            event: Event::default(),
            changes: Collected::default(),
        }
    }

    pub fn line(&mut self, line: &[u8], until: Option<i64>) {
        if self.decoder.decode(line, Timestamp::from_ms(NOW_MS), &mut self.event).is_ok()
            && until.is_none_or(|until| self.event.time.ms() <= until)
        {
            self.partition.apply(&self.event, &mut self.changes);
        }
    }
}

/// The changes of a case, with transactions, compactions and restarts thrown in by `dice` (none: an uninterrupted run).
fn run(case: &Case, mut dice: Option<&mut fastrand::Rng>) -> Vec<Value> {
    let program = program(&case.catalog);
    let mut driven = Driven::new(&program);
    let mut log = Compacted::default();
    for line in &case.lines {
        driven.line(line, case.until);
        if let Some(dice) = &mut dice {
            interrupt(&mut driven, &mut log, &program, dice);
        }
    }
    if let Some(until) = case.until {
        driven.partition.advance(Timestamp::from_ms(until), &mut driven.changes);
    }
    driven.changes.0
}

fn interrupt(driven: &mut Driven, log: &mut Compacted, program: &Arc<Program>, dice: &mut fastrand::Rng) {
    if dice.u8(..4) > 0 {
        return;
    }
    let before = driven.partition.entities();
    log.write(&mut driven.partition);
    if dice.bool() {
        let clean = dice.usize(..=log.records.len());
        log.compact(dice.usize(..=clean), clean, dice.bool());
    }
    if dice.u8(..4) == 0 {
        driven.partition = log.restore(program).partition;
        assert_eq!(driven.partition.entities(), before);
    }
}

#[test]
fn a_restored_partition_goes_on_as_if_nothing_had_happened() {
    let seeds = std::env::var("TAGSTREAM_SEEDS").ok().and_then(|number| number.parse().ok()).unwrap_or(600);
    for seed in 0..seeds {
        for (family, case) in [("case", generate::case(seed)), ("sharp", generate::sharp(seed))] {
            let mut dice = fastrand::Rng::with_seed(seed);
            let (expected, found) = (run(&case, None), run(&case, Some(&mut dice)));
            assert_eq!(found, expected, "{family} seed {seed}\n{}", case.catalog);
        }
    }
}
