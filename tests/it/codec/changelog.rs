//! The changelog's records: what each version looks like, and that nothing else is taken for one.

use std::path::PathBuf;

use tagstream::codec::{
    ChangelogDecodeError, ChangelogKey, ChangelogRecord, Decoder, Meta, PartitionFacts, RolloutNote, TopicFacts,
};
use tagstream::engine::{
    ChangeImpact, ChangelogSink, Checkpoint, Extent, Partition, Program, Schema, Segment, Sink, Slot, StateRestorer,
    TagImpact,
};
use tagstream::model::{Event, TagChange, Timestamp};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

const CATALOG: &str = r#"
version: 1
timezone: Asia/Shanghai
input: { dedup: 1h }
attributes:
  plan: { from: visit, value: properties.plan }
  until: { from: visit, value: properties.until, type: time }
counters:
  visits: { count: visit, window: 7d, resolution: 1d }
  spend: { sum: properties.amount, on: visit, window: 30m, resolution: 1m, where: "properties.amount > 0.5" }
  least: { min: properties.amount, on: visit }
  most: { max: properties.amount, on: visit, window: { calendar: month } }
  days: { active_days: "*", window: 30d }
  pages: { distinct: properties.pages, on: visit, limit: 10 }
  last: { last: time, on: "*" }
  last_page: { last: properties.page, on: visit }
  first_page: { first: properties.page, on: visit, window: 7d, resolution: 1d }
  top_page: { top: properties.page, on: visit, window: 7d, resolution: 1d }
tags:
  pending: { when: visits >= 2, for: 1h }
  on: { when: visits >= 1 }
  lapsed: { when: visits == 1, keep_for: 1h }
  band: { value: least, bands: [{ name: low, below: 10 }, { name: high }] }
  stage: { stages: [{ name: early, when: days >= 9 }, { name: late }] }
  value: { value: top_page }
  rest:
    when: has(plan) && has(until) && spend > 1 && most > 1 && pages > 1 && has(last_page) && has(first_page) && days_since(last) > 3
"#;

const EVENTS: [&str; 2] = [
    r#"{"user_id":"küche","id":"a","type":"visit","timestamp":"2026-03-01T22:00:00Z","properties":{"plan":"gold","until":"2026-09-01T00:00:00Z","amount":12.5,"pages":["x","y"],"page":"home"}}"#,
    r#"{"user_id":"küche","id":"b","type":"visit","timestamp":"2026-03-02T10:00:00Z","properties":{"plan":true,"amount":-0.25,"pages":["x"],"page":"shop"}}"#,
];

/// The fingerprint is not this test's matter.
pub(super) const FINGERPRINT: u64 = 0x0123_4567_89ab_cdef;

pub(super) fn golden(name: &str, found: &[u8]) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/codec/golden").join(name);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, found).expect("the file can be written");
    }
    std::fs::read(path).expect("the file is there")
}

/// Keys and values as they are written.
#[derive(Default)]
pub(super) struct Written(pub(super) Vec<(Vec<u8>, Vec<u8>)>);

impl Written {
    fn push(&mut self, record: &ChangelogRecord<'_>) {
        let (mut key, mut value) = (Vec::new(), Vec::new());
        record.key().write(&mut key);
        assert!(record.write_value(&mut value));
        self.0.push((key, value));
    }
}

impl ChangelogSink for Written {
    fn segment(&mut self, segment: Segment<'_>) {
        self.push(&ChangelogRecord::Segment(Segment { catalog: FINGERPRINT, ..segment }));
    }

    fn clear(&mut self, _: Slot) {
        unreachable!("nothing is cleaned");
    }

    fn schema(&mut self, id: u64, meaning: &[u8]) {
        self.push(&ChangelogRecord::Schema { id, meaning });
    }

    fn clear_schema(&mut self, _: u64) {
        unreachable!("there is one schema");
    }
}

pub(super) struct Ignored;

