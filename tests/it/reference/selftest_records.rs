//! Hand-computed expectations for records: what is read of them, rejected and dropped.

use super::{Reject, instant, json, replay};

/// 2100-01-01.
const NOW_MS: i64 = 4_102_444_800_000;

#[test]
fn duplicates_move_the_clock_and_do_nothing_else() {
    let event = |id: &str, second: u32| {
        format!(r#"{{"user_id":1,"type":"a","timestamp":"2024-05-01T12:00:{second:02}Z","id":{id}}}"#).into_bytes()
    };
    let catalog =
        "version: 1\ninput: { dedup: 5s }\ncounters:\n  c: { count: a, window: 20s }\ntags:\n  t: { value: c }";
    let lines = [event("7", 0), event("\"7\"", 4), event("7", 5), event("null", 5), event("7", 9), event("7", 21)];
    let told: Vec<String> = replay(catalog, &lines, NOW_MS, None)
        .changes
        .iter()
        .map(|change| {
            format!("{} {} {}", &change["at"].as_str().expect("a text")[17..19], change["value"], change["key"])
        })
        .collect();
    assert_eq!(told, ["00 1 \"1\"", "05 2 \"1\"", "05 3 \"1\"", "21 2 \"1\"", "21 3 \"1\""]);
}

#[test]
fn records_are_rejected_for_the_first_reason_that_applies() {
    let good = r#"{"user_id":"u","type":"a","timestamp":1714564800000}"#;
    let cases: [(&str, Option<&'static str>); 31] = [
        (good, None),
        ("{\"user_id\":\"u\",\"type\":\"a\",\"timestamp\":1714564800000,}", Some("not_json")),
        ("\u{feff}{}", Some("missing_key")),
        ("{\"a\":\"\\ud800\"}", Some("not_json")),
        ("{\"a\":01}", Some("not_json")),
        ("{\"a\":NaN}", Some("not_json")),
        ("[]", Some("not_object")),
        ("null", Some("not_object")),
        ("{}", Some("missing_key")),
        (r#"{"user_id":null,"type":5}"#, Some("missing_key")),
        (r#"{"user_id":true}"#, Some("bad_key")),
        (r#"{"user_id":""}"#, Some("bad_key")),
        (r#"{"user_id":1.5}"#, Some("bad_key")),
        (r#"{"user_id":18446744073709551616}"#, Some("bad_key")),
        (r#"{"user_id":"u"}"#, Some("missing_type")),
        (r#"{"user_id":"u","type":5}"#, Some("bad_type")),
        (r#"{"user_id":"u","type":""}"#, Some("bad_type")),
        (r#"{"user_id":"u","type":"$erased"}"#, Some("bad_type")),
        (r#"{"user_id":"u","type":"a","timestamp":null}"#, Some("missing_time")),
        (r#"{"user_id":"u","type":"a","timestamp":"2024-05-01T12:00:00"}"#, Some("bad_time")),
        (r#"{"user_id":"u","type":"a","timestamp":"2024-02-30T12:00:00Z"}"#, Some("bad_time")),
        (r#"{"user_id":"u","type":"a","timestamp":"2016-12-31T23:59:60Z"}"#, Some("bad_time")),
        (r#"{"user_id":"u","type":"a","timestamp":1.5e12}"#, Some("bad_time")),
        (r#"{"user_id":"u","type":"a","timestamp":631151999999}"#, Some("too_old")),
        (r#"{"user_id":"u","type":"a","timestamp":631152000000}"#, None),
        (r#"{"user_id":"u","type":"a","timestamp":4102445100000}"#, None),
        (r#"{"user_id":"u","type":"a","timestamp":4102445100001}"#, Some("in_future")),
        (r#"{"user_id":"u","type":"a","timestamp":"2024-05-01 12:00:00.1239+08:00"}"#, None),
        (r#"{"type":"a","user_id":"v","timestamp":"2024-05-01T12:00:00z","user_id":"u","n":1e400}"#, None),
        ("  {\"user_id\":\"u\",\"type\":\"a\",\"timestamp\":1714564800000}\r\n", None),
        ("", Some("not_json")),
    ];
    let lines: Vec<Vec<u8>> = cases.iter().map(|(line, _)| line.as_bytes().to_vec()).collect();
    let expected = cases
        .iter()
        .enumerate()
        .filter_map(|(index, (_, reason))| Some(Reject { reason: (*reason)?, line: index + 1 }));
    assert_eq!(replay("version: 1", &lines, NOW_MS, None).rejects, expected.collect::<Vec<_>>());
}

#[test]
fn nesting_is_read_to_127_levels() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(json::parse(nested(127).as_bytes()).is_some());
    assert!(json::parse(nested(128).as_bytes()).is_none());
    assert_eq!(json::parse(br#""\ud83d\ude00""#), Some(json::Json::Text("😀".to_owned())));
}

#[test]
fn times_are_read_and_written() {
    for (text, expected) in [
        ("1970-01-01T00:00:00Z", Some(0)),
        ("1969-12-31T23:59:59.9999Z", Some(-1)),
        ("2000-02-29t23:59:59.5+23:59", Some(951_868_799_500 - 86_340_000)),
        ("1900-02-29T00:00:00Z", None),
        ("2024-05-01T24:00:00Z", None),
        ("2024-05-01T12:00Z", None),
        ("2024-05-01T12:00:00.Z", None),
        ("2024-05-01T12:00:00+0800", Some(1_714_536_000_000)),
        ("2024-05-01T12:00:00+08", Some(1_714_536_000_000)),
        ("2024-05-01T12:00:00+8", None),
        ("2024-05-01T12:00:00Zé", None),
    ] {
        assert_eq!(instant::parse(text), expected, "{text}");
    }
    assert_eq!(instant::write(-1), "1969-12-31T23:59:59.999Z");
    assert_eq!(instant::write(951_868_799_000), "2000-02-29T23:59:59.000Z");
    assert_eq!(instant::duration_ms("1h30m"), 5_400_000);
}

#[test]
fn segment_calls_are_understood() {
    let catalog = "version: 1\ninput: { preset: segment }\nattributes:\n  plan: { from: identify, value: properties.plan }\n\
        counters:\n  c: { count: [Bought, page] }\ntags:\n  p: { value: plan }\n  n: { value: c }";
    let lines: Vec<Vec<u8>> = [
        r#"{"anonymousId":"u","type":"track","event":"Bought","timestamp":"2024-05-01T12:00:00Z"}"#,
        r#"{"userId":"u","anonymousId":"x","type":"page","event":"no","timestamp":"2024-05-01T12:00:00Z"}"#,
        r#"{"userId":"u","type":"identify","traits":{"plan":"gold"},"properties":{"plan":"no"},"timestamp":"2024-05-01T12:00:00Z"}"#,
        r#"{"userId":"u","type":"track","timestamp":"2024-05-01T12:00:00Z"}"#,
    ]
    .map(|line| line.as_bytes().to_vec())
    .to_vec();
    let outcome = replay(catalog, &lines, NOW_MS, None);
    let told: Vec<String> = outcome.changes.iter().map(|c| format!("{}={}", c["tag"], c["value"])).collect();
    assert_eq!(told, ["\"n\"=1", "\"n\"=2", "\"p\"=\"gold\""]);
    assert_eq!(outcome.rejects, [Reject { reason: "missing_type", line: 4 }]);
}
