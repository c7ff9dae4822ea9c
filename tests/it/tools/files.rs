//! What the commands read and write that is not a plain file.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tools/data")
}

fn tagstream(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tagstream"));
    command.args(args).current_dir(data()).stdin(Stdio::null());
    command
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_result_that_cannot_be_written_is_a_failure() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("full-{}", std::process::id()));
    let folder = folder.to_str().expect("UTF-8");
    let changes = format!("{folder}.ndjson");
    let events = ["--input", "events.ndjson"];
    let rows: [&[&str]; 12] = [
        &["capacity", "shop.yaml", "--users", "1k", "--events", "1/s"],
        &["check", "shop.yaml"],
        &["check", "shop.yaml", "--format", "json"],
        &["check", "--schema"],
        &["test", "silent.tests.yaml"],
        &["test", "--schema"],
        &["explain", "shop.yaml", "--key", "u-1"],
        &["diff", "shop.yaml", "shop.new.yaml"],
        &["forecast", "shop.yaml", "--format", "json"],
        &["replay", "shop.yaml"],
        &["replay", "shop.yaml", "--summary", "--output", &changes],
        &["init", folder],
    ];
    for row in rows {
        let reads_events = ["capacity", "explain", "diff", "forecast", "replay"].contains(&row[0]);
        let args = [row, if reads_events { &events } else { &[] }].concat();
        let full = File::options().write(true).open("/dev/full").expect("the device");
        let output = tagstream(&args).stdout(full).output().expect("tagstream");
        assert_eq!(output.status.code(), Some(1), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains("standard output"), "{args:?}: {}", stderr(&output));
    }
    let _ = fs::remove_file(&changes);
    let _ = fs::remove_dir_all(folder);
}

/// Also where other words or a link name the same file.
#[test]
fn a_replay_never_writes_over_what_it_reads() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("onto-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let (catalog, events, link) = (folder.join("shop.yaml"), folder.join("events.ndjson"), folder.join("link"));
    for (name, copy) in [("shop.yaml", &catalog), ("events.ndjson", &events)] {
        fs::copy(data().join(name), copy).expect("a copy");
    }
    std::os::unix::fs::symlink(&events, &link).expect("a link");
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    for (option, path) in [("--output", &events), ("--rejects", &events), ("--output", &link), ("--rejects", &catalog)]
    {
        let output = tagstream(&["replay", &text(&catalog), "--input", &text(&events), option, &text(path)]).output();
        let output = output.expect("tagstream");
        assert_eq!(output.status.code(), Some(1), "{option} {path:?}");
        assert!(stderr(&output).contains("the replay reads this file"), "{}", stderr(&output));
    }
    for (name, copy) in [("shop.yaml", &catalog), ("events.ndjson", &events)] {
        assert_eq!(fs::read(copy).expect("a file"), fs::read(data().join(name)).expect("a file"), "{name}");
    }
    let _ = fs::remove_dir_all(folder);
}

#[test]
fn changes_and_rejected_lines_may_go_to_the_same_file() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("both-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let (events, both) = (folder.join("events.ndjson"), folder.join("both"));
    let lines = fs::read_to_string(data().join("one-ahead.ndjson")).expect("events");
    fs::write(&events, format!("no event\n{lines}")).expect("events");
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let (input, both) = (text(&events), text(&both));
    let args = ["replay", "one-ahead.yaml", "--input", &input, "--output", &both, "--rejects", &both];
    let status = tagstream(&args).stderr(Stdio::null()).status().expect("tagstream");
    assert!(status.success());
    let written = fs::read_to_string(&both).expect("a file");
    assert!(written.starts_with("{\"reason\":\"not_json\""), "{written}");
    assert!(written.contains("\"tag\":\"churn_risk\""), "{written}");
    let _ = fs::remove_dir_all(folder);
}

#[test]
fn a_catalog_is_a_plain_file_or_the_standard_input() {
    let fifo = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fifo-{}.yaml", std::process::id()));
    let _ = fs::remove_file(&fifo);
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    let mut child =
        tagstream(&["check", fifo.to_str().expect("UTF-8")]).stdout(Stdio::piped()).spawn().expect("tagstream");
    let deadline = Instant::now() + Duration::from_secs(30);
    while child.try_wait().expect("a status").is_none() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let output = child.wait_with_output().expect("an end");
    fs::remove_file(&fifo).expect("the FIFO is there");
    assert_eq!(output.status.code(), Some(1), "it waits for a writer");
    assert!(String::from_utf8_lossy(&output.stdout).contains("it is not a plain file"));

    let catalog = fs::read(data().join("shop.yaml")).expect("the catalog");
    for path in ["-", "/dev/stdin", "/dev/fd/0"] {
        let mut child =
            tagstream(&["check", path]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("tagstream");
        child.stdin.take().expect("a pipe").write_all(&catalog).expect("it is read");
        assert_eq!(child.wait().expect("an end").code(), Some(0), "{path}");
    }
}
