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
