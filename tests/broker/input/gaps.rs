//! Records that are gone before they were read, and offsets that never had a record for a reader.

use std::time::Duration;

use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::fixture::broker::{self, Broker};
use crate::fixture::client::{
    Isolation, Write, commit_offset, committed, config, delete_records, ends, produce, read_all,
};
use crate::fixture::counting::{COUNT, counts, events_of};
use crate::fixture::stopped_partition::{named_command, start_with, until_read};
use crate::support::exposition::parse;
use crate::support::http_client::get;
use crate::support::service::{Setup, text};

const PATIENCE: Duration = Duration::from_secs(30);

/// Writes records in a transaction, and ends it.
fn transact(broker: &Broker, topic: &str, records: Vec<Write>, commits: bool) {
    let producer: BaseProducer = config(broker).set("transactional.id", topic).create().expect("a producer");
    producer.init_transactions(PATIENCE).expect("an id");
    producer.begin_transaction().expect("a transaction");
    for Write { partition, key, value, .. } in records {
        let (key, value) = (key.expect("a key"), value.expect("a value"));
        let record = BaseRecord::to(topic).partition(partition).key(&key).payload(&value);
        producer.send(record).map_err(|(error, _)| error).expect("sent");
    }
    producer.flush(PATIENCE).expect("the events are written");
    match commits {
        true => producer.commit_transaction(PATIENCE).expect("committed"),
        false => producer.abort_transaction(PATIENCE).expect("aborted"),
    }
}

fn end(broker: &Broker, topic: &str, partition: usize) -> i64 {
    ends(broker, topic, Isolation::Uncommitted)[partition].end
}

/// Deletes all records of a partition, as retention does in time.
fn empty(broker: &Broker, topic: &str, partition: i32) {
    delete_records(broker, topic, partition, end(broker, topic, partition as usize));
}

/// Everything was read, up to the mark of the last transaction; then retention empties the input.
fn check_emptied(name: &str, delivery: &str) {
    let broker = broker::shared();
    let setup = Setup::on(name, broker, COUNT).with(&format!("service.delivery={delivery}"));
    setup.create_topics(2);
    let topic = setup.topic("events");
    transact(broker, &topic, [events_of(0, 0, 50), events_of(1, 0, 50)].concat(), true);
    // Behind the last record of this partition is only what was aborted.
    transact(broker, &topic, events_of(1, 0, 10), false);
    let mut service = setup.start();
    service.until("the events", |_| counts(broker, &setup).len() == 50);
    service.says("runs partition 1");
    until_read(&mut service, broker, &setup, &topic);
    service.stop();
    (0..2).for_each(|partition| empty(broker, &topic, partition));
    let mut service = setup.start();
    (0..2).for_each(|partition| service.says(&format!("runs partition {partition} from offset")));
    produce(broker, &topic, events_of(0, 50, 50));
    service.until("the new events", |_| counts(broker, &setup).iter().all(|(_, count)| *count == 2));
    assert!(!service.log().contains("has stopped"), "{}", service.log());
    service.stop();
}

#[test]
fn an_emptied_input_whose_last_record_is_a_mark_has_lost_nothing() {
    check_emptied("emptied", "exactly_once");
}

#[test]
fn an_emptied_input_whose_last_record_is_a_mark_has_lost_nothing_at_least_once_either() {
    check_emptied("emptied-alo", "at_least_once");
}

/// The topic of forwarded events is written in transactions, so each of its partitions ends with a mark.
#[test]
fn an_emptied_topic_of_forwarded_events_has_lost_nothing() {
    let broker = broker::shared();
    let setup = Setup::on("emptied-by", broker, COUNT).with("input.partitioned_by=none").with("service.idle_grace=off");
    setup.create_topics(1);
    let (topic, by_user) = (setup.topic("events"), setup.topic("by-user"));
    produce(broker, &topic, events_of(0, 0, 50));
    let mut service = setup.start();
    service.until("the events", |_| counts(broker, &setup).len() == 50);
    until_read(&mut service, broker, &setup, &by_user);
    service.stop();
    empty(broker, &by_user, 0);
    let mut service = setup.start();
    service.says("runs partition 0 of emptied-by-by-user");
    produce(broker, &topic, events_of(0, 50, 50));
    service.until("the new events", |_| counts(broker, &setup).iter().all(|(_, count)| *count == 2));
    service.stop();
}

