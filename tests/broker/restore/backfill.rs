//! `--rebuild`: a counter that the catalog has new begins with what the input topic retains.

use std::collections::BTreeMap;

use crate::fixture::broker;
use crate::fixture::client::{Seen, Write, committed, produce, read_all};
use crate::fixture::echo::total;
use crate::fixture::failpoint::die;
use crate::fixture::now_ms;
use crate::support::service::{Setup, text};

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

    setup.edit(NEW);
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

/// So many that those of a partition are not all evaluated at one millisecond.
const MANY: usize = 1_000;
/// How often each of them spends.
const ROUNDS: usize = 5;

/// One event of each of many users.
fn round(number: usize, first: i64) -> impl Iterator<Item = Write> {
    (0..MANY).map(move |user| {
        let at = first + number as i64 * 3_600_000;
        let line = format!(r#"{{"user_id":"u{user}","type":"a","timestamp":{at},"properties":{{"x":{user}}}}}"#);
        Write::event((user % 2) as i32, &format!("u{user}"), line)
    })
}

/// Lets the clock of each partition come to an instant.
fn nudge(at: i64) -> impl Iterator<Item = Write> {
    (0..2).map(move |partition| {
        let key = format!("nudge-{partition}");
        Write::event(partition, &key, format!(r#"{{"user_id":"{key}","type":"b","timestamp":{at}}}"#))
    })
}

/// The changes of many users under the second catalog.
fn of_many(setup: &Setup, old_catalog: &serde_json::Value) -> Vec<serde_json::Value> {
    let all = read_all(broker::shared(), &setup.topic("changes"));
    let mut changes: Vec<_> = all.iter().map(Seen::json).collect();
    changes.retain(|change| change["catalog"] != *old_catalog && change["key"].as_str().unwrap_or("").starts_with('u'));
    changes
}

#[test]
fn killed_half_way_it_counts_and_tells_everything_once() {
    let broker = broker::shared();
    let setup = Setup::on("rebuilt-killed", broker, OLD)
        .with("service.workers=1")
        .with("service.commit_interval=20ms")
        // Events alone move the clocks.
        .with("service.idle_grace=1d");
    setup.create_topics(2);
    let (topic, first) = (setup.topic("events"), now_ms() - 20 * 3_600_000);
    produce(broker, &topic, (0..ROUNDS).flat_map(|number| round(number, first)));
    let read = || total(&committed(broker, &setup.application, &topic)) as usize;
    let mut service = setup.start();
    service.until("the events under the old catalog", |_| read() == ROUNDS * MANY);
    service.stop();
    let old_catalog = read_all(broker, &setup.topic("changes"))[0].json()["catalog"].clone();
    let clock = first + (ROUNDS as i64 - 1) * 3_600_000;

    setup.edit(NEW);
    let die_at = |step: &str, passing: u32| {
        let mut command = setup.command(&["run", "--rebuild", "--approve-changes"]);
        command.env("TAGSTREAM_FAILPOINT", format!("{step}:{passing}"));
        die(&mut setup.start_command(command), step);
    };
    // In the middle of the history of one partition; then of that of the other.
    die_at("rebuild_record", 700);
    die_at("rebuild_record", 3_200);
    // Only those have had their turn that are evaluated at the next millisecond; first this comes to nothing.
    produce(broker, &topic, nudge(clock + 1));
    die_at("delivered", 1);
    assert_eq!(of_many(&setup, &old_catalog).len(), 0);
    die_at("committed", 1);
    let told = of_many(&setup, &old_catalog).iter().filter(|change| change["tag"] == "spent").count();
    assert!(told > 0 && told < MANY, "{told} of {MANY} were told: this is not half-way");

    let mut service = setup.start_command(setup.command(&["run", "--rebuild", "--approve-changes"]));
    service.says("has counted the history of partition 1 again");
    produce(broker, &topic, nudge(clock + 60_000));
    // Sixty are spent by who spends twelve a time.
    service.until("all tags", |_| of_many(&setup, &old_catalog).len() >= MANY + MANY - 12);
    service.stop();
    // The flag is not needed again: what was written goes on.
    produce(broker, &topic, round(ROUNDS, first));
    let mut service = setup.start();
    service.until("another round", |_| read() == (ROUNDS + 1) * MANY + 4);
    service.stop();

    let mut spent: BTreeMap<String, Vec<(f64, bool)>> = BTreeMap::new();
    for change in of_many(&setup, &old_catalog).iter().filter(|change| change["tag"] == "spent") {
        let key = change["key"].as_str().unwrap_or_default().to_owned();
        let value = change["value"].as_f64().unwrap_or_default();
        spent.entry(key).or_default().push((value, change["cause"] == "catalog"));
    }
    for user in 0..MANY {
        let sum = |rounds: usize| (user * rounds) as f64;
        let mut expected = vec![(sum(ROUNDS), true)];
        expected.extend((user > 0).then_some((sum(ROUNDS + 1), false)));
        assert_eq!(spent[&format!("u{user}")], expected, "u{user}");
    }
}
