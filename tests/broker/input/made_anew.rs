//! Topics that are deleted and created again: nothing is read on at the offsets of the old ones.

use std::thread;
use std::time::Duration;

use crate::fixture::broker::{self, Broker};
use crate::fixture::client::{create_topic, delete_topic, produce, read_all};
use crate::fixture::counting::{COUNT, check, events, read_to};
use crate::support::service::Setup;

/// Deletes a topic and creates it again. The controller may need a moment between the two.
fn make_anew(broker: &Broker, topic: &str, partitions: i32, configs: &[(&str, &str)]) {
    delete_topic(broker, topic);
    thread::sleep(Duration::from_millis(300));
    create_topic(broker, topic, partitions, configs);
}

#[test]
fn an_input_while_the_service_runs() {
    let broker = broker::shared();
    let setup = Setup::on("anew", broker, COUNT);
    setup.create_topics(2);
    let topic = setup.topic("events");
    produce(broker, &topic, events(0, 1_000));
    let mut service = setup.start();
    service.until("the events", |_| read_to(broker, &setup, 1_000));
    // When the service looks again, its offsets exist in the new topic.
    service.signal(libc::SIGSTOP);
    make_anew(broker, &topic, 2, &[]);
    produce(broker, &topic, events(1_000, 4_000));
    service.signal(libc::SIGCONT);
    for partition in 0..2 {
        service
            .says(&format!("has stopped partition {partition}: the topic anew-events was deleted and created again"));
    }
    let counted = || read_all(broker, &setup.topic("changes")).len();
    let before = counted();
    produce(broker, &topic, events(5_000, 1_000));
    thread::sleep(Duration::from_secs(3));
    assert_eq!(counted(), before, "a stopped partition counts nothing");
    service.stop();
    let mut service = setup.start();
    (0..2).for_each(|partition| service.says(&format!("has stopped partition {partition}: ")));
    service.stop();
    assert_eq!(counted(), before);
}

/// The brokers delete the offsets of a topic with it; the state knows where it stood.
#[test]
fn an_input_while_no_service_runs() {
    let broker = broker::shared();
    let setup = Setup::on("anew-off", broker, COUNT);
    setup.create_topics(2);
    let topic = setup.topic("events");
    produce(broker, &topic, events(0, 1_000));
    let mut service = setup.start();
    service.until("the events", |_| read_to(broker, &setup, 1_000));
    service.stop();
    make_anew(broker, &topic, 2, &[]);
    produce(broker, &topic, events(1_000, 4_000));
    let mut service = setup.start();
    (0..2).for_each(|partition| service.says(&format!("has stopped partition {partition}: ")));
    service.says("the topic anew-off-events was deleted and created again: offsets and state belong to the old one");
    service.stop();
    check(broker, &setup, 1_000);
}

#[test]
fn a_changelog_while_the_service_runs() {
    let broker = broker::shared();
    let setup = Setup::on("anew-log", broker, COUNT);
    setup.create_topics(2);
    produce(broker, &setup.topic("events"), events(0, 1_000));
    let mut service = setup.start();
    service.until("the events", |_| read_to(broker, &setup, 1_000));
    make_anew(broker, &setup.topic("changelog"), 2, &[("cleanup.policy", "compact")]);
    service.says("has stopped partition 0: the topic anew-log-changelog was deleted and created again: the states");
    service.stop();
    check(broker, &setup, 1_000);
}

#[test]
fn a_topic_of_forwarded_events_while_the_service_runs() {
    let broker = broker::shared();
    let setup = Setup::on("anew-by", broker, COUNT).with("input.partitioned_by=none");
    setup.create_topics(2);
    produce(broker, &setup.topic("events"), events(0, 1_000));
    let mut service = setup.start();
    service.until("the events", |_| read_to(broker, &setup, 1_000));
    let size = [("max.message.bytes", "2000000")];
    make_anew(broker, &setup.topic("by-user"), 2, &size);
    service.says("the topic anew-by-by-user was deleted and created again: offsets and state belong to the old one");
    service.stop();
}
