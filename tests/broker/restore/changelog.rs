//! Counters outlive the process: they go on from the changelog, whatever has happened to it meanwhile.

use std::collections::BTreeMap;

use tagstream::codec::ChangelogRecord;

use crate::fixture::broker::{self, Broker};
use crate::fixture::client::{Write, create_topic, produce, read_all};
use crate::fixture::counting::{COUNT, PARTITIONS, check, events, read_to};
use crate::fixture::now_ms;
use crate::support::service::Setup;

#[test]
fn counters_go_on_after_a_stop_and_after_a_kill() {
    let broker = broker::shared();
    let setup = Setup::on("durable", broker, COUNT);
    setup.create_topics(PARTITIONS as u32);
    let topic = setup.topic("events");
    produce(broker, &topic, events(0, 1_000));
    let mut service = setup.start();
    service.until("the first events", |_| read_to(broker, &setup, 1_000));
    service.stop();
    produce(broker, &topic, events(1_000, 1_000));
    let mut service = setup.start();
    service.says("has restored partition 1: 25 entities");
    service.until("the second events", |_| read_to(broker, &setup, 2_000));
    service.signal(libc::SIGKILL);
    service.ended();
    produce(broker, &topic, events(2_000, 1_000));
    let mut service = setup.start();
    service.until("the third events", |_| read_to(broker, &setup, 3_000));
    service.stop();
    check(broker, &setup, 3_000);
}

/// A tag that only silence sets.
const QUIET: &str = "version: 1\n\
    counters:\n  latest: { last: time, on: \"*\" }\n\
    tags:\n  quiet: { when: seconds_since(latest) >= 8 }\n";

#[test]
fn events_of_other_processes_tell_that_there_is_no_outage() {
    let broker = broker::shared();
    let setup = |instance: &str| {
        Setup::on("alive", broker, QUIET)
            .with("service.outage_after=5s")
            .with("service.idle_grace=0s")
            .with(&format!("service.instance={instance}"))
    };
    let (one, two) = (setup("one"), setup("two"));
    one.create_topics(2);
    let (topic, changes) = (one.topic("events"), one.topic("changes"));
    let mut services = [one.start(), two.start_with_log(&one.folder.join("log-two"))];
    services.iter_mut().for_each(|service| service.says("runs partition"));
    let event = |partition: i32, user: &str| {
        let text = format!(r#"{{"user_id":"{user}","type":"click","timestamp":{}}}"#, now_ms());
        Write::event(partition, user, text)
    };
    produce(broker, &topic, [event(0, "silent")]);
    let [first, second] = &mut services;
    // The partition of the one is silent for longer than an outage; that of the other is not.
    first.until("the silence to be noticed", |_| {
        produce(broker, &topic, [event(1, "busy")]);
        read_all(broker, &changes).iter().any(|change| change.key_text() == "silent")
    });
    second.says("runs partition");
    services.into_iter().for_each(|service| drop(service.stop()));
}

/// The last value under each key of a changelog partition, and how many bytes a reader gets in all.
fn changelog(broker: &Broker, setup: &Setup) -> (u64, usize, usize) {
    let records = read_all(broker, &setup.topic("changelog"));
    let read = records.iter().map(|record| record.value.as_ref().map_or(0, Vec::len)).sum();
    let mut last = BTreeMap::new();
    for record in &records {
        last.insert(record.key.clone().expect("a key"), record.value.clone());
    }
    let kept = last.values().flatten().map(Vec::len).sum();
    let mut segments = 0;
    for (key, value) in last {
        if let Ok(ChangelogRecord::Meta(meta)) = ChangelogRecord::read(&key, value.as_deref()) {
            segments = meta.extent.next;
        }
    }
    (segments, kept, read)
}

#[test]
fn the_changelog_stays_small_under_endless_updates() {
    let broker = broker::shared();
    let setup = Setup::on("endless", broker, COUNT).with("service.commit_interval=2ms").with("output.tags=");
    let topic = setup.topic("events");
    create_topic(broker, &topic, 1, &[]);
    // A segment is cleaned when the next one has begun. The log is compressed, so it fills none of the least size.
    let small = [
        ("cleanup.policy", "compact"),
        ("segment.bytes", "1048576"),
        ("segment.ms", "500"),
        ("min.cleanable.dirty.ratio", "0.01"),
        ("min.compaction.lag.ms", "0"),
        ("delete.retention.ms", "0"),
    ];
    create_topic(broker, &setup.topic("changelog"), 1, &small);
    setup.create_topics(1);
    let users = 2_000;
    let event = |n: usize| {
        let (user, at) = (n % users, 1_700_000_000_000 + n as i64);
        let text = format!(r#"{{"user_id":"user-{user}","type":"click","timestamp":{at}}}"#);
        Write::event(0, &format!("user-{user}"), text)
    };
    let mut service = setup.start();
    let (mut written, mut segments) = (0, 0);
    // By then the log has gone round many times.
    while segments < 100 {
        produce(broker, &topic, (written..written + 10_000).map(event));
        written += 10_000;
        service.until("the events", |_| read_to(broker, &setup, written));
        let kept;
        (segments, kept, _) = changelog(broker, &setup);
        assert!(kept < 400 << 10, "the log holds {kept} bytes for {users} users");
    }
    // Compaction never touches the segment that is written to.
    service.until("the cleaner", |_| changelog(broker, &setup).2 < 3 << 20);
    service.signal(libc::SIGKILL);
    service.ended();
    let mut service = setup.start();
    service.says("has restored partition 0: 2000 entities");
    service.stop();
}
