//! A follower that begins with a file and reads on from there shows what one shows that has read everything.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tagstream::engine::{ChangelogFollower, Program};
use tagstream::kafka::PartitionName;
use tagstream::serve::replica::{
    FollowError, PartitionFollower, PartitionView, StateFile, StateFileError, StateFileReader,
};

use super::history::Directory;
use super::replica::{check_bitmaps, of_engine, of_view};
use crate::engine::changelog::{Compacted, Driven, program};
use crate::generate::{self, Case};

const LABEL: &str = "0";

/// Takes all records from an offset on.
fn read(follower: &mut PartitionFollower, log: &Compacted, from: i64) -> Result<(), FollowError> {
    for record in log.records.iter().filter(|record| record.offset as i64 >= from) {
        follower.take(record.offset as i64, &record.key, record.value.as_deref())?;
    }
    let end = log.records.last().map_or(0, |record| record.offset as i64 + 1);
    follower.reach(end).map(drop)
}

fn resume(path: &Path, program: &Arc<Program>, end: i64) -> Result<(PartitionFollower, StateFile), StateFileError> {
    let reader = StateFileReader::open(path, LABEL, ChangelogFollower::schema_id(program))?;
    let resumed = PartitionFollower::resume(PartitionName::from(0), Arc::clone(program), &reader.saved, end);
    let mut follower = resumed.expect("the file is whole");
    let file = reader.read(|state, due| follower.put(state, due))?;
    Ok((follower, file))
}

/// How many times a follower went on from a file, and how many times it noticed that something was missing.
fn follow(case: &Case, seed: u64) -> (u32, u32) {
    let mut dice = fastrand::Rng::with_seed(seed);
    let program = program(&case.catalog);
    let (mut driven, mut log) = (Driven::new(&program), Compacted::default());
    let directory = Directory::new(&format!("warm-{seed}"));
    let path = directory.0.join("state");
    let mut follower = PartitionFollower::new(PartitionName::from(0), Arc::clone(&program), 0);
    follower.reach(0).expect("an empty changelog is whole");
    let (mut next, mut file, mut counts) = (0, None, (0, 0));
    for line in &case.lines {
        driven.line(line, case.until);
        if dice.u8(..4) > 0 {
            continue;
        }
        log.write(&mut driven.partition);
        read(&mut follower, &log, next).expect("the log is whole");
        next = log.records.last().map_or(0, |record| record.offset as i64 + 1);
        let left: Vec<_> = follower.take_departed().into_iter().filter_map(|(_, number)| number).collect();
        if let Some(file) = &mut file {
            StateFile::erase(file, &left).expect("an erasure");
        }
        let was_compacted = dice.u8(..3) == 0;
        if was_compacted {
            log.compact_all();
        }
        // The process dies, and starts again with the file that it has.
        if file.is_some() && dice.u8(..3) == 0 {
            let (mut again, again_file) = resume(&path, &program, next).expect("the file is whole");
            assert!(again.view().is_none(), "what may have been erased since is shown");
            let from = again.offset() - 1;
            match read(&mut again, &log, from) {
                Ok(()) => {
                    let view = again.view().expect("it has caught up");
                    assert_eq!(of_view(&view), of_engine(&mut driven.partition), "seed {seed}");
                    let standing = |view: &PartitionView| {
                        let held: Vec<String> = view.standing.held_tags().map(str::to_owned).collect();
                        (view.standing.clock(), view.standing.catalog(), held, view.next_input)
                    };
                    assert_eq!(standing(&view), standing(&follower.view().expect("it is live")), "seed {seed}");
                    check_bitmaps(&view);
                    (follower, file) = (again, Some(again_file));
                    // It has heard of those who left since the file was written, and they are erased from it again.
                    let left: Vec<_> = follower.take_departed().into_iter().filter_map(|(_, number)| number).collect();
                    file.iter_mut().for_each(|file| file.erase(&left).expect("an erasure"));
                    counts.0 += 1;
                }
                Err(error) => {
                    assert!(error.to_string().ends_with("is missing"), "seed {seed}: {error}");
                    counts.1 += 1;
                }
            }
        }
        if dice.u8(..3) == 0
            && let (Some(saved), Some(view)) = (follower.saved(), follower.view())
        {
            file = Some(StateFile::write(&path, &saved, &view).expect("a file"));
        }
    }
    counts
}

#[test]
fn a_follower_goes_on_from_a_file_as_if_it_had_read_everything() {
    let mut all = (0, 0);
    for seed in generate::seeds(25) {
        for case in [generate::case(seed), generate::sharp(seed), generate::repeats(seed)] {
            let (resumed, missed) = follow(&case, seed);
            all = (all.0 + resumed, all.1 + missed);
        }
    }
    assert!(all.0 > 50 && all.1 > 0, "{all:?}");
}

const CATALOG: &str = "
version: 1
counters: { visits: { count: visit, window: 30d } }
tags: { seen: { when: visits >= 1 } }
";

