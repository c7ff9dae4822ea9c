//! The history has what belongs to lives that go on, and nothing of those that have ended, whichever of history and state is
//! ahead.

use std::collections::BTreeMap;
use std::sync::Arc;

use tagstream::codec::{Decoder, write_change};
use tagstream::engine::{CompiledCatalog, Sink};
use tagstream::kafka::PartitionName;
use tagstream::model::{Event, TagChange, Timestamp};
use tagstream::serve::erasure::erasure;
use tagstream::serve::history::HistoryWriter;
use tagstream::serve::replica::{PartitionFollower, Replica, ReplicaView};

use super::history::{Directory, deadline, parsed, place};
use crate::engine::agreement::NOW_MS;
use crate::engine::changelog::{Compacted, Driven, program};
use crate::generate;

/// Whoever is keen for a day has no tag afterwards, so that an erasure is no change of a tag.
const CATALOG: &str = "
version: 1
counters: { clicks: { count: click, window: 1d } }
tags: { keen: { when: clicks >= 2 }, vip: { manual: {} } }
";
const USERS: usize = 6;
const EVENTS: usize = 120;

/// The changes of each life that goes on.
#[derive(Default)]
struct Lives {
    of: BTreeMap<String, Vec<String>>,
    /// Records that the history has not taken yet.
    new: Vec<Vec<u8>>,
}

impl Sink for Lives {
    fn change(&mut self, change: &TagChange<'_>) {
        let mut record = Vec::new();
        write_change(change, &mut record);
        let id = parsed(&record)["id"].as_str().expect("an id").to_owned();
        self.of.entry(change.key.to_owned()).or_default().push(id);
        self.new.push(record);
    }

    fn ended(&mut self, key: &str) {
        self.of.remove(key);
    }
}

/// The ids of all changes that the history has of a user, the oldest first.
fn stored(directory: &Directory, key: &str) -> Vec<String> {
    directory.changes(key).into_iter().rev().map(|change| change.id).collect()
}

/// Looks every entity up in a view, and erases what has ended.
fn compare(directory: &Directory, writer: &mut HistoryWriter, view: &ReplicaView) {
    let latest = directory.reader().read(deadline(), |history| history.latest_changes(0, usize::MAX >> 1));
    let ended: Vec<_> = latest.expect("entities").iter().filter_map(|latest| erasure(view, latest)).collect();
    writer.erase(&ended).expect("an erasure");
}

fn store(writer: &mut HistoryWriter, lives: &mut Lives, offset: &mut usize) {
    for record in lives.new.drain(..) {
        writer.add(&record).expect("a row");
        *offset += 1;
    }
    writer.commit(&place(*offset)).expect("a commit");
}

