//! Commands as data: each file holds a command line and all that must come of it.
//!
//! `UPDATE_EXPECT=1 cargo test --test it tools::golden` writes what came; read the difference before you commit.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tools")
}

/// What a command line gives, run beside the data: exit code, standard output, standard error.
fn run(command: &str) -> String {
    let mut words = command.split_whitespace();
    assert_eq!((words.next(), words.next()), (Some("$"), Some("tagstream")), "a file begins with `$ tagstream`");
    let (args, stdin): (Vec<&str>, _) = match command.split_once(" < ") {
        None => (words.collect(), Stdio::null()),
        Some((_, file)) => {
            let file = fs::File::open(folder().join("data").join(file)).expect("the input is there");
            (words.take_while(|word| *word != "<").collect(), Stdio::from(file))
        }
    };
    let output = Command::new(env!("CARGO_BIN_EXE_tagstream"))
        .args(args)
        .current_dir(folder().join("data"))
        .stdin(stdin)
        .env("COLUMNS", "120")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let code = output.status.code().expect("it ends by itself");
    let mut told = format!("{command}\n--- exit {code}\n{}", text(&output.stdout));
    if !output.stderr.is_empty() {
        told.push_str(&format!("--- stderr\n{}", text(&output.stderr)));
    }
    told
}

fn check(path: &Path) -> Option<String> {
    let expected = fs::read_to_string(path).unwrap();
    let found = run(expected.lines().next().unwrap_or_default());
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(path, found).unwrap();
        return None;
    }
    (found != expected).then(|| format!("{}: expected\n{expected}\nbut it is\n{found}", path.display()))
}

#[test]
fn every_command_gives_what_it_must() {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder().join("golden")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 15, "only {} commands", paths.len());
    let failures: Vec<String> = paths.iter().filter_map(|path| check(path)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
