//! The rules of the envelope, one table row each: whose, what, when, and in which order they are checked.

use super::fixtures::{Plain, catalog, decode, flat, pointer, segment};
use tagstream::catalog::{Catalog, EventTypeRule, FieldRule, InputMapping, PropertiesRule, TimeUnit};
use tagstream::codec::Decoder;
use tagstream::model::Event;

/// The reason code, or `key|kind id:kind|time|id`.
fn outcome(catalog: &Catalog, record: &[u8]) -> String {
    let mut event = Event::default();
    match decode(catalog, &mut Decoder::new(catalog), &mut event, record) {
        Err(reject) => reject.code().to_owned(),
        Ok(Plain { key, kind: (number, name), time_ms, id, .. }) => {
            format!("{key}|{number}:{name}|{time_ms}|{}", id.unwrap_or_default())
        }
    }
}

#[track_caller]
fn check(input: InputMapping, record: impl AsRef<[u8]>, expected: &str) {
    let record = record.as_ref();
    let actual = outcome(&catalog(input, &["visit", "buy"], &["a"]), record);
    assert_eq!(actual, expected, "{}", String::from_utf8_lossy(record));
}

/// A flat record with these values at key, type and time.
fn record(key: &str, kind: &str, time: &str) -> String {
    format!(r#"{{"user_id":{key},"type":{kind},"timestamp":{time}}}"#)
}

const T: &str = "1773561600000";

#[test]
fn keys() {
    let long = "x".repeat(257);
    let rows = [
        (r#""u-1""#, "u-1"),
        ("42", "42"),
        ("-42", "-42"),
        ("0", "0"),
        ("-0", "0"),
        (r#""-0""#, "-0"),
        ("9223372036854775807", "9223372036854775807"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("18446744073709551615", "18446744073709551615"),
        ("18446744073709551616", "bad_key"),
        ("-9223372036854775809", "bad_key"),
        ("100000000000000000000000000000", "bad_key"),
        ("1.0", "bad_key"),
        ("1e3", "bad_key"),
        ("1e400", "bad_key"),
        ("true", "bad_key"),
        ("[1]", "bad_key"),
        ("{}", "bad_key"),
        (r#""""#, "bad_key"),
        ("null", "missing_key"),
        (r#""a\u00e9\ud83d\ude00\/\n""#, "aé😀/\n"),
        (&format!("\"{}\"", &long[1..]), &long[1..]),
        (&format!("\"{long}\""), "bad_key"),
        // 128 characters of two bytes each, written with six.
        (&format!("\"{}\"", "\\u00e9".repeat(128)), &"é".repeat(128)),
        (&format!("\"{}x\"", "\\u00e9".repeat(128)), "bad_key"),
    ];
    for (written, key) in rows {
        let expected = match key {
            "bad_key" | "missing_key" => key.to_owned(),
            _ => format!("{key}|1:visit|{T}|"),
        };
        check(flat(), record(written, r#""visit""#, T), &expected);
    }
    check(flat(), format!(r#"{{"type":"visit","timestamp":{T}}}"#), "missing_key");
}

#[test]
fn types() {
    let long = "x".repeat(129);
    let rows = [
        (r#""visit""#, "1:visit"),
        (r#""buy""#, "2:buy"),
        (r#""other""#, "0:other"),
        (r#""vis\u0069t""#, "1:visit"),
        (&format!("\"{}\"", &long[1..]), &format!("0:{}", &long[1..])),
        (&format!("\"{long}\""), "bad_type"),
        (r#""""#, "bad_type"),
        (r#""$erase""#, "0:$erase"),
        (r#""\u0024erase""#, "0:$erase"),
        (r#""$tag""#, "bad_type"),
        (r#""$erased""#, "bad_type"),
        (r#""$""#, "bad_type"),
        (r#""\u0024x""#, "bad_type"),
        ("1", "bad_type"),
        ("1e400", "bad_type"),
        ("{}", "bad_type"),
        ("null", "missing_type"),
    ];
    for (written, kind) in rows {
        let expected = if kind.ends_with("_type") { kind.to_owned() } else { format!("u|{kind}|{T}|") };
        check(flat(), record(r#""u""#, written, T), &expected);
    }
    check(flat(), format!(r#"{{"user_id":"u","timestamp":{T}}}"#), "missing_type");
}

#[test]
fn times() {
    let rows = [
        (T, T),
        (r#""2026-03-15T08:00:00Z""#, T),
        (r#""2026-03-15 09:00:00.0009+01:00""#, T),
        (r#""2026-03-15T08\u003a00:00Z""#, T),
        (r#""2026-03-15T08:00:00""#, "bad_time"),
        (r#""1773561600000""#, "bad_time"),
        ("1773561600000.0", "bad_time"),
        ("1.7735616e12", "bad_time"),
        ("true", "bad_time"),
        ("[]", "bad_time"),
        ("null", "missing_time"),
        ("631152000000", "631152000000"),
        ("631151999999", "too_old"),
        (r#""1989-12-31T23:59:59.999Z""#, "too_old"),
        (r#""0000-01-01T00:00:00+23:59""#, "too_old"),
        ("-0", "too_old"),
        ("-9223372036854775808", "too_old"),
        ("-9223372036854775809", "bad_time"),
        ("1773561900000", "1773561900000"),
        ("1773561900001", "in_future"),
        ("9223372036854775807", "in_future"),
        ("9223372036854775808", "bad_time"),
        ("1e400", "bad_time"),
        (r#""9999-12-31T23:59:59-23:59""#, "in_future"),
    ];
    for (written, time) in rows {
        let expected = if time.parse::<i64>().is_ok() { format!("u|1:visit|{time}|") } else { time.to_owned() };
        check(flat(), record(r#""u""#, r#""visit""#, written), &expected);
    }
    check(flat(), r#"{"user_id":"u","type":"visit"}"#, "missing_time");
}

#[test]
fn a_time_that_is_not_taken_is_told_in_words() {
    let long = format!("\"{}\"", "x".repeat(100));
    let cut =
        format!("\"{}…\" is not an RFC 3339 time with an offset, such as \"2026-03-08T10:00:00Z\"", "x".repeat(64));
    let rows = [
        (
            r#""2026-03-08 10:00:00""#,
            r#""2026-03-08 10:00:00" has no offset; `local_times: true` reads it in the catalog's time zone"#,
        ),
        (&long, &cut),
        ("1773561600.5", "1773561600.5 is not a whole number of milliseconds"),
        ("[]", "[] is neither an RFC 3339 time nor a number of milliseconds"),
        ("1773561600", "1773561600 is before 1990, read as milliseconds; `time_unit: s` takes seconds"),
        (r#""1970-01-01T00:00:00Z""#, r#""1970-01-01T00:00:00Z" is before 1990"#),
        ("9773561600000", "9773561600000 is too far in the future, read as milliseconds"),
        (r#""2126-03-08T10:00:00Z""#, r#""2126-03-08T10:00:00Z" is too far in the future; `max_future` is the limit"#),
    ];
    let catalog = catalog(flat(), &["visit"], &["a"]);
    let (mut decoder, mut event) = (Decoder::new(&catalog), Event::default());
    for (written, words) in rows {
        let record = record(r#""u""#, r#""visit""#, written);
        decode(&catalog, &mut decoder, &mut event, record.as_bytes()).expect_err("a reason");
        assert_eq!(decoder.detail(), Some(words));
    }
    decode(&catalog, &mut decoder, &mut event, b"{}").expect_err("a reason");
    assert_eq!(decoder.detail(), None);
}

#[test]
fn times_in_seconds() {
    let rows = [
        ("1773561600", "u|1:visit|1773561600000|"),
        (r#""2026-03-15T08:00:00.5Z""#, "u|1:visit|1773561600500|"),
        ("1773561901", "in_future"),
        ("9223372036854775807", "in_future"),
        ("-9223372036854775808", "too_old"),
        ("631151999", "too_old"),
        ("1773561600.5", "bad_time"),
    ];
    for (written, expected) in rows {
        let input = InputMapping { time_unit: TimeUnit::Seconds, ..flat() };
        check(input, record(r#""u""#, r#""visit""#, written), expected);
    }
}

#[test]
fn ids() {
    let long = "9".repeat(257);
    let rows = [
        (r#""m-1""#, "m-1"),
        ("7", "7"),
        ("-0", "0"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        (&long[1..], &long[1..]),
        (&long, ""),
        (r#""""#, ""),
        ("1.5", ""),
        ("1e2", ""),
        ("null", ""),
        ("[1]", ""),
        ("true", ""),
    ];
    for (written, id) in rows {
        let record = format!(r#"{{"id":{written},"user_id":"u","type":"visit","timestamp":{T}}}"#);
        check(flat(), record, &format!("u|1:visit|{T}|{id}"));
    }
}

#[test]
fn reasons_come_in_order() {
    let tiny = InputMapping { max_event_bytes: 5, ..flat() };
    let rows: [(InputMapping, &[u8], &str); 12] = [
        (tiny.clone(), b"{nope}", "too_large"),
        (tiny.clone(), b"{nop}", "not_json"),
        (tiny, b"[   ]", "not_object"),
        (flat(), b"", "not_json"),
        (flat(), b"[1,", "not_json"),
        (flat(), b"\"text\"", "not_object"),
        (flat(), b"7", "not_object"),
        (flat(), b"null", "not_object"),
        (flat(), b"{}", "missing_key"),
        (flat(), br#"{"user_id":1.5,"type":7}"#, "bad_key"),
        (flat(), br#"{"user_id":1,"type":7}"#, "bad_type"),
        (flat(), br#"{"user_id":1,"type":"visit"}"#, "missing_time"),
    ];
    for (input, record, expected) in rows {
        check(input, record, expected);
    }
}

#[test]
fn of_equal_names_the_last_counts() {
    let good = format!(r#""type":"visit","timestamp":{T}"#);
    check(flat(), format!(r#"{{"user_id":"a",{good},"user_id":"b"}}"#), &format!("b|1:visit|{T}|"));
    check(flat(), format!(r#"{{"user_id":"a",{good},"user_id":null}}"#), "missing_key");
    check(flat(), format!(r#"{{"user_id":"a",{good},"\u0075ser_id":[]}}"#), "bad_key");
    let nested = InputMapping { key: FieldRule::of([pointer("/who/id")]), ..flat() };
    let who = |last: &str| format!(r#"{{"who":{{"id":"a"}},{good},"who":{last}}}"#);
    check(nested.clone(), who(r#"{"id":"b"}"#), &format!("b|1:visit|{T}|"));
    for last in [r#"{"name":"b"}"#, "7", "null", "[]", r#""a""#] {
        check(nested.clone(), who(last), "missing_key");
    }
}

#[test]
fn pointers_walk_objects_and_arrays() {
    let rows = [
        ("/who/id", r#"{"who":{"id":"k"}}"#, "k"),
        ("/who/1", r#"{"who":["j","k"]}"#, "k"),
        ("/who/1", r#"{"who":{"1":"k"}}"#, "k"),
        ("/who/01", r#"{"who":["j","k"]}"#, "missing_key"),
        ("/who/01", r#"{"who":{"01":"k"}}"#, "k"),
        ("/who/-", r#"{"who":["j","k"]}"#, "missing_key"),
        ("/who/2", r#"{"who":["j","k"]}"#, "missing_key"),
        ("/who/0/1/id", r#"{"who":[[1,{"id":"k"}]]}"#, "k"),
        ("/a~1b/m~0n", r#"{"a/b":{"m~n":"k"}}"#, "k"),
        ("/", r#"{"":"k"}"#, "k"),
        ("", r#"{"":"k"}"#, "bad_key"),
        ("/properties/account_id", r#"{"properties":{"account_id":"k"}}"#, "k"),
    ];
    for (key, members, expected) in rows {
        let input = InputMapping { key: FieldRule::of([pointer(key)]), ..flat() };
        let record = format!(r#"{{"type":"visit","timestamp":{T},{}"#, &members[1..]);
        let accepted = format!("{expected}|1:visit|{T}|");
        check(input, record, if expected.contains('_') { expected } else { &accepted });
    }
}

#[test]
fn segment_calls() {
    let rows = [
        (r#""userId":"u","type":"track","event":"buy""#, "u|2:buy"),
        (r#""event":"buy","type":"track","userId":"u""#, "u|2:buy"),
        (r#""userId":"u","type":"page","event":"buy""#, "u|0:page"),
        (r#""userId":"u","type":"visit""#, "u|1:visit"),
        (r#""userId":null,"anonymousId":"x","type":"visit""#, "x|1:visit"),
        (r#""anonymousId":"x","type":"visit""#, "x|1:visit"),
        (r#""anonymousId":"x","userId":"","type":"visit""#, "bad_key"),
        (r#""anonymousId":"x","userId":1.5,"type":"visit""#, "bad_key"),
        (r#""userId":"u","type":"track""#, "missing_type"),
        (r#""userId":"u","event":"buy""#, "missing_type"),
        (r#""userId":"u","type":1,"event":"buy""#, "bad_type"),
        (r#""userId":"u","type":"tr\u0061ck","event":"buy""#, "u|2:buy"),
    ];
    for (members, expected) in rows {
        let accepted = format!("{expected}|{T}|m");
        let expected = if expected.contains('|') { &accepted } else { expected };
        check(segment(), format!(r#"{{{members},"timestamp":{T},"messageId":"m"}}"#), expected);
    }
}

#[test]
fn segment_with_pointers_beside_it() {
    let input = InputMapping { event_type: EventTypeRule::At(FieldRule::of([pointer("/what")])), ..segment() };
    check(input, format!(r#"{{"userId":1,"type":"identify","what":"buy","timestamp":{T}}}"#), &format!("1|2:buy|{T}|"));
    let input = InputMapping { properties: PropertiesRule::At(pointer("/p")), ..segment() };
    check(input, format!(r#"{{"userId":1,"type":"visit","timestamp":{T}}}"#), &format!("1|1:visit|{T}|"));
}
