//! Each format of a tag change: byte for byte, and read back without a loss.

use tagstream::codec::{ChangeFormat, ChangeRecord, ParsedChange, write_change};
use tagstream::model::{ChangeType, Number, Scalar, TagChange};

use super::writers::CHANGE;

fn object(change: &TagChange<'_>) -> String {
    let mut out = Vec::new();
    write_change(change, &mut out);
    String::from_utf8(out).expect("UTF-8")
}

fn written(format: ChangeFormat, change: &TagChange<'_>) -> String {
    let mut out = Vec::new();
    format.write(object(change).as_bytes(), "shop", &mut out);
    String::from_utf8(out).expect("UTF-8")
}

/// `expected` with our object and its id put in.
fn check(format: ChangeFormat, change: &TagChange<'_>, expected: &str) {
    let object = object(change);
    let id = ChangeRecord::parse(object.as_bytes()).expect("a change").id.into_owned();
    assert_eq!(written(format, change), expected.replace("OBJECT", &object).replace("ID", &id));
}

#[test]
fn an_event_of_cloudevents() {
    let head = r#"{"specversion":"1.0","id":"ID","source":"/tagstream/shop","type":"tagstream.tag."#;
    let tail = r#""time":"2026-03-15T08:00:00.000Z","datacontenttype":"application/json","data":OBJECT}"#;
    check(ChangeFormat::CloudEvents, &CHANGE, &format!(r#"{head}added","subject":"user:u-42",{tail}"#));
    let (low, gold) = (Scalar::String("low"), Scalar::String("gold"));
    let changed = TagChange { entity: "account", previous: low, value: gold, ..CHANGE };
    check(ChangeFormat::CloudEvents, &changed, &format!(r#"{head}changed","subject":"account:u-42",{tail}"#));
    let removed = TagChange { key: "a \"b\"\n", previous: low, value: Scalar::Absent, ..CHANGE };
    check(ChangeFormat::CloudEvents, &removed, &format!(r#"{head}removed","subject":"user:a \"b\"\n",{tail}"#));
}

/// A call of Segment, without its beginning and its end.
fn check_call(change: &TagChange<'_>, class: &str, begin: &str, members: &str) {
    let tag = change.tag;
    let expected = format!(
        r#"{{{begin},"messageId":"ID","timestamp":"2026-03-15T08:00:00.000Z",{members},"context":{{"personas":{{"computation_class":"{class}","computation_id":"{tag}","computation_key":"{tag}","namespace":"shop","space_id":"shop"}},"tagstream":OBJECT}}}}"#
    );
    check(ChangeFormat::Segment, change, &expected);
}

#[test]
fn a_call_of_segment() {
    let (on, off) = (Scalar::Bool(true), Scalar::Bool(false));
    let user = |event: &str| format!(r#""type":"track","event":"{event}","userId":"u-42""#);
    let audience = |value: &str| format!(r#""properties":{{"audience_key":"churn_risk","churn_risk":{value}}}"#);
    for (previous, value, event, member) in [
        (Scalar::Absent, on, "Audience Entered", "true"),
        (on, Scalar::Absent, "Audience Exited", "false"),
        // A tag by value whose values are bools.
        (Scalar::Absent, off, "Audience Exited", "false"),
        (off, on, "Audience Entered", "true"),
        (off, Scalar::Absent, "Audience Exited", "false"),
    ] {
        let change = TagChange { previous, value, ..CHANGE };
        check_call(&change, "audience", &user(event), &audience(member));
    }
    let gold = Scalar::String("gold");
    let values = [(gold, "\"gold\""), (Scalar::Number(Number::Double(2.5)), "2.5"), (Scalar::Absent, "null")];
    for (value, text) in values {
        let change = TagChange { tag: "level", previous: Scalar::String("low"), value, ..CHANGE };
        let members = format!(r#""properties":{{"trait_key":"level","level":{text}}}"#);
        check_call(&change, "trait", &user("Trait Computed"), &members);
    }
    // An account has a group call, and no user.
    let begin = r#""type":"group","anonymousId":"account:u-42","groupId":"u-42""#;
    check_call(&TagChange { entity: "account", ..CHANGE }, "audience", begin, r#""traits":{"churn_risk":true}"#);
    // A name is there once.
    let named = TagChange { tag: "audience_key", ..CHANGE };
    check_call(&named, "audience", &user("Audience Entered"), r#""properties":{"audience_key":true}"#);
}

#[test]
fn every_format_is_read_back_without_a_loss() {
    let quoted = Scalar::String("\"}],{\\ \u{1F600}");
    let values = [Scalar::Absent, Scalar::Bool(true), Scalar::Bool(false), quoted, Scalar::Number(Number::Double(0.1))];
    let mut types = Vec::new();
    for (previous, value) in values.iter().flat_map(|previous| values.iter().map(move |value| (*previous, *value))) {
        let change = TagChange { key: "u \"1\"", previous, value, because: &[("a.b", quoted)], ..CHANGE };
        if previous == Scalar::Absent && value == Scalar::Absent {
            continue;
        }
        let object = object(&change);
        for format in ChangeFormat::ALL {
            let record = written(format, &change);
            let (read, inside) = ChangeRecord::parse_with_object(record.as_bytes()).expect("a tag change");
            assert_eq!(String::from_utf8_lossy(inside), object, "{}", format.name());
            assert_eq!((&*read.key, read.seq, &*read.catalog), ("u \"1\"", 7, "9b1d0c55"));
            assert_eq!(read.change_type(), change.change_type());
            assert_eq!(ParsedChange::parse(record.as_bytes()).expect("a tag change").key, "u \"1\"");
            types.push(read.change_type());
            // What is read from one format is written in each other.
            for other in ChangeFormat::ALL {
                let mut again = Vec::new();
                other.write(inside, "shop", &mut again);
                assert_eq!(String::from_utf8_lossy(&again), written(other, &change));
            }
        }
    }
    assert!(ChangeType::ALL.iter().all(|change_type| types.contains(change_type)));
}

#[test]
fn what_is_no_change_is_none_in_any_envelope() {
    for record in [
        "",
        "{}",
        "[]",
        "null",
        r#"{"data":{}}"#,
        r#"{"data":null,"context":{}}"#,
        r#"{"context":{"tagstream":1}}"#,
        r#"{"specversion":"1.0","id":"1","source":"/x","type":"order","data":{"key":"u"}}"#,
        r#"{"type":"track","event":"Audience Entered","userId":"u","properties":{"audience_key":"a","a":true}}"#,
    ] {
        assert!(ChangeRecord::parse(record.as_bytes()).is_err(), "{record}");
        assert!(ParsedChange::parse(record.as_bytes()).is_err(), "{record}");
    }
}

#[test]
fn a_record_is_within_its_bound() {
    let text = "\u{1}".repeat(256);
    let entity = "e".repeat(64);
    let tag = "t".repeat(64);
    let application = "a".repeat(200);
    let change = TagChange { entity: &entity, key: &text, tag: &tag, value: Scalar::String(&text), ..CHANGE };
    let object = object(&change);
    for format in ChangeFormat::ALL {
        let mut out = Vec::new();
        format.write(object.as_bytes(), &application, &mut out);
        assert!(out.len() as u64 <= format.bytes_max(object.len() as u64), "{}: {}", format.name(), out.len());
    }
}
