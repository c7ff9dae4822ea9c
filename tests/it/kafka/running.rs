//! `tagstream run`: what comes out is what replay says, each offset once, whatever happens to processes and brokers.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::broker::{self, Broker, free_port};
use super::client::{Seen, Write, committed, produce, read_all};
use super::service::Setup;
use super::verify::{Clocks, Trial};

/// Every event shows: each bears its own number, which becomes the tag's value.
pub const ECHO: &str = "version: 1\n\
    counters:\n  latest: { last: properties.n, on: \"*\" }\n\
    tags:\n  echo: { value: latest }\n";

/// The state shows: how many events the user has had.
const COUNT: &str = "version: 1\n\
    counters:\n  n: { count: \"*\" }\n\
    tags:\n  seen: { value: n }\n";

pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_millis() as i64
}

fn event(user: &str, at_ms: i64, n: usize) -> String {
    format!(r#"{{"user_id":"{user}","type":"click","timestamp":{at_ms},"properties":{{"n":"{n}"}}}}"#)
}

/// `count` events of 50 users over `partitions` partitions, numbered from `first` on.
pub fn numbered(first: usize, count: usize, partitions: usize) -> Vec<Write> {
    let start = now_ms() - 3_600_000;
    (first..first + count)
        .map(|n| {
            let user = n % 50;
            let key = format!("u{user}");
            Write::event((user % partitions) as i32, &key, event(&key, start + n as i64, n))
        })
        .collect()
}

/// Whether every number from 0 to `count` came out exactly once, in order for each user.
pub fn check_echo(changes: &[Seen], count: usize) {
    let mut by_user: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for change in changes {
        let number = change.json()["value"].as_str().expect("a value").parse().expect("a number");
        by_user.entry(change.key_text()).or_default().push(number);
    }
    for (user, numbers) in &by_user {
        assert!(numbers.is_sorted_by(|a, b| a < b), "{user}: out of order or repeated: {numbers:?}");
    }
    let all: BTreeSet<usize> = by_user.values().flatten().copied().collect();
    assert_eq!(all.len(), changes.len(), "numbers repeat");
    let lost: Vec<usize> = (0..count).filter(|n| !all.contains(n)).collect();
    assert!(lost.is_empty(), "{} lost, the first {:?}", lost.len(), lost.first());
    assert_eq!(changes.len(), count);
}

/// Whether the changes count from 1 to `count` without a gap: every event once, and the state never lost.
fn check_counted(changes: &[Seen], count: u64) {
    let values: Vec<u64> = changes.iter().filter_map(|change| change.json()["value"].as_u64()).collect();
    let wrong = values.iter().zip(1..).find(|(value, expected)| *value != expected);
    assert!(wrong.is_none(), "of {} values, the first that is wrong, and what it should be: {wrong:?}", values.len());
    assert_eq!(values.len() as u64, count);
}

pub fn total(offsets: &[Option<i64>]) -> i64 {
    offsets.iter().flatten().sum()
}

#[test]
fn two_workers_give_the_changes_that_replay_gives() {
    let catalog = "version: 1\n\
        counters:\n  clicks_1h: { count: click, window: 1h }\n  classes: { distinct: properties.n, on: \"*\", window: 1d }\n\
        tags:\n  busy: { when: clicks_1h >= 3, until: clicks_1h < 2 }\n  \
        variety: { value: classes, bands: [ { name: low, below: 4 }, { name: mid, below: 9 }, { name: high } ] }\n  \
        quiet: { when: \"clicks_1h == 0 && tag.busy == false\" }\n";
    let broker = broker::shared();
    // Events of the last day, and clocks that stay behind them: so nothing happens by the wall clock.
    let setup = Setup::on("agree", broker, catalog).with("service.workers=2").with("service.idle_grace=1d");
    setup.create_topics(4);
    let mut lines: Vec<Vec<String>> = vec![Vec::new(); 4];
    let mut random = fastrand::Rng::with_seed(7);
    let mut at = now_ms() - 20 * 3_600_000;
    for _ in 0..6_000 {
        at += random.i64(0..10_000);
        let user = random.usize(0..200);
        lines[user % 4].push(event(&format!("u{user}"), at - random.i64(0..60_000), random.usize(0..12)));
    }
    let records = |(partition, lines): (usize, &Vec<String>)| {
        lines.iter().map(move |line| Write::event(partition as i32, "", line.as_bytes())).collect::<Vec<_>>()
    };
    produce(broker, &setup.topic("events"), lines.iter().enumerate().flat_map(records));
    let mut service = setup.start();
    service.until("all to be committed", |_| {
        total(&committed(broker, &setup.application, &setup.topic("events"))) == 6_000
    });
    service.stop();

    let probes = [r#""type":"click","properties":{"n":"1"}"#, r#""type":"click","properties":{"n":"13"}"#];
    let verdict =
        Trial { brokers: broker, setup: &setup, clocks: Clocks::Events, earlier: &[], probes: &probes }.verify();
    assert!(verdict.users > 150 && verdict.changes > 1_000, "too little: {verdict}");
    check_headers(&read_all(broker, &setup.topic("changes")));
}

fn check_headers(changes: &[Seen]) {
    for change in changes {
        let value = change.json();
        let header = |name: &str| change.header(name).unwrap_or_default();
        assert_eq!(header("ce_specversion"), "1.0");
        assert_eq!(header("ce_id"), value["id"].as_str().expect("an id"));
        assert_eq!(header("ce_type"), format!("tagstream.tag.{}", value["change"].as_str().expect("a change")));
        assert_eq!(header("ce_time"), value["at"].as_str().expect("a time"));
        assert_eq!(header("ce_source"), "/tagstream/agree");
        assert_eq!(header("content-type"), "application/json");
        assert_eq!(change.partition, murmur2_partition(change.key.as_deref().expect("a key"), 4));
    }
}

/// Where Java's clients put a key: written from its description, for comparison.
pub fn murmur2_partition(key: &[u8], partitions: i32) -> i32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c_u32 ^ key.len() as u32;
    let mut chunks = key.chunks_exact(4);
    for chunk in &mut chunks {
        let mut k = u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        for (index, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * index);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^= hash >> 15;
    (hash & 0x7fff_ffff) as i32 % partitions
}

#[test]
fn stopped_and_killed_in_the_middle_it_neither_loses_nor_repeats_an_offset() {
    let broker = broker::shared();
    let setup = Setup::on("restarts", broker, ECHO).with("service.workers=2").with("service.commit_interval=20ms");
    setup.create_topics(4);
    let rounds = [libc::SIGTERM, libc::SIGKILL, libc::SIGTERM, libc::SIGKILL, libc::SIGKILL];
    let mut written = 0;
    for signal in rounds {
        produce(broker, &setup.topic("events"), numbered(written, 4_000, 4));
        let before = total(&committed(broker, &setup.application, &setup.topic("events")));
        written += 4_000;
        let mut service = setup.start();
        service
            .until("some progress", |_| total(&committed(broker, &setup.application, &setup.topic("events"))) > before);
        service.signal(signal);
        service.ended();
    }
    let mut service = setup.start();
    // All may have been done before: then nothing but this tells that it listens to signals.
    service.says("brokers reached");
    let all = written as i64;
    service.until("the end", |_| total(&committed(broker, &setup.application, &setup.topic("events"))) == all);
    service.stop();
    check_echo(&read_all(broker, &setup.topic("changes")), written);
}

#[test]
fn partitions_move_to_another_process_and_back() {
    let broker = broker::shared();
    let one = Setup::on("moves", broker, ECHO).with("service.commit_interval=20ms");
    let two = Setup::on("moves", broker, ECHO).with("service.commit_interval=20ms").with("service.instance=two");
    one.create_topics(4);
    let topic = one.topic("events");
    let mut first = one.start();
    first.says("runs partition 3");
    let writer = {
        let topic = topic.clone();
        thread::spawn(move || {
            for round in 0..40 {
                produce(broker, &topic, numbered(round * 500, 500, 4));
                thread::sleep(Duration::from_millis(100));
            }
        })
    };
    let log = two.folder.join("log-two");
    let mut second = two.start_with_log(&log);
    second.says("runs partition");
    first.says("gives up partitions");
    second.stop();
    writer.join().expect("the writer");
    // A static member does not say that it leaves: its partitions come back after its session.
    first.until("the end", |_| total(&committed(broker, &one.application, &topic)) == 20_000);
    first.stop();
    check_echo(&read_all(broker, &one.topic("changes")), 20_000);
}

#[test]
fn a_broker_that_dies_costs_neither_events_nor_state() {
    let mut broker = Broker::start();
    let setup = Setup::on("outage", &broker, COUNT).with("service.commit_interval=20ms");
    setup.create_topics(1);
    let topic = setup.topic("events");
    let click = |count: usize| (0..count).map(|n| Write::event(0, "u", event("u", now_ms(), n))).collect::<Vec<_>>();
    let mut service = setup.start();
    service.says("runs partition 0");
    produce(&broker, &topic, click(500));
    service.until("the first half", |_| total(&committed(&broker, &setup.application, &topic)) > 0);
    broker.kill();
    thread::sleep(Duration::from_secs(2));
    broker.revive();
    produce(&broker, &topic, click(500));
    service.until("the second half", |_| total(&committed(&broker, &setup.application, &topic)) == 1_000);
    service.stop();
    check_counted(&read_all(&broker, &setup.topic("changes")), 1_000);
}

#[test]
fn frozen_longer_than_a_transaction_lives_it_goes_on_with_its_state() {
    let broker = broker::shared();
    let setup = Setup::on("frozen", broker, COUNT)
        .with("service.commit_interval=1ms")
        .with("kafka.properties.transaction.timeout.ms=1000")
        .with("kafka.properties.socket.timeout.ms=1000");
    setup.create_topics(1);
    let topic = setup.topic("events");
    let mut service = setup.start();
    service.says("runs partition 0");
    let writer = {
        let topic = topic.clone();
        thread::spawn(move || {
            for n in 0..240 {
                produce(broker, &topic, vec![Write::event(0, "u", event("u", now_ms(), n)); 5]);
                thread::sleep(Duration::from_millis(30));
            }
        })
    };
    for _ in 0..5 {
        thread::sleep(Duration::from_millis(300));
        service.signal(libc::SIGSTOP);
        thread::sleep(Duration::from_millis(2_000));
        service.signal(libc::SIGCONT);
    }
    writer.join().expect("the writer");
    service.until("the end", |_| total(&committed(broker, &setup.application, &topic)) == 1_200);
    println!("{}", service.stop());
    check_counted(&read_all(broker, &setup.topic("changes")), 1_200);
}

#[test]
fn frozen_longer_than_its_session_it_cannot_commit_any_more() {
    let broker = broker::shared();
    let quick = |setup: Setup| {
        setup
            .with("service.commit_interval=1ms")
            .with("kafka.properties.transaction.timeout.ms=1500")
            .with("kafka.properties.socket.timeout.ms=1500")
            .with("kafka.properties.session.timeout.ms=2000")
            .with("kafka.properties.heartbeat.interval.ms=300")
    };
    let one = quick(Setup::on("zombie", broker, ECHO));
    let two = quick(Setup::on("zombie", broker, ECHO)).with("service.instance=two");
    one.create_topics(2);
    let topic = one.topic("events");
    let mut first = one.start();
    let mut second = two.start_with_log(&two.folder.join("log-two"));
    first.says("runs partition");
    second.says("runs partition");
    let writer = {
        let topic = topic.clone();
        thread::spawn(move || {
            for round in 0..300 {
                produce(broker, &topic, numbered(round * 20, 20, 2));
                thread::sleep(Duration::from_millis(30));
            }
        })
    };
    for frozen in [&first, &second, &first] {
        thread::sleep(Duration::from_millis(500));
        frozen.signal(libc::SIGSTOP);
        thread::sleep(Duration::from_millis(4_000));
        frozen.signal(libc::SIGCONT);
    }
    writer.join().expect("the writer");
    first.until("the end", |_| total(&committed(broker, &one.application, &topic)) == 6_000);
    println!("{}\n{}", first.stop(), second.stop());
    check_echo(&read_all(broker, &one.topic("changes")), 6_000);
}

#[test]
fn a_broker_that_is_away_at_the_start_is_waited_for() {
    let broker = broker::shared();
    let port = free_port();
    Setup::on("late", broker, ECHO).create_topics(1);
    let setup = Setup::new("late", &format!("127.0.0.1:{port}"), ECHO);
    produce(broker, &setup.topic("events"), numbered(0, 100, 1));
    let mut service = setup.start();
    service.says("no answer from the brokers");
    thread::sleep(Duration::from_secs(1));
    forward(port, broker.address().parse().expect("an address"));
    service.until("the end", |_| total(&committed(broker, "late", &setup.topic("events"))) == 100);
    service.stop();
    check_echo(&read_all(broker, &setup.topic("changes")), 100);
}

#[test]
fn told_to_stop_while_no_broker_answers_it_stops() {
    let setup = Setup::new("nobody", &format!("127.0.0.1:{}", free_port()), ECHO);
    let mut service = setup.start();
    service.says("no answer from the brokers");
    service.stop();
}

/// Takes connections at `port` from now on, and passes them on.
fn forward(port: u16, to: SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("the port");
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(to) else { continue };
            let pair = |from: &TcpStream, to: &TcpStream| {
                let (mut from, mut to) = (from.try_clone().expect("a socket"), to.try_clone().expect("a socket"));
                thread::spawn(move || io::copy(&mut from, &mut to));
            };
            pair(&client, &server);
            pair(&server, &client);
        }
    });
}

