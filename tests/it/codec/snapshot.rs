//! The file of a snapshot: a damaged one is refused, without a crash.

use std::sync::Arc;

use tagstream::codec::{Decoder, SnapshotError, SnapshotHead, SnapshotProgress, SnapshotReader, SnapshotWriter};
use tagstream::engine::{ChangelogSink, Partition, Program, Segment, Sink, Slot, StateRestorer};
use tagstream::model::{Event, TagChange, Timestamp};

const CATALOG: &str = "version: 1\ncounters:\n  n: { count: \"*\" }\ntags:\n  seen: { value: n }\n";

struct Nowhere;

impl Sink for Nowhere {
    fn change(&mut self, _: &TagChange<'_>) {}
}

impl ChangelogSink for Nowhere {
    fn segment(&mut self, _: Segment<'_>) {}
    fn clear(&mut self, _: Slot) {}
    fn schema(&mut self, _: u64, _: &[u8]) {}
    fn clear_schema(&mut self, _: u64) {}
}

fn head() -> SnapshotHead {
    SnapshotHead { log: 0xfeed, offset: 4_711, partition: 3, topic: "küche-changelog".to_owned() }
}

/// A program, a partition of three users in two segments, and its snapshot.
fn written() -> (Arc<Program>, Partition, Vec<u8>) {
    let loaded = tagstream::catalog::load(CATALOG);
    let program = Program::new(loaded.catalog.expect("a catalog"));
    let mut partition = Partition::new(program.clone());
    let (mut decoder, mut event) = (Decoder::new(&program.catalog), Event::default());
    for users in [&["anna", "bert"][..], &["carl"]] {
        for user in users {
            let line = format!(r#"{{"user_id":"{user}","type":"x","timestamp":"2026-03-01T22:00:00Z"}}"#);
            decoder.decode(line.as_bytes(), Timestamp::MAX, &mut event).expect("an event");
            partition.apply(&event, &mut Nowhere);
        }
        partition.write_changelog(&mut Nowhere);
    }
    let mut writer = SnapshotWriter::new(&head(), 0);
    partition.write_snapshot(&mut writer).expect("all is in the log");
    (program, partition, writer.finish())
}

fn read(program: &Arc<Program>, bytes: &[u8]) -> Result<StateRestorer, SnapshotError> {
    let mut restoring = StateRestorer::new(program.clone());
    let mut reader = SnapshotReader::new(bytes)?;
    while reader.read_into(&mut restoring)? == SnapshotProgress::More {}
    assert_eq!(reader.bytes(), bytes.len() as u64);
    Ok(restoring)
}

#[test]
fn it_says_what_was_written() {
    let (program, partition, bytes) = written();
    assert_eq!(SnapshotReader::new(&bytes[..]).expect("a head").head(), &head());
    let restoring = read(&program, &bytes).expect("it is whole");
    let position = partition.checkpoint();
    let mut restored = restoring.finish(position).expect("nothing is missing").partition;
    assert_eq!(restored.entities(), 3);
    assert_eq!(restored.log_bytes(), partition.log_bytes());
    let seen = |tags: &[tagstream::model::CurrentTag<'_>]| format!("{:?}", tags[0].value);
    assert_eq!(restored.current_tags("carl", seen).as_deref(), Some("Number(1)"));
}

#[test]
fn damage_is_noticed() {
    let (program, _, bytes) = written();
    for bit in 0..8 * bytes.len() {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&program, &flipped).is_err(), "bit {bit}");
    }
    for len in 0..bytes.len() {
        assert!(read(&program, &bytes[..len]).is_err(), "{len} bytes");
        assert!(read(&program, &bytes[bytes.len() - len..]).is_err(), "the last {len} bytes");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    let error = read(&program, &longer).map(drop).expect_err("it is refused").to_string();
    assert_eq!(error, "it is damaged: there are bytes after its end");
}

#[test]
fn no_bytes_make_it_panic() {
    let (program, _, bytes) = written();
    let mut dice = fastrand::Rng::with_seed(1);
    for _ in 0..20_000 {
        let mut wrong = bytes.clone();
        for _ in 0..dice.usize(1..8) {
            let at = dice.usize(..wrong.len());
            wrong[at] = wrong[at].wrapping_add(dice.u8(1..));
        }
        let (from, to) = (dice.usize(..wrong.len()), dice.usize(..wrong.len()));
        wrong.copy_within(from.min(to)..from.max(to), dice.usize(..=from.min(to)));
        assert!(wrong == bytes || read(&program, &wrong).is_err());
        let noise: Vec<u8> = (0..dice.usize(..100)).map(|_| dice.u8(..)).collect();
        assert!(read(&program, &[&bytes[..8], &noise].concat()).is_err());
    }
}

#[test]
fn what_it_is_not_is_said() {
    let (program, _, mut bytes) = written();
    bytes[7] = 2;
    assert_eq!(read(&program, &bytes).err(), Some(SnapshotError::UnknownVersion { found: 2 }));
    bytes[0] = b'T';
    assert_eq!(read(&program, &bytes).err(), Some(SnapshotError::Foreign));
    assert_eq!(read(&program, b"").err(), Some(SnapshotError::Damaged { what: "it ends too early" }));
}
