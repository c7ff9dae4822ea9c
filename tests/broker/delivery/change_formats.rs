//! `output.format` is changed on a topic that is in use: each change is there once, in its own format, and push reads all.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tagstream::codec::ChangeRecord;

use crate::fixture::broker;
use crate::fixture::client::{Seen, create_topic, produce, read_all};
use crate::fixture::counting::{COUNT, PARTITIONS, USERS, events, read_to};
use crate::fixture::failpoint::die;
use crate::support::receiver::{OK, Receiver};
use crate::support::service::Setup;

const EVENTS: usize = 400;

/// Our object in a record, which has to be in the form that the record says.
fn object(record: &Seen) -> (&'static str, Value) {
    let content_type = record.header("content-type").expect("a content type");
    let json = record.json();
    match content_type.as_str() {
        "application/json" => ("tagstream", json),
        "application/cloudevents+json" => {
            assert_eq!((&json["specversion"], &json["id"]), (&json!("1.0"), &json["data"]["id"]), "{json}");
            ("cloudevents", json["data"].clone())
        }
        other => panic!("{other}"),
    }
}

/// The changes of each user are 1, 2, 3 … `last`, each with its own id, and the headers say the same as the record.
fn check(records: &[Seen], last: usize) {
    let mut reached: BTreeMap<String, usize> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for record in records {
        let (_, change) = object(record);
        let seq = reached.entry(record.key_text()).or_default();
        let previous = if *seq == 0 { Value::Null } else { json!(seq) };
        *seq += 1;
        assert_eq!((&change["seq"], &change["value"]), (&json!(seq), &json!(seq)), "{change}");
        assert_eq!((&change["previous"], &change["key"]), (&previous, &json!(record.key_text())));
        assert_eq!(record.header("ce_id").as_deref(), change["id"].as_str());
        assert!(ids.insert(change["id"].to_string()), "{} came twice", change["id"]);
        let parsed = ChangeRecord::parse(record.value.as_deref().expect("a value")).expect("a change");
        assert_eq!((json!(parsed.id), json!(parsed.seq)), (change["id"].clone(), change["seq"].clone()));
    }
    assert_eq!(reached.len(), USERS);
    assert!(reached.values().all(|seq| *seq == last), "{reached:?}");
}

#[test]
fn the_format_may_be_changed_on_a_topic_that_is_in_use() {
    let broker = broker::shared();
    let receiver = Receiver::start(|_, _| OK);
    let setup = Setup::on("change-formats", broker, COUNT).with("service.commit_interval=20ms");
    let setup = setup.with(&format!("push.url={}", receiver.url())).with("push.listen=off").with("push.secret=off");
    setup.create_topics(PARTITIONS as u32);
    let topic = setup.topic("changes");
    let command = |format: &str| {
        let mut command = setup.command(&["run"]);
        command.args(["-s", &format!("output.format={format}")]);
        command
    };
    for (part, format) in ["tagstream", "cloudevents", "tagstream"].into_iter().enumerate() {
        produce(broker, &setup.topic("events"), events(part * EVENTS, EVENTS));
        // First a process that dies with changes that it has sent and not committed.
        let mut dying = command("cloudevents");
        dying.env("TAGSTREAM_FAILPOINT", "delivered:1");
        die(&mut setup.start_command(dying), "delivered");
        let mut service = setup.start_command(command(format));
        service.until("all events", |_| read_to(broker, &setup, (part + 1) * EVENTS));
        service.stop();
    }
    let records = read_all(broker, &topic);
    check(&records, 3 * EVENTS / USERS);
    let formats: BTreeMap<_, usize> = records.iter().fold(BTreeMap::new(), |mut formats, record| {
        *formats.entry(object(record).0).or_default() += 1;
        formats
    });
    assert_eq!(formats, BTreeMap::from([("cloudevents", EVENTS), ("tagstream", 2 * EVENTS)]));

    // Push reads all of them, whatever it is to write.
    let wanted: BTreeSet<String> = records.iter().map(|record| object(record).1.to_string()).collect();
    for format in ["tagstream", "cloudevents"] {
        let (before, group) = (receiver.received().len(), format!("change-formats-{format}"));
        create_topic(broker, &format!("{group}-dead-letter"), 1, &[]);
        let mut command = setup.command(&["push"]);
        command.args(["-s", &format!("push.group={group}"), "-s", &format!("push.format={format}")]);
        let mut push = setup.start_command(command);
        let posted = || {
            let requests = receiver.received();
            let changes = requests[before..].iter().flat_map(|request| match format {
                "tagstream" => request.changes(),
                _ => request.json().as_array().expect("events").iter().map(|event| event["data"].clone()).collect(),
            });
            changes.map(|change| change.to_string()).collect::<Vec<_>>()
        };
        push.until("all changes", |_| posted().len() >= 3 * EVENTS);
        push.stop();
        assert_eq!(posted().len(), wanted.len(), "{format}");
        assert_eq!(posted().into_iter().collect::<BTreeSet<_>>(), wanted, "{format}");
    }
}
