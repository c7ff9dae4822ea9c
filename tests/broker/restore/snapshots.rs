//! A start with snapshots on the disk: quicker if they are right, with the same result if they are not.

use std::collections::BTreeMap;
use std::fs;

use crate::fixture::broker::{self, Broker};
use crate::fixture::client::{Write, committed, produce, read_all};
use crate::support::service::{Service, Setup, text};

const COUNT: &str = "version: 1\n\
    counters:\n  n: { count: \"*\" }\n\
    tags:\n  seen: { value: n }\n";

const USERS: usize = 50;
const PARTITIONS: usize = 2;
/// The length of a key: it makes the state that a transaction writes about `TRANSACTION_BYTES` large.
const KEY_BYTES: usize = 200;
const TRANSACTION_BYTES: u64 = (KEY_BYTES * USERS / PARTITIONS) as u64;
const KILL: i32 = 9;
const EXIT_SETTINGS: i32 = 78;

/// An application that is fed in rounds.
struct Warm<'a> {
    broker: &'a Broker,
    setup: Setup,
    events: usize,
}

impl Warm<'_> {
    fn new(name: &str) -> Self {
        let broker = broker::shared();
        let setup = Setup::on(name, broker, COUNT).with("state.directory=state");
        setup.create_topics(PARTITIONS as u32);
        Warm { broker, setup, events: 0 }
    }

    /// Writes `rounds` events for each user.
    fn feed(&mut self, rounds: usize) {
        let line = |n: usize| {
            let (user, at) = (n % USERS, 1_700_000_000_000 + n as i64);
            let key = format!("{user:0KEY_BYTES$}");
            let text = format!(r#"{{"user_id":"{key}","type":"click","timestamp":{at}}}"#);
            Write::event((user % PARTITIONS) as i32, &key, text)
        };
        let more = self.events..self.events + rounds * USERS;
        self.events = more.end;
        produce(self.broker, &self.setup.topic("events"), more.map(line).collect::<Vec<_>>());
    }

    /// The same in at least `rounds` transactions.
    fn feed_apart(&mut self, rounds: usize, service: &mut Service) {
        for _ in 0..rounds {
            self.feed(1);
            self.await_all(service);
        }
    }

    fn await_all(&self, service: &mut Service) {
        service.until("all events to be committed", |_| {
            let offsets = committed(self.broker, &self.setup.application, &self.setup.topic("events"));
            offsets.iter().flatten().sum::<i64>() == self.events as i64
        });
    }

    /// Puts other bytes into a snapshot, and the checksum that belongs to them.
    fn rewrite(&self, partition: usize, at: usize, bytes: &[u8]) {
        let mut file = fs::read(self.setup.snapshot(partition)).expect("a snapshot");
        file[at..at + bytes.len()].copy_from_slice(bytes);
        let end = file.len() - 8;
        let sum = xxhash_rust::xxh3::xxh3_64(&file[..end]);
        file[end..].copy_from_slice(&sum.to_le_bytes());
        fs::write(self.setup.snapshot(partition), file).expect("it can be written");
    }

    /// Every user's changes are those of one counter that never began again: 1, 2, 3 …
    fn check(&self) {
        let mut counted: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for change in read_all(self.broker, &self.setup.topic("changes")) {
            counted.entry(change.key_text()).or_default().push(change.json()["value"].as_i64().expect("a number"));
        }
        assert_eq!(counted.len(), USERS);
        let expected: Vec<i64> = (1..=(self.events / USERS) as i64).collect();
        for (user, values) in counted {
            assert_eq!(values, expected, "{user}");
        }
    }
}

/// Waits until a partition was read back without a snapshot.
fn await_whole(service: &mut Service, partition: usize) {
    let words = format!("has restored partition {partition}: 25 entities from ");
    let is_size = |rest: &str| rest.starts_with(|first: char| first.is_ascii_digit());
    service.until("all of the changelog", |service| service.log().split(&words).skip(1).any(is_size));
}

/// What of the changelog was read after the snapshot of a partition.
fn tail_bytes(service: &mut Service, partition: usize) -> u64 {
    let words = format!("has restored partition {partition}: 25 entities from a snapshot of ");
    service.says(&words);
    let log = service.log();
    let rest = log.split(&words).nth(1).and_then(|rest| rest.split(" and ").nth(1)).expect("more words");
    rest.split(' ').next().and_then(|number| number.parse().ok()).expect("a number")
}

