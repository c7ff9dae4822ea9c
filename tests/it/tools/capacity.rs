//! `tagstream capacity`: what it says of a sample is what the engine has, and the rest grows as it should.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tagstream::catalog;
use tagstream::codec::{ChangeFormat, Decoder};
use tagstream::engine::{Partition, Program, Sink};
use tagstream::model::{Event, TagChange, Timestamp};

const CATALOG: &str = "version: 1
counters:
  visits_30d: { count: visit, window: 30d }
  spend_90d: { sum: properties.amount, on: buy, window: 90d }
  last_active: { last: time, on: '*' }
tags:
  regular: { when: visits_30d >= 3 }
  spender: { when: spend_90d >= 50, until: spend_90d < 20 }
  gone: { when: days_since(last_active) >= 14 }
";

const USERS: usize = 100_000;

/// Three events of each user, over three days.
fn events() -> String {
    let mut text = String::new();
    for event in 0..3 * USERS {
        let (user, day, second) = (event % USERS, 1 + event / USERS, event % USERS % 86_400);
        let event_type = if event % 3 == 0 { "buy" } else { "visit" };
        let _ = writeln!(
            text,
            r#"{{"id":"{event}","type":"{event_type}","user_id":"u-{user:07}","timestamp":"2026-03-0{day}T{:02}:{:02}:{:02}Z","properties":{{"amount":{}.5}}}}"#,
            second / 3_600,
            second / 60 % 60,
            second % 60,
            event % 90
        );
    }
    text
}

#[derive(Default)]
struct Changes(u64);

impl Sink for Changes {
    fn change(&mut self, _: &TagChange<'_>) {
        self.0 += 1;
    }
}

/// A folder with the sample.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("capacity-{test}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("catalog.yaml"), CATALOG).unwrap();
        fs::write(folder.join("events.ndjson"), events()).unwrap();
        fs::write(folder.join("none.ndjson"), "").unwrap();
        Folder(folder)
    }

    fn run(&self, input: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tagstream"));
        command.current_dir(&self.0).args(["capacity", "catalog.yaml", "--input", input]).args(arguments);
        command.output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run("events.ndjson", &[arguments, &["--format", "json"]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_estimate_is_what_the_engine_has_and_grows_with_what_is_asked_for() {
    let folder = Folder::new("estimate");
    let program = Program::new(catalog::load(CATALOG).catalog.unwrap());
    let (mut decoder, mut event) = (Decoder::new(&program.catalog), Event::default());
    let (mut partition, mut changes) = (Partition::new(program), Changes::default());
    for line in events().lines() {
        decoder.decode(line.as_bytes(), Timestamp::MAX, &mut event).unwrap();
        partition.apply(&event, &mut changes);
    }

    let small = folder.json(&["--users", "100k", "--events", "10/s"]);
    assert_eq!(small["sample"]["events"], 3 * USERS as u64);
    assert_eq!(small["sample"]["entities"], USERS as u64);
    assert_eq!(small["sample"]["changes"], changes.0);
    assert_eq!(small["sample"]["state_bytes"], partition.state_bytes());
    let number = |document: &Value, field: &str| document[field].as_f64().unwrap();
    assert_eq!((number(&small, "workers"), number(&small, "partitions")), (1.0, 2.0));

    // What the engine has allocated, and what the estimate says of the same users beside the worker's own memory.
    let large = folder.json(&["--users", "100M", "--events", "10/s"]);
    let a_user = (number(&large, "memory_bytes") - number(&small, "memory_bytes")) / (100e6 - 100e3);
    let allocated = partition.bytes() as f64 / USERS as f64;
    assert!((0.75..1.1).contains(&(a_user / allocated)), "{a_user} bytes a user, where the engine has {allocated}");

    let ratio = |field: &str| number(&large, field) / number(&small, field);
    assert!((ratio("changelog_disk_bytes") - 1_000.0).abs() < 1.0, "{}", ratio("changelog_disk_bytes"));
    assert!((ratio("restore_seconds") - 1_000.0).abs() < 1.0, "{}", ratio("restore_seconds"));

    let changes_a_second = changes.0 as f64 / (3 * USERS) as f64 * 1e6 / 60.0;
    let busy = folder.json(&["--users", "100k", "--events", "1M/min", "--retention", "14d", "--replication", "1"]);
    assert!((number(&busy, "tag_changes_per_second") / changes_a_second - 1.0).abs() < 1e-9);
    assert!(number(&busy, "cores") > number(&small, "cores") * 100.0);
    assert!(number(&busy, "workers") * 0.6 >= number(&busy, "cores"), "workers have room");
}

#[test]
fn a_sample_without_events_is_an_error() {
    let output = Folder::new("nothing").run("none.ndjson", &["--users", "1k", "--events", "1/s"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("there are no events to measure"));
}

#[test]
fn the_bytes_of_a_change_are_those_of_its_record_in_the_services_format() {
    let folder = Folder::new("formats");
    let changes = Command::new(env!("CARGO_BIN_EXE_tagstream"))
        .current_dir(&folder.0)
        .args(["replay", "catalog.yaml", "--input", "events.ndjson"])
        .output()
        .unwrap();
    assert!(changes.status.success(), "{}", String::from_utf8_lossy(&changes.stderr));
    let mut sizes = Vec::new();
    for format in ChangeFormat::ALL {
        let (mut bytes, mut count, mut record) = (0, 0, Vec::new());
        for object in changes.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let change: Value = serde_json::from_slice(object).unwrap();
            record.clear();
            format.write(object, "tagstream", &mut record);
            let (id, key) = (change["id"].as_str().unwrap(), change["key"].as_str().unwrap());
            // As the CloudEvents binding has them; Kafka's own bytes are the lengths and the head of a record.
            let headers = [
                ("ce_specversion", "1.0"),
                ("ce_id", id),
                ("ce_type", "tagstream.tag.added"),
                ("ce_source", "/tagstream/tagstream"),
                ("ce_time", change["at"].as_str().unwrap()),
                ("content-type", format.content_type()),
            ];
            let headers: usize = headers.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
            bytes += record.len() + key.len() + headers;
            count += 1;
        }
        let estimate = folder.json(&["--users", "1M", "--events", "1k/s", "--output-format", format.name()]);
        let number = |field: &str| estimate[field].as_f64().unwrap();
        assert_eq!(estimate["sample"]["changes"], count);
        let ratio = number("tag_change_bytes") / (bytes as f64 / count as f64);
        assert!((0.99..1.05).contains(&ratio), "{}: {ratio} of the bytes of the records", format.name());
        let written = number("tag_changes_per_second") * number("tag_change_bytes");
        assert!((number("tag_changes_bytes_per_second") / written - 1.0).abs() < 1e-3);
        assert!((number("tag_changes_disk_bytes") / (written * 7.0 * 86_400.0 * 3.0) - 1.0).abs() < 1e-3);
        sizes.push(number("tag_change_bytes"));
    }
    assert!(sizes.is_sorted_by(|a, b| a * 1.1 < *b), "each format is larger than the one before: {sizes:?}");
}
