//! The example subscribers do what they say, also when a change comes twice and when they are started again.

use std::path::Path;
use std::process::Command;

use rusqlite::Connection;
use serde_json::json;

use crate::fixture::broker;
use crate::fixture::client::{Seen, Write, produce, read_all};
use crate::fixture::now_ms;
use crate::installed;
use crate::support::service::Setup;

const CATALOG: &str =
    "version: 1\ncounters:\n  n: { count: click }\ntags:\n  churn_risk: { when: n >= 2 }\n  seen: { when: n >= 1 }\n";

/// Runs an example until it has read everything that is there.
fn run(script: &str, database: &Path, group: &str, topic: &str) {
    let python = installed::expect("confluent-kafka-2.16.1/bin/python");
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

    // What is there is written again, and read again from the beginning.
    let again =
        |record: &Seen| Write::event(record.partition, &record.key_text(), record.value.clone().expect("a value"));
    produce(broker, &setup.topic("changes"), changes().iter().map(again));
    run("mailer", &mails, "subscribers-mailer", &setup.topic("changes"));
    run("mailer", &mails, "subscribers-mailer-again", &setup.topic("changes"));
    assert_eq!(written("SELECT id FROM mails").len(), 2);
    run("mirror", &tags, "subscribers-mirror-again", &setup.topic("tags"));
    assert_eq!(rows(&tags, now).len(), 3);
    std::fs::remove_dir_all(&folder).expect("the folder");
}
