//! Cases of people's reports: a catalog, events, and the changes that are right, one a line: instant, key, tag, value.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn folders() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tools/cases");
    let mut folders: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

fn line(change: &Value) -> String {
    let text = |field: &str| change[field].as_str().unwrap_or_default().to_owned();
    let value = match &change["value"] {
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "on".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    format!("{} {} {} {value}", text("at"), text("key"), text("tag"))
}

/// The difference between the changes of a case and those that are right.
fn check(folder: &Path) -> Result<(), String> {
    let output = Command::new(env!("CARGO_BIN_EXE_tagstream"))
        .args(["replay", "catalog.yaml", "--input", "events.ndjson"])
        .current_dir(folder)
        .output()
        .unwrap();
    let (found, told) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    let found: Vec<String> = found.lines().map(|text| line(&serde_json::from_str(text).unwrap())).collect();
    let expected = fs::read_to_string(folder.join("expected.txt")).unwrap();
    let expected: Vec<&str> = expected.lines().filter(|line| !line.starts_with('#')).collect();
    let name = folder.display();
    if output.status.success() && found == expected {
        return Ok(());
    }
    Err(format!("{name}: expected\n{}\nbut it is\n{}\n{told}", expected.join("\n"), found.join("\n")))
}

#[test]
fn every_case_gives_the_changes_that_are_right() {
    let folders = folders();
    assert!(folders.len() >= 5, "only {} cases", folders.len());
    let failures: Vec<String> = folders.iter().filter_map(|folder| check(folder).err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
