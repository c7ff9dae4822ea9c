//! Confluent's wire format, against a registry that is written here from its documentation.

use std::fs;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tagstream::codec::{Payload, PayloadFormat, Reject};
use tagstream::registry::ConfluentFormat;
use tagstream::settings::SchemaRegistrySettings;

use crate::support::registry::{Mood, Registry};

const RECORD: &str = r#"{"type":"record","name":"r","fields":[{"name":"n","type":"long"}]}"#;

fn settings(registry: &Registry) -> SchemaRegistrySettings {
    SchemaRegistrySettings { urls: vec![registry.url()], credentials: None, ca: None }
}

fn start(registry: &Registry) -> ConfluentFormat {
    ConfluentFormat::start(&settings(registry)).expect("a client")
}

fn framed(id: u32, payload: &[u8]) -> Vec<u8> {
    [&[0][..], &id.to_be_bytes(), payload].concat()
}

/// What a value is, and its JSON where it was rewritten.
fn read(format: &ConfluentFormat, value: &[u8]) -> (Payload, String) {
    let mut json = b"of the record before".to_vec();
    let payload = format.reader().read(value, &mut json);
    let text = if payload == Payload::Rewritten { String::from_utf8(json).expect("UTF-8") } else { String::new() };
    (payload, text)
}

fn rejected(format: &ConfluentFormat, value: &[u8]) -> (Reject, String) {
    match read(format, value).0 {
        Payload::Rejected { reason, detail } => (reason, detail),
        other => panic!("{value:?}: {other:?}"),
    }
}

