//! The cells of resets, sessions, steps and elements: what each looks like, and that it is read as it was written.

use std::sync::Arc;

use tagstream::codec::{ChangelogRecord, Decoder};
use tagstream::engine::{Checkpoint, Extent, Partition, Program, StateRestorer};
use tagstream::model::{Event, Timestamp};

use super::changelog::{Ignored, META, Written, cells, golden, golden_pair, read};

const CATALOG: &str = r#"
version: 1
timezone: Asia/Shanghai
counters:
  fails: { count: failed, since: { on: [paid, "refund_*"], where: properties.full }, window: 7d, resolution: 1d }
  latest: { last: properties.page, on: visit, since: paid }
  sittings: { sessions: visit, gap: 30m, window: 7d, resolution: 1d }
  steps: { sequence: [visit, { on: bought, where: properties.amount > 1 }, joined, left], within: 3d }
  lines: { sum: item.price * item.quantity, on: bought, each: properties.items, where: item.price > 0.5 }
  dearest: { max: item.price, on: bought, each: properties.items }
  before: { count: visit, window: 2d, ago: 3d, resolution: 1d }
tags:
  fails: { when: fails >= 1 }
  rest: { when: has(latest) && sittings > 1 && steps > 1 && lines > 1 && dearest > 1 && before > 1 }
"#;

const EVENTS: [&str; 7] = [
    r#"{"user_id":"k","type":"failed","timestamp":"2026-03-01T09:00:00Z"}"#,
    r#"{"user_id":"k","type":"refund_all","timestamp":"2026-03-01T09:10:00Z","properties":{"full":true}}"#,
    r#"{"user_id":"k","type":"paid","timestamp":"2026-03-01T09:15:00Z"}"#,
    r#"{"user_id":"k","type":"failed","timestamp":"2026-03-01T09:20:00Z"}"#,
    r#"{"user_id":"k","type":"visit","timestamp":"2026-03-01T22:00:00Z","properties":{"page":"home"}}"#,
    r#"{"user_id":"k","type":"visit","timestamp":"2026-03-02T10:00:00Z","properties":{"page":"shop"}}"#,
    r#"{"user_id":"k","type":"bought","timestamp":"2026-03-02T11:00:00Z","properties":{"amount":2,"items":[{"price":2.5,"quantity":2},{"price":0.25}]}}"#,
];

fn program() -> Arc<Program> {
    let loaded = tagstream::catalog::load(CATALOG);
    Program::new(loaded.catalog.unwrap_or_else(|| panic!("{:#?}", loaded.problems)))
}

/// The schema and the segment of a partition after events.
fn written(partition: &mut Partition, events: &[&str]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (mut decoder, mut event) = (Decoder::new(&program().catalog), Event::default());
    for line in events {
        decoder.decode(line.as_bytes(), Timestamp::MAX, &mut event).expect("the event is right");
        partition.apply(&event, &mut Ignored);
    }
    let mut written = Written::default();
    partition.write_changelog(&mut written);
    written.0
}

fn state(record: &(Vec<u8>, Vec<u8>)) -> Vec<String> {
    let ChangelogRecord::Segment(states) = read(record) else { panic!("a segment") };
    cells(states.entries)
}

#[test]
fn what_is_written_is_what_it_was() {
    let records = written(&mut Partition::new(program()), &EVENTS);
    assert_eq!(records.len(), 2);
    for (name, (key, value)) in ["schema-memories.v1", "segment-memories.v1"].iter().zip(&records) {
        assert!(*value == golden(&format!("{name}.value"), value), "{name}: the value");
        assert!(*key == golden(&format!("{name}.key"), key), "{name}: the key");
    }
    let cells = state(&records[1]).join("\n") + "\n";
    assert_eq!(cells.as_bytes(), golden("segment-memories.cells.txt", cells.as_bytes()), "{cells}");
}

#[test]
fn what_was_written_goes_on_as_if_nothing_had_happened() {
    /// Each is right only with what is remembered.
    const LATER: [&str; 5] = [
        r#"{"user_id":"k","type":"failed","timestamp":"2026-03-01T09:05:00Z"}"#,
        r#"{"user_id":"k","type":"visit","timestamp":"2026-03-02T10:29:00Z","properties":{"page":"cart"}}"#,
        r#"{"user_id":"k","type":"joined","timestamp":"2026-03-02T12:00:00Z"}"#,
        r#"{"user_id":"k","type":"left","timestamp":"2026-03-02T13:00:00Z"}"#,
        r#"{"user_id":"k","type":"bought","timestamp":"2026-03-02T14:00:00Z","properties":{"items":[{"price":1,"quantity":1}]}}"#,
    ];
    let (schema, segment) = (golden_pair("schema-memories.v1"), golden_pair("segment-memories.v1"));
    let ChangelogRecord::Schema { id, meaning } = read(&schema) else { panic!("a schema") };
    let ChangelogRecord::Segment(states) = read(&segment) else { panic!("a segment") };
    let mut restoring = StateRestorer::new(program());
    restoring.schema(id, meaning).expect("a schema");
    restoring.segment(states).expect("a segment");
    let position = Checkpoint { extent: Extent { oldest: 0, next: 1 }, schema: id, ..META.checkpoint() };
    let restored = restoring.finish(position).expect("it is whole");
    assert_eq!(restored.change, None);
    let mut partition = restored.partition;
    let records = written(&mut partition, &LATER);
    let always = written(&mut Partition::new(program()), &[&EVENTS[..], &LATER].concat());
    assert_eq!(state(records.last().expect("a segment")), state(always.last().expect("a segment")));
}
