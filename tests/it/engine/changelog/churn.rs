//! Large states under many transactions: what the log grows to, what is left of the erased, and whether it is whole.

use std::fmt::Write;
use std::sync::Arc;

use tagstream::engine::{Partition, Program};
use tagstream::model::Timestamp;

use super::compacted_log::Compacted;
use super::{Driven, program};

pub const CATALOG: &str = "
version: 1
timezone: Europe/Berlin
input: { dedup: 2s }
attributes:
  plan: { from: visit, value: properties.plan }
counters:
  visits: { count: visit, window: 30d }
  spend: { sum: properties.amount, on: visit, window: 180d }
  most: { max: properties.amount, on: visit, window: 7d }
  pages: { distinct: properties.page, on: visit, window: 7d }
  page: { top: properties.page, on: visit, window: 7d }
  last: { last: time, on: visit }
tags:
  active: { when: visits >= 2, until: visits < 1 }
  level: { value: spend, bands: [{ name: low, below: 30 }, { name: high }] }
  risk: { when: hours_since(last) >= 14 }
  page: { value: page }
  wide: { when: pages >= 3 && most > 5 }
";

pub fn line(dice: &mut fastrand::Rng, key: &str, time: Timestamp) -> Vec<u8> {
    let (page, amount, id) = (dice.u32(..7), dice.u32(..40), dice.u64(..));
    let mut line = String::new();
    let _ = write!(
        line,
        r#"{{"user_id":"{key}","type":"visit","id":{id},"timestamp":"{time}","properties":{{"page":"page-{page}","amount":{amount}.25,"plan":"plan-{page}"}}}}"#,
    );
    line.into_bytes()
}

/// Everything that can be asked of a partition.
pub fn told(partition: &mut Partition, users: usize) -> String {
    let mut told = format!("{:?} {}\n", partition.clock(), partition.entities());
    for user in 0..users {
        let tags = partition.current_tags(&key(user), |tags| format!("{tags:?}"));
        let _ = writeln!(told, "{} {tags:?}", key(user));
    }
    told
}

pub fn key(user: usize) -> String {
    format!("user-{user:05}-long-enough-to-be-found")
}

/// A partition and its log, and one without a log that does the same.
pub struct Churn {
    pub program: Arc<Program>,
    pub driven: Driven,
    twin: Driven,
    pub log: Compacted,
    pub dice: fastrand::Rng,
    time: Timestamp,
}

impl Churn {
    pub fn new(seed: u64) -> Self {
        let program = program(CATALOG);
        Churn {
            driven: Driven::new(&program),
            twin: Driven::new(&program),
            program,
            log: Compacted::default(),
            dice: fastrand::Rng::with_seed(seed),
            time: Timestamp::parse("2026-03-02T10:00:00Z").expect("a time"),
        }
    }

    pub fn event(&mut self, user: usize) {
        self.time = self.time.plus(self.dice.i64(0..5_000));
        let line = line(&mut self.dice, &key(user), self.time);
        self.driven.line(&line, None);
        self.twin.line(&line, None);
    }

    pub fn erase(&mut self, user: usize) {
        let found = self.driven.partition.erase(&key(user));
        assert_eq!(found, self.twin.partition.erase(&key(user)));
    }

    pub fn write(&mut self) {
        let pending = self.driven.partition.pending_bytes();
        let before = self.log.written;
        let was_purging = self.driven.partition.is_purging();
        self.log.write(&mut self.driven.partition);
        let written = self.log.written - before;
        let purged = if was_purging { 2 << 20 } else { 0 };
        assert!(written <= 6 * pending + 300_000 + purged, "{written} bytes written for {pending}");
    }

    /// Starts again from the log, perhaps while it is being compacted.
    fn restart(&mut self) {
        let earlier = self.log.clone();
        let len = self.log.records.len();
        let clean = self.dice.usize(..=len);
        self.log.compact(self.dice.usize(..=clean), clean, self.dice.bool());
        let passed = self.dice.usize(..=len);
        let restored = if self.dice.bool() {
            self.log.restore(&self.program)
        } else {
            self.log.restore_raced(&earlier, passed, &self.program)
        };
        assert_eq!(restored.change, None);
        assert_eq!(restored.partition.extent(), self.driven.partition.extent());
        self.driven.partition = restored.partition;
    }

    /// The partition and its twin are one, down to the bytes that they keep.
    pub fn check(&mut self, users: usize) {
        assert!(self.twin.changes.0.len() > users / 2, "{} changes", self.twin.changes.0.len());
        assert_eq!(self.driven.changes.0, self.twin.changes.0);
        assert_eq!(told(&mut self.driven.partition, users), told(&mut self.twin.partition, users));
        assert_eq!(self.driven.partition.state_bytes(), self.twin.partition.state_bytes());
    }

    fn check_size(&mut self, most: f64) {
        self.log.compact_all();
        let (log, state) = (self.log.bytes() as f64, self.driven.partition.state_bytes() as f64);
        assert!(log < most * state + 120_000.0, "a log of {log} bytes for a state of {state}");
    }
}

#[test]
fn churn_with_restarts_changes_nothing() {
    const USERS: usize = 1_500;
    for seed in 0..8 {
        let mut churn = Churn::new(seed);
        // Half of the seeds have a few users who are seen all the time.
        let skewed = seed % 2 == 1;
        for round in 0..250 {
            for _ in 0..churn.dice.usize(1..200) {
                let user =
                    if skewed && churn.dice.u8(..10) > 0 { churn.dice.usize(..40) } else { churn.dice.usize(..USERS) };
                churn.event(user);
            }
            for _ in 0..churn.dice.usize(..20) {
                let user = churn.dice.usize(..USERS);
                churn.erase(user);
                if churn.dice.bool() {
                    churn.event(user);
                }
            }
            churn.write();
            if churn.dice.u8(..10) == 0 {
                churn.restart();
            }
            if round % 50 == 49 {
                churn.check(USERS);
                churn.check_size(2.3);
            }
        }
    }
}

