//! What the service writes for subscribers is as `deploy/schemas` says.

use std::fs;
use std::process::Command;

use serde_json::{Map, Value, json};

use crate::fixture::broker;
use crate::fixture::client::{Seen, Write, produce, read_all};
use crate::fixture::now_ms;
use crate::installed;
use crate::support::receiver::{OK, Receiver, Reply, base64};
use crate::support::service::Setup;

/// A tag of every form.
const CATALOG: &str = "version: 1\n\
    counters:\n  n: { count: click, window: 1h }\n  last: { last: properties.page, on: click }\n\
    tags:\n  busy: { when: n >= 2 }\n  silent: { when: n == 0 }\n  many: { value: n }\n  page: { value: last }\n\
    \x20 volume: { value: n, bands: [ { name: low, below: 3 }, { name: high } ] }\n\
    \x20 stage: { stages: [ { name: keen, when: n >= 3 }, { name: fresh, when: n >= 1 } ] }\n  vip: { manual: true }\n";

fn headers(record: &Seen) -> Value {
    let pairs = record.headers.iter();
    Value::Object(
        pairs.map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into())).collect::<Map<_, _>>(),
    )
}

fn records() -> Vec<Write> {
    let start = now_ms() - 2 * 3_600_000;
    let event = |key: &str, kind: &str, minutes: i64, properties: Value| {
        let line =
            json!({"user_id": key, "type": kind, "timestamp": start + minutes * 60_000, "properties": properties});
        Write::event(0, key, line.to_string())
    };
    let mut records: Vec<Write> = (0..4).map(|n| event("u-1", "click", n, json!({"page": format!("/{n}")}))).collect();
    records.push(event("u-1", "$tag", 5, json!({"tag": "vip", "set": true, "value": "gold"})));
    records.push(event("u-2", "click", 6, json!({"page": "/"})));
    records.push(event("u-2", "$erase", 7, json!({})));
    records.push(event("u-3", "$tag", 8, json!({"tag": "nothing"})));
    records.push(Write::event(0, "u-4", "half a line"));
    records.push(Write::event(0, "u-5", r#"{"user_id":"u-5","type":"click"}"#));
    records.push(Write::event(0, "u-6", r#"{"user_id":"u-6","type":"click","timestamp":"yesterday"}"#));
    // The clock moves on: what was clicked leaves the window.
    records.push(event("u-7", "click", 90, json!({})));
    records
}

#[test]
fn subscribers_receive_what_the_schemas_say() {
    let broker = broker::shared();
    // It takes all changes but those of one entity.
    let receiver = Receiver::start(|_, request| {
        let is_bad = request.changes().iter().any(|change| change["key"] == "u-2");
        if is_bad { Reply(400, "", "") } else { OK }
    });
    let setup = Setup::on("schemas", broker, CATALOG).with(&format!("push.url={}", receiver.url()));
    let setup = setup.with("push.secret=secret").with("push.listen=off");
    fs::write(setup.folder.join("secret"), format!("whsec_{}", base64(&[1; 24]))).expect("a file");
    setup.create_topics(1);
    produce(broker, &setup.topic("events"), records());
    let changes = || read_all(broker, &setup.topic("changes"));
    let mut service = setup.start();
    service.until("the last change", |_| changes().iter().any(|change| change.key_text() == "u-7"));
    drop(service);
    let refused = || read_all(broker, &setup.topic("push-dead-letter"));
    let mut push = setup.start_command(setup.command(&["push"]));
    push.until("all to be posted", |_| receiver.accepted().len() + refused().len() == changes().len());
    push.stop();

    let mut lines = Vec::new();
    let mut say = |schema: &str, record: Value| lines.push(json!({"schema": schema, "record": record}).to_string());
    let changes = changes();
    for change in &changes {
        say("tag-change", change.json());
        say("tag-change-headers", headers(change));
    }
    let tags = read_all(broker, &setup.topic("tags"));
    tags.iter().filter(|record| record.value.is_some()).for_each(|record| say("current-tags", record.json()));
    let letters = read_all(broker, &setup.topic("dead-letter"));
    letters.iter().for_each(|letter| say("dead-letter-headers", headers(letter)));
    refused().iter().for_each(|letter| say("push-dead-letter-headers", headers(letter)));
    for request in receiver.received() {
        say("push-request", request.json());
        say("push-request-headers", json!(request.headers));
    }
    let seen = |member: &str| changes.iter().map(|change| change.json()[member].to_string()).collect::<Vec<_>>();
    for (member, values) in [
        ("cause", &["\"event\"", "\"timer\"", "\"command\"", "\"erased\""][..]),
        ("change", &["\"added\"", "\"changed\"", "\"removed\""]),
        ("value", &["true", "\"gold\"", "\"/1\"", "\"high\"", "\"keen\"", "null", "4"]),
    ] {
        let seen = seen(member);
        for value in values {
            assert!(seen.iter().any(|seen| seen == value), "no {member} is {value}: {seen:?}");
        }
    }
    assert_eq!(letters.len(), 4);

    let file = std::env::temp_dir().join(format!("tagstream-schemas-{}.ndjson", std::process::id()));
    fs::write(&file, lines.join("\n")).expect("a file");
    let python = installed::expect("schemathesis-4.32.5/bin/python");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/schemas/validate.py");
    let output = Command::new(python).arg(script).arg(&file).output().expect("python");
    fs::remove_file(&file).expect("the file");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let counts: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(counts["tag-change"], changes.len());
}
