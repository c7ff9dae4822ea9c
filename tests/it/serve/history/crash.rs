//! A store that is cut off at any moment: what it goes on from is what it has, no more and no less.

use serde_json::Value;
use tagstream::codec::{ChangeFormat, ChangeRecord};
use tagstream::model::Timestamp;
use tagstream::serve::history::Added;

use super::{Directory, change, deadline, parsed, place, records, write_all};
use crate::generate::{Features, seeds};

/// The ids of all changes that a store has, in order.
fn ids(directory: &Directory) -> Vec<String> {
    let read = directory.reader().read(deadline(), |view| view.changes_after(0, usize::MAX >> 1));
    read.expect("changes").0.into_iter().map(|change| change.id).collect()
}

fn id_of(record: &[u8]) -> String {
    parsed(record)["id"].as_str().expect("a text").to_owned()
}

#[test]
fn a_crash_repeats_nothing_and_loses_nothing() {
    for seed in seeds(25) {
        let records = records(seed, Features::NONE);
        let expected: Vec<String> = records.iter().map(|record| id_of(record)).collect();
        let mut directory = Directory::new(&format!("crash-{seed}-0"));
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut dice = |sides: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % sides
        };
        let (mut crashes, mut done) = (0, false);
        while !done {
            let mut writer = directory.writer();
            let mut next = writer.places().get(&0).map_or(0, |place| place.next_offset) as usize;
            assert_eq!(ids(&directory), expected[..next], "seed {seed} after {crashes} crashes");
            loop {
                let batch = (dice(9) as usize + 1).min(records.len() - next);
                for record in &records[next..next + batch] {
                    assert_eq!(writer.add(record).expect("a row"), Added::New);
                }
                if dice(8) == 0 && crashes < 12 {
                    // The disk as it is now, in the middle of a transaction.
                    crashes += 1;
                    let copy = directory.copy(&format!("crash-{seed}-{crashes}"));
                    drop(writer);
                    directory = copy;
                    break;
                }
                next += batch;
                writer.commit(&place(next)).expect("a commit");
                if next == records.len() {
                    done = true;
                    break;
                }
            }
        }
        assert_eq!(ids(&directory), expected, "seed {seed}, {crashes} crashes");
    }
}

#[test]
fn what_is_delivered_again_is_not_stored_again() {
    let directory = Directory::new("repeats");
    let flip = |seq: u64, at_ms: i64| {
        let values = if seq % 2 == 1 { (Value::Null, true.into()) } else { (true.into(), Value::Null) };
        change("a", "rich", seq, at_ms, values, "event")
    };
    let records = [flip(1, 10), flip(2, 10), flip(3, 20), flip(4, 30), flip(5, 30), flip(6, 30)];
    let mut writer = directory.writer();
    for (count, record) in records.iter().enumerate() {
        assert_eq!(writer.add(record).expect("a row"), Added::New);
        writer.commit(&place(count + 1)).expect("a commit");
    }
    // As after a worker's crash: the last changes once more, and then new ones.
    for record in &records[2..] {
        assert_eq!(writer.add(record).expect("a row"), Added::Repeat);
    }
    assert_eq!(writer.add(&flip(7, 30)).expect("a row"), Added::New);
    assert_eq!(writer.add(b"not JSON").expect("it is passed over"), Added::NotAChange);
    writer.commit(&place(12)).expect("a commit");
    assert_eq!(ids(&directory).len(), 7);
    let figures = directory
        .reader()
        .read(deadline(), |view| view.figures(("user", "rich"), Timestamp::MIN, Timestamp::from_ms(100_000)));
    assert_eq!(figures.expect("figures").entered, 4);
}

/// The topic has several formats where its setting was changed.
#[test]
fn each_format_is_stored_alike() {
    for seed in seeds(10) {
        let records = records(seed, Features::NONE);
        let mixed: Vec<Vec<u8>> = (0..records.len()).map(|index| formatted(&records[index], index)).collect();
        let stored = |name: &str, records: &[Vec<u8>]| {
            let directory = Directory::new(&format!("formats-{name}-{seed}"));
            write_all(&mut directory.writer(), records, 7);
            let read = directory.reader().read(deadline(), |view| view.changes_after(0, usize::MAX >> 1));
            let changes: Vec<String> = read.expect("changes").0.iter().map(|change| format!("{change:?}")).collect();
            if let (Some(last), count) = (records.last(), records.len()) {
                let added = directory.writer().add(&formatted(last, count)).expect("a row");
                assert_eq!(added, Added::Repeat, "seed {seed}: in another format it is another change");
            }
            changes
        };
        assert_eq!(stored("mixed", &mixed), stored("own", &records), "seed {seed}");
    }
}

/// A record in one of the formats.
fn formatted(record: &[u8], index: usize) -> Vec<u8> {
    let (_, object) = ChangeRecord::parse_with_object(record).expect("a tag change");
    let mut out = Vec::new();
    ChangeFormat::ALL[index % ChangeFormat::ALL.len()].write(object, "shop", &mut out);
    out
}
