//! `tagstream demo` as a user runs it into a pipe: every change once, the same as a replay of the same events.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tagstream::codec::ParsedChange;

const TAGSTREAM: &str = env!("CARGO_BIN_EXE_tagstream");

fn tagstream(args: &[&str]) -> Output {
    let output = Command::new(TAGSTREAM).args(args).output().unwrap();
    expect_success(&output);
    output
}

/// On a busy machine the service may warn of the broker; that is not a failure.
fn expect_success(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The changes of each entity, in order.
fn by_entity(output: &Output) -> BTreeMap<String, Vec<String>> {
    let mut entities = BTreeMap::<String, Vec<String>>::new();
    for line in std::str::from_utf8(&output.stdout).unwrap().lines() {
        let change = ParsedChange::parse(line.as_bytes()).unwrap();
        let changes = entities.entry(change.key).or_default();
        changes.push(line.to_owned());
        assert_eq!(change.seq, changes.len() as u64, "{line}");
    }
    entities
}

fn temporary(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()))
}

#[test]
fn a_demo_gives_the_changes_of_a_replay_of_its_events() {
    let events = temporary("demo-events.ndjson");
    let events = events.to_str().unwrap();
    let catalog = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/examples/gym/catalog.yaml");
    let demo = tagstream(&["demo", "--days", "30", "--members", "60", "--speed", "max", "--save", events]);
    let demo = by_entity(&demo);
    // The demo lets time pass up to now, a replay up to the last event: what the demo has more are timers between.
    let replay = by_entity(&tagstream(&["replay", catalog, "--input", events]));
    assert!(replay.len() > 30, "{} entities", replay.len());
    assert_eq!(demo.keys().collect::<Vec<_>>(), replay.keys().collect::<Vec<_>>());
    for (entity, replayed) in replay {
        let (common, rest) = demo[&entity].split_at(replayed.len().min(demo[&entity].len()));
        assert_eq!(common, replayed, "{entity}");
        assert!(rest.iter().all(|line| line.contains(r#""cause":"timer""#)), "{rest:#?}");
    }
    std::fs::remove_file(events).unwrap();
}

#[test]
fn a_reader_who_has_had_enough_ends_it() {
    let args = ["demo", "--members", "50", "--speed", "max"];
    let mut demo = Command::new(TAGSTREAM).args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(demo.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with(r#"{"id":"#), "{line}");
    expect_success(&demo.wait_with_output().unwrap());
}

#[test]
fn an_interrupt_ends_it() {
    let args = ["demo", "--members", "50"];
    let mut demo = Command::new(TAGSTREAM).args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut changes = BufReader::new(demo.stdout.take().unwrap());
    let mut line = String::new();
    changes.read_line(&mut line).unwrap();
    assert_eq!(unsafe { libc::kill(demo.id() as i32, libc::SIGINT) }, 0);
    let rest = changes.lines().map(Result::unwrap);
    assert!(rest.into_iter().all(|line| ParsedChange::parse(line.as_bytes()).is_ok()), "a line was torn");
    expect_success(&demo.wait_with_output().unwrap());
}