impl Sink for Ignored {
    fn change(&mut self, _: &TagChange<'_>) {}
}

fn program() -> std::sync::Arc<Program> {
    let loaded = tagstream::catalog::load(CATALOG);
    Program::new(loaded.catalog.unwrap_or_else(|| panic!("{:#?}", loaded.problems)))
}

pub(super) const META: Meta<'static> = Meta {
    log: 0xfeed_0001_0002_0003,
    next_offset: 4_711,
    clock: Some(Timestamp::from_ms(1_772_445_600_000)),
    extent: Extent { oldest: 0, next: 2 },
    catalog: FINGERPRINT,
    schema: 5,
    transaction: "tagstream-0-küche",
    facts: &[],
    notes: &[],
};

/// The records of a partition with an entity that has a cell of every kind, and one that was erased.
fn written() -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut partition = Partition::new(program());
    let mut written = Written::default();
    apply(&mut partition, &EVENTS);
    partition.write_changelog(&mut written);
    apply(&mut partition, &[&EVENTS[0].replace("küche", "flur")]);
    assert!(partition.erase("flur"));
    partition.write_changelog(&mut written);
    assert_eq!(partition.extent(), META.extent);
    let mut encoded = Vec::new();
    facts().write(&mut encoded);
    written.push(&ChangelogRecord::Meta(Meta { facts: &encoded, ..META }));
    written.0
}

/// Facts with everything that may be among them.
fn facts() -> PartitionFacts {
    let topic = |id, partitions| TopicFacts { id, partitions };
    let impact = |had, differ, added| TagImpact { entities: 100, had, differ, added };
    let note = RolloutNote {
        catalog: FINGERPRINT,
        counts: Some(ChangeImpact { entities: 100, tags: [("on".into(), impact(40, 20, 5))].into() }),
        decided: Some([("on".into(), impact(41, 21, 6)), ("gone".into(), impact(7, 7, 0))].into()),
        held_here: [("band".into(), impact(9, 8, 7))].into(),
        approved: ["gone".into(), "küche".into()].into(),
        approves_all: true,
    };
    let topics = [("events".to_owned(), topic(Some(u128::MAX - 1), 4)), ("tags".to_owned(), topic(None, 12))];
    PartitionFacts { topics: topics.into(), rollout: Some(note) }
}

#[test]
fn facts_are_read_as_they_were_written() {
    let records = written();
    let ChangelogRecord::Meta(meta) = read(&records[3]) else { panic!("a meta record") };
    assert_eq!(PartitionFacts::read(meta.facts), Some(facts()));
    assert_eq!(PartitionFacts::read(&[]), Some(PartitionFacts::default()));
    // A later version may have more of them.
    let more = [meta.facts, &[99, 2, 0, 0, 0, 1, 2]].concat();
    assert_eq!(PartitionFacts::read(&more), Some(facts()));
    for len in 1..meta.facts.len() {
        let cut = PartitionFacts::read(&meta.facts[..len]);
        assert_ne!(cut, Some(facts()), "{len} bytes");
    }
}

pub(super) fn read<'a>(record: &'a (Vec<u8>, Vec<u8>)) -> ChangelogRecord<'a> {
    ChangelogRecord::read(&record.0, Some(&record.1)).expect("the record is as it was written")
}

#[test]
fn what_is_written_is_what_it_was() {
    let names = ["schema.v2", "segment.v2", "erasure.v2", "meta.v2"];
    let records = written();
    assert_eq!(records.len(), names.len());
    for (name, (key, value)) in names.iter().zip(&records) {
        assert!(*value == golden(&format!("{name}.value"), value), "{name}: the value");
        assert!(*key == golden(&format!("{name}.key"), key), "{name}: the key");
    }
}

#[test]
fn every_version_says_what_it_said() {
    assert_eq!(read(&golden_pair("meta.v1")), ChangelogRecord::Meta(META));
    for (version, own_cells) in [("v1", &CELLS_1[..]), ("v2", &CELLS)] {
        restored_is_what_was_written(version, own_cells);
    }
}

