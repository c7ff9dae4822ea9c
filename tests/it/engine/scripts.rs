//! Scripts as data, in the form that [`script`](super::script) reads: one for each topic, with every change that must come.
//!
//! `UPDATE_EXPECT=1` rewrites the changes; read them before you believe them.

use std::fmt::Write;
use std::path::Path;

use super::agreement::{NOW_MS, compare};
use super::script::{Script, change_line};
use crate::reference;

fn check(path: &Path) {
    let text = std::fs::read_to_string(path).expect("the script can be read");
    let script = Script::read(&text);
    let found = reference::replay(&script.case.catalog, &script.case.lines, NOW_MS, script.case.until);
    let rejects: Vec<_> = found.rejects.iter().map(|reject| (reject.line, reject.reason.to_owned())).collect();
    assert_eq!(rejects, script.rejects, "{}", path.display());
    let changes: Vec<String> = found.changes.iter().map(change_line).collect();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let mut updated = String::new();
        for line in text.lines().filter(|line| !line.starts_with('>')) {
            let _ = writeln!(updated, "{line}");
        }
        changes.iter().for_each(|line| updated.push_str(&format!("{line}\n")));
        std::fs::write(path, updated).expect("the script can be written");
    } else {
        assert_eq!(changes, script.changes, "{}", path.display());
    }
    compare(&script.case, NOW_MS).unwrap_or_else(|difference| panic!("{}: {difference}", path.display()));
}

#[test]
fn every_script_gives_the_changes_that_it_lists() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/engine/scripts");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).expect("the scripts are there").map(|e| e.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 20, "only {} scripts", paths.len());
    paths.iter().for_each(|path| check(path));
}
