//! Stories as data, in the form that `story` reads: one a topic, with every change that must come.
//!
//! `UPDATE_EXPECT=1` rewrites the changes; read them before you believe them.

use std::fmt::Write;
use std::path::Path;

use super::agreement::{NOW_MS, compare};
use crate::reference;
use crate::story::{Story, told};

fn check(path: &Path) {
    let text = std::fs::read_to_string(path).expect("the script can be read");
    let story = Story::read(&text);
    let found = reference::replay(&story.case.catalog, &story.case.lines, NOW_MS, story.case.until);
    let rejects: Vec<_> = found.rejects.iter().map(|reject| (reject.line, reject.reason.to_owned())).collect();
    assert_eq!(rejects, story.rejects, "{}", path.display());
    let changes: Vec<String> = found.changes.iter().map(told).collect();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let mut updated = String::new();
        for line in text.lines().filter(|line| !line.starts_with('>')) {
            let _ = writeln!(updated, "{line}");
        }
        changes.iter().for_each(|line| updated.push_str(&format!("{line}\n")));
        std::fs::write(path, updated).expect("the script can be written");
    } else {
        assert_eq!(changes, story.changes, "{}", path.display());
    }
    compare(&story.case, NOW_MS).unwrap_or_else(|difference| panic!("{}: {difference}", path.display()));
}

#[test]
fn every_story_ends_as_it_must() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/engine/scripts");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).expect("the scripts are there").map(|e| e.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 20, "only {} scripts", paths.len());
    paths.iter().for_each(|path| check(path));
}
