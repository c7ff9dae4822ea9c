//! Apicurio Registry as a child process, with its schemas in memory: it speaks the API that Confluent documents.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use crate::fixture::broker::free_port;
use crate::fixture::broker::java::{Download, start_from_lasting_thread};
use crate::support::http_client::ask_with;

const APICURIO: Download =
    Download { folder: "schema-registry", pom: "deploy/kafka/schema-registry.xml", goal: "unpack" };
const BOOT_TIME_MAX: Duration = Duration::from_secs(90);
/// Below this path its API is Confluent's.
const API: &str = "/apis/ccompat/v7";

/// The address of the one that the tests of this process share, started by the first that asks for it. It ends with them.
pub fn shared() -> &'static str {
    static SHARED: OnceLock<String> = OnceLock::new();
    SHARED.get_or_init(start)
}

fn start() -> String {
    let port = free_port();
    let libs = APICURIO.libs();
    let log = APICURIO.root().join(format!("log-{}", std::process::id()));
    let mut java = Command::new("java");
    java.args(["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
    java.args(["-Dquarkus.http.host=127.0.0.1", &format!("-Dquarkus.http.port={port}"), "-jar"]);
    java.arg(runner(&libs)).stdin(Stdio::null());
    let file = fs::File::create(&log).expect("a log file");
    java.stdout(file.try_clone().expect("a log file")).stderr(file);
    start_from_lasting_thread(java);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let deadline = Instant::now() + BOOT_TIME_MAX;
    let headers = ["Host: registry", "Connection: close"];
    while !ask_with(address, "GET", &format!("{API}/subjects"), &headers).is_ok_and(|answer| answer.status == 200) {
        let text = || fs::read_to_string(&log).unwrap_or_default();
        assert!(Instant::now() < deadline, "the registry does not answer\n{}", text());
        thread::sleep(Duration::from_millis(100));
    }
    // The process goes on to write to it.
    fs::remove_file(&log).expect("the log");
    format!("http://{address}{API}")
}

/// The program in what Maven has unpacked.
fn runner(libs: &PathBuf) -> PathBuf {
    let files = fs::read_dir(libs).expect("the registry's files").flatten().map(|entry| entry.path());
    let is_runner = |path: &PathBuf| path.to_string_lossy().ends_with("-runner.jar");
    files.into_iter().find(is_runner).expect("the registry's program")
}