fn restored_is_what_was_written(version: &str, own_cells: &[&str]) {
    let file = |name: &str| golden_pair(&format!("{name}.{version}"));
    let (schema, segment, erasure) = (file("schema"), file("segment"), file("erasure"));
    let ChangelogRecord::Segment(states) = read(&segment) else { panic!("a segment") };
    assert_eq!((states.slot, states.number, states.population, states.count), (0, 0, 1, 1));
    assert_eq!(cells(states.entries), own_cells);
    let ChangelogRecord::Segment(erasure) = read(&erasure) else { panic!("a segment") };
    assert_eq!((erasure.slot, erasure.number, erasure.population, erasure.count), (1, 1, 1, 1));
    assert_eq!(erasure.entries, b"\x00\x04flur");
    let ChangelogRecord::Schema { id, meaning } = read(&schema) else { panic!("a schema") };
    assert_eq!(id == program().schema.id(), version == "v2");
    let mut restoring = StateRestorer::new(program());
    restoring.schema(id, meaning).expect("a schema");
    restoring.segment(states).expect("a segment");
    restoring.segment(erasure).expect("a segment");
    let restored = restoring.finish(META.checkpoint()).expect("it is whole");
    assert!(restored.change.is_none_or(|change| change.dropped.is_empty() && change.new.is_empty()));
    let mut partition = restored.partition;
    let tags = partition.current_tags("küche", |tags| {
        tags.iter().map(|tag| format!("{} {:?} {}", tag.tag, tag.value, tag.since)).collect::<Vec<_>>()
    });
    assert_eq!(tags.expect("it is there"), TAGS);
    assert_eq!(partition.current_tags("flur", |_| ()), None);
    let mut fresh = Partition::new(program());
    apply(&mut fresh, &EVENTS);
    assert_eq!(written_after(partition, &LATER), written_after(fresh, &LATER), "{version}");
}

/// A changelog from when sums were in millionths and extremes were doubles: exactly the same is there afterwards.
#[test]
fn sums_in_millionths_are_read() {
    let (schema, segment) = (golden_pair("schema-millionths.v1"), golden_pair("segment-millionths.v1"));
    let ChangelogRecord::Schema { id, meaning } = read(&schema) else { panic!("a schema") };
    let ChangelogRecord::Segment(states) = read(&segment) else { panic!("a segment") };
    assert_ne!(id, program().schema.id());
    let mut restoring = StateRestorer::new(program());
    restoring.schema(id, meaning).expect("a schema");
    restoring.segment(states).expect("a segment");
    let position = Checkpoint { extent: Extent { oldest: 0, next: 1 }, schema: id, ..META.checkpoint() };
    let restored = restoring.finish(position).expect("it is whole");
    assert!(restored.change.expect("another schema").dropped.is_empty());
    assert_eq!(
        written_after(restored.partition, &LATER),
        written_after(Partition::new(program()), &[EVENTS[0], EVENTS[1], LATER[0], LATER[1]])
    );
}

/// Every series has another content after them, and is written anew.
const LATER: [&str; 2] = [
    r#"{"user_id":"küche","id":"c","type":"visit","timestamp":"2026-03-02T10:10:00Z","properties":{"plan":"gold","amount":20.75,"pages":["z"],"page":"home"}}"#,
    r#"{"user_id":"küche","id":"d","type":"visit","timestamp":"2026-03-02T10:20:00Z","properties":{"plan":"gold","amount":-1,"pages":["z"],"page":"home"}}"#,
];

pub(super) fn apply(partition: &mut Partition, events: &[&str]) {
    let (mut decoder, mut event) = (Decoder::new(&partition.program().catalog), Event::default());
    for line in events {
        decoder.decode(line.as_bytes(), Timestamp::MAX, &mut event).expect("the event is right");
        partition.apply(&event, &mut Ignored);
    }
}

/// The cells of the entity after events.
fn written_after(mut partition: Partition, events: &[&str]) -> Vec<String> {
    apply(&mut partition, events);
    let mut written = Written::default();
    partition.write_changelog(&mut written);
    let segment = written.0.iter().rev().find_map(|record| match read(record) {
        ChangelogRecord::Segment(segment) => Some(cells(segment.entries)),
        _ => None,
    });
    segment.expect("a segment")
}

pub(super) fn golden_pair(name: &str) -> (Vec<u8>, Vec<u8>) {
    let file = |part: &str| {
        let path = format!("tests/it/codec/golden/{name}.{part}");
        std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)).expect("the file is there")
    };
    (file("key"), file("value"))
}

