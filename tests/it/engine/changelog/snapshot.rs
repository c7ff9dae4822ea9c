//! A copy of a partition and the end of its log make the partition that the whole log makes, or are refused.

use tagstream::engine::{ChangelogError, SnapshotUnavailable};

use super::churn::{CATALOG, Churn, key, told};
use super::program;

const USERS: usize = 1_500;

/// A transaction's worth of events and erasures.
fn turn(churn: &mut Churn, is_skewed: bool) {
    for _ in 0..churn.dice.usize(1..200) {
        let user =
            if is_skewed && churn.dice.u8(..10) > 0 { churn.dice.usize(..40) } else { churn.dice.usize(..USERS) };
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
}

#[test]
fn churn_with_restarts_from_copies_of_any_age_changes_nothing() {
    let (mut used, mut refused, mut oldest_used) = (0, 0, 0);
    for seed in 0..8 {
        let mut churn = Churn::new(seed);
        let mut copies: Vec<(usize, Vec<u8>)> = Vec::new();
        for round in 0..200 {
            turn(&mut churn, seed % 2 == 1);
            if churn.dice.u8(..4) == 0 {
                // The note of where the partition stands is read again in any case.
                let back = churn.dice.usize(1..12);
                copies.push((round, churn.log.snapshot(&churn.driven.partition, back).expect("all is in the log")));
            }
            let len = churn.log.records.len();
            if churn.dice.bool() {
                let clean = churn.dice.usize(..=len);
                churn.log.compact(churn.dice.usize(..=clean), clean, churn.dice.bool());
            }
            if churn.dice.u8(..4) == 0 && !copies.is_empty() {
                let recent = copies.len().saturating_sub(30);
                let (taken, copy) = &copies[churn.dice.usize(recent..copies.len())];
                match churn.log.try_restore_after(copy, &churn.program) {
                    Ok(restored) => {
                        let (found, expected) = (&restored.partition, &churn.driven.partition);
                        assert_eq!(restored.change, None);
                        assert_eq!(found.extent(), expected.extent());
                        assert_eq!(found.log_bytes(), expected.log_bytes());
                        assert_eq!(found.entities(), expected.entities());
                        oldest_used = oldest_used.max(round - taken);
                        used += 1;
                        churn.driven.partition = restored.partition;
                    }
                    Err(ChangelogError::Outdated { .. }) => refused += 1,
                    Err(error) => panic!("seed {seed}, round {round}: {error}"),
                }
            }
            if round % 50 == 49 {
                churn.check(USERS);
            }
        }
    }
    assert!(used > 100 && refused > 10 && oldest_used > 10, "{used} {refused} {oldest_used}");
}

#[test]
fn what_comes_after_a_copy_is_what_would_have_come_byte_for_byte() {
    for seed in 0..4 {
        let mut churn = Churn::new(seed);
        for _ in 0..120 {
            turn(&mut churn, false);
        }
        let copy = churn.log.snapshot(&churn.driven.partition, 0).expect("all is in the log");
        turn(&mut churn, false);
        let len = churn.log.records.len();
        churn.log.compact(len, len, false);
        let mut from_log = churn.log.restore(&churn.program).partition;
        let mut from_copy = churn.log.try_restore_after(&copy, &churn.program).expect("it is of use").partition;
        assert_eq!(told(&mut from_copy, USERS), told(&mut from_log, USERS));
        let (mut log, mut other) = (churn.log.clone(), churn.log.clone());
        for round in 0..60 {
            for _ in 0..20 {
                let user = churn.dice.usize(..USERS);
                assert_eq!(from_log.erase(&key(user)), from_copy.erase(&key(user)));
            }
            log.write(&mut from_log);
            other.write(&mut from_copy);
            assert!(log.records == other.records, "seed {seed}, round {round}");
        }
    }
}

#[test]
fn what_was_erased_after_a_copy_does_not_come_back() {
    let mut churn = Churn::new(3);
    (0..USERS).for_each(|user| churn.event(user));
    churn.write();
    let copy = churn.log.snapshot(&churn.driven.partition, 0).expect("all is in the log");
    churn.erase(17);
    churn.write();
    let (mut used, mut refused) = (0, 0);
    while churn.log.holds(&key(17)) || refused == 0 {
        for _ in 0..100 {
            let user = 18 + churn.dice.usize(..USERS - 18);
            churn.event(user);
        }
        churn.write();
        churn.log.compact_all();
        match churn.log.try_restore_after(&copy, &churn.program) {
            Ok(mut restored) => {
                assert_eq!(restored.partition.current_tags(&key(17), |_| ()), None);
                used += 1;
            }
            // No sooner than when nothing of it is of use: and then the note of the erasure may be gone.
            Err(ChangelogError::Outdated { snapshot_to: copied_to, oldest }) => {
                assert!(oldest > copied_to);
                refused += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(used > 5, "{used}");
}

#[test]
fn a_hole_between_a_copy_and_the_log_is_found() {
    let mut churn = Churn::new(4);
    for user in 0..50 {
        churn.event(user);
        churn.write();
    }
    let copy = churn.log.snapshot(&churn.driven.partition, 0).expect("all is in the log");
    for user in 50..60 {
        churn.event(user);
        churn.write();
    }
    let mut damaged = churn.log.clone();
    let lost = damaged.records.iter().position(|record| record.is_segment_of_slot(50)).expect("a segment");
    damaged.records.remove(lost);
    assert_eq!(
        damaged.try_restore_after(&copy, &churn.program).err(),
        Some(ChangelogError::Missing { number: 50 }),
        "as when another process wrote it that owned the partition meanwhile"
    );
}

#[test]
fn what_is_not_in_the_log_is_not_copied() {
    let mut churn = Churn::new(5);
    churn.event(1);
    assert_eq!(churn.log.snapshot(&churn.driven.partition, 0).err(), Some(SnapshotUnavailable::Pending));
    churn.write();
    assert!(churn.log.snapshot(&churn.driven.partition, 0).is_ok());
    churn.erase(1);
    assert_eq!(churn.log.snapshot(&churn.driven.partition, 0).err(), Some(SnapshotUnavailable::Pending));
}

#[test]
fn a_copy_is_read_under_another_catalog_and_made_again_when_the_log_has_gone_round() {
    let mut churn = Churn::new(6);
    (0..USERS).for_each(|user| churn.event(user));
    churn.write();
    let copy = churn.log.snapshot(&churn.driven.partition, 0).expect("all is in the log");
    churn.event(1);
    churn.write();
    let other = program(&CATALOG.replace("  page: { value: page }\n", "  home: { when: visits >= 1 }\n"));
    let mut from_log = churn.log.restore(&other);
    let mut from_copy = churn.log.try_restore_after(&copy, &other).expect("it is of use");
    assert_eq!(from_copy.change, from_log.change);
    assert!(from_copy.change.is_some());
    assert_eq!(told(&mut from_copy.partition, USERS), told(&mut from_log.partition, USERS));
    churn.driven.partition = from_copy.partition;
    churn.program = other;
    let mut blocked = 0;
    while churn.log.snapshot(&churn.driven.partition, 0) == Err(SnapshotUnavailable::OtherSchema) {
        (0..50).for_each(|_| {
            let user = churn.dice.usize(..USERS);
            churn.event(user);
        });
        churn.write();
        blocked += 1;
        assert!(blocked < 1_000, "the log has gone round long since");
    }
    assert!(blocked > 3, "{blocked}");
    let copy = churn.log.snapshot(&churn.driven.partition, 1).expect("it is in one schema");
    let mut restored = churn.log.try_restore_after(&copy, &churn.program).expect("it is of use");
    assert_eq!(restored.change, None);
    assert_eq!(told(&mut restored.partition, USERS), told(&mut churn.driven.partition, USERS));
}
