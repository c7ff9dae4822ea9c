//! Inputs that are merged, and what must come of them: the changes of one replay of all of it in the order of time, or of
//! models that adopt each catalog where the changelogs say that it came into force.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tagstream::codec::Decoder;
use tagstream::model::{EntityKindId, Event, Timestamp};

use crate::fixture::client::murmur2_partition;
use crate::fixture::client::{Isolation, Write, ends, produce, read_all};
use crate::fixture::now_ms;
use crate::oracle::catalog_eras::{Catalogs, Lines, Model, Standing, eras};
use crate::support::service::Bootstrap;
use crate::support::service::Setup;

/// Users and accounts, with windows of seconds and of minutes, and a tag that shows the order of all events.
pub const CATALOG: &str = r#"version: 1
entities:
  account: { key: /properties/account }
counters:
  visits: { count: visit, window: 10s }
  spent: { sum: properties.amount, on: purchase, window: 10m }
  last_active: { last: time, on: "*" }
  seats: { distinct: properties.seat, on: "*", window: 10s, entity: account }
  sales: { count: purchase, window: 10m, entity: account }
  last_sale: { last: properties.amount, on: purchase, entity: account }
tags:
  busy: { when: visits >= 3, until: visits < 2 }
  silent: { when: seconds_since(last_active) >= 4 }
  spend: { value: spent, bands: [ { name: low, below: 50 }, { name: mid, below: 300 }, { name: high } ] }
  crowded: { when: seats >= 3, entity: account }
  selling: { when: sales >= 20, until: sales < 10, for: 1s, entity: account }
  latest_sale: { value: last_sale, entity: account }
"#;

/// How long after the last event everything is compared.
const LAPSE_MS: i64 = 10_000;
const PATIENCE: Duration = Duration::from_secs(120);

/// Events of users and accounts, whichever partition they come to.
pub struct Mixed {
    dice: fastrand::Rng,
    count: usize,
}

impl Mixed {
    pub fn new(seed: u64) -> Mixed {
        Mixed { dice: fastrand::Rng::with_seed(seed), count: 0 }
    }

    /// One that happened at about this time. One in five hundred is not an event.
    pub fn at(&mut self, at_ms: i64, partition: i32, padding: usize) -> Write {
        self.count += 1;
        let dice = &mut self.dice;
        let (user, account, seat) = (dice.usize(0..300), dice.usize(0..40), dice.usize(0..6));
        let (at, amount) = (at_ms - dice.i64(0..400), self.count);
        if dice.usize(0..500) == 0 {
            return Write::event(partition, "", "no event");
        }
        let kind = if dice.usize(0..3) == 0 { "purchase" } else { "visit" };
        let padding = "x".repeat(padding);
        let text = format!(
            r#"{{"user_id":"u{user}","type":"{kind}","timestamp":{at},"properties":{{"account":"a{account}","seat":{seat},"amount":{amount}}},"padding":"{padding}"}}"#
        );
        Write::event(partition, "", text)
    }

    /// Writes some of now to these partitions.
    pub fn write_now(&mut self, brokers: &impl Bootstrap, places: &[(String, i32)], count: usize) {
        let mut by_topic: BTreeMap<&str, Vec<Write>> = BTreeMap::new();
        for _ in 0..count {
            let (topic, partition) = &places[self.dice.usize(0..places.len())];
            let event = self.at(now_ms(), *partition, 0);
            by_topic.entry(topic).or_default().push(event);
        }
        by_topic.into_iter().for_each(|(topic, events)| produce(brokers, topic, events));
    }
}

/// By kind and key of the entity: its changes, in order.
type Changes = BTreeMap<(String, String), Vec<String>>;

/// Where an event stands in the order: the clock of its source, the topic, the partition, the offset. Then the event.
type Placed<'a> = (Timestamp, &'a str, i32, i64, Vec<u8>);

/// What was compared.
#[derive(Debug)]
pub struct Compared {
    pub events: usize,
    pub changes: usize,
    pub entities: usize,
}

/// Waits until so much time has passed that all is there, and compares it.
pub fn compare(brokers: &impl Bootstrap, setup: &Setup, topics: &[&str], meanwhile: impl FnMut()) -> Compared {
    compare_eras(brokers, setup, topics, &[], meanwhile)
}

/// The same, where other catalogs were in force before the present one.
pub fn compare_eras(
    brokers: &impl Bootstrap,
    setup: &Setup,
    topics: &[&str],
    earlier: &[String],
    mut meanwhile: impl FnMut(),
) -> Compared {
    let (placed, rejected) = in_order(brokers, setup, topics);
    let until = placed.last().expect("events").0.plus(LAPSE_MS);
    let expected = if earlier.is_empty() {
        replayed(setup, &placed, until)
    } else {
        modelled(brokers, setup, &Catalogs::of_setup(earlier, setup), &placed, until)
    };
    let total: usize = expected.values().map(Vec::len).sum();
    let deadline = Instant::now() + PATIENCE;
    while changes(brokers, setup, until).values().map(Vec::len).sum::<usize>() < total && Instant::now() < deadline {
        meanwhile();
        thread::sleep(Duration::from_millis(300));
    }
    // What comes twice may come late.
    thread::sleep(Duration::from_millis(1_500));
    let found = changes(brokers, setup, until);
    for (entity, lines) in &expected {
        let found = found.get(entity).map(Vec::as_slice).unwrap_or_default();
        for (index, line) in lines.iter().enumerate() {
            assert_eq!(found.get(index), Some(line), "change {index} of {entity:?}");
        }
        assert_eq!(found.len(), lines.len(), "changes of {entity:?}, the last {:?}", found.last());
    }
    assert_eq!(found.len(), expected.len(), "entities");
    let letters = read_all(brokers, &setup.topic("dead-letter")).len();
    assert_eq!(letters, rejected, "dead letters");
    check_tags(brokers, setup);
    Compared { events: placed.len(), changes: total, entities: expected.len() }
}

