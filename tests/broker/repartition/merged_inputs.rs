//! Several inputs without a partition key: users and accounts have the changes that one replay of all of it gives.

use std::thread;
use std::time::{Duration, Instant};

use tagstream::model::Timestamp;

use super::{TOPICS, merged_service};
use crate::fixture::broker;
use crate::fixture::client::{Write, committed, describe, produce, read_all};
use crate::fixture::now_ms;
use crate::oracle::merged_replay::{CATALOG, Mixed, compare};
use crate::support::service::{Setup, text};

#[test]
fn an_hour_of_backlog_an_idle_partition_and_a_stop_count_as_if_read_live() {
    let broker = broker::shared();
    // So that the one that is far ahead has to rest.
    let setup = merged_service("meeting").with("service.max_waiting_mb=3");
    setup.create_topics(3);
    let mut mixed = Mixed::new(5);
    // An hour in the past, most of it in one partition, and large; one partition of the six never has anything.
    let start = now_ms() - 3_600_000;
    let mut backlog = vec![Vec::new(); 5];
    for n in 0..12_000_i64 {
        let heavy = n % 5 > 0;
        let place = if heavy { 0 } else { (n / 5 % 5) as usize };
        let write = mixed.at(start + n * 290, (place % 3) as i32, if heavy { 2_000 } else { 300 });
        backlog[place].push(write);
    }
    for (place, writes) in backlog.into_iter().enumerate() {
        produce(broker, &setup.topic(TOPICS[place / 3]), writes);
    }
    let places: Vec<(String, i32)> = (0..5).map(|place| (setup.topic(TOPICS[place / 3]), (place % 3) as i32)).collect();
    let write = |mixed: &mut Mixed, places: &[(String, i32)], times: usize| {
        for _ in 0..times {
            mixed.write_now(broker, places, 30);
            thread::sleep(Duration::from_millis(100));
        }
    };
    let mut service = setup.start();
    service.says("of meeting-by-account from offset");
    write(&mut mixed, &places, 20);
    service.stop();
    // It is away, and the events come in as ever.
    write(&mut mixed, &places[1..], 15);
    thread::sleep(Duration::from_secs(3));
    write(&mut mixed, &places, 15);
    let mut service = setup.start();
    service.says("of meeting-by-account from offset");
    write(&mut mixed, &places, 15);
    let compared = compare(broker, &setup, &TOPICS, || {});
    service.stop();
    println!("{compared:?}");
    assert!(
        compared.events > 13_000 && compared.changes > 5_000 && compared.entities == 340,
        "too little: {compared:?}"
    );
}

#[test]
fn accounts_of_an_input_by_user_meet_and_users_are_counted_where_they_are_read() {
    let broker = broker::shared();
    let setup = Setup::on("accounts", broker, CATALOG).with("service.idle_grace=3s").with("service.workers=2");
    setup.create_topics(2);
    let mut mixed = Mixed::new(6);
    let by_user = |mut write: Write| {
        let value = String::from_utf8_lossy(write.value.as_deref().unwrap_or_default()).into_owned();
        let user = value.split('"').nth(3).unwrap_or_default().bytes().map(i32::from).sum::<i32>();
        write.partition = user % 2;
        write
    };
    let mut service = setup.start();
    service.says("of accounts-by-account from offset");
    for _ in 0..100 {
        let events: Vec<Write> = (0..5).map(|_| by_user(mixed.at(now_ms(), 0, 0))).collect();
        produce(broker, &setup.topic("events"), events);
    }
    let compared = compare(broker, &setup, &["events"], || {});
    service.stop();
    println!("{compared:?}");
    assert!(compared.changes > 500, "too little: {compared:?}");
    assert_eq!(describe(broker, "accounts-by-account").0, 2);
    let output = setup.output(&["topics", "create"]);
    assert!(output.status.success() && !text(&output).contains("by-user"), "{}", text(&output));
}

/// A tag that only silence sets.
const QUIET: &str = "version: 1\n\
    counters:\n  latest: { last: time, on: \"*\" }\n\
    tags:\n  quiet: { when: seconds_since(latest) >= 8 }\n";

#[test]
fn an_outage_of_all_inputs_stops_the_clocks_of_what_is_merged_too() {
    let broker = broker::shared();
    let setup = Setup::on("merged-outage", broker, QUIET)
        .with("input.partitioned_by=none")
        .with("service.outage_after=4s")
        .with("service.idle_grace=0s");
    setup.create_topics(2);
    let event = |partition: i32, user: &str| {
        let at = now_ms();
        let text = format!(r#"{{"user_id":"{user}","type":"click","timestamp":{at}}}"#);
        produce(broker, &setup.topic("events"), [Write::event(partition, user, text)]);
        at
    };
    let mut service = setup.start();
    service.says("of merged-outage-by-user from offset");
    let first = event(0, "first");
    service.says("the clocks stop");
    // Longer than the tag waits for.
    thread::sleep(Duration::from_secs(9));
    assert!(read_all(broker, &setup.topic("changes")).is_empty(), "silence of the pipeline was taken for the user's");
    event(1, "second");
    service.until("the clocks to go on", |_| !read_all(broker, &setup.topic("changes")).is_empty());
    let change = read_all(broker, &setup.topic("changes")).remove(0).json();
    assert_eq!((change["key"].as_str(), change["tag"].as_str()), (Some("first"), Some("quiet")));
    assert_eq!(change["at"], Timestamp::from_ms(first + 8_000).to_string());
    service.stop();
}

#[test]
fn however_often_it_starts_anew_no_more_waits_than_may() {
    const EVENT_BYTES: usize = 1_000;
    let broker = broker::shared();
    // Of the two sources one never says anything, so nothing of the other may go.
    let setup = Setup::on("waiting", broker, QUIET)
        .with("input.partitioned_by=none")
        .with("service.idle_grace=1d")
        .with("service.max_waiting_mb=2");
    setup.create_topics(2);
    let event = |n: usize| {
        let text = format!(r#"{{"user_id":"u{n}","type":"click","timestamp":{},"padding":""#, now_ms());
        Write::event(0, "", format!("{text:x<width$}\"}}", width = EVENT_BYTES - 2))
    };
    produce(broker, &setup.topic("events"), (0..8_000).map(event));
    for _ in 0..3 {
        let mut service = setup.start();
        service.says("of waiting-by-user from offset");
        let (mut stands, mut since) = (None, Instant::now());
        service.until("it to rest", |_| {
            let passed = committed(broker, &setup.application, &setup.topic("events"))[0];
            if passed != stands {
                (stands, since) = (passed, Instant::now());
            }
            passed > Some(0) && since.elapsed() > Duration::from_millis(1_500)
        });
        service.stop();
    }
    let records = read_all(broker, &setup.topic("by-user"));
    let waiting: usize = records.iter().filter_map(|record| Some(record.value.as_ref()?.len())).sum();
    let room = (2 << 20) / 2;
    assert!((room..room + 2 * EVENT_BYTES).contains(&waiting), "{waiting} bytes wait, {room} may");
}
