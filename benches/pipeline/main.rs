//! The whole way: input topic → counters → tag changes and state in a transaction → committed, on a real Kafka, beside
//! a consumer that only takes the records.
//!
//! `cargo bench --bench pipeline -- [--events N]`: by default 3,000,000 events of 20,000 users in 4 partitions. One
//! broker, the consumer or the service, and nothing else share the machine. Prints events a second, and each as a share of
//! the null consumer's: it takes batches from librdkafka's queue, and drops them.

#[path = "../../tests/broker/fixture/broker.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod broker;
#[path = "../../tests/broker/fixture/client.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod client;
mod null;
#[path = "../engine/stream.rs"]
#[allow(dead_code, reason = "the engine's bench needs more of it")]
mod stream;
#[path = "../../tests/support/mod.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod support;

use std::io::{Read, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{fs, thread};

use broker::Broker;
use client::{Write, committed_of, onlooker, produce};
use stream::Stream;

const CATALOG: &str = include_str!("catalog.yaml");
const USERS: usize = 20_000;
const PARTITIONS: usize = 4;
const EVENTS: &str = "events";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let given = arguments.iter().skip_while(|word| *word != "--events").nth(1);
    let events = given.and_then(|text| text.replace('_', "").parse().ok()).unwrap_or(3_000_000);
    let broker = Broker::start();
    client::create_topic(&broker, EVENTS, PARTITIONS as i32, &[]);
    let event_bytes = fill(&broker, events);
    let null = events as f64 / null::consume(&broker.address(), EVENTS, PARTITIONS as i32, events).as_secs_f64();
    println!("{events} events of {event_bytes} bytes, {USERS} users, {PARTITIONS} partitions");
    println!(
        "{:>14}  {:>10}  {:>6}  {:>13}  {:>21}  {:>10}  {:>13}",
        "", "events/s", "share", "changes/event", "changelog bytes/event", "commit ms", "events/commit"
    );
    println!("{:>14}  {null:>10.0}  {:>6}", "null consumer", "1.00");
    for delivery in ["at_least_once", "exactly_once"] {
        let run = Run::of(&broker, delivery, events);
        println!(
            "{delivery:>14}  {:>10.0}  {:>6.2}  {:>13.2}  {:>21.0}  {:>10.1}  {:>13.0}",
            run.rate,
            run.rate / null,
            run.changes,
            run.changelog_bytes,
            run.commit_ms,
            run.events_a_commit
        );
    }
}

/// The value of a metric without labels.
fn metric(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or(f64::NAN)
}

/// Writes the input. Returns the mean size of an event.
fn fill(broker: &Broker, events: usize) -> usize {
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_millis() as i64;
    // The clocks stay behind the last event, so that nothing but events has to be done.
    let mut stream = Stream::new(now_ms - 3_600_000, USERS, 0);
    let (mut written, mut bytes) = (0, 0);
    while written < events {
        let lines = stream.next_batch();
        let lines = &lines[..lines.len().min(events - written)];
        bytes += lines.iter().map(Vec::len).sum::<usize>();
        produce(broker, EVENTS, lines.iter().map(|line| Write::event(partition(line), "", line.as_slice())));
        written += lines.len();
    }
    bytes / events
}

/// An entity's events meet in one partition.
fn partition(line: &[u8]) -> i32 {
    let text = std::str::from_utf8(line).expect("text");
    let (_, user) = text.split_once("\"user_id\":\"u-").expect("a user");
    (user[..8].parse::<usize>().expect("a number") % PARTITIONS) as i32
}

struct Run {
    /// Events a second.
    rate: f64,
    /// Tag changes an event.
    changes: f64,
    /// An event's share of what the changelog takes.
    changelog_bytes: f64,
    /// From the begin of a transaction to its end, on average.
    commit_ms: f64,
    events_a_commit: f64,
}

impl Run {
    fn of(broker: &Broker, delivery: &str, events: usize) -> Run {
        let service = Service::new(broker, delivery);
        service.create_topics();
        let mut running = service.start();
        let started = loop {
            if fs::read_to_string(&service.log).unwrap_or_default().contains("runs partition") {
                break Instant::now();
            }
            thread::sleep(Duration::from_millis(5));
        };
        let onlooker = onlooker(broker, delivery);
        let read = || committed_of(&onlooker, EVENTS).iter().flatten().sum::<i64>();
        while read() < events as i64 {
            assert!(running.try_wait().expect("a child").is_none(), "{}", service.said());
            thread::sleep(Duration::from_millis(50));
        }
        let took = started.elapsed();
        let metrics = service.metrics();
        let commits = metric(&metrics, "tagstream_commit_duration_seconds_count");
        let commit_ms = metric(&metrics, "tagstream_commit_duration_seconds_sum") / commits * 1e3;
        let _ = running.kill();
        let _ = running.wait();
        let changes = client::read_all(broker, &format!("{delivery}-changes")).len() as f64 / events as f64;
        let changelog = client::read_all(broker, &format!("{delivery}-changelog"));
        let bytes: usize = changelog.iter().map(|record| record.value.as_ref().map_or(0, Vec::len)).sum();
        let count = events as f64;
        Run {
            rate: count / took.as_secs_f64(),
            changes,
            changelog_bytes: bytes as f64 / count,
            commit_ms,
            events_a_commit: count / commits,
        }
    }
}

/// The service with two workers, in a folder of its own.
struct Service {
    folder: PathBuf,
    log: PathBuf,
    http: u16,
    settings: Vec<String>,
}

impl Service {
    fn new(broker: &Broker, application: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{application}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("catalog.yaml"), CATALOG).expect("a catalog");
        let http = broker::free_port();
        let settings = [
            format!("http.listen=127.0.0.1:{http}"),
            format!("kafka.brokers={}", broker.address()),
            format!("kafka.application={application}"),
            format!("service.delivery={application}"),
            format!("output.changes={application}-changes"),
            format!("output.tags={application}-tags"),
            format!("input.topics={EVENTS}"),
            "catalog=catalog.yaml".to_owned(),
            "service.workers=2".to_owned(),
            "service.idle_grace=1d".to_owned(),
            // The first worker has all partitions until its next heartbeat.
            "kafka.properties.heartbeat.interval.ms=100".to_owned(),
        ];
        Service { log: folder.join("log"), folder, http, settings: settings.to_vec() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tagstream"));
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
