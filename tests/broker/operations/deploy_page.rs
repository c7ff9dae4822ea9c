//! The page deploy.md, followed to the letter: from nothing to a watched service, with its own commands and in its order.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::fixture::broker::free_port;

const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");
/// The ports of the page, which other programs of this machine may have.
const PORTS: [&str; 4] = ["9092", "8080", "8081", "9090"];
const FOLLOWING_TIME_MAX: Duration = Duration::from_secs(180);

/// The blocks of a page that are marked `sh`, in its order.
fn blocks(page: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if line.trim_start() == "```sh" {
            let indent = line.len() - line.trim_start().len();
            let inside = lines.by_ref().take_while(|line| line.trim() != "```");
            blocks.push(inside.map(|line| format!("{}\n", line.get(indent..).unwrap_or_default())).collect());
        }
    }
    blocks
}

/// A folder with the repository's `deploy` in it, where the commands run; what they have started ends with it.
struct Follower {
    folder: PathBuf,
    shell: Child,
}

impl Follower {
    /// Runs the blocks in one shell, which ends at the first command that fails.
    fn start(blocks: &[String]) -> Follower {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("deploy-page-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        symlink(format!("{REPOSITORY}/deploy"), folder.join("deploy")).expect("a link");
        let mut script = "set -euo pipefail\n".to_owned();
        for (number, block) in blocks.iter().enumerate() {
            script += &format!("echo '== block {number}'\n{block}");
        }
        let log = fs::File::create(folder.join("log")).expect("a log file");
        let program = Path::new(env!("CARGO_BIN_EXE_tagstream")).parent().expect("a folder").to_owned();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").expect("PATH"));
        let mut shell = Command::new("bash");
        shell.args(["-c", &script]).current_dir(&folder).env("PATH", path).process_group(0).stdin(Stdio::null());
        let shell = shell.stdout(log.try_clone().expect("a log file")).stderr(log).spawn().expect("bash");
        Follower { folder, shell }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Waits for the end of the last block. Returns what the commands have printed.
    fn finish(mut self) -> String {
        let deadline = Instant::now() + FOLLOWING_TIME_MAX;
        loop {
            if let Some(status) = self.shell.try_wait().expect("a status") {
                let log = self.log();
                assert!(status.success(), "{status}\n{log}");
                return log;
            }
            assert!(Instant::now() < deadline, "the commands do not end\n{}", self.log());
            thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        // SAFETY: kill(2) has no memory effects; the group is that of the shell, which was started for this.
        unsafe { libc::kill(-(self.shell.id() as libc::pid_t), libc::SIGKILL) };
        let _ = self.shell.wait();
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// One behind which another one is free, for the controller.
fn kafka_port() -> u16 {
    loop {
        let port = free_port();
        if port < u16::MAX && TcpListener::bind((Ipv4Addr::LOCALHOST, port + 1)).is_ok() {
            return port;
        }
    }
}

#[test]
fn the_commands_of_the_page_lead_to_a_watched_service() {
    let mut page = fs::read_to_string(format!("{REPOSITORY}/deploy/docs/deploy.md")).expect("the page");
    let ports = [kafka_port(), free_port(), free_port(), free_port()].map(|port| port.to_string());
    // First all of them are taken out: a free port may contain the digits of another one.
    for (index, port) in PORTS.iter().enumerate() {
        page = page.replace(&format!(":{port}"), &format!(":PORT-{index}"));
        page = page.replace(&format!(" {port}\n"), &format!(" PORT-{index}\n"));
    }
    for (index, port) in ports.iter().enumerate() {
        page = page.replace(&format!("PORT-{index}"), port);
    }
    let blocks = blocks(&page);
    assert!(blocks.len() >= 11, "{blocks:?}");
    let log = Follower::start(&blocks).finish();
    let has = |words: &str| assert!(log.contains(words), "no {words:?} in\n{log}");
    has(&format!("broker: Kafka answers at 127.0.0.1:{}", ports[0]));
    has("trial/tests.yaml: ok: ");
    has("created       tagstream-changelog: 4 partitions");
    let (_, after) = log.split_once("tagstream: sent ").expect("the feeder says how many");
    let sent: u64 = after.split(' ').next().expect("a number").parse().expect("a number");
    has(&format!("tagstream_events_total {sent}"));
    has(r#""tag":"churn_risk","#);
    has(r#""key":"u-0002""#);
    has(r#"state="running"} => 4"#);
    has("is computed, then it takes effect");
    assert!(!log.contains("FAILED"), "{log}");
}
