//! The store of tag changes, filled with the changes of random streams.
//!
//! - `queries`: what it answers, against the changes themselves;
//! - `crash`: a store that is cut off at any moment;
//! - `erasure`: what is erased, forgotten or too old is not on the disk.

mod crash;
mod erasure;
mod queries;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use tagstream::catalog::load;
use tagstream::codec::write_change;
use tagstream::engine::{CompiledCatalog, Sink};
use tagstream::model::{TagChange, Timestamp};
use tagstream::replay::Replay;
use tagstream::serve::history::{ChangeQuery, HistoryReader, HistoryWriter, Place, SegmentLimits, StoredChange};

use crate::generate::{Features, NOW_MS, case_with};

pub const TOPIC: &str = "tag-changes";

/// Small segments, so that there are several.
pub const SMALL: SegmentLimits = SegmentLimits { rows_max: 40, span_max: Duration::from_secs(86_400 * 365_000) };

/// A directory of its own, which goes when the test ends well.
pub struct Directory(pub PathBuf);

impl Directory {
    pub fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("history-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Directory(path)
    }

    pub fn writer(&self) -> HistoryWriter {
        HistoryWriter::open(&self.0, TOPIC, SMALL).expect("a store")
    }

    pub fn reader(&self) -> HistoryReader {
        HistoryReader::new(&self.0)
    }

    /// All changes of a user, the newest first.
    pub fn changes(&self, key: &str) -> Vec<StoredChange> {
        let query = ChangeQuery {
            kind: "user",
            key,
            from: Timestamp::MIN,
            to: Timestamp::FOREVER,
            tag: None,
            row: None,
            limit: usize::MAX,
        };
        self.reader().read(deadline(), |view| view.changes(&query)).expect("changes")
    }

    /// A copy as a crash at this moment would leave it.
    pub fn copy(&self, name: &str) -> Directory {
        let copy = Directory::new(name);
        for entry in fs::read_dir(&self.0).expect("a folder").flatten() {
            fs::copy(entry.path(), copy.0.join(entry.file_name())).expect("a copy");
        }
        copy
    }

    /// The files that have these bytes.
    pub fn files_with(&self, bytes: &[u8]) -> Vec<String> {
        let files = fs::read_dir(&self.0).expect("a folder").flatten();
        let found =
            files.filter(|entry| memchr::memmem::find(&fs::read(entry.path()).expect("a file"), bytes).is_some());
        found.map(|entry| entry.path().display().to_string()).collect()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

/// Far enough for every answer.
pub fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(600)
}

#[derive(Default)]
struct Written(Vec<Vec<u8>>);

impl Sink for Written {
    fn change(&mut self, change: &TagChange<'_>) {
        let mut record = Vec::new();
        write_change(change, &mut record);
        self.0.push(record);
    }
}

/// The records of a random case, as the service writes them.
pub fn records(seed: u64, features: Features) -> Vec<Vec<u8>> {
    let case = case_with(seed, features);
    let Some(catalog) = load(&case.catalog).catalog else { return Vec::new() };
    let compiled = CompiledCatalog::new(catalog);
    let mut replay = Replay::new(&compiled, Timestamp::from_ms(NOW_MS), case.until.map(Timestamp::from_ms));
    let mut written = Written::default();
    for line in &case.lines {
        replay.line(line, &mut written);
    }
    replay.finish(&mut written);
    written.0
}

pub fn parsed(record: &[u8]) -> Value {
    serde_json::from_slice(record).expect("JSON")
}

pub fn at_of(change: &Value) -> Timestamp {
    Timestamp::parse(change["at"].as_str().expect("a time")).expect("an instant")
}

/// A place behind this many records of partition 0, with nothing missing before.
pub fn place(next_offset: usize) -> BTreeMap<i32, Place> {
    BTreeMap::from([(0, Place { next_offset: next_offset as i64, reaches: None })])
}

/// A tag change of an entity that has one tag.
pub fn change(key: &str, tag: &str, seq: u64, at_ms: i64, (from, to): (Value, Value), cause: &str) -> Vec<u8> {
    let at = Timestamp::from_ms(at_ms).to_string();
    let id = format!("{:032x}", u128::from(xxhash_rust::xxh3::xxh3_64(format!("{key}{tag}{seq}{at}").as_bytes())));
    let kind = match (from.is_null(), to.is_null()) {
        (true, _) => "added",
        (_, true) => "removed",
        _ => "changed",
    };
    serde_json::json!({
        "id": id, "entity": "user", "key": key, "tag": tag, "change": kind, "value": to, "previous": from, "at": at,
        "seq": seq, "cause": cause, "because": { "spend": format!("because-of-{key}") }, "catalog": "1f",
    })
    .to_string()
    .into_bytes()
}

/// Writes records in batches of this many.
pub fn write_all(writer: &mut HistoryWriter, records: &[Vec<u8>], batch: usize) {
    for (index, records_of_batch) in records.chunks(batch).enumerate() {
        for record in records_of_batch {
            writer.add(record).expect("a row");
        }
        writer.commit(&place(index * batch + records_of_batch.len())).expect("a commit");
    }
}
