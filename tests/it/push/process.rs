//! The whole process, on an embedded broker: settings, the group, the pages and the end.

use std::fs;
use std::thread;
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use tagstream::kafka::EmbeddedBroker;

use super::change;
use crate::support::http_client::get;
use crate::support::receiver::{OK, Receiver, Reply, base64};
use crate::support::service::{Setup, text};

const CATALOG: &str = "version: 1\ncounters:\n  n: { count: \"*\" }\ntags:\n  seen: { value: n }\n";

fn setup(name: &str, broker: &EmbeddedBroker, url: &str) -> Setup {
    let setup = Setup::new(name, &broker.address(), CATALOG);
    fs::write(setup.folder.join("secret"), format!("whsec_{}", base64(&[5; 32]))).expect("a file");
    setup
        .with(&format!("push.url={url}"))
        .with("push.secret=secret")
        .with("push.listen=127.0.0.1:0")
        .with("kafka.properties.fetch.wait.max.ms=10")
}

/// An embedded broker with the topics of a test of this name.
fn broker(name: &str, partitions: i32) -> EmbeddedBroker {
    let topics = [format!("{name}-changes"), format!("{name}-push-dead-letter")];
    EmbeddedBroker::start(&[(&topics[0], partitions), (&topics[1], 1)]).expect("a broker")
}

#[test]
fn changes_are_posted_in_the_order_of_each_entity_and_a_stop_ends_what_is_under_way() {
    const NAME: &str = "push-order";
    let broker = broker(NAME, 3);
    // The first request of each is slow, so that the stop comes while one is under way.
    let receiver = Receiver::start(|number, _| {
        if number % 7 == 3 {
            return Reply(503, "", "");
        }
        thread::sleep(Duration::from_millis(if number > 20 { 300 } else { 5 }));
        OK
    });
    let setup = setup(NAME, &broker, &receiver.url()).with("push.batch=20");
    let feed = broker.feed(&setup.topic("changes")).expect("a feed");
    for n in 1..=600 {
        let key = format!("u-{}", n % 10);
        feed.send(&key, &change(n, &key)).expect("a record");
    }
    feed.settle().expect("all records");
    let mut process = setup.start_command(setup.command(&["push"]));
    let address = process.http_address();
    process.until("some changes", |_| receiver.accepted().len() > 100);
    assert_eq!(get(address, "/readyz").status, 200);
    assert_eq!(get(address, "/livez").status, 200);
    assert_eq!(get(address, "/nothing").status, 404);
    assert!(get(address, "/metrics").body.contains("tagstream_push_requests_total{outcome=\"postponed\"} "));
    let log = process.stop();
    assert!(log.contains("stopped"), "{log}");
    let posted = receiver.accepted().len();
    assert!(receiver.received().iter().all(|request| request.status != 0), "a request was cut off");

    // The next process goes on behind what was answered.
    let mut process = setup.start_command(setup.command(&["push"]));
    process.until("all changes", |_| {
        let seen: std::collections::BTreeSet<i64> =
            receiver.accepted().iter().filter_map(|change| change["seq"].as_i64()).collect();
        seen.len() == 600
    });
    process.stop();
    let accepted = receiver.accepted();
    assert_eq!(accepted.len(), 600, "after a clean stop at {posted}, nothing comes twice");
    let mut last = std::collections::BTreeMap::new();
    for change in &accepted {
        let (key, seq) = (change["key"].as_str().expect("a key"), change["seq"].as_i64().expect("a number"));
        let before = last.insert(key.to_owned(), seq).unwrap_or(0);
        assert!(before < seq, "{key}: {seq} comes behind {before}");
    }
    assert!(receiver.received().iter().all(|request| request.is_signed_with(&[5; 32])));
}

#[test]
fn an_offset_behind_the_end_does_not_keep_others_from_being_committed() {
    const NAME: &str = "push-shorter";
    let broker = broker(NAME, 1);
    let receiver = Receiver::start(|_, _| OK);
    let setup = setup(NAME, &broker, &receiver.url());
    let (topic, feed) = (setup.topic("changes"), broker.feed(&setup.topic("changes")).expect("a feed"));
    let send = |numbers: std::ops::RangeInclusive<i64>| {
        numbers.for_each(|n| feed.send("u-1", &change(n, "u-1")).expect("a record"));
        feed.settle().expect("all records");
    };
    send(1..=20);
    // As where the topic was created again, or has lost its last records.
    let member: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", broker.address())
        .set("group.id", format!("{}-push", setup.application))
        .create()
        .expect("a consumer");
    let mut far = TopicPartitionList::new();
    far.add_partition_offset(&topic, 0, Offset::Offset(1_000)).expect("an offset");
    member.commit(&far, CommitMode::Sync).expect("a commit");
    for all in [20, 25] {
        let mut process = setup.start_command(setup.command(&["push"]));
        process.until("all changes", |_| receiver.accepted().len() >= all);
        process.stop();
        send(21..=25);
    }
    let seqs: Vec<i64> = receiver.accepted().iter().filter_map(|change| change["seq"].as_i64()).collect();
    assert_eq!(seqs, (1..=25).collect::<Vec<_>>(), "each comes once");
}

#[test]
fn what_is_missing_is_said_at_the_start() {
    const NAME: &str = "push-missing";
    let broker = EmbeddedBroker::start(&[("push-missing-changes", 1)]).expect("a broker");
    let without = Setup::new(NAME, &broker.address(), CATALOG);
    let output = without.output(&["push"]);
    assert_eq!(output.status.code(), Some(78));
    let said = text(&output);
    assert!(said.contains("push.url: missing; give it the address of a receiver"), "{said}");
    assert!(said.contains("push.secret: missing; give it the path of a file with a secret"), "{said}");

    let setup = setup("push-missing", &broker, "http://127.0.0.1:1/");
    fs::write(setup.folder.join("secret"), "hunter2").expect("a file");
    let said = text(&setup.output(&["push"]));
    assert!(said.contains("secret: line 1 is not whsec_") && !said.contains("hunter2"), "{said}");

    fs::write(setup.folder.join("secret"), format!("whsec_{}", base64(&[5; 32]))).expect("a file");
    let output = setup.output(&["push"]);
    assert_eq!(output.status.code(), Some(78));
    let said = text(&output);
    assert!(said.contains("there is no topic push-missing-push-dead-letter"), "{said}");
}
