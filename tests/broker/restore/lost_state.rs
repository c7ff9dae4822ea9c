//! Changelogs whose state cannot be used: what stops a partition, what does not, and each way on.

use std::collections::BTreeSet;

use tagstream::codec::ChangelogKey;

use crate::fixture::broker::{self, Broker};
use crate::fixture::client::{Write, commit_offset, create_topic, delete_topic, produce, read_all};
use crate::fixture::counting::{COUNT, USERS, counts, events_of};
use crate::fixture::stopped_partition::{named_commands, start_with, until_read};
use crate::support::exposition::parse;
use crate::support::http_client::get;
use crate::support::service::{Service, Setup};

/// A record that another program has written to the changelog.
fn record(key: &[u8], value: &str) -> Write {
    Write { partition: 0, key: Some(key.to_vec()), value: Some(value.as_bytes().to_vec()), headers: Vec::new() }
}

/// One that stands where the oldest segment of the state stood.
fn damage(broker: &Broker, changelog: &str) {
    let mut key = Vec::new();
    ChangelogKey::Segment(0).write(&mut key);
    produce(broker, changelog, [record(&key, "what is this?")]);
}

/// Fifty users, each of whom has had one event.
fn counted(name: &str) -> (&'static Broker, Setup, String) {
    counted_by(name, COUNT)
}

fn counted_by(name: &str, catalog: &str) -> (&'static Broker, Setup, String) {
    let broker = broker::shared();
    let setup = Setup::on(name, broker, catalog);
    setup.create_topics(1);
    let topic = setup.topic("events");
    produce(broker, &topic, events_of(0, 0, USERS));
    let mut service = setup.start();
    until_read(&mut service, broker, &setup, &topic);
    service.stop();
    (broker, setup, topic)
}

/// A tag that is the counter's value, and one for which a lower bound is enough.
const BOTH: &str = "version: 1\n\
    counters:\n  n: { count: \"*\" }\n\
    tags:\n  seen: { value: n }\n  active: { when: n >= 1 }\n";

/// The service goes on with another event of each user, of which there are then so many, and also after a start without
/// any option.
fn check_goes_on(broker: &Broker, setup: &Setup, topic: &str, arguments: &[&str], count: i64) {
    let mut service = start_with(setup, arguments);
    service.says("runs partition 0");
    produce(broker, topic, events_of(0, USERS, USERS));
    until_read(&mut service, broker, setup, topic);
    service.stop();
    let all = |count: i64| counts(broker, setup).iter().all(|(_, had)| *had == count);
    assert!(all(count), "{:?}", counts(broker, setup));
    let before = read_all(broker, &setup.topic("changes")).len();
    // The options again: they do not fit any more, and nothing is done a second time.
    let mut service = start_with(setup, arguments);
    service.says("has restored partition 0: 50 entities");
    service.stop();
    assert_eq!(read_all(broker, &setup.topic("changes")).len(), before);
    let mut service = setup.start();
    service.says("has restored partition 0: 50 entities");
    produce(broker, topic, events_of(0, 2 * USERS, USERS));
    until_read(&mut service, broker, setup, topic);
    service.stop();
    assert!(all(count + 1), "{:?}", counts(broker, setup));
}

#[test]
fn a_record_of_another_program_is_passed_over_and_counted() {
    let (broker, setup, topic) = counted("foreign");
    let setup = setup.with("http.listen=127.0.0.1:0").with("state.directory=state");
    let strangers =
        [record(b"somebody", "hello"), record(&[9], "\u{1}\u{2}"), record(b"user:7", "{}"), record(&[2, 7], "")];
    produce(broker, &setup.topic("changelog"), strangers);
    let mut service = setup.start();
    service.says("; 4 records of its changelog are not tagstream's and were passed over");
    service.says("runs partition 0");
    let address = service.http_address();
    let metric =
        move || parse(&get(address, "/metrics").body).of("tagstream_foreign_changelog_records_total")[0].1 as u64;
    service.until("the metric", |_| metric() == 4);
    produce(broker, &topic, events_of(0, USERS, USERS));
    until_read(&mut service, broker, &setup, &topic);
    service.stop();
    // At a warm start the changelog is read from the snapshot on.
    produce(broker, &setup.topic("changelog"), [record(b"somebody", "else")]);
    let mut service = setup.start();
    service.says("from a snapshot");
    service.says("; 1 records of its changelog are not tagstream's");
    produce(broker, &topic, events_of(0, 0, USERS));
    until_read(&mut service, broker, &setup, &topic);
    service.stop();
    assert!(counts(broker, &setup).iter().all(|(_, count)| *count == 3));
}

/// The commands that a stopped partition names, by option.
fn ways_on(setup: &Setup, says: &str) -> Vec<Vec<String>> {
    let mut service = setup.start();
    service.says(says);
    let named = named_commands(&service);
    service.stop();
    named
}

#[test]
fn a_damaged_record_stops_its_partition_which_counts_the_input_again() {
    let (broker, setup, topic) = counted("damaged");
    damage(broker, &setup.topic("changelog"));
    let named = ways_on(&setup, "a damaged changelog record");
    assert_eq!(named[0], ["--recount", &format!("{topic}/0@50")]);
    check_goes_on(broker, &setup, &topic, &["--recount", &named[0][1]], 2);
    // The same changes have the same ids: they were sent twice, and are one to a subscriber.
    let changes = read_all(broker, &setup.topic("changes"));
    let ids: BTreeSet<_> = changes.iter().map(|change| change.json()["id"].to_string()).collect();
    assert_eq!((changes.len(), ids.len()), (4 * USERS, 3 * USERS));
}

