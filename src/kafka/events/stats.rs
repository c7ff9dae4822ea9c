//! What a worker has done since it started. Only committed work is counted.

use std::collections::BTreeMap;
use std::fmt;

use crate::engine::{Program, Stats};
use crate::model::ChangeType;

/// The counts of one worker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkerStats {
    pub work: WorkStats,
    pub commits: u64,
    pub aborts: u64,
}

/// What became of records, and what came of them. Work that is repeated after an abort or by another member is counted
/// once: a task keeps it until it is committed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkStats {
    /// Records that were read from the input.
    pub records: u64,
    /// Of these, accepted events.
    pub events: u64,
    /// Of the events, duplicates.
    pub duplicates: u64,
    /// Event ids that were forgotten before their time, since an entity had more than `dedup_limit`.
    pub ids_crowded_out: u64,
    /// Elements of arrays beyond the number of them that count.
    pub items_left_out: u64,
    /// Of the records, null ones, which are skipped.
    pub tombstones: u64,
    /// Of the records, rejected ones, by reason.
    pub rejected: BTreeMap<&'static str, u64>,
    /// Records of merged partitions that were not events: another program has written them.
    pub unmerged: u64,
    /// Offsets whose records were gone, and that were passed over since the operator has accepted it.
    pub gap_offsets: u64,
    pub changes: ChangeStats,
    /// Timers that have fired.
    pub timers: u64,
    /// By counter: events of its types.
    pub heard: BTreeMap<Box<str>, u64>,
    /// By counter: of these, events that its `where` lets through.
    pub passed: BTreeMap<Box<str>, u64>,
    /// By counter: events that lacked the value that it counts.
    pub skipped: BTreeMap<Box<str>, u64>,
    /// By attribute: events with a value of a type that it does not take.
    pub misfits: BTreeMap<Box<str>, u64>,
}

impl WorkStats {
    /// Adds what the engine has counted under a program.
    pub fn engine(&mut self, stats: &Stats, program: &Program) {
        self.duplicates += stats.duplicates;
        self.ids_crowded_out += stats.ids_crowded_out;
        self.items_left_out += stats.items_left_out;
        self.timers += stats.timers;
        for (counter, more) in program.by_counter(&stats.skipped).filter(|(_, more)| *more > 0) {
            raise(&mut self.skipped, counter, more);
        }
        for (sums, by_series) in [(&mut self.heard, &stats.heard), (&mut self.passed, &stats.passed)] {
            for (counter, more) in program.by_counter(by_series).filter(|(_, more)| *more > 0) {
                raise(sums, counter, more);
            }
        }
        for (attribute, heard) in program.by_attribute(&stats.attributes).filter(|(_, heard)| heard.mismatched > 0) {
            raise(&mut self.misfits, &attribute.name, heard.mismatched);
        }
    }

    pub fn add(&mut self, more: WorkStats) {
        let WorkStats {
            records,
            events,
            duplicates,
            ids_crowded_out,
            items_left_out,
            tombstones,
            rejected,
            unmerged,
            gap_offsets,
            changes,
            timers,
            heard,
            passed,
            skipped,
            misfits,
        } = more;
        self.unmerged += unmerged;
        self.gap_offsets += gap_offsets;
        self.records += records;
        self.events += events;
        self.duplicates += duplicates;
        self.ids_crowded_out += ids_crowded_out;
        self.items_left_out += items_left_out;
        self.tombstones += tombstones;
        rejected.into_iter().for_each(|(reason, count)| *self.rejected.entry(reason).or_default() += count);
        self.changes.add(&changes);
        self.timers += timers;
        heard.iter().for_each(|(counter, more)| raise(&mut self.heard, counter, *more));
        passed.iter().for_each(|(counter, more)| raise(&mut self.passed, counter, *more));
        skipped.iter().for_each(|(counter, more)| raise(&mut self.skipped, counter, *more));
        misfits.iter().for_each(|(attribute, more)| raise(&mut self.misfits, attribute, *more));
    }
}

fn raise(sums: &mut BTreeMap<Box<str>, u64>, name: &str, more: u64) {
    match sums.get_mut(name) {
        Some(sum) => *sum += more,
        None => drop(sums.insert(name.into(), more)),
    }
}

/// Tag changes by tag and change. It holds only tags that have changed, so the catalog bounds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeStats(BTreeMap<Box<str>, [u64; 3]>);

impl ChangeStats {
    pub fn count(&mut self, tag: &str, change: ChangeType) {
        let mut one = [0; 3];
        one[change as usize] = 1;
        self.raise(tag, one);
    }

    pub fn add(&mut self, more: &ChangeStats) {
        more.0.iter().for_each(|(tag, counts)| self.raise(tag, *counts));
    }

    fn raise(&mut self, tag: &str, more: [u64; 3]) {
        match self.0.get_mut(tag) {
            Some(counts) => counts.iter_mut().zip(more).for_each(|(sum, more)| *sum += more),
            None => {
                self.0.insert(tag.into(), more);
            }
        }
    }

    pub fn total(&self) -> u64 {
        self.0.values().flatten().sum()
    }

    /// Each tag, with how often it was added, changed and removed.
    pub fn iter(&self) -> impl Iterator<Item = (&str, [(ChangeType, u64); 3])> {
        self.0.iter().map(|(tag, counts)| (&**tag, ChangeType::ALL.map(|kind| (kind, counts[kind as usize]))))
    }
}

impl fmt::Display for WorkerStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WorkerStats { work, commits, aborts } = self;
        let WorkStats { records, events, rejected, tombstones, unmerged, changes, .. } = work;
        write!(f, "{records} records, {events} events, {} changes, {commits} commits", changes.total())?;
        let rejects: u64 = rejected.values().sum();
        if rejects > 0 {
            write!(f, ", {rejects} rejected {rejected:?}")?;
        }
        if *tombstones > 0 {
            write!(f, ", {tombstones} tombstones")?;
        }
        if *unmerged > 0 {
            write!(f, ", {unmerged} that cannot be merged")?;
        }
        if *aborts > 0 {
            write!(f, ", {aborts} aborts")?;
        }
        Ok(())
    }
}
