//! `--rebuild`: a counter that the catalog has new begins with what the input topic retains.

use std::collections::BTreeMap;
use std::fs;

use super::broker;
use super::client::{Write, committed, produce, read_all};
use super::running::{now_ms, total};
use super::service::{Setup, text};

const OLD: &str = "version: 1\n\
    counters:\n  n: { count: \"*\" }\n\
    tags:\n  seen: { value: n }\n";
const NEW: &str = "version: 1\n\
    counters:\n  n: { count: \"*\" }\n  spent: { sum: properties.x, on: \"*\", window: 90d }\n\
    tags:\n  seen: { value: n }\n  spent: { value: spent }\n  big: { when: spent >= 60 }\n";

const USERS: usize = 30;
const DAY: i64 = 86_400_000;

/// Each user has one event a day.
fn day(number: usize, first: i64) -> impl Iterator<Item = Write> {
    (0..USERS).map(move |user| {
        let at = first + number as i64 * DAY + user as i64;
        let line = format!(r#"{{"user_id":"u{user}","type":"a","timestamp":{at},"properties":{{"x":{user}}}}}"#);
        Write::event((user % 2) as i32, &format!("u{user}"), line)
    })
}

#[test]
fn a_new_counter_begins_with_what_the_topic_retains() {
    let broker = broker::shared();
    let setup = Setup::on("rebuilt", broker, OLD);
    setup.create_topics(2);
    let (topic, first) = (setup.topic("events"), now_ms() - 40 * DAY);
    produce(broker, &topic, (0..39).flat_map(|number| day(number, first)));
    let is_read =
        |days: usize| total(&committed(broker, &setup.application, &setup.topic("events"))) == (days * USERS) as i64;
    let mut service = setup.start();
    service.until("the events under the old catalog", |_| is_read(39));
    service.stop();
    let before = read_all(broker, &setup.topic("changes"));
    assert_eq!(before.len(), 39 * USERS);
    let old_catalog = before[0].json()["catalog"].clone();

    fs::write(setup.folder.join("catalog.yaml"), NEW).expect("a catalog");
    let mut service = setup.start_command(setup.command(&["run", "--rebuild", "--approve-changes"]));
    service.says("has counted the history of partition 0 again, 585 events");
    let found = || {
        let mut changes = read_all(broker, &setup.topic("changes"));
        changes.retain(|change| change.json()["catalog"] != old_catalog);
        changes
    };
    // All have a sum; who spends 2 a day or more has spent 60.
    service.until("the tags of the new counter", |_| found().len() == USERS + USERS - 2);
    service.stop();
    let mut spent = BTreeMap::new();
    for change in found() {
        let json = change.json();
        assert_eq!((json["cause"].as_str(), json["tag"] == "seen"), (Some("catalog"), false), "{json}");
        if json["tag"] == "spent" {
            spent.insert(change.key_text(), json["value"].as_f64());
        }
    }
    let expected: BTreeMap<_, _> = (0..USERS).map(|user| (format!("u{user}"), Some((user * 39) as f64))).collect();
    assert_eq!(spent, expected);

    // The state was written, so the flag is not needed again.
    produce(broker, &topic, day(39, first));
    let mut service = setup.start();
    service.until("the last day", |_| is_read(40));
    let log = service.stop();
    assert!(!log.contains("counted the history"), "{log}");
    let last = found().into_iter().map(|change| change.json());
    let sums: BTreeMap<_, _> = last
        .filter(|json| json["tag"] == "spent" && json["cause"] == "event")
        .map(|json| (json["key"].as_str().unwrap_or_default().to_owned(), json["value"].as_f64()))
        .collect();
    assert_eq!(sums.len(), USERS - 1, "{sums:?}");
    assert_eq!(sums["u29"], Some((29 * 40) as f64));
}

#[test]
fn merged_inputs_cannot_be_counted_again() {
    let setup = Setup::on("unbuilt", broker::shared(), OLD).with("input.partitioned_by=none");
    let output = setup.output(&["run", "--rebuild"]);
    assert_eq!(output.status.code(), Some(78), "{}", text(&output));
    assert!(text(&output).contains("--rebuild is not possible"), "{}", text(&output));
}
