//! A catalog that cannot be read to its end does not keep the service from its signals.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::service::{Setup, text};

const CATALOG: &str = "version: 1\ncounters:\n  n: { count: \"*\" }\ntags:\n  some: { when: n >= 1 }\n";

fn make_fifo(setup: &Setup) {
    let path = setup.folder.join("catalog.yaml");
    fs::remove_file(&path).expect("a catalog");
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
}

#[test]
fn a_reload_from_a_fifo_is_refused_and_the_service_ends_when_told_to() {
    let setup = Setup::new("fifo-reload", "127.0.0.1:1", CATALOG);
    let mut service = setup.start();
    service.says("starting");
    // The signals are handled once the brokers are looked for.
    service.says("127.0.0.1:1");
    make_fifo(&setup);
    service.signal(libc::SIGHUP);
    service.says("it is not a plain file");
    let begun = Instant::now();
    service.stop();
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

#[test]
fn a_start_with_a_fifo_fails() {
    let setup = Setup::new("fifo-start", "127.0.0.1:1", CATALOG);
    make_fifo(&setup);
    let mut service = setup.start();
    assert_eq!(service.ended().code(), Some(1));
    assert!(service.log().contains("can't read catalog.yaml: it is not a plain file"), "{}", service.log());
    let mut command = setup.command(&["run"]);
    command.args(["-s", "catalog=/dev/stdin"]);
    let output = command.stdin(std::process::Stdio::piped()).output().expect("tagstream");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
}
