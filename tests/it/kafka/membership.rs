//! Two processes of one application, one of which leaves: its partitions go to the other at once, and nothing repeats.

use std::thread;
use std::time::Duration;

use super::broker;
use super::client::{committed, produce, read_all};
use super::running::{ECHO, check_echo, numbered, total};
use super::service::Setup;

/// `settings` make members that the group does not wait for.
fn check(name: &str, settings: &[&str]) {
    let broker = broker::shared();
    let with = |setup: Setup| settings.iter().fold(setup, |setup, setting| setup.with(setting));
    let one = with(Setup::on(name, broker, ECHO).with("service.commit_interval=20ms"));
    let two = with(Setup::on(name, broker, ECHO).with("service.commit_interval=20ms")).with("service.instance=two");
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

/// A static member's partitions would be idle for its session.
#[test]
fn dynamic_members_leave_at_once() {
    let session = ["service.static_membership=false", "kafka.properties.session.timeout.ms=240000"];
    check("dynamic", &session);
}

#[test]
fn the_brokers_protocol_moves_partitions_too() {
    check("kip848", &["kafka.group_protocol=consumer"]);
}
