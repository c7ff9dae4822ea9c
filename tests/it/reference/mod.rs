//! A brute-force model of the specification: it keeps every event and computes everything anew each time.
//!
//! The road of a record: `input` (with `json` and `instant`) makes an event of it, or a rejection; `partition` lets
//! time pass up to it, timer by timer; `entity` takes it in, or obeys a `command`, and computes all its facts (`counter`
//! over a `window` in a `zone`, `unseen` where history is missing, `attribute`); `verdict` brings each tag up to the clock
//! and says when it may next change, both by `outlook`, which reckons with sets of `possible` values and is checked
//! against the plain `evaluate`. Where another catalog takes over, `succession` says what goes on. `catalog` and `expression` read what is given. It shares no code and no assumption with
//! the engine.

mod attribute;
mod catalog;
mod catalog_reader;
mod command;
mod counter;
mod ends;
mod entity;
mod evaluate;
mod expression;
mod input;
mod instant;
mod json;
mod number;
mod outlook;
mod parser;
mod partition;
mod pattern;
mod possible;
mod range;
mod selftest;
mod selftest_language;
mod selftest_records;
mod selftest_unknown;
mod succession;
mod tokens;
mod unseen;
mod value;
mod verdict;
mod window;
mod zone;

use catalog::Catalog;
use partition::Partition;
use succession::Succession;

/// All that follows from a catalog and a stream.
#[derive(Debug)]
pub struct Outcome {
    /// Tag changes as the contract writes them, without `id` and `catalog`, in the order in which they came about.
    pub changes: Vec<serde_json::Value>,
    pub rejects: Vec<Reject>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Reject {
    pub reason: &'static str,
    /// The first line is 1.
    pub line: usize,
}

/// Replays the lines through one partition. Events later than `until` are left out, and the clock runs on to it.
pub fn replay(catalog_yaml: &str, lines: &[Vec<u8>], now_ms: i64, until: Option<i64>) -> Outcome {
    replay_looking(catalog_yaml, lines, now_ms, until, &mut |_, _| Vec::new())
}

/// As [`replay`], and after so many lines another catalog takes over, as long as there was an event.
pub fn replay_changed(
    [catalog_yaml, next_yaml]: [&str; 2],
    [lines, more]: [&[Vec<u8>]; 2],
    now_ms: i64,
    until: Option<i64>,
) -> Outcome {
    let read = |text: &str| serde_saphyr::from_str(text).expect("a YAML file");
    let yamls: [serde_json::Value; 2] = [catalog_yaml, next_yaml].map(read);
    let mut partition = Partition::new(Catalog::read(catalog_yaml));
    let mut rejects = Vec::new();
    let mut take = |partition: &mut Partition, lines: &[Vec<u8>], before: usize| {
        for (index, line) in lines.iter().enumerate() {
            match input::decode(line, partition.catalog(), now_ms) {
                Ok(event) if until.is_some_and(|until| event.time > until) => {}
                Ok(event) => partition.apply(&event),
                Err(reason) => rejects.push(Reject { reason, line: before + index + 1 }),
            }
        }
    };
    take(&mut partition, lines, 0);
    partition.adopt(Catalog::read(next_yaml), &|old, new, now| Succession::new([&yamls[0], &yamls[1]], old, new, now));
    take(&mut partition, more, lines.len());
    if let Some(until) = until {
        partition.pass_time(until);
    }
    Outcome { changes: partition.changes, rejects }
}

/// The same, but whenever time passes every entity is evaluated at further instants too, which `looks` chooses from the
/// instants after its first argument up to its second. That must never change the outcome.
pub fn replay_looking(
    catalog_yaml: &str,
    lines: &[Vec<u8>],
    now_ms: i64,
    until: Option<i64>,
    looks: &mut dyn FnMut(i64, i64) -> Vec<i64>,
) -> Outcome {
    let mut partition = Partition::new(Catalog::read(catalog_yaml));
    let mut rejects = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        match input::decode(line, partition.catalog(), now_ms) {
            Ok(event) if until.is_some_and(|until| event.time > until) => {}
            Ok(event) => {
                partition.look(event.time, looks);
                partition.apply(&event);
            }
            Err(reason) => rejects.push(Reject { reason, line: index + 1 }),
        }
    }
    if let Some(until) = until {
        partition.look(until, looks);
        partition.pass_time(until);
    }
    Outcome { changes: partition.changes, rejects }
}

/// A tag change as the engine writes it, with every digit of its numbers.
pub fn exact(line: &[u8]) -> serde_json::Value {
    fn value(json: &json::Json) -> serde_json::Value {
        match json {
            json::Json::Null => serde_json::Value::Null,
            json::Json::Bool(flag) => (*flag).into(),
            json::Json::Number(text) => number::output(text),
            json::Json::Text(text) => text.clone().into(),
            json::Json::Array(items) => items.iter().map(value).collect(),
            json::Json::Object(members) => members.iter().map(|(name, own)| (name.clone(), value(own))).collect(),
        }
    }
    value(&json::parse(line).expect("a change is JSON"))
}