/// The input in the order of time, and how many records are not events.
fn in_order<'a>(brokers: &impl Bootstrap, setup: &Setup, topics: &[&'a str]) -> (Vec<Placed<'a>>, usize) {
    let loaded = tagstream::catalog::load(CATALOG);
    let mut decoder = Decoder::new(&loaded.catalog.expect("a catalog"));
    let (mut event, mut all, mut rejected) = (Event::default(), Vec::new(), 0);
    for topic in topics {
        let mut clocks: BTreeMap<i32, Timestamp> = BTreeMap::new();
        for record in read_all(brokers, &setup.topic(topic)) {
            let value = record.value.expect("a value");
            if decoder.decode(&value, Timestamp::from_ms(now_ms()), &mut event).is_err() {
                rejected += 1;
                continue;
            }
            let clock = clocks.entry(record.partition).or_insert(event.time);
            *clock = event.time.max(*clock);
            all.push((*clock, *topic, record.partition, record.offset, value));
        }
    }
    all.sort();
    (all, rejected)
}

fn replayed(setup: &Setup, placed: &[Placed<'_>], until: Timestamp) -> Changes {
    let mut text = String::new();
    for (.., value) in placed {
        writeln!(text, "{}", String::from_utf8_lossy(value)).expect("room");
    }
    fs::write(setup.folder.join("merged.ndjson"), text).expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_tagstream"))
        .args(["replay", "catalog.yaml", "--input", "merged.ndjson", "--until", &until.to_string()])
        .current_dir(&setup.folder)
        .output()
        .expect("replay");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    by_entity(String::from_utf8(output.stdout).expect("UTF-8").lines().map(str::to_owned), until)
}

/// What models of all merged partitions say of events in their order.
fn modelled(
    brokers: &impl Bootstrap,
    setup: &Setup,
    catalogs: &Catalogs,
    placed: &[Placed<'_>],
    until: Timestamp,
) -> Changes {
    let (mut event, mut lines) = (Event::default(), Lines::default());
    for (kind, entity) in (0..).map(EntityKindId).zip(&catalogs.present.catalog.entities) {
        let topic = format!("{}-by-{}", setup.application, entity.name);
        let partitions = ends(brokers, &topic, Isolation::Uncommitted).len();
        let eras = eras(brokers, &format!("{topic}-changelog"), partitions);
        let mut models: Vec<Model> = eras.iter().map(|eras| Model::new(catalogs, kind, eras)).collect();
        let mut decoder = Decoder::new(&catalogs.present.catalog);
        for (clock, topic, partition, offset, value) in placed {
            decoder.decode(value, Timestamp::MAX, &mut event).expect("it was decoded before");
            let Some(key) = event.key_of(kind) else { continue };
            let model = &mut models[murmur2_partition(key.as_bytes(), partitions as i32) as usize];
            let source = (setup.topic(topic), *partition);
            let was_counted = |standing: &Standing| standing.sources.get(&source).is_some_and(|next| offset < next);
            model.before(was_counted, &mut lines);
            model.decoder.decode(value, Timestamp::MAX, &mut event).expect("it was decoded before");
            model.partition.advance(*clock, &mut lines);
            model.partition.apply(&event, &mut lines);
        }
        for model in &mut models {
            model.before(|_| false, &mut lines);
            model.partition.advance(until, &mut lines);
        }
    }
    by_entity(lines.0.into_iter(), until)
}

fn changes(brokers: &impl Bootstrap, setup: &Setup, until: Timestamp) -> Changes {
    let records = read_all(brokers, &setup.topic("changes"));
    let line = |record: crate::fixture::client::Seen| String::from_utf8(record.value.expect("a value")).expect("UTF-8");
    by_entity(records.into_iter().map(line), until)
}

fn by_entity(lines: impl Iterator<Item = String>, until: Timestamp) -> Changes {
    let mut changes = Changes::new();
    for line in lines {
        let json: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let text = |name: &str| json[name].as_str().expect("a string").to_owned();
        // All instants are written alike.
        if text("at") <= until.to_string() {
            changes.entry((text("entity"), text("key"))).or_default().push(line);
        }
    }
    changes
}

/// The topic of current tags says what the changes lead to.
fn check_tags(brokers: &impl Bootstrap, setup: &Setup) {
    let mut last: BTreeMap<String, serde_json::Value> = BTreeMap::new();
    let mut led_to: BTreeMap<String, BTreeMap<String, serde_json::Value>> = BTreeMap::new();
    for record in read_all(brokers, &setup.topic("tags")) {
        last.insert(record.key_text(), record.json()["tags"].clone());
    }
    for record in read_all(brokers, &setup.topic("changes")) {
        let change = record.json();
        let text = |name: &str| change[name].as_str().expect("a string").to_owned();
        let tags = led_to.entry(format!("{}:{}", text("entity"), text("key"))).or_default();
        match change["value"].is_null() {
            true => drop(tags.remove(&text("tag"))),
            false => drop(tags.insert(text("tag"), change["value"].clone())),
        }
    }
    for (entity, tags) in led_to {
        let found: BTreeMap<String, serde_json::Value> = last[&entity]
            .as_object()
            .expect("tags")
            .iter()
            .map(|(name, tag)| (name.clone(), tag["value"].clone()))
            .collect();
        // One may be a transaction ahead of the other: both go on.
        let differ = found.iter().filter(|(name, value)| tags.get(*name) != Some(value)).count();
        assert!(differ <= 1, "{entity}: {found:?}, the changes lead to {tags:?}");
    }
}
