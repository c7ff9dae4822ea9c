//! The service as a process of its own.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::broker::{Broker, free_port};
use crate::{EVENTS, cpu, support};

/// A program to measure.
#[derive(Clone)]
pub struct Program {
    pub name: String,
    pub path: PathBuf,
    /// `SETTING=VALUE` each.
    pub settings: Vec<String>,
}

/// The value of a metric without labels.
pub fn metric(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or(f64::NAN)
}

/// The service with two workers, in a folder of its own.
pub struct Service {
    program: PathBuf,
    folder: PathBuf,
    log: PathBuf,
    http: u16,
    settings: Vec<String>,
}

impl Service {
    /// A service under a catalog, whose topics begin with the application's name.
    pub fn new<'a>(
        program: &Program,
        broker: &Broker,
        application: &str,
        catalog: &str,
        more: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{application}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("catalog.yaml"), catalog).expect("a catalog");
        let http = free_port();
        let mut settings = vec![
            format!("http.listen=127.0.0.1:{http}"),
            format!("kafka.brokers={}", broker.address()),
            format!("kafka.application={application}"),
            format!("output.changes={application}-changes"),
            format!("output.tags={application}-tags"),
            format!("input.topics={EVENTS}"),
            "catalog=catalog.yaml".to_owned(),
            "service.workers=2".to_owned(),
            // The input is not compressed either: what codecs cost is another question.
            "kafka.properties.compression.type=none".to_owned(),
            // The first worker has all partitions until its next heartbeat.
            "kafka.properties.heartbeat.interval.ms=100".to_owned(),
        ];
        settings.extend(more.into_iter().map(str::to_owned));
        settings.extend_from_slice(&program.settings);
        Service { program: program.path.clone(), log: folder.join("log"), folder, http, settings }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::null());
        self.settings.iter().for_each(|setting| {
            command.args(["-s", setting]);
        });
        support::process::die_with_parent(&mut command);
        command
    }

    /// Creates the topics, and starts the service: it runs its first partition.
    pub fn start(&self) -> Child {
        let output = self.command(&["topics", "create"]).output().expect("tagstream");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let log = fs::File::create(&self.log).expect("a log");
        let running = self.command(&["run"]).stderr(log).spawn().expect("tagstream");
        while !self.said().contains("runs partition") {
            assert!(cpu::used_by(running.id()).is_some(), "{}", self.said());
            thread::sleep(Duration::from_millis(2));
        }
        running
    }

    pub fn metrics(&self) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.http)).expect("the service listens");
        let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
