//! Tag changes, current tags and rejected records, byte for byte.

use tagstream::codec::{Reject, RejectedLine, change_id, write_change, write_current_tags, write_reject};
use tagstream::model::{Cause, CurrentTag, Decimal, Number, Scalar, TagChange, Timestamp};

pub(super) const AT: Timestamp = Timestamp::from_ms(1_773_561_600_000);

pub(super) const CHANGE: TagChange<'static> = TagChange {
    entity: "user",
    key: "u-42",
    tag: "churn_risk",
    value: Scalar::Bool(true),
    previous: Scalar::Absent,
    at: AT,
    seq: 7,
    life: 0,
    cause: Cause::Timer,
    because: &[("days_since(last_active)", Scalar::Number(Number::Integer(14)))],
    catalog: "9b1d0c55",
};

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = b"> ".to_vec();
    write(&mut out);
    String::from_utf8(out).expect("JSON is UTF-8")[2..].to_owned()
}

fn change(change: &TagChange) -> String {
    written(|out| {
        write_change(change, out);
    })
}

#[test]
fn a_change_as_in_the_contract() {
    let expected = concat!(
        r#"{"id":"ID","entity":"user","key":"u-42","tag":"churn_risk","change":"added","value":true,"previous":null,"#,
        r#""at":"2026-03-15T08:00:00.000Z","seq":7,"cause":"timer","because":{"days_since(last_active)":14},"#,
        r#""catalog":"9b1d0c55"}"#
    );
    let id = format!("{:032x}", change_id(&CHANGE));
    assert_eq!(change(&CHANGE), expected.replace("ID", &id));
}

