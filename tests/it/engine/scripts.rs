//! Scripts as data, in the form that [`script`](super::script) reads: one for each topic, with every change that must come.
//!
//! `UPDATE_EXPECT=1` rewrites the changes; read them before you believe them.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::agreement::{NOW_MS, Rejects, compare, run_engine};
use super::script::{Script, change_line};
use crate::reference;

/// Compares what a script lists with what came of it.
pub fn check(path: &Path, run: impl Fn(&Script) -> (Vec<Value>, Rejects)) -> Script {
    let text = std::fs::read_to_string(path).expect("the script can be read");
    let script = Script::read(&text);
    let (changes, rejects) = run(&script);
    assert_eq!(rejects, script.rejects, "{}", path.display());
    let changes: Vec<String> = changes.iter().map(change_line).collect();
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
    script
}

pub fn scripts(folder: &str, least: usize) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/engine").join(folder);
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).expect("the scripts are there").map(|e| e.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= least, "only {} scripts", paths.len());
    paths
}

#[test]
fn every_script_gives_the_changes_that_it_lists() {
    for path in scripts("scripts", 20) {
        let script = check(&path, |script| {
            let found = reference::replay(&script.case.catalog, &script.case.lines, NOW_MS, script.case.until);
            let rejects = found.rejects.iter().map(|reject| (reject.line, reject.reason.to_owned())).collect();
            (found.changes, rejects)
        });
        compare(&script.case, NOW_MS).unwrap_or_else(|difference| panic!("{}: {difference}", path.display()));
    }
}

/// What counters do with events, and what expressions compute, each script worked out by hand from the specification.
#[test]
fn every_script_of_counters_and_expressions_gives_the_changes_that_it_lists() {
    for path in scripts("counters", 10).into_iter().chain(scripts("expressions", 9)) {
        let script = check(&path, |script| {
            run_engine(&script.case, NOW_MS).unwrap_or_else(|problem| panic!("{}: {problem}", path.display()))
        });
        compare(&script.case, NOW_MS).unwrap_or_else(|difference| panic!("{}: {difference}", path.display()));
    }
}