/// Reads the first entry as the page on the format says: its key, its fields, then the cells in hex.
pub(super) fn cells(mut bytes: &[u8]) -> Vec<String> {
    fn number(bytes: &mut &[u8]) -> u64 {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let byte = bytes[0];
            *bytes = &bytes[1..];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        value
    }
    let len = number(&mut bytes) as usize;
    let due = number(&mut bytes);
    let mut state = &bytes[..len];
    assert_eq!(len, bytes.len(), "it is the only one");
    let key_len = number(&mut state) as usize;
    let key = String::from_utf8_lossy(&state[..key_len]).into_owned();
    state = &state[key_len..];
    let (seq, first, span) = (number(&mut state), number(&mut state), number(&mut state));
    let mut told = vec![format!("{key} due {due} seq {seq} first {first} span {span}")];
    while !state.is_empty() {
        let (slot, len) = (number(&mut state), number(&mut state) as usize);
        let hex: String = state[..len].iter().map(|byte| format!("{byte:02x}")).collect();
        told.push(format!("{slot} {hex}"));
        state = &state[len..];
    }
    told
}

/// The state of `küche` in version 1.
const CELLS_1: [&str; 20] = [
    "küche due 1141297200001 seq 6 first 3544804800000 span 43200000",
    // Attributes.
    "0 80a4ecdf956702",
    "1 80ecd2b695670580f09fa48b68",
    // Series.
    "2 c4c00202",
    "3 90fb951c0180f4f6905d",
    "4 0008ffc9b5ee01",
    "5 f4fb020880f4f6905d",
    "6 c4c002",
    "7 00e8cd57c16ca7891500bd8d9e1cbe61c84b",
    "8 80a4ecdf9567",
    "9 80a4ecdf9567060473686f70",
    "10 c4c00280ecd2b695670604686f6d65",
    "11 04686f6d6580ecd2b6956701c4c002010473686f7080a4ecdf956701c4c00201",
    // Tags, from one that is pending to one with a value.
    "12 0180a4ecdf9567",
    "13 0280ecd2b69567",
    "14 0380ecd2b6956780dccc14",
    "15 0480a4ecdf956700",
    "16 0480ecd2b6956701",
    "17 0580ecd2b695670604686f6d65",
    // The remembered id; the other one was too old.
    "19 80a4ecdf95673f84d8441c0b5a57",
];

/// The state of `küche`.
const CELLS: [&str; 15] = [
    "küche due 1141297200001 seq 6 first 3544804800000 span 43200000",
    // Attributes.
    "0 80a4ecdf956702",
    "1 80ecd2b695670580f09fa48b68",
    // Series.
    "2 c4c00202",
    "3 90fb951c06c413",
    "4 000a31",
    "5 f4fb020ac413",
    "6 c4c002",
    "7 00e8cd57c16ca7891500bd8d9e1cbe61c84b",
    "8 80a4ecdf9567",
    "9 80a4ecdf9567060473686f70",
    "10 c4c00280ecd2b695670604686f6d65",
    "11 c4c00204686f6d650100010473686f70010001",
    // The remembered id; the other one was too old.
    "19 80a4ecdf95673f84d8441c0b5a57",
    // Tags, from one that is pending to one with a value.
    "21 6180a4ecdf956702ffb79929030080dccc140480b899290004ffb799290105000604686f6d65",
];

const TAGS: [&str; 5] = [
    "on Bool(true) 2026-03-01T22:00:00.000Z",
    "lapsed Bool(true) 2026-03-01T22:00:00.000Z",
    "band String(\"low\") 2026-03-02T10:00:00.000Z",
    "stage String(\"late\") 2026-03-01T22:00:00.000Z",
    "value String(\"home\") 2026-03-01T22:00:00.000Z",
];

#[test]
fn a_newer_version_is_refused() {
    for (key, mut value) in written() {
        value[0] += 1;
        let refused = |newest_known| ChangelogDecodeError::UnknownVersion { found: value[0], newest_known };
        let split = value.len() - 8;
        let signed = |key: &[u8]| {
            let sum = xxh3_64_with_seed(&value[..split], xxh3_64(key));
            [&value[..split], &sum.to_le_bytes()].concat()
        };
        assert_eq!(ChangelogRecord::read(&key, Some(&signed(&key))), Err(refused(2)));
        // Whatever keys it may have, it has the checksum.
        assert_eq!(ChangelogRecord::read(b"what", Some(&signed(b"what"))), Err(refused(2)));
        assert_eq!(
            ChangelogRecord::read(&key, Some(&value)),
            Err(ChangelogDecodeError::Damaged { what: "the checksum differs" }),
            "bytes of another program claim any version"
        );
    }
}

