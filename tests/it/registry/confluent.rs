//! Confluent's wire format, against a registry that is written here from its documentation.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tagstream::codec::{InputRecord, OwnedRecord, Payload, PayloadFormat, Reject, SchemaKey};
use tagstream::registry::ConfluentFormat;
use tagstream::settings::SchemaRegistrySettings;

use crate::support::authority::{Authority, HERE};
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
    read_record(format, InputRecord::line(value))
}

fn read_record(format: &ConfluentFormat, record: InputRecord<'_>) -> (Payload, String) {
    let mut json = b"of the record before".to_vec();
    let payload = format.reader().read(record, &mut json);
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
    while let Some(why) = format.waits_for(SchemaKey::Id(schema)) {
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
        assert!(matches!(payload, Payload::Waits { schema: SchemaKey::Id(5), .. }), "{mood:?}: {payload:?}");
        assert!(format.waits_for(SchemaKey::Id(5)).is_some(), "{mood:?}");
    }
    // Another schema is not waited for any longer: the registry is away for all.
    registry.set_mood(Mood::Away);
    assert!(matches!(read(&format, &framed(6, b"")).0, Payload::Waits { schema: SchemaKey::Id(6), .. }));
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

const GUID: &str = "89791762-2336-4186-9674-299b90a802e2";

/// The header with a GUID, as Confluent's serializers write it.
fn guid_header(more: &[u8]) -> Vec<u8> {
    let digits = GUID.replace('-', "");
    let guid = (0..16).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).expect("hex"));
    [1].into_iter().chain(guid).chain(more.iter().copied()).collect()
}

fn with_headers(value: &[u8], headers: &[&[u8]]) -> OwnedRecord {
    let mut record = OwnedRecord::new(value.to_vec(), None, None);
    record.add_header("__key_schema_id", &[1; 17]);
    headers.iter().for_each(|header| record.add_header("__value_schema_id", header));
    record
}

