//! One run of the service over the whole input, as a process of its own.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use rdkafka::message::Message;
use xxhash_rust::xxh3::xxh3_64;

use crate::broker::{Broker, free_port};
use crate::client::{committed_of, delete_topic, onlooker, read_each};
use crate::{EVENTS, cpu, support};

const CATALOG: &str = include_str!("catalog.yaml");

/// What a run has cost, and what it has written.
pub struct Run {
    /// From the first partition that runs to the last offset that is committed.
    pub took: Duration,
    pub cpu: Duration,
    pub broker_cpu: Duration,
    pub changes: u64,
    /// The same for the same changes, in whatever order.
    pub digest: u64,
    pub changelog_bytes: u64,
    pub commits: f64,
    /// From the begin of a transaction to its end, on average.
    pub commit_ms: f64,
}

impl Run {
    /// Runs `program` until it has committed all `events`.
    pub fn of(program: &Path, broker: &Broker, application: &str, settings: &[String], events: usize) -> Run {
        let service = Service::new(program, broker, application, settings);
        service.create_topics();
        let mut running = service.start();
        while !service.said().contains("runs partition") {
            thread::sleep(Duration::from_millis(2));
        }
        let onlooker = onlooker(broker, application);
        let clocks = || (cpu::used_by(running.id()), cpu::used_by(broker_pid(broker)));
        let (started, before) = (Instant::now(), clocks());
        let read = || committed_of(&onlooker, EVENTS).iter().flatten().sum::<i64>();
        while read() < events as i64 {
            assert!(cpu::used_by(running.id()).is_some(), "{}", service.said());
            thread::sleep(Duration::from_millis(20));
        }
        let (took, after) = (started.elapsed(), clocks());
        let metrics = service.metrics();
        let commits = metric(&metrics, "tagstream_commit_duration_seconds_count");
        let commit_ms = metric(&metrics, "tagstream_commit_duration_seconds_sum") / commits * 1e3;
        drop(onlooker);
        let _ = running.kill();
        let _ = running.wait();
        let (mut changes, mut digest, mut changelog_bytes) = (0, 0_u64, 0);
        read_each(broker, &format!("{application}-changes"), |message| {
            changes += 1;
            digest = digest.wrapping_add(message.payload().map_or(0, xxh3_64));
        });
        read_each(broker, &format!("{application}-changelog"), |message| {
            changelog_bytes += message.payload_len() as u64
        });
        delete_topics(broker, application);
        let used =
            |before: Option<Duration>, after: Option<Duration>| after.unwrap_or_default() - before.unwrap_or_default();
        let (cpu, broker_cpu) = (used(before.0, after.0), used(before.1, after.1));
        Run { took, cpu, broker_cpu, changes, digest, changelog_bytes, commits, commit_ms }
    }
}

fn broker_pid(broker: &Broker) -> u32 {
    let text = fs::read_to_string(broker.folder().join("pid")).expect("the broker's process");
    text.trim().parse().expect("a number")
}

/// What a run has written is not needed by the next one.
fn delete_topics(broker: &Broker, application: &str) {
    let metadata = onlooker(broker, "metadata").fetch_metadata(None, Duration::from_secs(10)).expect("metadata");
    let names = metadata.topics().iter().map(|topic| topic.name());
    names.filter(|name| name.starts_with(application)).for_each(|name| delete_topic(broker, name));
}

/// The value of a metric without labels.
fn metric(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or(f64::NAN)
}

/// The service with two workers, in a folder of its own.
struct Service {
    program: PathBuf,
    folder: PathBuf,
    log: PathBuf,
    http: u16,
    settings: Vec<String>,
}

impl Service {
    fn new(program: &Path, broker: &Broker, application: &str, given: &[String]) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{application}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("catalog.yaml"), CATALOG).expect("a catalog");
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
            // No clock follows the present: the events are of the past.
            "service.idle_grace=off".to_owned(),
            // The input is not compressed either: what codecs cost is another question.
            "kafka.properties.compression.type=none".to_owned(),
            // The first worker has all partitions until its next heartbeat.
            "kafka.properties.heartbeat.interval.ms=100".to_owned(),
        ];
        settings.extend_from_slice(given);
        Service { program: program.to_owned(), log: folder.join("log"), folder, http, settings }
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

    fn create_topics(&self) {
        let output = self.command(&["topics", "create"]).output().expect("tagstream");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn start(&self) -> Child {
        let log = fs::File::create(&self.log).expect("a log");
        self.command(&["run"]).stderr(log).spawn().expect("tagstream")
    }

    fn metrics(&self) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.http)).expect("the service listens");
        let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