/// Waits until the registry has said what a schema is.
fn settle(format: &ConfluentFormat, schema: u32) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while let Some(why) = format.waits_for(schema) {
        assert!(Instant::now() < deadline, "{why}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn payloads_are_read_by_the_schema_that_they_name() {
    let registry = Registry::start();
    registry.add(1, None, RECORD, &json!([]));
    registry.add(2, Some("AVRO"), RECORD, &json!([]));
    registry.add(3, Some("JSON"), "{}", &json!([{ "name": "x", "subject": "gone", "version": 1 }]));
    registry.add(u32::MAX, Some("AVRO"), "\"long\"", &json!([]));
    let format = start(&registry);
    for id in [1, 2] {
        assert_eq!(read(&format, &framed(id, &[10])), (Payload::Rewritten, r#"{"n":5}"#.to_owned()));
    }
    let json = br#"{"n": 5}"#;
    assert_eq!(read(&format, &framed(3, json)), (Payload::Rewritten, r#"{"n": 5}"#.to_owned()));
    assert_eq!(read(&format, &framed(u32::MAX, &[1])).1, "-1");
    // What does not begin with a zero byte is JSON, or rejected as what it is.
    for value in [&json[..], b"", b"\x01\x00\x00\x00\x01", b" "] {
        assert_eq!(read(&format, value).0, Payload::AsIs);
    }
    // A schema is requested once, however many readers there are.
    let asked = registry.requests().iter().filter(|path| *path == "/schemas/ids/1").count();
    let again = read(&format, &framed(1, &[2]));
    assert_eq!((again.1.as_str(), asked), (r#"{"n":1}"#, 1));
    assert_eq!(registry.requests().iter().filter(|path| *path == "/schemas/ids/1").count(), 1);
}

#[test]
fn references_are_requested_too() {
    let registry = Registry::start();
    let line = r#"{"type":"record","name":"l.Line","fields":[{"name":"of","type":"l.Price"}]}"#;
    let references = json!([
        { "name": "l.Line", "subject": "lines", "version": 3 },
        { "name": "l.Price", "subject": "prices", "version": 1 },
    ]);
    let price = json!([{ "name": "l.Price", "subject": "prices", "version": 1 }]);
    registry.add(7, None, r#"{"type":"array","items":"l.Line"}"#, &references);
    registry.add(
        8,
        None,
        r#"{"type":"array","items":"l.Gone"}"#,
        &json!([{ "name": "l.Gone", "subject": "a/b", "version": 1 }]),
    );
    registry.add_version("lines", 3, line, &price);
    registry.add_version("prices", 1, r#"{"type":"fixed","name":"Price","namespace":"l","size":1}"#, &json!([]));
    let format = start(&registry);
    assert_eq!(read(&format, &framed(7, &[2, 0, 0])).1, r#"[{"of":"AA=="}]"#);
    let (reason, detail) = rejected(&format, &framed(8, &[0]));
    assert_eq!(reason, Reject::BadPayload);
    let words = "cannot be used: the registry does not have version 1 of a/b, to which it refers";
    assert!(detail.ends_with(words), "{detail}");
    assert!(registry.requests().contains(&"/subjects/a%2Fb/versions/1".to_owned()));
}

#[test]
fn what_cannot_be_read_is_rejected_in_words() {
    let registry = Registry::start();
    registry.add(1, None, RECORD, &json!([]));
    registry.add(2, None, "{\"type\":\"odd\"}", &json!([]));
    registry.add(3, Some("THRIFT"), "", &json!([]));
    let format = start(&registry);
    for (value, reason, words) in [
        (framed(4, b"x"), Reject::UnknownSchema, "the schema registry has no schema with the id 4"),
        (vec![0, 0, 0, 1], Reject::BadPayload, "the value ends within the schema's id, after 4 bytes"),
        (framed(1, b""), Reject::BadPayload, "the payload is not of the schema with the id 1: it ends within a value"),
        (
            framed(2, b""),
            Reject::BadPayload,
            "the schema with the id 2 cannot be used: it is not an Avro schema: the type `odd` is not defined",
        ),
        (
            framed(3, b""),
            Reject::BadPayload,
            "the schema with the id 3 cannot be used: its type THRIFT is not read: AVRO, JSON and PROTOBUF are",
        ),
    ] {
        assert_eq!(rejected(&format, &value), (reason, words.to_owned()));
    }
}

#[test]
fn only_the_registry_can_say_that_there_is_no_schema() {
    let registry = Registry::start();
    let format = start(&registry);
    let value = framed(5, &[10]);
    for mood in [Mood::Away, Mood::Proxy(404), Mood::Proxy(503), Mood::Proxy(200)] {
        registry.set_mood(mood);
        let (payload, _) = read(&format, &value);
        assert!(matches!(payload, Payload::Waits { schema: 5, .. }), "{mood:?}: {payload:?}");
        assert!(format.waits_for(5).is_some(), "{mood:?}");
    }
    // Another schema is not waited for any longer: the registry is away for all.
    registry.set_mood(Mood::Away);
    assert!(matches!(read(&format, &framed(6, b"")).0, Payload::Waits { schema: 6, .. }));
    registry.add(5, None, RECORD, &json!([]));
    registry.set_mood(Mood::Answers);
    settle(&format, 5);
    assert_eq!(read(&format, &value).1, r#"{"n":5}"#);
    settle(&format, 6);
    assert_eq!(rejected(&format, &framed(6, b"")).0, Reject::UnknownSchema);
}

#[test]
fn the_next_registry_is_asked_where_one_is_away() {
    let (away, there) = (Registry::start(), Registry::start());
    away.set_mood(Mood::Away);
    there.add(1, None, "\"null\"", &json!([]));
    let urls = vec![away.url(), there.url()];
    let format = ConfluentFormat::start(&SchemaRegistrySettings { urls, ..settings(&away) }).expect("a client");
    settle(&format, 1);
    assert_eq!(read(&format, &framed(1, &[])).1, "null");
}

#[test]
fn credentials_come_from_a_file_that_may_change() {
    let registry = Registry::start();
    registry.add(1, None, "\"null\"", &json!([]));
    registry.add(2, None, "\"null\"", &json!([]));
    registry.ask_for("Basic dGFnczplZGVu");
    let path = std::env::temp_dir().join(format!("tagstream-registry-{}", std::process::id()));
    fs::write(&path, "tags:adam\n").expect("a file");
    let credentials = Some(path.clone());
    let format = Arc::new(ConfluentFormat::start(&SchemaRegistrySettings { credentials, ..settings(&registry) }));
    let format = format.as_ref().as_ref().expect("a client");
    match read(format, &framed(1, &[])).0 {
        Payload::Waits { why, .. } => assert!(why.ends_with("it answers 401 Unauthorized"), "{why}"),
        other => panic!("{other:?}"),
    }
    fs::write(&path, "tags:eden\n").expect("a file");
    settle(format, 1);
    registry.ask_for("Bearer of-this-service");
    fs::write(&path, "of-this-service\n").expect("a file");
    settle(format, 2);
    fs::remove_file(path).expect("a file");
}

#[test]
fn certificates_that_cannot_be_read_are_told_at_the_start() {
    let registry = Registry::start();
    let ca = std::env::temp_dir().join(format!("tagstream-no-ca-{}", std::process::id()));
    let urls = vec!["https://127.0.0.1:1".to_owned()];
    let of = || SchemaRegistrySettings { urls: urls.clone(), ca: Some(ca.clone()), ..settings(&registry) };
    let missing = ConfluentFormat::start(&of()).expect_err("a missing file").to_string();
    assert!(missing.starts_with("schema_registry.ca: ") && missing.contains("No such file"), "{missing}");
    fs::write(&ca, "nothing\n").expect("a file");
    let empty = ConfluentFormat::start(&of()).expect_err("an empty file").to_string();
    assert!(empty.ends_with("there is no certificate in it"), "{empty}");
    fs::remove_file(ca).expect("a file");
}
