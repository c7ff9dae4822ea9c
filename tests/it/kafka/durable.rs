//! Counters outlive the process: they go on from the changelog, whatever has happened to it meanwhile.

use std::collections::BTreeMap;

use super::broker::{self, Broker};
use super::client::{Write, committed, produce, read_all};
use super::service::Setup;

/// The state shows: how many events the user has had.
const COUNT: &str = "version: 1\n\
    counters:\n  n: { count: \"*\" }\n\
    tags:\n  seen: { value: n }\n";

const USERS: usize = 50;
const PARTITIONS: usize = 2;
const KILL: i32 = 9;

fn events(first: usize, count: usize) -> Vec<Write> {
    let line = |n: usize| {
        let (user, at) = (n % USERS, 1_700_000_000_000 + n as i64);
        let text = format!(r#"{{"user_id":"u{user}","type":"click","timestamp":{at}}}"#);
        Write::event((user % PARTITIONS) as i32, &format!("u{user}"), text)
    };
    (first..first + count).map(line).collect()
}

fn read_to(broker: &Broker, setup: &Setup, count: usize) -> bool {
    let offsets = committed(broker, &setup.application, &setup.topic("events"));
    offsets.iter().flatten().sum::<i64>() == count as i64
}

/// Every user's changes are those of one counter that never began again: 1, 2, 3 …
fn check(broker: &Broker, setup: &Setup, count: usize) {
    let mut counted: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for change in read_all(broker, &setup.topic("changes")) {
        let json = change.json();
        let value = json["value"].as_i64().expect("a number");
        assert_eq!(json["seq"].as_i64(), Some(value), "{json}");
        counted.entry(change.key_text()).or_default().push(value);
    }
    assert_eq!(counted.len(), USERS);
    for (user, values) in counted {
        let expected: Vec<i64> = (1..=(count / USERS) as i64).collect();
        assert_eq!(values, expected, "{user}");
    }
}

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
    service.says("has restored partition 1: 25 users");
    service.until("the second events", |_| read_to(broker, &setup, 2_000));
    service.signal(KILL);
    service.ended();
    produce(broker, &topic, events(2_000, 1_000));
    let mut service = setup.start();
    service.until("the third events", |_| read_to(broker, &setup, 3_000));
    service.stop();
    check(broker, &setup, 3_000);
}