#[test]
fn every_kind_of_change_and_value() {
    let low = Scalar::String("low");
    let rows = [
        (Scalar::Absent, low, r#""change":"added","value":"low","previous":null"#),
        (low, Scalar::Number(Number::Double(2.5)), r#""change":"changed","value":2.5,"previous":"low""#),
        (Scalar::Bool(false), Scalar::Absent, r#""change":"removed","value":null,"previous":false"#),
        (low, Scalar::Time(AT), r#""change":"changed","value":"2026-03-15T08:00:00.000Z","previous":"low""#),
    ];
    for (previous, value, expected) in rows {
        let line = change(&TagChange { previous, value, because: &[], ..CHANGE });
        assert!(line.contains(expected), "{line}");
        assert!(line.contains(r#""because":{},"#), "{line}");
    }
}

#[test]
fn because_keeps_its_order_and_writes_numbers_as_ecmascript() {
    let numbers = [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (f64::MIN_POSITIVE / 4.0, "5.562684646268003e-309"),
        (9_007_199_254_740_993.0, "9007199254740992"),
        (f64::NAN, "null"),
    ];
    for (number, text) in numbers {
        let because =
            [("z", Scalar::Number(Number::Double(number))), ("a", Scalar::Absent), ("tag.x", Scalar::Bool(false))];
        let line = change(&TagChange { because: &because, cause: Cause::Event, ..CHANGE });
        let expected = format!(r#""cause":"event","because":{{"z":{text},"a":null,"tag.x":false}},"#);
        assert!(line.contains(&expected), "{line}");
    }
}

#[test]
fn integers_and_decimals_are_written_in_full() {
    let decimal = |billionths| Number::Decimal(Decimal::from_billionths(billionths));
    let numbers = [
        (Number::Integer(9_007_199_254_740_993), "9007199254740993"),
        (Number::Integer(i64::MIN), "-9223372036854775808"),
        (decimal(0), "0"),
        (decimal(1), "0.000000001"),
        (decimal(-290_910_000_000), "-290.91"),
        (decimal(3_000_000_000), "3"),
        (decimal(1_234_567_890_123_456_789_012_345_678), "1234567890123456789.012345678"),
    ];
    for (number, text) in numbers {
        let line = change(&TagChange { value: Scalar::Number(number), ..CHANGE });
        assert!(line.contains(&format!(r#""value":{text},"#)), "{line}");
    }
}

#[test]
fn strings_are_escaped_minimally() {
    let text = "\"\\/\n\r\t\u{8}\u{c}\0\u{1f}\u{7f}\u{2028}é😀<";
    let expected = "\"\\\"\\\\/\\n\\r\\t\\b\\f\\u0000\\u001f\u{7f}\u{2028}é😀<\"";
    let line =
        change(&TagChange { key: text, value: Scalar::String(text), because: &[(text, Scalar::Absent)], ..CHANGE });
    assert!(line.contains(&format!(r#""key":{expected}"#)), "{line}");
    assert!(line.contains(&format!(r#""value":{expected}"#)), "{line}");
    assert!(line.contains(&format!(r#""because":{{{expected}:null}}"#)), "{line}");
    let parsed: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(parsed["key"], text);
}

/// The id depends on entity, key, tag, at and seq, on where one ends and the next begins, and on nothing else.
#[test]
fn ids() {
    let different = [
        CHANGE,
        TagChange { entity: "account", ..CHANGE },
        TagChange { key: "u-4", ..CHANGE },
        TagChange { key: "u-42c", tag: "hurn_risk", ..CHANGE },
        TagChange { tag: "churn", ..CHANGE },
        TagChange { at: AT.plus(1), ..CHANGE },
        TagChange { seq: 8, ..CHANGE },
    ];
    let ids: std::collections::HashSet<u128> = different.iter().map(change_id).collect();
    assert_eq!(ids.len(), different.len());
    let same = TagChange {
        value: Scalar::Absent,
        previous: Scalar::Bool(true),
        life: 0,
        cause: Cause::Event,
        because: &[],
        catalog: "",
        ..CHANGE
    };
    assert_eq!(change_id(&same), change_id(&CHANGE));
    // Subscribers remember ids: this one may never become another.
    assert_eq!(format!("{:032x}", change_id(&CHANGE)), "93cf3122a4c862d84e4b314b18066611");
}

#[test]
fn current_tags() {
    let tags = [
        CurrentTag { tag: "churn_risk", value: Scalar::Bool(true), since: AT },
        CurrentTag { tag: "level", value: Scalar::String("mid"), since: AT.plus(-1) },
    ];
    assert_eq!(
        written(|out| write_current_tags("user", "u-\"1", &tags, out)),
        concat!(
            r#"{"entity":"user","key":"u-\"1","tags":{"churn_risk":{"value":true,"since":"2026-03-15T08:00:00.000Z"},"#,
            r#""level":{"value":"mid","since":"2026-03-15T07:59:59.999Z"}}}"#
        )
    );
    assert_eq!(written(|out| write_current_tags("user", "u", &[], out)), r#"{"entity":"user","key":"u","tags":{}}"#);
}

#[test]
fn rejects() {
    let rows: [(&[u8], &str); 6] = [
        (b"", r#""raw":"""#),
        (b"{\"a\":\t1", r#""raw":"{\"a\":\t1""#),
        ("é\0".as_bytes(), r#""raw":"é\u0000""#),
        (b"\xff", r#""raw_base64":"/w==""#),
        (b"\xff\xfe", r#""raw_base64":"//4=""#),
        (b"\xfb\xef\xbe\x00", r#""raw_base64":"++++AA==""#),
    ];
    for (raw, expected) in rows {
        let rejected = RejectedLine { reason: Reject::NotJson, detail: None, input: None, line: 3, raw };
        let line = written(|out| write_reject(&rejected, out));
        assert_eq!(line, format!(r#"{{"reason":"not_json","line":3,{expected}}}"#));
    }
    let (detail, input) = (Some("`set` is \"no\""), Some("a.json"));
    let rejected = RejectedLine { reason: Reject::BadType, detail, input, line: 1, raw: b"{}" };
    let expected = r#"{"reason":"bad_type","detail":"`set` is \"no\"","line":1,"raw":"{}","input":"a.json"}"#;
    assert_eq!(written(|out| write_reject(&rejected, out)), expected);
}

#[test]
fn every_reason_has_a_code_of_its_own() {
    let codes: std::collections::HashSet<&str> = Reject::ALL.iter().map(|reject| reject.code()).collect();
    assert_eq!(codes.len(), Reject::ALL.len());
}
