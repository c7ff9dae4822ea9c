//! A standard error that cannot be written neither ends the service nor makes it wait.

use std::fs::File;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::AsRawFd;
use std::process::{Child, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::exposition::parse;
use crate::support::http_client::ask;
use crate::support::process::signal;
use crate::support::service::Setup;

const CATALOG: &str = "version: 1\ncounters:\n  n: { count: \"*\" }\ntags:\n  some: { when: n >= 1 }\n";
const PATIENCE: Duration = Duration::from_secs(30);

/// An address that was free a moment ago: the log, which says the service's own choice, cannot be read here.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address")
}

/// Starts a service that finds no broker, waits until it answers and has logged a while, and stops it. Returns the
/// number of lines that it dropped, and how it ended.
fn run(name: &str, stderr: Stdio) -> (f64, ExitStatus) {
    let address = free_address();
    let setup = Setup::new(name, "127.0.0.1:1", CATALOG).with(&format!("http.listen={address}"));
    let setup = setup.with("kafka.properties.debug=broker").with_variable("TAGSTREAM_LOG", "trace");
    let mut command = setup.command(&["run"]);
    let mut child = command.stdout(Stdio::null()).stderr(stderr).spawn().expect("tagstream");
    until(&mut child, "the service to answer", || ask(address, "GET", "/livez").is_ok());
    let dropped =
        || parse(&ask(address, "GET", "/metrics").expect("a page").body).value("tagstream_log_lines_dropped_total");
    // In this time it tries several times to reach the broker, and logs that.
    thread::sleep(Duration::from_secs(2));
    assert_eq!(ask(address, "GET", "/livez").expect("an answer").status, 200);
    let dropped = dropped();
    signal(child.id(), libc::SIGTERM);
    let mut ended = None;
    let deadline = Instant::now() + PATIENCE;
    while ended.is_none() && Instant::now() < deadline {
        ended = child.try_wait().expect("a status");
        thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    (dropped, ended.expect("SIGTERM ends it"))
}

fn until(child: &mut Child, what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !so() {
        let ended = child.try_wait().expect("a status");
        assert!(ended.is_none(), "waiting for {what}: the service ended with {ended:?}");
        let is_late = Instant::now() >= deadline;
        if is_late {
            let _ = child.kill();
        }
        assert!(!is_late, "waiting for {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn set_blocking(file: &impl AsRawFd, blocking: bool) {
    // SAFETY: fcntl(2) on a descriptor that is open, without memory.
    unsafe {
        let flags = libc::fcntl(file.as_raw_fd(), libc::F_GETFL);
        let flags = if blocking { flags & !libc::O_NONBLOCK } else { flags | libc::O_NONBLOCK };
        assert_eq!(libc::fcntl(file.as_raw_fd(), libc::F_SETFL, flags), 0);
    }
}

#[test]
fn a_full_pipe_that_nobody_reads_stops_nothing() {
    let (reader, mut writer) = io::pipe().expect("a pipe");
    set_blocking(&writer, false);
    while writer.write(&[b'\n'; 4096]).is_ok() {}
    while writer.write(b"\n").is_ok() {}
    set_blocking(&writer, true);
    let (_, status) = run("stderr-full", writer.into());
    assert_eq!(status.code(), Some(0), "{status}");
    drop(reader);
}

#[test]
fn a_log_whose_reader_is_gone_is_dropped_and_counted() {
    let (reader, writer) = io::pipe().expect("a pipe");
    drop(reader);
    let (dropped, status) = run("stderr-gone", writer.into());
    assert_eq!(status.code(), Some(0), "{status}");
    assert!(dropped > 0.0, "{dropped} lines");
}

#[test]
fn a_full_disk_for_the_log_is_no_reason_to_end() {
    let full = File::options().write(true).open("/dev/full").expect("the device");
    let (dropped, status) = run("stderr-disk", full.into());
    assert_eq!(status.code(), Some(0), "{status}");
    assert!(dropped > 0.0, "{dropped} lines");
}
