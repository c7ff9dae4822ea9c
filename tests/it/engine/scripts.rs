//! Stories as data: a catalog, events in time, and every change that must come of them.
//!
//! A script is a catalog, a line `---`, then lines: `TIME KEY TYPE [PROPERTIES]` is an event (`#id` behind the type
//! gives it an id), `until TIME` ends the story, `> AT KEY TAG CHANGE VALUE CAUSE` is a change that must come, in order.
//! `UPDATE_EXPECT=1` rewrites the changes; read them before you believe them.

use std::fmt::Write;
use std::path::Path;

use serde_json::Value;
use tagstream::model::Timestamp;

use super::agreement::{NOW_MS, compare, run_engine};
use crate::generate::Case;

fn event(line: &str) -> Vec<u8> {
    let (words, properties) = line.split_once('{').map_or((line, None), |(words, rest)| (words, Some(rest)));
    let mut words = words.split_whitespace();
    let mut word = |what: &str| words.next().unwrap_or_else(|| panic!("{what} is missing: {line}")).to_owned();
    let (time, key, kind) = (word("the time"), word("the key"), word("the type"));
    let (kind, id) = kind.split_once('#').map_or((kind.as_str(), None), |(kind, id)| (kind, Some(id)));
    let mut event = serde_json::json!({ "user_id": key, "type": kind, "timestamp": time });
    if let Some(id) = id {
        event["id"] = id.into();
    }
    if let Some(properties) = properties {
        event["properties"] = serde_json::from_str(&format!("{{{properties}")).expect("properties are JSON");
    }
    event.to_string().into_bytes()
}

fn told(change: &Value) -> String {
    let text = |name: &str| change[name].as_str().unwrap_or_default().to_owned();
    let value = &change["value"];
    let (at, key, tag, kind, cause) = (text("at"), text("key"), text("tag"), text("change"), text("cause"));
    format!("> {at} {key} {tag} {kind} {value} {cause}")
}

fn check(path: &Path) {
    let text = std::fs::read_to_string(path).expect("the script can be read");
    let (catalog, story) = text.split_once("---\n").expect("a script has a line ---");
    let lines = || story.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let until = lines().find_map(|line| line.strip_prefix("until "));
    let until = until.map(|time| Timestamp::parse(time).expect("until is a time").ms());
    let is_event = |line: &&str| !line.starts_with('>') && !line.starts_with("until ");
    let case = Case { catalog: catalog.to_owned(), lines: lines().filter(is_event).map(event).collect(), until };
    let (changes, rejects) = run_engine(&case, NOW_MS).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(rejects, [], "{}", path.display());
    let found: Vec<String> = changes.iter().map(told).collect();
    let expected: Vec<&str> = lines().filter(|line| line.starts_with('>')).collect();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let mut updated = format!("{catalog}---\n");
        for line in story.lines().filter(|line| !line.starts_with('>')) {
            let _ = writeln!(updated, "{line}");
        }
        found.iter().for_each(|line| updated.push_str(&format!("{line}\n")));
        std::fs::write(path, updated).expect("the script can be written");
    } else {
        assert_eq!(found, expected, "{}", path.display());
    }
    compare(&case, NOW_MS).unwrap_or_else(|difference| panic!("{}: {difference}", path.display()));
}

#[test]
fn every_story_ends_as_it_must() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/engine/scripts");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).expect("the scripts are there").map(|e| e.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 10, "only {} scripts", paths.len());
    paths.iter().for_each(|path| check(path));
}
