//! What the commands read and write that is not a plain file.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
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
