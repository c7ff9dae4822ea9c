//! Two processes of one application, one of which leaves: its partitions go to the other at once, and nothing repeats.
//! Members that leave while the group still asks them something.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tagstream::kafka::broker::{GroupConsumer, KafkaClients};
use tagstream::kafka::{EventListener, RdkafkaClients, Topology, WorkerId};

use crate::fixture::broker;
use crate::fixture::client::{committed, produce, read_all};
use crate::fixture::echo::{ECHO, check_echo, numbered, total};
use crate::support::service::Setup;

/// `settings` make members that the group does not wait for.
fn check(name: &str, settings: &[&str]) {
    let broker = broker::shared();
    let with = |setup: Setup| settings.iter().fold(setup, |setup, setting| setup.with(setting));
    let one = with(Setup::on(name, broker, ECHO).with("service.commit_interval=20ms"));
    let two = with(Setup::on(name, broker, ECHO).with("service.commit_interval=20ms").with("service.instance=two"));
    one.create_topics(4);
    let topic = one.topic("events");
    let mut first = one.start();
    first.says("runs partition 3");
    let writer = {
        let topic = topic.clone();
        thread::spawn(move || {
            for round in 0..20 {
                produce(broker, &topic, numbered(round * 100, 100, 4));
                thread::sleep(Duration::from_millis(100));
            }
        })
    };
    let mut second = two.start_with_log(&two.folder.join("log-two"));
    second.says("runs partition");
    first.says("gives up partitions");
    writer.join().expect("the writer");
    produce(broker, &topic, numbered(2_000, 100, 4));
    second.until("the second's part", |_| total(&committed(broker, name, &topic)) == 2_100);
    second.stop();
    produce(broker, &topic, numbered(2_100, 400, 4));
    first.until("the end", |_| total(&committed(broker, name, &topic)) == 2_500);
    first.stop();
    check_echo(&read_all(broker, &one.topic("changes")), 2_500);
}

/// Processes without a name, as two starts beside each other are. A static member's partitions would be idle for its session.
#[test]
fn dynamic_members_leave_at_once() {
    let session = ["service.instance=", "kafka.properties.session.timeout.ms=240000"];
    check("dynamic", &session);
}

#[test]
fn the_brokers_protocol_moves_partitions_too() {
    check("kip848", &["kafka.group_protocol=consumer"]);
}

/// Joins, leaves so long after that without having heard a word of the group's, and closes.
fn come_and_go(native: &RdkafkaClients, after: Duration) {
    let consumer = native.consumer().expect("a consumer");
    consumer.join().expect("a subscription");
    let deadline = Instant::now() + Duration::from_secs(30);
    while consumer.member().is_none() {
        assert!(Instant::now() < deadline, "it is not of the group");
        thread::sleep(Duration::from_millis(1));
    }
    thread::sleep(after);
    consumer.leave().expect("an answer to the group");
}

/// Its assignment may be on its way, wait to be heard, or be taken back by its end: one answer too few, or one without a receiver,
/// and it waits without an end.
#[test]
fn a_member_is_gone_whatever_the_group_still_wants() {
    const AFTER_MS: [u64; 8] = [0, 3, 10, 20, 40, 80, 160, 500];
    for (what, membership) in [
        ("static", "service.instance=one"),
        ("dynamic", "service.instance="),
        ("consumer", "kafka.group_protocol=consumer"),
    ] {
        let name = format!("gone-{what}");
        let setup = Setup::on(&name, broker::shared(), ECHO).with(membership);
        setup.create_topics(4);
        let settings = Arc::new(setup.settings());
        let silent: EventListener = Arc::new(|_| ());
        let (sender, ended) = mpsc::channel();
        for worker in 0..2 {
            let streams = Arc::new(Topology::of(&settings, None));
            let native = RdkafkaClients::new(Arc::clone(&settings), streams, WorkerId(worker), Arc::clone(&silent));
            let sender = sender.clone();
            thread::spawn(move || {
                for after_ms in AFTER_MS {
                    come_and_go(&native, Duration::from_millis(after_ms));
                }
                sender.send(worker).expect("somebody waits");
            });
        }
        for _ in 0..2 {
            ended.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|_| panic!("{membership}: one never ends"));
        }
    }
}