#[test]
fn a_start_reads_only_what_came_after_the_snapshot_and_all_if_that_is_wrong() {
    let mut warm = Warm::new("warm");
    let mut service = warm.setup.start();
    warm.feed_apart(5, &mut service);
    service.stop();

    // After a stop.
    let mut service = warm.setup.start();
    for partition in 0..PARTITIONS {
        let bytes = tail_bytes(&mut service, partition);
        assert!((50..2 * TRANSACTION_BYTES).contains(&bytes), "{bytes} bytes of partition {partition}");
    }
    warm.feed_apart(5, &mut service);
    service.signal(KILL);
    service.ended();

    // After a kill, with a snapshot that is older than the last commits.
    warm.feed(20);
    let mut service = warm.setup.start();
    for partition in 0..PARTITIONS {
        let bytes = tail_bytes(&mut service, partition);
        assert!(bytes > 5 * TRANSACTION_BYTES, "{bytes} bytes of partition {partition}");
    }
    warm.await_all(&mut service);
    service.stop();

    // One is damaged, and one is gone.
    let mut damaged = fs::read(warm.setup.snapshot(0)).expect("a snapshot");
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(warm.setup.snapshot(0), damaged).expect("it can be written");
    fs::remove_file(warm.setup.snapshot(1)).expect("it can be removed");
    warm.feed(20);
    let mut service = warm.setup.start();
    service.says("does not use the snapshot of partition 0, and reads all of the changelog: it is damaged");
    await_whole(&mut service, 0);
    await_whole(&mut service, 1);
    assert!(!service.log().contains("the snapshot of partition 1"), "{}", service.log());
    warm.await_all(&mut service);
    service.stop();

    // One is of another life of the changelog, and one is ahead of it.
    warm.rewrite(0, 8, &7_u64.to_le_bytes());
    warm.rewrite(1, 16, &1_000_000_i64.to_le_bytes());
    let mut service = warm.setup.start();
    service.says("the snapshot of partition 0, and reads all of the changelog: ");
    service.says("the changelog was created again since then");
    service.says("with it the changelog is read from offset 1000000 on, but this one holds 0 to ");
    await_whole(&mut service, 0);
    await_whole(&mut service, 1);
    warm.feed(20);
    warm.await_all(&mut service);
    service.stop();

    // One stands in the place of the other.
    fs::copy(warm.setup.snapshot(1), warm.setup.snapshot(0)).expect("a copy");
    let mut service = warm.setup.start();
    service.says("does not use the snapshot of partition 0");
    service.says("it is of warm-changelog, partition 1");
    tail_bytes(&mut service, 1);
    warm.feed(20);
    warm.await_all(&mut service);
    service.stop();
    warm.check();
}

#[test]
fn a_disk_that_takes_no_snapshots_is_told_at_the_start_and_later_costs_nothing_but_a_warning() {
    let mut warm = Warm::new("disk");
    let nowhere = warm.setup.with("state.directory=/proc/nowhere");
    let output = nowhere.output(&["run"]);
    assert_eq!(output.status.code(), Some(EXIT_SETTINGS), "{}", text(&output));
    assert!(
        text(&output).contains("setting state.directory: snapshots cannot be written there: "),
        "{}",
        text(&output)
    );

    warm.setup = nowhere.with("state.directory=state").with("state.snapshot_interval=1s");
    let mut service = warm.setup.start();
    service.says("runs partition 1");
    fs::remove_dir_all(warm.setup.folder.join("state")).expect("the folder");
    warm.feed(10);
    service.says("writing snapshots: no new snapshot of partition");
    warm.feed(10);
    warm.await_all(&mut service);
    fs::create_dir_all(warm.setup.folder.join("state/disk")).expect("a folder");
    warm.feed(10);
    warm.await_all(&mut service);
    // While it runs.
    service.until("a snapshot", |_| (0..PARTITIONS).all(|partition| warm.setup.snapshot(partition).exists()));
    service.signal(KILL);
    service.ended();
    let mut service = warm.setup.start();
    tail_bytes(&mut service, 0);
    service.stop();
    warm.check();
}