#[test]
fn a_damaged_record_stops_its_partition_which_goes_on_empty() {
    let (broker, setup, topic) = counted_by("damaged-empty", BOTH);
    damage(broker, &setup.topic("changelog"));
    let named = ways_on(&setup, "the state cannot be read back");
    assert_eq!(named[1], ["--start-empty", &format!("{topic}/0@50")]);
    let (other, option) = (format!("{topic}/0@49"), named[1][1].clone());
    let mut service = start_with(&setup, &["--start-empty", &other]);
    service.says("has stopped partition 0");
    service.stop();
    let mut service = start_with(&setup, &["--start-empty", &option]);
    service.says("begins with an empty state, as --start-empty says");
    produce(broker, &topic, events_of(0, USERS, USERS));
    until_read(&mut service, broker, &setup, &topic);
    service.stop();
    // What is true of what was counted since is said again; nothing that is only true of that is said.
    let of = |tag: &str| {
        read_all(broker, &setup.topic("changes")).iter().filter(|change| change.json()["tag"] == tag).count()
    };
    assert_eq!((of("active"), of("seen")), (2 * USERS, USERS));
    let mut service = setup.start();
    service.says("has restored partition 0: 50 entities");
    service.stop();
}

#[test]
fn a_partition_of_merged_events_counts_again_what_was_forwarded() {
    let broker = broker::shared();
    let setup = Setup::on("merged-lost", broker, COUNT).with("input.partitioned_by=none");
    setup.create_topics(1);
    let until_counted = |service: &mut Service, count: i64| {
        service.until("the counts of all users", |_| {
            let counts = counts(broker, &setup);
            counts.len() == USERS && counts.iter().all(|(_, had)| *had == count)
        });
    };
    let events = setup.topic("events");
    produce(broker, &events, events_of(0, 0, USERS));
    let mut service = setup.start();
    until_counted(&mut service, 1);
    service.stop();
    damage(broker, &setup.topic("by-user-changelog"));
    let named = ways_on(&setup, "a damaged changelog record");
    assert!(named[0][1].starts_with("merged-lost-by-user/0@"), "{named:?}");
    let mut service = start_with(&setup, &["--recount", &named[0][1]]);
    produce(broker, &events, events_of(0, USERS, USERS));
    until_counted(&mut service, 2);
    service.stop();
    let changes = read_all(broker, &setup.topic("changes"));
    let ids: BTreeSet<_> = changes.iter().map(|change| change.json()["id"].to_string()).collect();
    assert_eq!((changes.len(), ids.len()), (3 * USERS, 2 * USERS), "what is sent again has the same ids");
    let mut service = setup.start();
    service.says("has restored partition 0 of merged-lost-by-user: 50 entities");
    produce(broker, &events, events_of(0, 2 * USERS, USERS));
    until_counted(&mut service, 3);
    service.stop();
}

#[test]
fn a_damaged_record_of_before_a_snapshot_is_not_read() {
    let broker = broker::shared();
    let setup = Setup::on("damaged-warm", broker, COUNT).with("state.directory=state");
    setup.create_topics(1);
    let topic = setup.topic("events");
    produce(broker, &topic, events_of(0, 0, USERS));
    let mut service = setup.start();
    until_read(&mut service, broker, &setup, &topic);
    damage(broker, &setup.topic("changelog"));
    produce(broker, &topic, events_of(0, USERS, USERS));
    until_read(&mut service, broker, &setup, &topic);
    service.stop();
    let mut service = setup.start();
    service.says("from a snapshot");
    produce(broker, &topic, events_of(0, 0, USERS));
    until_read(&mut service, broker, &setup, &topic);
    service.stop();
    assert!(counts(broker, &setup).iter().all(|(_, count)| *count == 3));
    // Without the snapshot it is read.
    std::fs::remove_dir_all(setup.folder.join("state")).expect("the snapshots are there");
    ways_on(&setup, "a damaged changelog record");
}

#[test]
fn an_emptied_changelog_names_how_its_input_is_counted_again() {
    let (broker, setup, topic) = counted("emptied-log");
    delete_topic(broker, &setup.topic("changelog"));
    create_topic(broker, &setup.topic("changelog"), 1, &[("cleanup.policy", "compact")]);
    let named = ways_on(&setup, "the state in emptied-log-changelog at no offset");
    assert_eq!(named[0], ["--recount", &format!("{topic}/0@50")]);
    check_goes_on(broker, &setup, &topic, &["--recount", &named[0][1]], 2);
}

#[test]
fn offsets_that_were_reset_name_the_offset_of_the_state() {
    let (broker, setup, topic) = counted("reset");
    commit_offset(broker, "reset", &topic, 0, 20);
    let mut service = setup.start();
    service.says(
        "the group stands at offset 20 of partition 0 of reset-events, the state in reset-changelog at offset 50",
    );
    service.says("--group reset --topic reset-events:0 --reset-offsets --to-offset 50 --execute`");
    assert_eq!(named_commands(&service)[0], ["--recount", "reset-events/0@20"]);
    service.stop();
    // What that command does.
    commit_offset(broker, "reset", &topic, 0, 50);
    check_goes_on(broker, &setup, &topic, &[], 2);
}
