//! What the service writes for subscribers is as `deploy/schemas` says.

use std::fs;
use std::process::Command;

use serde_json::{Map, Value, json};
use tagstream::codec::{ChangeFormat, ChangeRecord};

use crate::fixture::broker;
use crate::fixture::client::{Seen, Write, produce, read_all};
use crate::fixture::now_ms;
use crate::installed;
use crate::support::receiver::{OK, Received, Receiver, Reply, base64};
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

/// A line of what is validated.
fn line(schema: &str, record: Value) -> String {
    json!({"schema": schema, "record": record}).to_string()
}

/// A service and a push process have written everything in a format.
struct Ran {
    changes: Vec<Seen>,
    tags: Vec<Seen>,
    letters: Vec<Seen>,
    /// Those of push.
    refused: Vec<Seen>,
    requests: Vec<Received>,
}

fn run_in(format: ChangeFormat) -> Ran {
    let broker = broker::shared();
    let name = format.name();
    // It takes all changes but those of one entity.
    let receiver = Receiver::start(|_, request| {
        let is_bad = String::from_utf8_lossy(&request.body).contains("\"u-2\"");
        if is_bad { Reply(400, "", "") } else { OK }
    });
    let setup = Setup::on(&format!("schemas-{name}"), broker, CATALOG).with(&format!("output.format={name}"));
    let setup = setup.with(&format!("push.url={}", receiver.url())).with(&format!("push.format={name}"));
    let setup = setup.with("push.secret=secret").with("push.listen=off");
    fs::write(setup.folder.join("secret"), format!("whsec_{}", base64(&[1; 24]))).expect("a file");
    setup.create_topics(1);
    produce(broker, &setup.topic("events"), records());
    let read = |topic: &str| read_all(broker, &setup.topic(topic));
    let mut service = setup.start();
    service.until("the last change", |_| read("changes").iter().any(|change| change.key_text() == "u-7"));
    drop(service);
    let mut push = setup.start_command(setup.command(&["push"]));
    let (changes, of_u2) = (read("changes"), |change: &&Seen| change.key_text() == "u-2");
    let (wanted, bad) = (changes.len() - changes.iter().filter(of_u2).count(), changes.iter().filter(of_u2).count());
    let taken = |request: &Received| if request.status == 200 { pushed(format, request).len() } else { 0 };
    push.until("all to be posted", |_| {
        receiver.received().iter().map(taken).sum::<usize>() == wanted && read("push-dead-letter").len() == bad
    });
    push.stop();
    let (tags, letters, refused) = (read("tags"), read("dead-letter"), read("push-dead-letter"));
    Ran { changes, tags, letters, refused, requests: receiver.received() }
}

/// The changes in a request, as they are there.
fn pushed(format: ChangeFormat, request: &Received) -> Vec<Value> {
    let body = request.json();
    let changes = match format {
        ChangeFormat::Tagstream => &body["data"]["changes"],
        ChangeFormat::CloudEvents => &body,
        ChangeFormat::Segment => &body["batch"],
    };
    changes.as_array().expect("a list").clone()
}

/// What a run has written, in any format.
fn lines_of(format: ChangeFormat, ran: &Ran) -> Vec<String> {
    let schema = match format {
        ChangeFormat::Tagstream => "tag-change".to_owned(),
        other => format!("tag-change-{}", other.name()),
    };
    let mut lines = Vec::new();
    for change in &ran.changes {
        lines.extend([line(&schema, change.json()), line("tag-change-headers", headers(change))]);
        let value = change.value.as_deref().expect("a value");
        let (_, object) = ChangeRecord::parse_with_object(value).expect("a tag change");
        lines.push(line("tag-change", serde_json::from_slice(object).expect("JSON")));
    }
    for request in &ran.requests {
        lines.push(line("push-request-headers", json!(request.headers)));
        lines.extend(pushed(format, request).into_iter().map(|change| line(&schema, change)));
    }
    lines.extend(ran.refused.iter().map(|letter| line("push-dead-letter-headers", headers(letter))));
    lines
}

#[test]
fn subscribers_receive_what_the_schemas_say() {
    let mut lines = Vec::new();
    for format in [ChangeFormat::CloudEvents, ChangeFormat::Segment] {
        lines.extend(lines_of(format, &run_in(format)));
    }
    let ran = run_in(ChangeFormat::Tagstream);
    lines.extend(lines_of(ChangeFormat::Tagstream, &ran));
    let Ran { changes, tags, letters, requests, .. } = ran;
    let with_value = tags.iter().filter(|record| record.value.is_some());
    lines.extend(with_value.map(|record| line("current-tags", record.json())));
    lines.extend(letters.iter().map(|letter| line("dead-letter-headers", headers(letter))));
    lines.extend(requests.iter().map(|request| line("push-request", request.json())));
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
    assert!(counts["tag-change"].as_u64() >= Some(3 * changes.len() as u64), "{counts}");
}