/// Unread records are gone. The message names the command that goes on, and it fits this gap only.
fn check_gap(name: &str, delivery: &str) {
    let broker = broker::shared();
    let setup =
        Setup::on(name, broker, COUNT).with(&format!("service.delivery={delivery}")).with("http.listen=127.0.0.1:0");
    setup.create_topics(2);
    let topic = setup.topic("events");
    produce(broker, &topic, events_of(0, 0, 50));
    let mut service = setup.start();
    until_read(&mut service, broker, &setup, &topic);
    service.stop();
    produce(broker, &topic, events_of(0, 0, 30));
    delete_records(broker, &topic, 0, 80);
    produce(broker, &topic, events_of(0, 0, 50));
    let mut service = setup.start();
    service.says(&format!("the records of partition 0 of {topic} from offset 50 on are gone"));
    service.says("runs partition 1");
    let accept = named_command(&service);
    assert_eq!(accept, ["--accept-gap", &format!("{topic}/0@50")]);
    service.stop();
    let accept: Vec<&str> = accept.iter().map(String::as_str).collect();

    // Another offset and another partition do not fit.
    let (wrong_offset, wrong_partition) = (format!("{topic}/0@49"), format!("{topic}/1@50"));
    let mut service = start_with(&setup, &["--accept-gap", &wrong_offset, "--accept-gap", &wrong_partition]);
    service.says("has stopped partition 0");
    service.stop();
    let refused = setup.output(&["run", "--accept-gap", "no-such-topic/0@50"]);
    assert_eq!(refused.status.code(), Some(78), "{}", text(&refused));

    let mut service = start_with(&setup, &accept);
    service
        .says("partition 0 goes on at offset 80: the 30 offsets from 50 on are gone, which --accept-gap has accepted");
    until_read(&mut service, broker, &setup, &topic);
    let address = service.http_address();
    service.until("the metric", |_| {
        parse(&get(address, "/metrics").body).of("tagstream_accepted_gap_offsets_total")[0].1 == 30.0
    });
    service.stop();
    let expected = counts(broker, &setup);
    assert!(expected.iter().all(|(_, count)| *count == 2), "the state has gone on: {expected:?}");

    // The same command again: nothing to accept, and a later gap stops the partition.
    let mut service = start_with(&setup, &accept);
    service.says("runs partition 0 from offset 130");
    service.stop();
    produce(broker, &topic, events_of(0, 0, 20));
    empty(broker, &topic, 0);
    let mut service = start_with(&setup, &accept);
    service.says(&format!("`tagstream run --accept-gap {topic}/0@130`"));
    service.stop();
}

#[test]
fn a_gap_is_accepted_once() {
    check_gap("gap", "exactly_once");
}

#[test]
fn a_gap_is_accepted_once_where_changes_leave_early() {
    check_gap("gap-alo", "at_least_once");
}

/// Events that wait for other inputs stand in the topic of forwarded events, and are gone with it.
#[test]
fn a_gap_in_forwarded_events_is_accepted() {
    let broker = broker::shared();
    let setup = Setup::on("gap-by", broker, COUNT).with("input.partitioned_by=none").with("service.idle_grace=off");
    setup.create_topics(2);
    let (topic, by_user) = (setup.topic("events"), setup.topic("by-user"));
    // The other partition is empty, and its clock stands: nothing is released.
    produce(broker, &topic, events_of(0, 0, 50));
    let mut service = setup.start();
    service.until("the events to be forwarded", |_| {
        committed(broker, &setup.application, &topic)[0] == Some(50) && end(broker, &by_user, 0) > 0
    });
    service.until("them to be read", |_| read_all(broker, &setup.topic("by-user-changelog")).len() > 1);
    service.stop();
    empty(broker, &by_user, 0);
    let mut service = setup.start();
    service.says(&format!("the records of partition 0 of {by_user} from offset 0 on are gone"));
    let accept = named_command(&service);
    service.stop();
    let accept: Vec<&str> = accept.iter().map(String::as_str).collect();
    let mut service = start_with(&setup, &accept);
    service.says("which --accept-gap has accepted");
    // Now both go on, and their events are merged.
    produce(broker, &topic, [events_of(0, 50, 50), events_of(1, 50, 1)].concat());
    service
        .until("the events of before in the other partition, and the new ones", |_| !counts(broker, &setup).is_empty());
    service.stop();
}

/// Reset offsets and deleted records: no advice leads to another.
#[test]
fn offsets_that_were_reset_over_a_gap_name_the_same_way_on() {
    let broker = broker::shared();
    let setup = Setup::on("gap-reset", broker, COUNT);
    setup.create_topics(1);
    let topic = setup.topic("events");
    produce(broker, &topic, events_of(0, 0, 50));
    let mut service = setup.start();
    until_read(&mut service, broker, &setup, &topic);
    service.stop();
    produce(broker, &topic, events_of(0, 0, 30));
    delete_records(broker, &topic, 0, 80);
    produce(broker, &topic, events_of(0, 0, 50));
    commit_offset(broker, &setup.application, &topic, 0, 100);
    let mut service = setup.start();
    service.says(&format!("the group stands at offset 100 of partition 0 of {topic}"));
    let accept = named_command(&service);
    assert_eq!(accept, ["--accept-gap", &format!("{topic}/0@50")]);
    service.stop();
    let mut service = start_with(&setup, &["--accept-gap", &accept[1]]);
    service.says("goes on at offset 80");
    until_read(&mut service, broker, &setup, &topic);
    service.stop();
    assert!(counts(broker, &setup).iter().all(|(_, count)| *count == 2), "nothing was skipped, nothing twice");
}
