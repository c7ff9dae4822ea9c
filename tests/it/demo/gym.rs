//! The gym: always the same from the same seed, in the order of time, and enough happens in it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use tagstream::catalog::{Catalog, TagDefinition, load};
use tagstream::codec::{Decoder, ParsedChange, write_change};
use tagstream::demo::CATALOG;
use tagstream::demo::gym::{Gym, GymEvent, GymPlan};
use tagstream::engine::{Partition, Program, Sink};
use tagstream::model::{Event, TagChange, Timestamp};

pub fn catalog() -> Catalog {
    let loaded = load(CATALOG);
    assert!(loaded.problems.is_empty(), "{:#?}", loaded.problems);
    loaded.catalog.unwrap()
}

fn plan(members: u32, days: u32, seed: u64) -> GymPlan {
    let end = Timestamp::parse("2026-11-22T15:30:00Z").unwrap();
    GymPlan { members, days, seed, end, zone: catalog().timezone }
}

fn events(members: u32, days: u32, seed: u64) -> Vec<GymEvent> {
    Gym::new(plan(members, days, seed)).collect()
}

/// Keeps the changes as a subscriber sees them.
#[derive(Default)]
struct Subscriber(Vec<ParsedChange>);

impl Sink for Subscriber {
    fn change(&mut self, change: &TagChange<'_>) {
        let mut record = Vec::new();
        write_change(change, &mut record);
        self.0.push(ParsedChange::parse(&record).unwrap());
    }
}

/// All changes of a gym, up to the end of its plan.
fn changes(members: u32, days: u32, seed: u64) -> Vec<ParsedChange> {
    let program = Program::new(catalog());
    let mut decoder = Decoder::new(&program.catalog);
    let mut partition = Partition::new(program);
    let mut subscriber = Subscriber::default();
    let mut event = Event::default();
    let plan = plan(members, days, seed);
    for gym_event in Gym::new(plan.clone()) {
        let accepted = decoder.decode(gym_event.line.as_bytes(), gym_event.time, &mut event);
        assert_eq!(accepted, Ok(()), "{}", gym_event.line);
        assert_eq!((event.time, event.key()), (gym_event.time, gym_event.key.as_str()));
        partition.apply(&event, &mut subscriber);
    }
    partition.advance(plan.end, &mut subscriber);
    assert!(partition.take_stats().duplicates > 0, "nothing was sent twice");
    subscriber.0
}

#[test]
fn a_seed_always_gives_the_same_gym() {
    assert_eq!(events(80, 20, 7), events(80, 20, 7));
    assert_ne!(events(80, 20, 7), events(80, 20, 8));
}

#[test]
fn events_come_in_the_order_of_time_within_the_plan() {
    for (members, days) in [(200, 60), (50, 3), (1, 1), (0, 5)] {
        let plan = plan(members, days, 1);
        let events = events(members, days, 1);
        assert!(events.is_sorted_by_key(|event| event.time));
        assert!(events.iter().all(|event| plan.start() <= event.time && event.time < plan.end));
    }
}

#[test]
fn the_order_holds_where_the_clocks_change() {
    for zone in ["Europe/Berlin", "America/New_York", "Asia/Shanghai", "America/Asuncion"] {
        let zone = TimeZone::get(zone).unwrap();
        for end in ["2026-04-10T12:00:00Z", "2026-11-10T12:00:00Z"] {
            let end = Timestamp::parse(end).unwrap();
            let plan = GymPlan { zone: zone.clone(), end, ..plan(100, 45, 3) };
            assert!(Gym::new(plan).is_sorted_by_key(|event| event.time));
        }
    }
}

#[test]
fn people_come_by_day_and_on_mondays() {
    let mut by_hour = BTreeMap::<i8, u32>::new();
    let mut by_weekday = BTreeMap::<i8, u32>::new();
    let zone = catalog().timezone;
    for event in events(500, 56, 1) {
        if event.line.contains(r#""type":"workout""#) {
            let local = jiff::Timestamp::from_millisecond(event.time.ms()).unwrap().to_zoned(zone.clone());
            *by_hour.entry(local.hour()).or_default() += 1;
            *by_weekday.entry(local.weekday().to_monday_one_offset()).or_default() += 1;
        }
    }
    assert!(by_hour.keys().all(|hour| (6..=23).contains(hour)), "{by_hour:?}");
    assert!(by_hour[&19] > 3 * by_hour[&15], "{by_hour:?}");
    assert!(by_weekday[&1] > by_weekday[&7], "{by_weekday:?}");
}

#[test]
fn every_tag_is_entered_and_left_by_someone() {
    for seed in [1] {
        let mut entered = BTreeSet::new();
        let mut left = BTreeSet::new();
        for change in changes(1_000, 60, seed) {
            entered.insert(format!("{} {}", change.tag, change.value));
            left.insert(format!("{} {}", change.tag, change.previous));
        }
        let has = |seen: &BTreeSet<String>, value: &str| seen.iter().any(|seen| seen.starts_with(value));
        for value in named_values(&catalog()) {
            assert!(has(&entered, &value), "seed {seed}: nobody entered {value}");
            assert!(has(&left, &value), "seed {seed}: nobody left {value}");
        }
    }
}

/// Every value that a tag of the catalog names, as `tag "value"`; of a value without bands, which is up to the events, `tag "`.
fn named_values(catalog: &Catalog) -> Vec<String> {
    let mut values = Vec::new();
    for tag in &catalog.tags {
        match &tag.definition {
            TagDefinition::Rule { .. } => values.push(format!("{} true", tag.name)),
            TagDefinition::Value { bands: None, .. } => values.push(format!("{} \"", tag.name)),
            TagDefinition::Value { bands: Some(bands), .. } => {
                values.extend(bands.names.iter().map(|name| format!("{} \"{name}\"", tag.name)));
            }
            TagDefinition::Manual { .. } | TagDefinition::Score(_) => {}
            TagDefinition::Stages(stages) => {
                values.extend(stages.iter().map(|stage| format!("{} \"{}\"", tag.name, stage.name)));
            }
        }
    }
    values
}
