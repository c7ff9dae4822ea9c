//! The store of tag changes beside one plain SQLite table with two indexes, which is given the same records.
//!
//! `cargo bench --bench history -- [--changes N]`: by default 1,000,000 changes of 20 tags, a hundred of each entity, in
//! transactions of 100,000. Prints how many changes a second each takes in, the bytes of a change on the disk, how long the
//! last hundred changes of an entity take to read, and the store's figures as shares of the table's.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use tagstream::model::Timestamp;
use tagstream::serve::history::{ChangeQuery, HistoryReader, HistoryWriter, Place, SegmentLimits};

const TOPIC: &str = "tag-changes";
const CHANGES_OF_AN_ENTITY: u64 = 100;
const TAGS: u64 = 20;
const A_TRANSACTION: u64 = 100_000;
const READS: u64 = 200;
const FIRST_MS: i64 = 1_700_000_000_000;
const DAYS: u64 = 400;
/// The longest that an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(600);

/// A tag change, as the topic has it.
struct Change {
    entity: u64,
    tag: u64,
    at: Timestamp,
    record: Vec<u8>,
}

/// What one of the two stores has come to.
struct Figures {
    changes_a_second: f64,
    bytes_a_change: f64,
    /// The median and the 99th percentile, in milliseconds.
    read_ms: (f64, f64),
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let given = arguments.iter().skip_while(|word| *word != "--changes").nth(1);
    let changes = given.and_then(|text| text.replace('_', "").parse().ok()).unwrap_or(1_000_000_u64);
    let (table, store) = (of_table(changes), of_store(changes));
    println!("{changes} changes of {} entities, {TAGS} tags", entities(changes));
    println!("{:>24}  {:>12}  {:>12}  {:>12}  {:>12}", "", "changes/s", "bytes/change", "median ms", "p99 ms");
    for (name, figures) in [("a plain table", &table), ("the store", &store)] {
        let Figures { changes_a_second, bytes_a_change, read_ms: (median, most) } = figures;
        println!("{name:>24}  {changes_a_second:>12.0}  {bytes_a_change:>12.0}  {median:>12.3}  {most:>12.3}");
    }
    println!(
        "{:>24}  {:>12.2}  {:>12.2}  {:>12.2}  {:>12.2}",
        "ratio",
        store.changes_a_second / table.changes_a_second,
        store.bytes_a_change / table.bytes_a_change,
        store.read_ms.0 / table.read_ms.0,
        store.read_ms.1 / table.read_ms.1,
    );
}

fn entities(changes: u64) -> u64 {
    (changes / CHANGES_OF_AN_ENTITY).max(1)
}

/// The changes from `next` on that one transaction takes.
fn batch(next: u64, changes: u64, random: &mut u64) -> Vec<Change> {
    let one = |n: u64| {
        *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (entity, tag) = ((*random >> 33) % entities(changes), (*random >> 13) % TAGS);
        let at = Timestamp::from_ms(FIRST_MS + (n as f64 / changes as f64 * (DAYS * 86_400_000) as f64) as i64);
        let (change, value, previous) =
            if n.is_multiple_of(2) { ("added", "true", "null") } else { ("removed", "null", "true") };
        let record = format!(
            r#"{{"id":"{:032x}","entity":"user","key":"user-{entity}","tag":"tag_{tag}","change":"{change}","value":{value},"previous":{previous},"at":"{at}","seq":{n},"cause":"event","because":{{"spend":"because-of-user-{entity}"}},"catalog":"1f"}}"#,
            u128::from(*random),
        );
        Change { entity, tag, at, record: record.into_bytes() }
    };
    (next..(next + A_TRANSACTION).min(changes)).map(one).collect()
}

/// Gives all changes to a store, a transaction at a time; how many a second it takes in.
fn fill(changes: u64, mut take: impl FnMut(&[Change], u64)) -> f64 {
    let (mut random, mut next, mut spent) = (1, 0, Duration::ZERO);
    while next < changes {
        let batch = batch(next, changes, &mut random);
        next += batch.len() as u64;
        let began = Instant::now();
        take(&batch, next);
        spent += began.elapsed();
    }
    changes as f64 / spent.as_secs_f64()
}

/// How long the last hundred changes of an entity take to read; they are there.
fn time_reads(changes: u64, mut read: impl FnMut(u64) -> usize) -> (f64, f64) {
    let mut took = Vec::new();
    let mut found = 0;
    for n in 0..READS {
        let began = Instant::now();
        found += read(n * 977 % entities(changes));
        took.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    assert!(found > 0, "no change was found");
    took.sort_by(f64::total_cmp);
    (took[took.len() / 2], took[took.len() * 99 / 100])
}

fn of_store(changes: u64) -> Figures {
    let folder = Folder::new("store");
    let limits = SegmentLimits::of_history(Duration::from_secs(DAYS * 86_400));
    let mut writer = HistoryWriter::open(&folder.0, TOPIC, limits).expect("a store");
    let changes_a_second = fill(changes, |batch, next| {
        for change in batch {
            writer.add(&change.record).expect("a row");
        }
        let place = Place { next_offset: next as i64, reaches: None };
        writer.commit(&BTreeMap::from([(0, place)])).expect("a commit");
    });
    drop(writer);
    // A reader that has nothing in its memory.
    let reader = HistoryReader::new(&folder.0);
    let read_ms = time_reads(changes, |entity| {
        let key = format!("user-{entity}");
        let (from, to) = (Timestamp::MIN, Timestamp::FOREVER);
        let query = ChangeQuery { kind: "user", key: &key, from, to, tag: None, row: None, limit: 100 };
        reader.read(Instant::now() + ANSWER_MAX, |view| view.changes(&query)).expect("changes").len()
    });
    Figures { changes_a_second, bytes_a_change: folder.bytes() as f64 / changes as f64, read_ms }
}

fn of_table(changes: u64) -> Figures {
    let folder = Folder::new("table");
    let file = folder.0.join("changes.sqlite");
    let mut table = Connection::open(&file).expect("a file");
    let set_up = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
        CREATE TABLE changes (key TEXT, tag TEXT, at INTEGER, record BLOB);
        CREATE INDEX by_entity ON changes (key, at); CREATE INDEX by_tag ON changes (tag, at);";
    table.execute_batch(set_up).expect("a table");
    let changes_a_second = fill(changes, |batch, _| {
        let transaction = table.transaction().expect("a transaction");
        let mut insert = transaction.prepare_cached("INSERT INTO changes VALUES (?, ?, ?, ?)").expect("a statement");
        for Change { entity, tag, at, record } in batch {
            let row = params![format!("user-{entity}"), format!("tag_{tag}"), at.ms(), record];
            insert.execute(row).expect("a row");
        }
        drop(insert);
        transaction.commit().expect("a commit");
    });
    drop(table);
    let reader = Connection::open(&file).expect("a file");
    let mut select =
        reader.prepare("SELECT record FROM changes WHERE key = ? ORDER BY at DESC LIMIT 100").expect("a statement");
    let read_ms = time_reads(changes, |entity| {
        let records = select.query_map([format!("user-{entity}")], |row| row.get::<_, Vec<u8>>(0)).expect("a query");
        records.collect::<Result<Vec<_>, _>>().expect("records").len()
    });
    Figures { changes_a_second, bytes_a_change: folder.bytes() as f64 / changes as f64, read_ms }
}

/// A folder of its own that goes when the bench ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("history-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    fn bytes(&self) -> u64 {
        let files = fs::read_dir(&self.0).expect("a folder").flatten();
        files.map(|file| file.metadata().expect("a size").len()).sum()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