fn event(dice: &mut fastrand::Rng, at: Timestamp) -> String {
    let what = match dice.u8(..16) {
        0..=1 => r#""$erase""#,
        2 => r#""$tag","properties":{"tag":"vip","set":true}"#,
        3 => r#""$tag","properties":{"tag":"vip","set":false}"#,
        _ => r#""click""#,
    };
    format!(r#"{{"user_id":"u-{}","timestamp":"{at}","type":{what}}}"#, dice.usize(..USERS))
}

fn follow(seed: u64) {
    let mut dice = fastrand::Rng::with_seed(seed);
    let program = program(CATALOG);
    let compiled = CompiledCatalog::new((*program.catalog).clone());
    let (mut partition, mut decoder) = (Driven::new(&program).partition, Decoder::new(&program.catalog));
    let (mut log, mut lives, replica) = (Compacted::default(), Lives::default(), Replica::default());
    let mut follower = PartitionFollower::new(PartitionName::from(0), Arc::clone(&program), 0);
    let mut empty = PartitionFollower::new(PartitionName::from(1), Arc::clone(&program), 0);
    for follower in [&mut follower, &mut empty] {
        follower.reach(0).expect("an empty changelog is whole");
    }
    let directory = Directory::new(&format!("lives-{seed}"));
    let (mut writer, mut offset, mut read) = (directory.writer(), 0, 0);
    let mut at = Timestamp::from_ms(NOW_MS - 400 * 86_400_000);
    let mut old: Option<Arc<ReplicaView>> = None;
    for number in 0..EVENTS {
        at = at.plus(dice.i64(0..20_000_000));
        let mut decoded = Event::default();
        decoder.decode(event(&mut dice, at).as_bytes(), Timestamp::from_ms(NOW_MS), &mut decoded).expect("an event");
        partition.apply(&decoded, &mut lives);
        if dice.u8(..3) > 0 && number + 1 < EVENTS {
            continue;
        }
        // The last moment is after everything.
        if number + 1 == EVENTS {
            at = at.plus(1);
            partition.advance(at, &mut lives);
        }
        log.write(&mut partition);
        for record in &log.records[read..] {
            follower.take(record.offset as i64, &record.key, record.value.as_deref()).expect("the log is whole");
        }
        read = log.records.len();
        let view = follower.view().expect("it has caught up");
        // A partition without events knows nobody, and hinders nothing.
        let mut views = vec![Arc::new(view)];
        views.extend(dice.bool().then(|| Arc::new(empty.view().expect("it has caught up"))));
        replica.show(&compiled, views);
        store(&mut writer, &mut lives, &mut offset);
        let now = replica.view().expect("a view");
        // The state is behind the history, or it is not.
        let view = old.take().filter(|_| dice.bool()).unwrap_or_else(|| Arc::clone(&now));
        compare(&directory, &mut writer, &view);
        for (key, life) in &lives.of {
            assert!(stored(&directory, key).ends_with(life), "seed {seed}: something of {key} is missing");
        }
        old = Some(now);
    }
    let view = old.expect("it was committed");
    writer.erase_due(Timestamp::FOREVER).expect("an erasure");
    compare(&directory, &mut writer, &view);
    for user in 0..USERS {
        let key = format!("u-{user}");
        let life = lives.of.get(&key).cloned().unwrap_or_default();
        assert_eq!(stored(&directory, &key), life, "seed {seed}: {key}");
        assert_eq!(directory.files_with(key.as_bytes()).is_empty(), life.is_empty(), "seed {seed}: {key}");
    }
}

#[test]
fn the_history_has_lives_that_go_on_and_no_others() {
    generate::seeds(25).for_each(follow);
}

#[test]
fn the_follower_tells_who_has_left_when_the_transaction_has_ended() {
    let program = program(CATALOG);
    let (mut driven, mut log) = (Driven::new(&program), Compacted::default());
    let mut follower = PartitionFollower::new(PartitionName::from(0), Arc::clone(&program), 0);
    follower.reach(0).expect("an empty changelog is whole");
    let line = |user: &str, kind: &str, second: u32| {
        format!(r#"{{"user_id":"{user}","type":"{kind}","timestamp":"2026-03-01T00:00:{second:02}Z"}}"#)
    };
    for (second, lines) in [["a click", "b click"], ["a $erase", "b click"], ["b $erase", "b click"]].iter().enumerate()
    {
        for line_of in lines {
            let (user, kind) = line_of.split_once(' ').expect("two words");
            driven.line(line(user, kind, second as u32).as_bytes(), None);
        }
        log.write(&mut driven.partition);
    }
    let (mut left, mut ends) = (Vec::new(), 0);
    for record in &log.records {
        ends += usize::from(
            follower.take(record.offset as i64, &record.key, record.value.as_deref()).expect("the log is whole"),
        );
        left.extend(follower.take_departed().into_iter().map(|(key, _)| (ends, key.to_string())));
    }
    // The second of them has come back within the transaction.
    assert_eq!(left, [(2, "a".to_owned()), (3, "b".to_owned())]);
    let view = follower.view().expect("it has caught up");
    assert!(view.find("a").is_none() && view.find("b").is_some());
}

#[test]
fn a_state_that_began_anew_takes_nothing_from_those_it_does_not_know() {
    let directory = Directory::new("anew");
    let mut writer = directory.writer();
    let logs = |log: Option<u64>| BTreeMap::from([("0".to_owned(), log)]);
    let record = |key: &str| super::history::change(key, "keen", 1, 10, (false.into(), true.into()), "event");
    writer.add(&record("a")).expect("a row");
    writer.commit(&place(1)).expect("a commit");
    assert_eq!(writer.note_changelogs(&logs(Some(7))).expect("a note"), 0);
    assert_eq!(writer.note_changelogs(&logs(Some(u64::MAX))).expect("a note"), 1);
    writer.add(&record("b")).expect("a row");
    writer.commit(&place(2)).expect("a commit");
    drop(writer);
    assert_eq!(directory.writer().note_changelogs(&logs(Some(u64::MAX))).expect("a note"), 1);
    let latest = |number| {
        let read = directory.reader().read(deadline(), |history| history.latest_changes(number, 10));
        read.expect("entities").into_iter().map(|latest| latest.key).collect::<Vec<_>>()
    };
    assert_eq!((latest(0), latest(1)), (vec!["a".to_owned(), "b".to_owned()], vec!["b".to_owned()]));
    // The changelog is empty again.
    assert_eq!(directory.writer().note_changelogs(&logs(None)).expect("a note"), 2);
}
