//! `tagstream init`: what it writes passes, and what is there stays as it is.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn tagstream(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tagstream")).args(args).current_dir(folder).output().unwrap()
}

#[test]
fn a_first_catalog_is_fine_passes_its_tests_and_overwrites_nothing() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("init-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for (args, code) in [
        (&["init", "new/here"][..], 0),
        (&["check", "new/here/catalog.yaml", "--deny-warnings"], 0),
        (&["test", "new/here/tests.yaml", "--require-coverage"], 0),
        (&["replay", "new/here/catalog.yaml", "--input", "new/here/events.ndjson"], 0),
        (&["init", "new/here"], 1),
    ] {
        let output = tagstream(&folder, args);
        let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{args:?}\n{told}");
    }
    let written = folder.join("new/here");
    fs::remove_file(written.join("catalog.yaml")).unwrap();
    fs::write(written.join("tests.yaml"), "mine").unwrap();
    assert_eq!(tagstream(&written, &["init"]).status.code(), Some(1));
    assert_eq!(fs::read_to_string(written.join("tests.yaml")).unwrap(), "mine");
    assert!(!written.join("catalog.yaml").exists(), "all or none");
    fs::remove_dir_all(&folder).unwrap();
}