#[test]
fn a_header_names_the_schema_of_the_whole_value() {
    let registry = Registry::start();
    registry.add(1, None, "\"long\"", &json!([]));
    let proto = "syntax = \"proto3\"; message A { int64 n = 1; } message B { string s = 1; }";
    registry.add(2, Some("PROTOBUF"), proto, &json!([]));
    let format = start(&registry);
    let of = |value: &[u8], headers: &[&[u8]]| read_record(&format, with_headers(value, headers).borrowed());

    registry.add_guid(GUID, None, RECORD);
    assert_eq!(of(&[10], &[&guid_header(&[])]), (Payload::Rewritten, r#"{"n":5}"#.to_owned()));
    assert!(registry.requests().contains(&format!("/schemas/guids/{GUID}")));
    // The last header counts, and before what the value begins with. An id may stand there, too.
    let id = [0, 0, 0, 0, 1];
    assert_eq!(of(&[0, 0, 0, 0, 9, 10], &[&guid_header(&[]), &[7]]).0, of(&[], &[&[7]]).0);
    assert_eq!(of(&[0], &[&guid_header(&[]), &id]).1, "0");
    // Which message of a Protobuf schema it is stands behind the name.
    assert_eq!(of(&[8, 5], &[&[0, 0, 0, 0, 2, 0]]).1, r#"{"n":5}"#);
    assert_eq!(of(&[10, 1, b'x'], &[&[0, 0, 0, 0, 2, 2, 2]]).1, r#"{"s":"x"}"#);
    assert_eq!(of(&[], &[&[0, 0, 0, 0, 2, 0]]).1, r#"{"n":0}"#);
    // Without it the older way counts, and JSON stays JSON.
    assert_eq!(of(&framed(1, &[2]), &[]).1, "1");
    assert_eq!(of(b"{}", &[]).0, Payload::AsIs);
}

#[test]
fn headers_that_name_no_schema_are_rejected_in_words() {
    let registry = Registry::start();
    registry.add_guid(GUID, Some("JSON"), "{}");
    let format = start(&registry);
    let another = [&[1][..], &[0xab; 16]].concat();
    for (header, reason, words) in [
        (
            &another[..],
            Reject::UnknownSchema,
            "the schema registry has no schema with the GUID abababab-abab-abab-abab-abababababab",
        ),
        (&[0, 0, 0, 0, 4], Reject::UnknownSchema, "the schema registry has no schema with the id 4"),
        (
            &guid_header(&[])[..16],
            Reject::BadPayload,
            "the header __value_schema_id ends within the schema's name, after 16 bytes",
        ),
        (&[], Reject::BadPayload, "the header __value_schema_id ends within the schema's name, after 0 bytes"),
        (b"AVRO", Reject::BadPayload, "the header __value_schema_id begins with the byte 65: 0 and 1 are read"),
    ] {
        let rejected = Payload::Rejected { reason, detail: words.to_owned() };
        assert_eq!(read_record(&format, with_headers(b"{}", &[header]).borrowed()).0, rejected);
    }
    // A registry that does not know GUIDs has not said that there is none.
    registry.set_mood(Mood::Proxy(404));
    let unsettled = [&[1][..], &[0xcd; 16]].concat();
    match read_record(&format, with_headers(b"{}", &[&unsettled]).borrowed()).0 {
        Payload::Waits { schema, why } => {
            assert_eq!(schema.to_string(), "the GUID cdcdcdcd-cdcd-cdcd-cdcd-cdcdcdcdcdcd");
            assert!(why.contains("it answers 404 Not Found: a registry that does not know GUIDs answers so"), "{why}");
        }
        other => panic!("{other:?}"),
    }
}

/// Why the registry has not answered, with these certificates to trust.
fn refusal(registry: &Registry, url: &str, ca: Option<PathBuf>) -> String {
    let settings = SchemaRegistrySettings { urls: vec![url.to_owned()], ca, ..settings(registry) };
    let format = ConfluentFormat::start(&settings).expect("a client");
    match read(&format, &framed(1, &[])).0 {
        Payload::Waits { why, .. } => why.to_string(),
        other => panic!("{other:?}"),
    }
}

/// The address of a server of HTTP that is taken for one with TLS.
fn without_tls() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("https://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 1_024]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        }
    });
    url
}

#[test]
fn a_registry_with_tls_is_trusted_by_the_authority_that_is_set() {
    let folder = std::env::temp_dir().join(format!("tagstream-registry-tls-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let (own, stranger) = (Authority::new(&folder, "own"), Authority::new(&folder, "stranger"));
    own.sign("registry", "registry", HERE, 2);
    own.sign("expired", "registry", HERE, -1);
    own.sign("elsewhere", "registry", "DNS:registry.example", 2);
    let ca = own.path("own", "crt");
    let start = |name: &str| {
        let registry = Registry::start_with_tls(&own.path(name, "pem"));
        registry.add(1, None, "\"null\"", &json!([]));
        registry
    };
    let registry = start("registry");
    let trusted = SchemaRegistrySettings { ca: Some(ca.clone()), ..settings(&registry) };
    let format = ConfluentFormat::start(&trusted).expect("a client");
    settle(&format, 1);
    assert_eq!(read(&format, &framed(1, &[])).1, "null");
    // A file may have several authorities.
    let both = folder.join("both.pem");
    let read_file = |path: &Path| fs::read_to_string(path).expect("a file");
    fs::write(&both, read_file(&stranger.path("stranger", "crt")) + &read_file(&ca)).expect("a file");
    let format = ConfluentFormat::start(&SchemaRegistrySettings { ca: Some(both), ..trusted }).expect("a client");
    settle(&format, 1);

    let (url, wrong) = (registry.url(), stranger.path("stranger", "crt"));
    let words = refusal(&registry, &url, Some(wrong.clone()));
    let expected = format!(
        "{url}: its certificate is not signed by an authority in schema_registry.ca = {}: add the certificate of the \
         authority that has signed it to this file",
        wrong.display()
    );
    assert_eq!(words, expected);
    let words = refusal(&registry, &url, None);
    assert!(words.contains("set schema_registry.ca to the file (PEM) of the authority"), "{words}");
    assert_eq!(registry.requests().len(), 2, "nothing was asked of a registry that is not trusted");

    let expired = start("expired");
    let words = refusal(&expired, &expired.url(), Some(ca.clone()));
    assert!(words.contains("its certificate has expired: renew it there"), "{words}");
    let elsewhere = start("elsewhere");
    let words = refusal(&elsewhere, &elsewhere.url(), Some(ca.clone()));
    assert!(words.contains("write one of its names in schema_registry.url"), "{words}");
    assert!(words.contains("registry.example"), "{words}");
    let words = refusal(&registry, &without_tls(), Some(ca));
    assert!(words.contains("or write http:// in schema_registry.url"), "{words}");
    fs::remove_dir_all(folder).expect("the folder");
}
