//! `tagstream run` gives the changes that replay gives, each once, through stops, kills and outages.

use std::thread;
use std::time::Duration;

use crate::fixture::broker::{self, Broker};
use crate::fixture::client::{Seen, Write, committed, delete_records, murmur2_partition, produce, read_all};
use crate::fixture::echo::{ECHO, check_echo, event, numbered, total};
use crate::fixture::now_ms;
use crate::oracle::verify::{Clocks, Trial};
use crate::support::service::Setup;

/// The state shows: how many events the user has had.
const COUNT: &str = "version: 1\n\
    counters:\n  n: { count: \"*\" }\n\
    tags:\n  seen: { value: n }\n";

/// Whether the changes count from 1 to `count` without a gap: every event once, and the state never lost.
fn check_counted(changes: &[Seen], count: u64) {
    let values: Vec<u64> = changes.iter().filter_map(|change| change.json()["value"].as_u64()).collect();
    let wrong = values.iter().zip(1..).find(|(value, expected)| *value != expected);
    assert!(wrong.is_none(), "of {} values, the first that is wrong, and what it should be: {wrong:?}", values.len());
    assert_eq!(values.len() as u64, count);
}

#[test]
fn two_workers_give_the_changes_that_replay_gives() {
    let catalog = "version: 1\n\
        counters:\n  clicks_1h: { count: click, window: 1h }\n  classes: { distinct: properties.n, on: \"*\", window: 1d }\n\
        tags:\n  busy: { when: clicks_1h >= 3, until: clicks_1h < 2 }\n  \
        variety: { value: classes, bands: [ { name: low, below: 4 }, { name: mid, below: 9 }, { name: high } ] }\n  \
        quiet: { when: \"clicks_1h == 0 && tag.busy == false\" }\n";
    let broker = broker::shared();
    // Nothing happens by the wall clock.
    let setup = Setup::on("agree", broker, catalog).with("service.workers=2").with("service.idle_grace=off");
    setup.create_topics(4);
    let mut lines: Vec<Vec<String>> = vec![Vec::new(); 4];
    let mut random = fastrand::Rng::with_seed(7);
    let mut at = now_ms() - 20 * 3_600_000;
    for _ in 0..6_000 {
        at += random.i64(0..10_000);
        let user = random.usize(0..200);
        lines[user % 4].push(event(&format!("u{user}"), at - random.i64(0..60_000), random.usize(0..12)));
    }
    let records = |(partition, lines): (usize, &Vec<String>)| {
        lines.iter().map(move |line| Write::event(partition as i32, "", line.as_bytes())).collect::<Vec<_>>()
    };
    produce(broker, &setup.topic("events"), lines.iter().enumerate().flat_map(records));
    let mut service = setup.start();
    service.until("all to be committed", |_| {
        total(&committed(broker, &setup.application, &setup.topic("events"))) == 6_000
    });
    service.stop();

    let probes = [r#""type":"click","properties":{"n":"1"}"#, r#""type":"click","properties":{"n":"13"}"#];
    let verdict =
        Trial { brokers: broker, setup: &setup, clocks: Clocks::Events, earlier: &[], probes: &probes }.verify();
    assert!(verdict.users > 150 && verdict.changes > 1_000, "too little: {verdict}");
    check_headers(&read_all(broker, &setup.topic("changes")));
}

fn check_headers(changes: &[Seen]) {
    for change in changes {
        let value = change.json();
        let header = |name: &str| change.header(name).unwrap_or_default();
        assert_eq!(header("ce_specversion"), "1.0");
        assert_eq!(header("ce_id"), value["id"].as_str().expect("an id"));
        assert_eq!(header("ce_type"), format!("tagstream.tag.{}", value["change"].as_str().expect("a change")));
        assert_eq!(header("ce_time"), value["at"].as_str().expect("a time"));
        assert_eq!(header("ce_source"), "/tagstream/agree");
        assert_eq!(header("content-type"), "application/json");
        assert_eq!(change.partition, murmur2_partition(change.key.as_deref().expect("a key"), 4));
    }
}

#[test]
fn stopped_and_killed_in_the_middle_it_neither_loses_nor_repeats_an_offset() {
    let broker = broker::shared();
    let setup = Setup::on("restarts", broker, ECHO).with("service.workers=2").with("service.commit_interval=20ms");
    setup.create_topics(4);
    let rounds = [libc::SIGTERM, libc::SIGKILL, libc::SIGTERM, libc::SIGKILL, libc::SIGKILL];
    let mut written = 0;
    for signal in rounds {
        produce(broker, &setup.topic("events"), numbered(written, 4_000, 4));
        let before = total(&committed(broker, &setup.application, &setup.topic("events")));
        written += 4_000;
        let mut service = setup.start();
        service
            .until("some progress", |_| total(&committed(broker, &setup.application, &setup.topic("events"))) > before);
        service.signal(signal);
        service.ended();
    }
    let mut service = setup.start();
    // All may have been done before: then nothing but this tells that it listens to signals.
    service.says("brokers reached");
    let all = written as i64;
    service.until("the end", |_| total(&committed(broker, &setup.application, &setup.topic("events"))) == all);
    service.stop();
    check_echo(&read_all(broker, &setup.topic("changes")), written);
}

#[test]
fn a_broker_that_dies_costs_neither_events_nor_state() {
    let mut broker = Broker::start();
    let setup = Setup::on("outage", &broker, COUNT).with("service.commit_interval=20ms");
    setup.create_topics(1);
    let topic = setup.topic("events");
    let click = |count: usize| (0..count).map(|n| Write::event(0, "u", event("u", now_ms(), n))).collect::<Vec<_>>();
    let mut service = setup.start();
    service.says("runs partition 0");
    produce(&broker, &topic, click(500));
    service.until("the first half", |_| total(&committed(&broker, &setup.application, &topic)) > 0);
    broker.kill();
    thread::sleep(Duration::from_secs(2));
    broker.revive();
    produce(&broker, &topic, click(500));
    service.until("the second half", |_| total(&committed(&broker, &setup.application, &topic)) == 1_000);
    service.stop();
    check_counted(&read_all(&broker, &setup.topic("changes")), 1_000);
}

#[test]
fn frozen_longer_than_a_transaction_lives_it_goes_on_with_its_state() {
    let broker = broker::shared();
    let setup = Setup::on("frozen", broker, COUNT)
        .with("service.commit_interval=1ms")
        .with("kafka.properties.transaction.timeout.ms=1000")
        .with("kafka.properties.socket.timeout.ms=1000");
    setup.create_topics(1);
    let topic = setup.topic("events");
    let mut service = setup.start();
    service.says("runs partition 0");
    let writer = {
        let topic = topic.clone();
        thread::spawn(move || {
            for n in 0..240 {
                produce(broker, &topic, vec![Write::event(0, "u", event("u", now_ms(), n)); 5]);
                thread::sleep(Duration::from_millis(30));
            }
        })
    };
    for _ in 0..5 {
        thread::sleep(Duration::from_millis(300));
        service.signal(libc::SIGSTOP);
        thread::sleep(Duration::from_millis(2_000));
        service.signal(libc::SIGCONT);
    }
    writer.join().expect("the writer");
    service.until("the end", |_| total(&committed(broker, &setup.application, &topic)) == 1_200);
    println!("{}", service.stop());
    check_counted(&read_all(broker, &setup.topic("changes")), 1_200);
}

#[test]
fn silence_is_noticed_at_the_instant_without_any_event() {
    let catalog = "version: 1\n\
        counters:\n  last_click: { last: time, on: click }\n\
        tags:\n  silent: { when: seconds_since(last_click) >= 3 }\n";
    let broker = broker::shared();
    let setup = Setup::on("silence", broker, catalog).with("service.idle_grace=1s");
    setup.create_topics(2);
    let at = now_ms();
    let mut service = setup.start();
    service.says("runs partition 1");
    produce(broker, &setup.topic("events"), [Write::event(1, "u", event("u", at, 0))]);
    service.until("a change", |_| !read_all(broker, &setup.topic("changes")).is_empty());
    let noticed = now_ms();
    service.stop();
    let changes = read_all(broker, &setup.topic("changes"));
    assert_eq!(changes.len(), 1);
    let change = changes[0].json();
    assert_eq!((change["tag"].as_str(), change["cause"].as_str()), (Some("silent"), Some("timer")));
    let due = tagstream::model::Timestamp::from_ms(at + 3_000).to_string();
    assert_eq!(change["at"].as_str(), Some(due.as_str()));
    assert!(noticed >= at + 4_000, "noticed {} ms after the event, before the grace was over", noticed - at);
}

#[test]
fn deleted_records_stop_their_partition_loudly_and_no_other() {
    let broker = broker::shared();
    let setup = Setup::on("deleted", broker, ECHO);
    setup.create_topics(2);
    let topic = setup.topic("events");
    produce(broker, &topic, numbered(0, 10, 2));
    let mut service = setup.start();
    service.until("the end", |_| total(&committed(broker, "deleted", &topic)) == 10);
    service.stop();
    produce(broker, &topic, numbered(10, 20, 2));
    delete_records(broker, &topic, 0, 12);
    let mut service = setup.start();
    service.says("the records of partition 0 of deleted-events from offset 5 on are gone");
    service.until("the other partition", |_| committed(broker, "deleted", &topic)[1] == Some(15));
    assert_eq!(committed(broker, "deleted", &topic)[0], Some(5));
    service.stop();
}

/// History through Kafka: the clock of a partition moves with its events alone.
#[test]
fn without_a_grace_silence_is_noticed_by_the_next_event_only() {
    let catalog = "version: 1\n\
        counters:\n  last_active: { last: time, on: \"*\" }\n\
        tags:\n  silent: { when: seconds_since(last_active) >= 5 }\n";
    let broker = broker::shared();
    let setup = Setup::on("no-grace", broker, catalog).with("service.idle_grace=off");
    setup.create_topics(1);
    let topic = setup.topic("events");
    let at = now_ms() - 600_000;
    let send = |user: &str, at_ms: i64| produce(broker, &topic, [Write::event(0, user, event(user, at_ms, 0))]);
    let mut service = setup.start();
    send("u1", at);
    service.until("the first event", |_| total(&committed(broker, &setup.application, &topic)) == 1);
    // Ten minutes of the wall clock have passed since the event, and several looks at the end of the partition follow.
    thread::sleep(Duration::from_secs(3));
    assert_eq!(read_all(broker, &setup.topic("changes")).len(), 0);
    send("u2", at + 5_000);
    service.until("the second event", |_| total(&committed(broker, &setup.application, &topic)) == 2);
    service.stop();
    let changes = read_all(broker, &setup.topic("changes"));
    assert_eq!(changes.iter().map(Seen::key_text).collect::<Vec<_>>(), ["u1"]);
}
