//! `tagstream demo --feed`: the demo's events go to a Kafka of one's own, and the service makes tag changes of them.

use std::process::{Command, Output};

use crate::fixture::broker;
use crate::fixture::client::{murmur2_partition, read_all};
use crate::support::service::{Setup, text};

fn feed(topic: &str, brokers: &str) -> Output {
    let arguments = ["demo", "--feed", brokers, "--topic", topic, "--members", "60", "--days", "20"];
    Command::new(env!("CARGO_BIN_EXE_tagstream")).args(arguments).output().expect("tagstream")
}

#[test]
fn the_demos_events_are_counted_by_a_service_on_a_kafka_of_ones_own() {
    let broker = broker::shared();
    let setup = Setup::on("feed", broker, tagstream::demo::CATALOG);
    setup.create_topics(3);
    let fed = feed(&setup.topic("events"), &broker.address());
    assert!(fed.status.success(), "{}", text(&fed));
    let events = read_all(broker, &setup.topic("events"));
    assert!(text(&fed).contains(&format!("sent {} events to feed-events", events.len())), "{}", text(&fed));
    assert!(events.len() > 100, "{}", events.len());
    for event in &events {
        // As the read side sends its commands.
        assert_eq!(event.partition, murmur2_partition(event.key.as_deref().expect("a key"), 3));
    }

    let mut service = setup.start();
    service.until("the tag of a member", |_| read_all(broker, &setup.topic("changes")).len() > 50);
    drop(service);
    let letters: Vec<_> = read_all(broker, &setup.topic("dead-letter"));
    assert!(letters.is_empty(), "{:?}", letters[0].headers);
}

#[test]
fn a_topic_that_is_not_there_is_named() {
    let fed = feed("nowhere-events", &broker::shared().address());
    assert_eq!(fed.status.code(), Some(1));
    assert!(text(&fed).contains("cannot find the topic of events"), "{}", text(&fed));
}
