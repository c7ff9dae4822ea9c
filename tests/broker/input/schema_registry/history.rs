//! A new counter begins with what the topic retains, although the history has two versions of a schema.

use std::collections::BTreeMap;

use super::apicurio;
use super::senders::{Bought, send};
use crate::fixture::broker;
use crate::fixture::client::{committed, read_all};
use crate::fixture::now_ms;
use crate::support::service::Setup;

const OLD: &str = "version: 1\n\
    counters:\n  n: { count: \"*\" }\n\
    tags:\n  seen: { value: n }\n";
const NEW: &str = "version: 1\n\
    counters:\n  n: { count: \"*\" }\n  spent: { sum: properties.amount, on: bought, window: 90d }\n\
    tags:\n  seen: { value: n }\n  spent: { value: spent }\n";

const USERS: usize = 10;
const DAYS: usize = 8;
const DAY: i64 = 86_400_000;

/// Each user buys once a day. In the middle of the history the senders begin with a new version of their schema.
fn day(number: usize, first: i64) -> impl Iterator<Item = Bought> {
    let format = if number < DAYS / 2 { "avro-1" } else { "avro-2" };
    (0..USERS).map(move |user| Bought {
        format,
        partition: (user % 2) as i32,
        user: format!("u{user}"),
        at: first + number as i64 * DAY + user as i64,
        amount: format!("{user}.{number:02}"),
    })
}

/// What a user has spent in the first days, in cents.
fn cents(user: usize, days: usize) -> i64 {
    (0..days).map(|number| (user * 100 + number) as i64).sum()
}

#[test]
fn a_history_in_two_versions_of_a_schema_is_counted_again() {
    let broker = broker::shared();
    let setup = Setup::on("avro-history", broker, OLD)
        .with("input.format=confluent")
        .with(&format!("schema_registry.url={}", apicurio::shared()));
    setup.create_topics(2);
    let (topic, first) = (setup.topic("events"), now_ms() - 20 * DAY);
    send(&topic, (0..DAYS).flat_map(|number| day(number, first)));
    let is_read = |days: usize| {
        committed(broker, &setup.application, &topic).iter().flatten().sum::<i64>() == (days * USERS) as i64
    };
    let mut service = setup.start();
    service.until("the events under the old catalog", |_| is_read(DAYS));
    service.stop();
    let before = read_all(broker, &setup.topic("changes")).len();
    assert_eq!(before, DAYS * USERS);

    setup.edit(NEW);
    let spent = |cause: &str| {
        let changes = read_all(broker, &setup.topic("changes"));
        let of = |change: &serde_json::Value| change["tag"] == "spent" && change["cause"] == *cause;
        let changes = changes.iter().map(|change| change.json()).filter(of);
        let value = |change: &serde_json::Value| (change["value"].as_f64().unwrap_or_default() * 100.0).round() as i64;
        changes
            .map(|change| (change["key"].as_str().unwrap_or_default().to_owned(), value(&change)))
            .collect::<Vec<_>>()
    };
    let mut service = setup.start_command(setup.command(&["run", "--rebuild", "--approve-changes"]));
    for partition in 0..2 {
        let events = DAYS * USERS / 2;
        service.says(&format!("has counted the history of partition {partition} again, {events} events"));
    }
    service.until("the tags of the new counter", |_| spent("catalog").len() == USERS);
    // What comes after it goes on from there.
    send(&topic, day(DAYS, first));
    service.until("another day", |_| spent("event").len() == USERS);
    service.stop();
    let expected =
        |days: usize| (0..USERS).map(|user| (format!("u{user}"), cents(user, days))).collect::<BTreeMap<_, _>>();
    assert_eq!(spent("catalog").into_iter().collect::<BTreeMap<_, _>>(), expected(DAYS));
    assert_eq!(spent("event").into_iter().collect::<BTreeMap<_, _>>(), expected(DAYS + 1));
    assert_eq!(read_all(broker, "avro-history-dead-letter").len(), 0);
}
