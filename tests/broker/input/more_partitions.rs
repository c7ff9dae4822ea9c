//! Partitions that are added to a topic while the service runs: what is counted by partition stops at once.

use std::thread;
use std::time::Duration;

use crate::fixture::broker::{self, Broker};
use crate::fixture::client::{add_partitions, committed, produce};
use crate::fixture::counting::{COUNT, check, events, read_to};
use crate::support::service::Setup;

/// Reads a thousand events, adds a partition to a topic, and expects that nothing more is counted.
fn check_stop(broker: &Broker, setup: &Setup, grown: &str, words: &str) {
    setup.create_topics(2);
    let topic = setup.topic("events");
    let mut service = setup.start();
    produce(broker, &topic, events(0, 1_000));
    service.until("the events", |_| read_to(broker, setup, 1_000));
    add_partitions(broker, &setup.topic(grown), 3);
    for partition in 0..2 {
        service.says(&format!("has stopped partition {partition}"));
    }
    service.says(words);
    produce(broker, &topic, events(1_000, 100));
    thread::sleep(Duration::from_secs(3));
    assert!(!service.log().contains("UnknownPartition"), "{}", service.log());
    let offsets = committed(broker, &setup.application, &topic);
    assert_eq!(offsets.iter().flatten().sum::<i64>(), 1_000);
    service.stop();
}

#[test]
fn of_an_input_by_user_all_partitions_stop() {
    let broker = broker::shared();
    let setup = Setup::on("grown", broker, COUNT);
    let words = "the topic grown-events had 2 partitions and has 3: partitions that were added to the input have moved \
                 users to others";
    check_stop(broker, &setup, "events", words);
    check(broker, &setup, 1_000);
}

#[test]
fn of_an_output_topic_a_key_keeps_its_partition() {
    let broker = broker::shared();
    let setup = Setup::on("grown-out", broker, COUNT);
    let words = "the topic grown-out-tags had 2 partitions and has 3: a key's records would be in two partitions";
    check_stop(broker, &setup, "tags", words);
    // The operator accepts that keys move.
    let mut service = setup.start();
    service.says("the topic grown-out-tags had 2 partitions and has 3: from now on each key has its new partition");
    service.until("the rest", |_| read_to(broker, &setup, 1_100));
    service.stop();
    check(broker, &setup, 1_100);
    // The state has noted it.
    let mut service = setup.start();
    service.says("runs partition 1");
    assert!(!service.log().contains("grown-out-tags had"), "{}", service.log());
    service.stop();
}

#[test]
fn of_an_input_that_is_forwarded_the_new_ones_are_read_after_a_restart() {
    let broker = broker::shared();
    let setup = Setup::on("grown-by", broker, COUNT).with("input.partitioned_by=none");
    let setup = setup.with("kafka.properties.session.timeout.ms=6000");
    let (topic, words) = (setup.topic("events"), "the topic grown-by-events had 2 partitions and has 3: events in");
    setup.create_topics(2);
    let mut service = setup.start();
    produce(broker, &topic, events(0, 1_000));
    service.until("the events", |_| read_to(broker, &setup, 1_000));
    add_partitions(broker, &topic, 3);
    service.says(words);
    produce(broker, &topic, events(1_000, 100).into_iter().map(|write| write.moved_to(2)));
    service.stop();
    // A static member that is back within its session is assigned what it had.
    thread::sleep(Duration::from_secs(8));
    let mut service = setup.start();
    service.until("the rest", |_| read_to(broker, &setup, 1_100));
    service.stop();
}