#[test]
fn the_log_stays_small_and_little_is_written_twice() {
    const USERS: usize = 4_000;
    let mut churn = Churn::new(1);
    (0..USERS).for_each(|user| churn.event(user));
    churn.write();
    let (mut entries, mut before) = (0, 0);
    for round in 0..400 {
        if round == 100 {
            (entries, before) = (0, churn.log.written);
        }
        for _ in 0..200 {
            let user = churn.dice.usize(..USERS);
            churn.event(user);
        }
        entries += churn.driven.partition.pending_bytes();
        churn.write();
        if round % 20 == 0 {
            churn.check_size(2.3);
        }
    }
    let amplification = (churn.log.written - before) as f64 / entries as f64;
    assert!((1.05..1.35).contains(&amplification), "{amplification}");
    churn.restart();
    churn.check(USERS);
}

#[test]
fn cold_entities_do_not_make_a_transaction_large() {
    const USERS: usize = 4_000;
    let mut churn = Churn::new(2);
    (0..USERS).for_each(|user| churn.event(user));
    churn.write();
    for _ in 0..600 {
        for _ in 0..50 {
            let user = churn.dice.usize(..50);
            churn.event(user);
        }
        let before = churn.log.written;
        let pending = churn.driven.partition.pending_bytes();
        churn.write();
        let written = churn.log.written - before;
        assert!(written < 6 * pending + 270_000, "{written} for {pending}");
    }
    churn.check_size(2.3);
    churn.restart();
    churn.check(USERS);
}

#[test]
fn what_is_erased_leaves_the_log_and_does_not_come_back() {
    const USERS: usize = 1_000;
    let mut churn = Churn::new(3);
    (0..USERS).for_each(|user| churn.event(user));
    churn.write();
    churn.erase(17);
    assert!(!churn.driven.partition.erase("nobody"));
    churn.write();
    assert!(churn.log.holds(&key(17)), "it is in the log for a while");
    for _ in 0..200 {
        for _ in 0..100 {
            let user = 18 + churn.dice.usize(..USERS - 18);
            churn.event(user);
        }
        churn.write();
        let len = churn.log.records.len();
        churn.log.compact(len, len, false);
        let mut partition = churn.log.restore(&churn.program).partition;
        assert_eq!(partition.current_tags(&key(17), |_| ()), None);
    }
    churn.log.compact_all();
    assert!(!churn.log.holds(&key(17)));
    assert!(churn.log.holds(&key(18)));
    churn.check(USERS);
}

#[test]
fn a_log_with_a_hole_is_refused() {
    let mut churn = Churn::new(4);
    for user in 0..50 {
        churn.event(user);
        churn.write();
    }
    let mut damaged = churn.log.clone();
    let second = damaged.records.iter().position(|record| record.is_segment_of_slot(20)).expect("a segment");
    damaged.records.remove(second);
    let error = damaged.try_restore(&churn.program).expect_err("a segment is missing");
    assert_eq!(error.to_string(), "segment 20, which is needed, is missing");
    churn.restart();
    churn.check(50);
}

#[test]
fn journalling_does_not_allocate() {
    /// Takes everything and keeps nothing.
    struct Nowhere(usize);
    impl tagstream::engine::ChangelogSink for Nowhere {
        fn segment(&mut self, segment: tagstream::engine::Segment<'_>) {
            self.0 += segment.entries.len();
        }
        fn clear(&mut self, _: tagstream::engine::Slot) {}
        fn schema(&mut self, _: u64, _: &[u8]) {}
        fn clear_schema(&mut self, _: u64) {}
    }
    let mut churn = Churn::new(5);
    let mut log = Nowhere(0);
    let mut allocations = 0;
    for round in 0..600 {
        (0..100).for_each(|n| churn.event((round * 100 + n * 7) % 2_000));
        let partition = &mut churn.driven.partition;
        let (count, ()) = crate::engine::allocations::count(|| partition.write_changelog(&mut log));
        allocations += if round < 500 { 0 } else { count };
    }
    assert!(log.0 > 4_000_000, "{}", log.0);
    assert_eq!(allocations, 0);
}

#[test]
fn what_is_erased_leaves_the_log_although_nothing_else_happens() {
    const USERS: usize = 3_000;
    let mut churn = Churn::new(7);
    for round in 0..3 {
        (0..USERS).for_each(|user| churn.event(user));
        churn.write();
        assert!(!churn.driven.partition.is_purging(), "round {round}: nothing was erased");
    }
    churn.erase(17);
    churn.write();
    assert!(churn.driven.partition.is_purging());
    let mut transactions = 0;
    while churn.driven.partition.is_purging() {
        transactions += 1;
        assert!(transactions < 100, "the log is purged for ever");
        // Half way through, another owner takes over.
        if transactions == 2 {
            churn.driven.partition = churn.log.restore(&churn.program).partition;
            assert!(churn.driven.partition.is_purging(), "a successor goes on with it");
        }
        churn.write();
    }
    churn.log.compact_all();
    assert!(!churn.log.holds(&key(17)));
    assert!(churn.log.holds(&key(18)));
    churn.check(USERS);
    let before = churn.log.records.len();
    churn.write();
    assert_eq!(churn.log.records.len(), before + 1, "then nothing but the meta record is written");
}