#[test]
fn a_record_of_another_program_is_told_from_a_damaged_one() {
    let foreign = |key: &[u8], value: Option<&[u8]>| {
        assert_eq!(ChangelogRecord::read(key, value), Err(ChangelogDecodeError::Foreign), "{key:?}");
    };
    for (key, value) in written() {
        for other in [&b"user-1"[..], b"", &[4], &[0, 0], &key[..key.len() - 1]] {
            foreign(other, Some(&value));
            foreign(other, Some(b"hello"));
            foreign(other, Some(b""));
            foreign(other, None);
        }
        let claimed = ChangelogRecord::read(&key, Some(&[1, 2, 3]));
        assert!(matches!(claimed, Err(ChangelogDecodeError::Damaged { .. })), "{claimed:?}");
    }
}

#[test]
fn damage_is_noticed() {
    for (key, value) in written() {
        for len in 0..value.len() {
            assert!(ChangelogRecord::read(&key, Some(&value[..len])).is_err());
        }
        for bit in 0..8 * value.len() {
            let mut flipped = value.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(ChangelogRecord::read(&key, Some(&flipped)).is_err());
        }
        for bit in 0..8 * key.len() {
            let mut flipped = key.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(ChangelogRecord::read(&flipped, Some(&value)).is_err(), "under another key");
        }
        assert!(ChangelogRecord::read(&key[..key.len() - 1], Some(&value)).is_err());
    }
    assert_eq!(
        ChangelogRecord::read(&[0], Some(&[])),
        Err(ChangelogDecodeError::Damaged { what: "the value is empty" })
    );
    assert_eq!(ChangelogRecord::read(&[0], None), Ok(ChangelogRecord::Cleared(ChangelogKey::Meta)));
    assert!(ChangelogRecord::read(&[], None).is_err());
}

#[test]
fn no_bytes_make_it_panic() {
    let mut dice = fastrand::Rng::with_seed(1);
    let records = written();
    for _ in 0..20_000 {
        let bytes: Vec<u8> =
            (0..dice.usize(..80)).map(|_| if dice.bool() { dice.u8(..4) } else { dice.u8(..) }).collect();
        let key: Vec<u8> = (0..dice.usize(..10)).map(|_| dice.u8(..4)).collect();
        assert!(ChangelogRecord::read(&key, Some(&bytes)).is_err());
        assert!(Schema::read(0, &bytes).is_err());
    }
    // Bytes that have a right checksum although they are wrong.
    let ChangelogRecord::Segment(segment) = read(&records[1]) else { panic!("a segment") };
    let mut taken = 0;
    for round in 0..20_000 {
        let mut entries = segment.entries.to_vec();
        for _ in 0..dice.usize(1..6) {
            let at = dice.usize(..entries.len());
            entries[at] = dice.u8(..);
        }
        entries.truncate(if round % 2 == 0 { entries.len() } else { dice.usize(..entries.len()) });
        let mut restoring = StateRestorer::new(program_once());
        let damaged = Segment { entries: &entries, ..segment };
        if restoring.segment(damaged).is_ok() {
            let position = Checkpoint { extent: Extent { oldest: 0, next: 1 }, ..META.checkpoint() };
            taken += u32::from(restoring.finish(position).is_ok());
        }
        let ChangelogRecord::Schema { id, meaning } = read(&records[0]) else { panic!("a schema") };
        let mut meaning = meaning.to_vec();
        let at = dice.usize(..meaning.len());
        meaning[at] = meaning[at].wrapping_add(dice.u8(1..));
        assert!(Schema::read(id, &meaning).is_err());
    }
    assert!(taken > 100, "most of the changes are inside of a state");
}

fn program_once() -> std::sync::Arc<Program> {
    static PROGRAM: std::sync::OnceLock<std::sync::Arc<Program>> = std::sync::OnceLock::new();
    PROGRAM.get_or_init(program).clone()
}
