//! The cells of resets, sessions, steps and elements: what each looks like, and that it is read as it was written.

use std::sync::Arc;

use tagstream::codec::ChangelogRecord;
use tagstream::engine::{Checkpoint, Extent, Partition, Program, Segment, StateRestorer};
use xxhash_rust::xxh3::xxh3_64;

use super::changelog::{FINGERPRINT, META, Written, apply, cells, golden, golden_pair, read};

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
    apply(partition, events);
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
    for (name, (key, value)) in ["schema-memories.v2", "segment-memories.v2"].iter().zip(&records) {
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
        r#"{"user_id":"k","type":"bought","timestamp":"2026-03-02T14:00:00Z","properties":{"items":[{"price":3,"quantity":1}]}}"#,
    ];
    for version in ["v1", "v2"] {
        goes_on(version, &LATER);
    }
}

fn goes_on(version: &str, later: &[&str]) {
    let file = |name: &str| golden_pair(&format!("{name}.{version}"));
    let (schema, segment) = (file("schema-memories"), file("segment-memories"));
    let ChangelogRecord::Schema { id, meaning } = read(&schema) else { panic!("a schema") };
    let ChangelogRecord::Segment(states) = read(&segment) else { panic!("a segment") };
    let mut restoring = StateRestorer::new(program());
    restoring.schema(id, meaning).expect("a schema");
    restoring.segment(states).expect("a segment");
    let position = Checkpoint { extent: Extent { oldest: 0, next: 1 }, schema: id, ..META.checkpoint() };
    let restored = restoring.finish(position).expect("it is whole");
    assert_eq!(restored.change.is_none(), version == "v2");
    let mut partition = restored.partition;
    let records = written(&mut partition, later);
    let always = written(&mut Partition::new(program()), &[&EVENTS[..], later].concat());
    assert_eq!(state(records.last().expect("a segment")), state(always.last().expect("a segment")));
}

const RESETS: &str = r#"
version: 1
counters:
  spend: { sum: properties.amount, on: bought, since: paid }
  page: { top: properties.page, on: visit, since: paid }
tags:
  spend: { value: spend }
  page: { value: page }
"#;

const RESET_EVENTS: [&str; 5] = [
    r#"{"user_id":"k","type":"paid","timestamp":1772445600000}"#,
    r#"{"user_id":"k","type":"bought","timestamp":1772445601000,"properties":{"amount":2.5}}"#,
    r#"{"user_id":"k","type":"visit","timestamp":1772445602000,"properties":{"page":"a"}}"#,
    r#"{"user_id":"k","type":"bought","timestamp":1772445603000,"properties":{"amount":0.125}}"#,
    r#"{"user_id":"k","type":"visit","timestamp":1772445604000,"properties":{"page":"b"}}"#,
];

fn zigzag(number: i64) -> Vec<u8> {
    leb(((number << 1) ^ (number >> 63)) as u64)
}

fn leb(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// What version 1 wrote of `RESET_EVENTS`, without the tags: the time of the reset comes before what a series counts.
fn first_form() -> Vec<u8> {
    let (reset, start) = ([vec![1], zigzag(1_772_445_600_000)].concat(), 1_772_445_600_000);
    let sums = [reset.clone(), zigzag(0), leb(2), zigzag(2_625_000_000)].concat();
    let string =
        |text: &[u8], seconds: i64| [leb(1), text.to_vec(), zigzag(start + seconds * 1_000), leb(1), zigzag(0), leb(1)];
    let top = [reset, string(b"a", 2).concat(), string(b"b", 4).concat()].concat();
    let cell = |number, content: Vec<u8>| [leb(number), leb(content.len() as u64), content].concat();
    let state = [leb(1), b"k".to_vec(), leb(0), zigzag(start), leb(4_000), cell(0, sums), cell(1, top)].concat();
    [leb(state.len() as u64), leb(0), state].concat()
}

#[test]
fn sums_and_tops_after_a_reset_are_read_in_their_first_form() {
    let loaded = tagstream::catalog::load(RESETS);
    let program = Program::new(loaded.catalog.unwrap_or_else(|| panic!("{:#?}", loaded.problems)));
    let tags_after = |partition: &mut Partition, events: &[&str]| {
        apply(partition, events);
        partition.current_tags("k", |tags| tags.iter().map(|tag| format!("{:?}", tag.value)).collect::<Vec<_>>())
    };
    // The types of the series in version 1, and no cell for the states of tags.
    let mut meaning = program.schema.meaning().to_vec();
    let sums = meaning.iter().position(|byte| *byte == 7).expect("the first cell is of sums");
    assert_eq!((sums, meaning.pop()), (0, Some(9)));
    meaning[0] = 6;
    let top = meaning.windows(6).position(|bytes| bytes == b"\x08\x04page").expect("the second is a top");
    meaning[top] = 1;
    let (id, entries) = (xxh3_64(&meaning), first_form());
    let mut restoring = StateRestorer::new(program.clone());
    restoring.schema(id, &meaning).expect("a schema");
    let segment =
        Segment { slot: 0, number: 0, schema: id, catalog: FINGERPRINT, population: 1, count: 1, entries: &entries };
    restoring.segment(segment).expect("a segment");
    let position = Checkpoint { extent: Extent { oldest: 0, next: 1 }, schema: id, ..META.checkpoint() };
    let mut restored = restoring.finish(position).expect("it is whole").partition;
    const LATER: [&str; 3] = [
        r#"{"user_id":"k","type":"bought","timestamp":1772445605000,"properties":{"amount":1}}"#,
        // A late one is before the latest of `b`, and makes `a` the most frequent.
        r#"{"user_id":"k","type":"visit","timestamp":1772445603000,"properties":{"page":"a"}}"#,
        // One from before the reset does not count.
        r#"{"user_id":"k","type":"bought","timestamp":1772445599000,"properties":{"amount":9}}"#,
    ];
    let always = tags_after(&mut Partition::new(program.clone()), &[&RESET_EVENTS[..], &LATER].concat());
    assert_eq!(tags_after(&mut restored, &LATER), always);
    let expected = ["Number(3.625)", "String(\"a\")"];
    assert_eq!(always.expect("it is there"), expected);
}
