//! The engine does not allocate for an event once its buffers have grown.

use std::fmt::Write;

use tagstream::codec::Decoder;
use tagstream::engine::{Partition, Program, Sink};
use tagstream::model::{Event, TagChange, Timestamp};

use super::allocations;

const CATALOG: &str = "
version: 1
timezone: Europe/Berlin
input: { dedup: 2s }
attributes:
  plan: { from: visit, value: properties.plan }
counters:
  visits: { count: visit, window: 30d }
  spend: { sum: properties.amount, on: visit, window: 180d }
  most: { max: properties.amount, on: visit, window: 7d }
  pages: { distinct: properties.page, on: visit, window: 7d }
  page: { top: properties.page, on: visit, window: 7d }
  days: { active_days: visit, window: 7d }
  last: { last: time, on: visit }
  first_page: { first: properties.page, on: visit }
tags:
  active: { when: visits >= 2, until: visits < 1 }
  level: { value: spend, bands: [{ name: low, below: 1000000000 }, { name: high }] }
  risk: { when: days_since(last) >= 14 }
  page: { value: page }
  first_page: { value: first_page }
  wide: { when: pages >= 3 && days >= 1 && most > 5 }
  plan: { value: plan }
  both: { when: tag.active && plan == \"gold\" }
";

#[derive(Default)]
struct Counted(u64);

impl Sink for Counted {
    fn change(&mut self, _: &TagChange<'_>) {
        self.0 += 1;
    }
}

/// Events of fifty users, a second apart, all within one hour.
fn lines() -> Vec<String> {
    let start = Timestamp::parse("2026-03-02T10:00:00Z").expect("a time");
    (0..3_000)
        .map(|n| {
            let mut line = String::new();
            let _ = write!(
                line,
                r#"{{"user_id":"user-{}","type":"visit","id":{n},"timestamp":"{}","properties":{{"page":"page-{}","amount":{}.25,"plan":"gold"}}}}"#,
                n % 50,
                start.plus(n * 1_000),
                n % 7,
                n % 11,
            );
            line
        })
        .collect()
}

#[test]
fn an_event_does_not_allocate() {
    let loaded = tagstream::catalog::load(CATALOG);
    let program = Program::new(loaded.catalog.unwrap_or_else(|| panic!("{:#?}", loaded.problems)));
    let mut decoder = Decoder::new(&program.catalog);
    let mut partition = Partition::new(program);
    let (mut event, mut sink) = (Event::default(), Counted::default());
    let lines = lines();
    let mut apply = |line: &String| {
        decoder.decode(line.as_bytes(), Timestamp::MAX, &mut event).expect("the event is right");
        partition.apply(&event, &mut sink);
        sink.0
    };
    let (warm_up, steady) = lines.split_at(2_000);
    let before = warm_up.iter().map(&mut apply).max();
    let (allocations, after) = allocations::count(|| steady.iter().map(&mut apply).max());
    assert!(before > Some(200), "the warm-up has changes: {before:?}");
    assert_ne!(before, after, "there are changes in the steady state too");
    assert_eq!(allocations, 0);
}
