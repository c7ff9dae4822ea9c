//! What is erased, forgotten or too old is not on the disk.

use serde_json::{Value, json};
use tagstream::model::Timestamp;
use tagstream::serve::history::{Erasure, HistoryView};

use super::{Directory, change, deadline, place, write_all};

const KEYS: usize = 400;

fn key(n: usize) -> String {
    format!("person-{n:04}-{}", "x".repeat(n % 50))
}

/// Many changes of many people, with values of all lengths, some longer than a page.
fn records(rounds: usize) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    for round in 0..rounds {
        for n in 0..KEYS {
            let value = |round: usize| json!(format!("city-of-{}-{round}-{}", key(n), "y".repeat(n * round % 6_000)));
            let previous = if round == 0 { Value::Null } else { value(round - 1) };
            let at_ms = (round * KEYS + n) as i64 * 1_000;
            records.push(change(&key(n), "home", round as u64 + 1, at_ms, (previous, value(round)), "event"));
        }
    }
    records
}

fn erasure(key: &str, until: Timestamp) -> Erasure {
    Erasure { kind: "user".to_owned(), key: key.to_owned(), until }
}

fn count(directory: &Directory, key: &str) -> usize {
    directory.changes(key).len()
}

#[test]
fn nothing_of_an_erased_entity_is_on_the_disk() {
    let directory = Directory::new("erased");
    let mut writer = directory.writer();
    write_all(&mut writer, &records(5), 150);
    for n in (0..KEYS).step_by(37) {
        assert!(!directory.files_with(key(n).as_bytes()).is_empty(), "the test looks in the wrong place");
        assert!(writer.erase(&[erasure(&key(n), Timestamp::FOREVER)]).expect("an erasure"), "a reader is in the way");
        assert_eq!(directory.files_with(key(n).as_bytes()), Vec::<String>::new(), "{}", key(n));
        assert_eq!(count(&directory, &key(n)), 0);
        assert_eq!(count(&directory, &key(n + 1)), 5, "another's history is gone, too");
    }
    // Who reads on from page to page gets all that is left, over all segments.
    let (mut last, mut found, reader) = (0, 0, directory.reader());
    loop {
        let (changes, read_to) = reader.read(deadline(), |view| view.changes_after(last, 7)).expect("changes");
        if changes.is_empty() {
            break;
        }
        (last, found) = (read_to, found + changes.len());
    }
    assert_eq!(found, 5 * (KEYS - KEYS.div_ceil(37)));
    drop(reader);
    // What was appended afterwards moved nothing that is erased back.
    let later: Vec<Vec<u8>> = (0..KEYS)
        .map(|n| change(&key(n), "home", 9, 90_000_000 + n as i64, (Value::Null, json!("elsewhere")), "event"))
        .collect();
    write_all(&mut writer, &later, 50);
    assert_eq!(count(&directory, &key(0)), 1);
    assert_eq!(count(&directory, &key(1)), 6);
    assert!(writer.erase(&[erasure("nobody", Timestamp::FOREVER)]).expect("nothing to erase"));
}

#[test]
fn what_comes_after_an_erasure_stays() {
    let directory = Directory::new("erased-until");
    let mut writer = directory.writer();
    let add = |seq: u64, at_ms: i64, value: &str| change("a", "home", seq, at_ms, (Value::Null, json!(value)), "event");
    write_all(&mut writer, &[add(1, 10, "old-city"), add(2, 20, "old-town"), add(1, 50, "new-city")], 1);
    writer.erase(&[erasure("a", Timestamp::from_ms(30))]).expect("an erasure");
    assert_eq!(count(&directory, "a"), 1);
    assert!(directory.files_with(b"old-").is_empty());
    assert!(!directory.files_with(b"new-city").is_empty());
}

#[test]
fn an_entity_that_was_erased_elsewhere_or_forgotten_is_erased_here() {
    for cause in ["erased", "forgotten"] {
        let directory = Directory::new(cause);
        let mut writer = directory.writer();
        let records = [
            change("gone", "home", 1, 10, (Value::Null, json!("gone-city")), "event"),
            change("gone", "rich", 2, 10, (Value::Null, json!(true)), "event"),
            change("here", "home", 1, 20, (Value::Null, json!("here-city")), "event"),
            change("gone", "home", 3, 30, (json!("gone-city"), Value::Null), cause),
            change("gone", "rich", 4, 30, (json!(true), Value::Null), cause),
            change("gone", "home", 1, 40, (Value::Null, json!("later-city")), "event"),
        ];
        write_all(&mut writer, &records, 4);
        // Those who follow the changes see for a while that it left.
        assert!(writer.erase_due(Timestamp::from_ms(10_029)).expect("nothing is due"));
        let after = |view: &HistoryView<'_>| view.changes_after(0, 100);
        let seen = directory.reader().read(deadline(), after).expect("changes").0;
        assert_eq!(seen.iter().filter(|change| change.cause == cause).count(), 2);
        assert!(writer.erase_due(Timestamp::from_ms(10_030)).expect("an erasure"));
        assert!(directory.files_with(b"gone-city").is_empty());
        assert!(!directory.files_with(b"here-city").is_empty());
        assert_eq!((count(&directory, "gone"), count(&directory, "here")), (1, 1));
        let undone = directory.reader().read(deadline(), |view| {
            let mut undone = Vec::new();
            view.undo(("user", "home"), Timestamp::from_ms(15), |key, value| {
                undone.push(format!("{key} {value}"));
            })?;
            Ok(undone)
        });
        assert_eq!(undone.expect("values"), ["here null", "gone null"]);
    }
}

#[test]
fn what_is_too_old_is_dropped_with_the_names_of_those_who_have_nothing_newer() {
    let directory = Directory::new("trimmed");
    let mut writer = directory.writer();
    // The first round has everybody, the second every other one.
    let mut records = records(1);
    let stay = |n: usize| n.is_multiple_of(2);
    records.extend(
        (0..KEYS)
            .filter(|n| stay(*n))
            .map(|n| change(&key(n), "home", 2, 10_000_000 + n as i64, (json!("old"), json!("new")), "event")),
    );
    write_all(&mut writer, &records, 64);
    assert_eq!(writer.trim(Timestamp::from_ms(0)).expect("nothing is too old"), 0);
    assert!(writer.trim(Timestamp::from_ms(9_000_000)).expect("segments") >= 9);
    for n in 0..KEYS {
        assert_eq!(count(&directory, &key(n)), usize::from(stay(n)), "{}", key(n));
    }
    assert!(directory.files_with(key(1).as_bytes()).is_empty());
    assert!(directory.files_with(format!("city-of-{}", key(2)).as_bytes()).is_empty());
    let reaches = directory.reader().read(deadline(), |view| view.reaches()).expect("a reach").expect("an instant");
    assert!(reaches >= Timestamp::from_ms(300_000) && reaches < Timestamp::from_ms(9_000_000), "{reaches}");
    // All of it may go, and the store goes on.
    writer.trim(Timestamp::from_ms(99_000_000)).expect("segments");
    let row = writer.last_row();
    drop(writer);
    let mut writer = directory.writer();
    assert_eq!(writer.last_row(), row);
    writer.add(&change("a", "home", 1, 99_000_000, (Value::Null, json!("there")), "event")).expect("a row");
    writer.commit(&place(1)).expect("a commit");
    assert_eq!((count(&directory, "a"), writer.last_row()), (1, row + 1));
}
