//! The example subscribers do what they say, also when a change comes twice and when they are started again.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command};

use rusqlite::Connection;
use serde_json::json;
use tagstream::codec::ChangeFormat;

use crate::fixture::broker;
use crate::fixture::client::{Seen, Write, committed, create_topic, produce, read_all};
use crate::fixture::now_ms;
use crate::installed;
use crate::support::http_client::ask_with;
use crate::support::process::die_with_parent;
use crate::support::service::Setup;

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