fn line(user: &str, kind: &str, second: u32) -> String {
    format!(r#"{{"user_id":"{user}","type":"{kind}","timestamp":"2026-03-01T00:00:{second:02}Z"}}"#)
}

/// A changelog with some people, and a file of their states.
fn written(name: &str) -> (Directory, PathBuf, Arc<Program>, Driven, Compacted, PartitionFollower, StateFile) {
    let program = program(CATALOG);
    let (mut driven, mut log) = (Driven::new(&program), Compacted::default());
    for (second, user) in ["anna-who-stays", "bert-who-leaves", "cora-who-stays"].iter().enumerate() {
        driven.line(line(user, "visit", second as u32).as_bytes(), None);
        log.write(&mut driven.partition);
    }
    let mut follower = PartitionFollower::new(PartitionName::from(0), Arc::clone(&program), 0);
    follower.reach(0).expect("an empty changelog is whole");
    read(&mut follower, &log, 0).expect("the log is whole");
    let directory = Directory::new(name);
    let path = directory.0.join("state");
    let (saved, view) = (follower.saved().expect("a transaction"), follower.view().expect("it is live"));
    let file = StateFile::write(&path, &saved, &view).expect("a file");
    (directory, path, program, driven, log, follower, file)
}

#[test]
fn whoever_is_erased_is_not_in_the_file() {
    let (directory, path, program, mut driven, mut log, mut follower, mut file) = written("warm-erased");
    let end = log.records.len() as i64;
    assert!(!directory.files_with(b"bert-who-leaves").is_empty(), "the test looks in the wrong place");
    driven.line(line("bert-who-leaves", "$erase", 10).as_bytes(), None);
    log.write(&mut driven.partition);
    read(&mut follower, &log, end).expect("the log is whole");
    let numbers: Vec<_> = follower.take_departed().into_iter().filter_map(|(_, number)| number).collect();
    file.erase(&numbers).expect("an erasure");
    assert!(directory.files_with(b"bert-who-leaves").is_empty());
    // The others are there, also before the changelog has been read on.
    let (mut again, mut file) = resume(&path, &program, log.records.len() as i64).expect("the file is whole");
    read(&mut again, &log, end - 1).expect("the log is whole");
    assert_eq!(of_view(&again.view().expect("it is live")), of_engine(&mut driven.partition));
    // Places are right after reading, too.
    let anna = again.view().expect("it is live").find("anna-who-stays").expect("she is known");
    file.erase(&[anna]).expect("an erasure");
    assert!(directory.files_with(b"anna-who-stays").is_empty());
    assert!(!directory.files_with(b"cora-who-stays").is_empty());
    assert!(resume(&path, &program, 0).is_ok());
}

#[test]
fn another_changelog_in_its_place_is_noticed() {
    let (_directory, path, program, _, log, ..) = written("warm-other-log");
    let end = log.records.len() as i64;
    let (mut again, _) = resume(&path, &program, end).expect("the file is whole");
    let mut other = Compacted::default();
    let mut fresh = Driven::new(&program);
    for second in 10..13 {
        fresh.line(line("dora", "visit", second).as_bytes(), None);
        other.write(&mut fresh.partition);
    }
    let last = other.records.last().expect("a meta record");
    let taken = again.take(end - 1, &last.key, last.value.as_deref());
    assert_eq!(taken, Err(FollowError::OtherLog));
    assert!(again.view().is_none());
}

/// Records come on until a new follower begins, which may take several attempts.
#[test]
fn after_an_error_records_change_nothing() {
    let (.., mut driven, mut log, mut follower, _file) = written("warm-failed");
    let end = log.records.len() as i64;
    assert!(!follower.has_failed());
    follower.take(end, b"\xff", Some(b"?")).expect_err("no record of a changelog");
    assert!(follower.has_failed() && !follower.is_live());
    driven.line(line("dora", "visit", 10).as_bytes(), None);
    log.write(&mut driven.partition);
    for record in &log.records[end as usize..] {
        assert_eq!(follower.take(record.offset as i64 + 1, &record.key, record.value.as_deref()), Ok(false));
    }
    assert_eq!(follower.reach(i64::MAX), Ok(false));
    assert!(follower.has_failed() && follower.view().is_none() && follower.saved().is_none());
}

#[test]
fn a_file_that_is_not_right_is_of_no_use() {
    let (_directory, path, own, ..) = written("warm-damaged");
    let bytes = std::fs::read(&path).expect("a file");
    let copy = path.with_extension("copy");
    let refused = |bytes: &[u8]| {
        std::fs::write(&copy, bytes).expect("a file");
        resume(&copy, &own, 0).err().map(|error| error.to_string())
    };
    assert_eq!(refused(&bytes), None);
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x40;
        assert!(refused(&damaged).is_some(), "byte {place} of {} was changed", bytes.len());
        assert!(refused(&bytes[..place]).is_some(), "the file ends at {place}");
    }
    let open = |label: &str, program: &Program| {
        StateFileReader::open(&path, label, ChangelogFollower::schema_id(program)).map(drop)
    };
    assert!(matches!(open("1", &own), Err(StateFileError::OtherPartition(of)) if of == LABEL));
    let other = program(&CATALOG.replace("30d", "31d"));
    assert!(matches!(open(LABEL, &other), Err(StateFileError::OtherSchema)));
}
