//! The changelog of a partition: whatever compaction leaves of it, the partition made from it goes on as if nothing
//! had happened.
//!
//! - `compacted_log`: a changelog partition in memory, with compaction.
//! - `churn`: large states under many transactions.
//! - `snapshot`: a copy of a partition and the end of its log.
//! - `other_catalog`: a log that is read under another catalog.
//! - `catalog_change`: a catalog that changes while the partition works.
//! - `edits`: the same for random catalogs, and compared with the reference.
//! - `backfill`: new counters from old events.

mod backfill;
mod catalog_change;
mod churn;
mod compacted_log;
mod edits;
mod other_catalog;
mod snapshot;

use std::sync::Arc;

pub use compacted_log::Compacted;
use serde_json::Value;
use tagstream::codec::Decoder;
use tagstream::engine::{Partition, Program};
use tagstream::model::{Event, Timestamp};

use super::agreement::{Collected, NOW_MS};
use crate::generate::{self, Case, Features};

pub fn program(catalog: &str) -> Arc<Program> {
    let loaded = tagstream::catalog::load(catalog);
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

    /// Reads the next lines as another catalog does.
    pub fn read_by(&mut self, program: &Program) {
        self.decoder = Decoder::new(&program.catalog);
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
        let bytes = driven.partition.state_bytes();
        driven.partition = log.restore(program).partition;
        assert_eq!((driven.partition.entities(), driven.partition.state_bytes()), (before, bytes));
    }
}

#[test]
fn a_restored_partition_remembers_ids_as_if_nothing_had_happened() {
    for seed in generate::seeds(60) {
        let case = generate::repeats(seed);
        let mut dice = fastrand::Rng::with_seed(seed);
        let (expected, found) = (run(&case, None), run(&case, Some(&mut dice)));
        assert_eq!(found, expected, "seed {seed}\n{}", case.catalog);
    }
}

#[test]
fn a_restored_partition_goes_on_as_if_nothing_had_happened() {
    for seed in generate::seeds(600) {
        let (all, one) = (Features::ALL, Features::ALL.single(seed));
        let cases = [
            ("case", generate::case(seed)),
            ("sharp", generate::sharp(seed)),
            ("case with features", generate::case_with(seed, all)),
            ("sharp with one feature", generate::sharp_with(seed, one)),
        ];
        for (family, case) in cases {
            let mut dice = fastrand::Rng::with_seed(seed);
            let (expected, found) = (run(&case, None), run(&case, Some(&mut dice)));
            assert_eq!(found, expected, "{family} seed {seed}\n{}", case.catalog);
        }
    }
}
