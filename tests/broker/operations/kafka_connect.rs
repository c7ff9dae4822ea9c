//! Kafka Connect with the example configurations, where a connector that writes a file takes the place of the one that needs
//! a database or a server: changes that were aborted do not arrive.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Map, Value, json};

use crate::fixture::broker;
use crate::fixture::broker::free_port;
use crate::fixture::broker::java::{Download, java};
use crate::fixture::client::{produce, read_all};
use crate::fixture::counting::{COUNT, PARTITIONS, USERS, events, read_to};
use crate::fixture::failpoint::{die, start_to_die};
use crate::support::process::die_with_parent;
use crate::support::service::Setup;

const CONNECT: Download = Download { folder: "connect", pom: "deploy/kafka/connect.xml", goal: "copy-dependencies" };
const EVENTS: usize = 400;
/// What belongs to a connector, and not to Connect.
const OF_CONNECTORS: [&str; 12] = [
    "http.",
    "batching.",
    "batch.",
    "max.",
    "connection.",
    "table.",
    "insert.",
    "pk.",
    "delete.",
    "auto.",
    "write.",
    "behavior.",
];

/// An example configuration, with a connector that writes `file`.
fn example(name: &str, topic: &str, file: &Path) -> Map<String, Value> {
    let path = format!("{}/deploy/subscribers/connect/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let example: Value = serde_json::from_str(&text).expect("JSON");
    let mut config = example["config"].as_object().expect("a configuration").clone();
    config.retain(|key, _| !OF_CONNECTORS.iter().any(|prefix| key.starts_with(prefix)));
    config.insert("connector.class".to_owned(), json!("org.apache.kafka.connect.file.FileStreamSinkConnector"));
    config.insert("topics".to_owned(), json!(topic));
    config.insert("file".to_owned(), json!(file.display().to_string()));
    config
}

fn lines(file: &Path) -> Vec<String> {
    let mut lines: Vec<String> = fs::read_to_string(file).unwrap_or_default().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// Changes that two processes have sent, of which the first has not committed any.
fn write_changes(setup: &Setup) {
    let broker = broker::shared();
    setup.create_topics(PARTITIONS as u32);
    produce(broker, &setup.topic("events"), events(0, EVENTS));
    die(&mut start_to_die(setup, "delivered", 1), "delivered");
    let mut service = setup.start();
    service.until("all to be committed", |_| read_to(broker, setup, EVENTS));
    service.stop();
}

#[test]
fn the_example_configurations_pass_committed_records_on() {
    let broker = broker::shared();
    let setup = Setup::on("connect", broker, COUNT);
    write_changes(&setup);
    let (changes, tags) = (setup.topic("changes"), setup.topic("tags"));
    let file = |name: &str| setup.folder.join(format!("{name}.txt"));
    let mut configs = BTreeMap::from([
        ("changes", example("http-tag-changes", &changes, &file("changes"))),
        ("tags", example("jdbc-current-tags", &tags, &file("tags"))),
    ]);
    // The same without the setting that the examples have: as Connect reads by default.
    let mut uncommitted = configs["changes"].clone();
    assert!(uncommitted.remove("consumer.override.isolation.level").is_some());
    uncommitted.insert("file".to_owned(), json!(file("uncommitted").display().to_string()));
    configs.insert("uncommitted", uncommitted);

    let worker = setup.folder.join("worker.properties");
    let properties = format!(
        "bootstrap.servers={}\n\
         key.converter=org.apache.kafka.connect.storage.StringConverter\n\
         value.converter=org.apache.kafka.connect.storage.StringConverter\n\
         connector.client.config.override.policy=All\n\
         offset.storage.file.filename={}\n\
         offset.flush.interval.ms=500\n\
         listeners=http://127.0.0.1:{}\n",
        broker.address(),
        setup.folder.join("offsets").display(),
        free_port()
    );
    fs::write(&worker, properties).expect("a file");
    let files: Vec<PathBuf> = configs
        .iter()
        .map(|(name, config)| {
            let path = setup.folder.join(format!("{name}.json"));
            fs::write(&path, json!({ "name": format!("connect-{name}"), "config": config }).to_string())
                .expect("a file");
            path
        })
        .collect();
    let mut connect = java(&CONNECT.libs(), "org.apache.kafka.connect.cli.ConnectStandalone");
    connect.arg(&worker).args(&files).stdin(Stdio::null());
    die_with_parent(&mut connect);
    let mut connect = setup.start_command(connect);

    let value = |record: &crate::fixture::client::Seen| {
        String::from_utf8(record.value.clone().expect("a value")).expect("UTF-8")
    };
    let mut committed: Vec<String> = read_all(broker, &changes).iter().map(value).collect();
    committed.sort();
    assert_eq!(committed.len(), EVENTS);
    connect.until("all changes", |_| {
        lines(&file("changes")).len() >= EVENTS && lines(&file("uncommitted")).len() > EVENTS
    });
    assert_eq!(lines(&file("changes")), committed);
    // Each current tag is in the field that the database's column is named for.
    let mut current: Vec<String> =
        read_all(broker, &tags).iter().map(|record| format!("Struct{{tags={}}}", value(record))).collect();
    current.sort();
    assert!(current.len() >= USERS);
    connect.until("the current tags", |_| lines(&file("tags")).len() >= current.len());
    assert_eq!(lines(&file("tags")), current);
}