#[test]
fn silence_is_noticed_at_the_instant_without_any_event() {
    let catalog = "version: 1\n\
        counters:\n  last_click: { last: time, on: click }\n\
        tags:\n  silent: { when: seconds_since(last_click) >= 3 }\n";
    let broker = broker::shared();
    let setup = Setup::on("silence", broker, catalog).with("service.idle_grace=1s");
    setup.create_topics(2);
    let at = now_ms();
    let mut service = setup.start();
    service.says("runs partition 1");
    produce(broker, &setup.topic("events"), [Write::event(1, "u", event("u", at, 0))]);
    service.until("a change", |_| !read_all(broker, &setup.topic("changes")).is_empty());
    let noticed = now_ms();
    service.stop();
    let changes = read_all(broker, &setup.topic("changes"));
    assert_eq!(changes.len(), 1);
    let change = changes[0].json();
    assert_eq!((change["tag"].as_str(), change["cause"].as_str()), (Some("silent"), Some("timer")));
    let due = tagstream::model::Timestamp::from_ms(at + 3_000).to_string();
    assert_eq!(change["at"].as_str(), Some(due.as_str()));
    assert!(noticed >= at + 4_000, "noticed {} ms after the event, before the grace was over", noticed - at);
}

#[test]
fn of_two_processes_with_one_name_the_older_ends() {
    let broker = broker::shared();
    let setup = Setup::on("twins", broker, ECHO);
    setup.create_topics(1);
    let mut older = setup.start();
    older.says("runs partition 0");
    let mut newer = setup.start_with_log(&setup.folder.join("log-newer"));
    let status = older.ended();
    assert_eq!(status.code(), Some(1), "{}", older.log());
    assert!(older.log().contains("another process runs as instance \\\"one\\\""), "{}", older.log());
    newer.says("runs partition 0");
    newer.stop();
}

#[test]
fn deleted_records_stop_their_partition_loudly_and_no_other() {
    let broker = broker::shared();
    let setup = Setup::on("deleted", broker, ECHO);
    setup.create_topics(2);
    let topic = setup.topic("events");
    produce(broker, &topic, numbered(0, 10, 2));
    let mut service = setup.start();
    service.until("the end", |_| total(&committed(broker, "deleted", &topic)) == 10);
    service.stop();
    produce(broker, &topic, numbered(10, 20, 2));
    super::client::delete_records(broker, &topic, 0, 12);
    let mut service = setup.start();
    service.says("stands at offset 5 of partition 0 of deleted-events, which holds 12 to 15");
    service.until("the other partition", |_| committed(broker, "deleted", &topic)[1] == Some(15));
    assert_eq!(committed(broker, "deleted", &topic)[0], Some(5));
    service.stop();
}
