//! One `.bad.yaml` a mistake that people make, with the report that they get beside it.
//!
//! `UPDATE_EXPECT=1 cargo test --test it catalog::bad` writes the reports anew; read the difference before you commit.

use std::fs;
use std::path::{Path, PathBuf};

use tagstream::catalog::{Colours, Severity, as_text, load};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/catalog/bad");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.to_string_lossy().ends_with(".bad.yaml")).collect();
    files.sort();
    files
}

/// The difference between the report of a file and the one that is expected; what is expected is rewritten on demand.
fn check(path: &Path) -> Result<(), String> {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let text = fs::read_to_string(path).unwrap();
    let loaded = load(&text);
    let report = as_text(&name, &text, &loaded.problems, Colours::Off);
    if name.starts_with("warning-") != loaded.catalog.is_some() {
        return Err(format!("{name}: errors where there should be none, or none where there should be some\n{report}"));
    }
    if name.starts_with("warning-") != loaded.problems.iter().all(|p| p.severity == Severity::Warning) {
        return Err(format!("{name}: of the wrong severity\n{report}"));
    }
    let expected_path = path.with_extension("").with_extension("txt");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&expected_path, &report).unwrap();
    }
    let expected = fs::read_to_string(&expected_path).unwrap_or_default();
    if report == expected { Ok(()) } else { Err(format!("{name}: expected\n{expected}\nbut it is\n{report}")) }
}

#[test]
fn every_mistake_is_told_where_it_is_and_with_its_mend() {
    let files = files();
    assert!(files.len() >= 40, "only {} files were found", files.len());
    let failures: Vec<String> = files.iter().filter_map(|path| check(path).err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
