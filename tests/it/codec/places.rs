//! Where fields may stand beside the record's value, and how times may be written.

use tagstream::catalog::{Catalog, FieldRule, InputMapping, RecordPlace, TimeUnit};
use tagstream::codec::{Decoder, InputRecord, Reject};
use tagstream::model::{Event, Timestamp};

use super::fixtures::{NOW, catalog, flat, pointer};

/// The key, the type, the time and the id of a record.
fn decoded(catalog: &Catalog, record: InputRecord<'_>) -> Result<(String, String, String, Option<String>), Reject> {
    let (mut decoder, mut event) = (Decoder::new(catalog), Event::default());
    decoder.decode_record(record, NOW, &mut event)?;
    let id = event.id().map(str::to_owned);
    Ok((event.key().to_owned(), event.type_name().to_owned(), event.time.to_string(), id))
}

fn input(input: InputMapping) -> Catalog {
    catalog(input, &[], &[])
}

const AT: &str = "2026-03-01T10:00:00.000Z";

fn at() -> Timestamp {
    Timestamp::parse(AT).expect("a time")
}

#[test]
fn the_record_has_a_time_and_a_key() {
    let places = |pointer: &str, other: RecordPlace| {
        FieldRule(vec![RecordPlace::Value(super::fixtures::pointer(pointer)), other])
    };
    let catalog = input(InputMapping {
        key: places("/user_id", RecordPlace::Key),
        time: places("/timestamp", RecordPlace::Timestamp),
        id: places("/id", RecordPlace::Key),
        ..flat()
    });
    let record = |value: &'static str| InputRecord {
        value: value.as_bytes(),
        key: Some(b"k-1"),
        timestamp: Some(at()),
        ..InputRecord::default()
    };
    let found =
        |key: &str, time: &str, id: &str| Ok((key.to_owned(), "x".to_owned(), time.to_owned(), Some(id.to_owned())));
    assert_eq!(decoded(&catalog, record(r#"{"type":"x"}"#)), found("k-1", AT, "k-1"));
    assert_eq!(decoded(&catalog, record(r#"{"type":"x","user_id":null,"timestamp":null}"#)), found("k-1", AT, "k-1"));
    let own = r#"{"type":"x","user_id":"u","timestamp":"2026-03-02T10:00:00Z","id":7}"#;
    assert_eq!(decoded(&catalog, record(own)), found("u", "2026-03-02T10:00:00.000Z", "7"));
    // What is of no use is not passed over.
    assert_eq!(decoded(&catalog, record(r#"{"type":"x","user_id":true}"#)), Err(Reject::BadKey));
    assert_eq!(decoded(&catalog, record(r#"{"type":"x","timestamp":"soon"}"#)), Err(Reject::BadTime));
    // A line of a file has neither.
    assert_eq!(decoded(&catalog, InputRecord::line(br#"{"type":"x"}"#)), Err(Reject::MissingKey));
    assert_eq!(decoded(&catalog, InputRecord::line(br#"{"type":"x","user_id":1}"#)), Err(Reject::MissingTime));
    for (key, expected) in [(&b""[..], Reject::BadKey), (b"\xff", Reject::BadKey), (&[b'k'; 257], Reject::BadKey)] {
        let record = InputRecord { key: Some(key), ..record(r#"{"type":"x"}"#) };
        assert_eq!(decoded(&catalog, record), Err(expected), "{key:?}");
    }
    let old = InputRecord { timestamp: Some(Timestamp::from_ms(0)), ..record(r#"{"type":"x"}"#) };
    assert_eq!(decoded(&catalog, old), Err(Reject::TooOld));
    let late = InputRecord { timestamp: Some(NOW.plus(300_001)), ..record(r#"{"type":"x"}"#) };
    assert_eq!(decoded(&catalog, late), Err(Reject::InFuture));
}

#[test]
fn one_byte_order_mark_is_skipped() {
    let catalog = input(flat());
    let record = r#"{"user_id":"u","type":"x","timestamp":"2026-03-01T10:00:00Z"}"#;
    let marked = |marks: usize| [b"\xef\xbb\xbf".repeat(marks), record.as_bytes().to_vec()].concat();
    assert!(decoded(&catalog, InputRecord::line(&marked(1))).is_ok());
    assert_eq!(decoded(&catalog, InputRecord::line(&marked(2))), Err(Reject::NotJson));
    let tight = input(InputMapping { max_event_bytes: record.len() + 3, ..flat() });
    assert!(decoded(&tight, InputRecord::line(&marked(1))).is_ok());
}

/// The instant that a time names; `zone` is the catalog's.
fn time(written: &str, zone: Option<&str>, unit: TimeUnit) -> Result<String, Reject> {
    let mut catalog = input(InputMapping { time_unit: unit, local_times: zone.is_some(), ..flat() });
    if let Some(zone) = zone {
        catalog.timezone = jiff::tz::TimeZone::get(zone).expect("a zone");
    }
    let line = format!(r#"{{"user_id":"u","type":"x","timestamp":{written}}}"#);
    decoded(&catalog, InputRecord::line(line.as_bytes())).map(|(_, _, time, _)| time)
}

#[test]
fn offsets_may_be_short() {
    for written in ["2026-03-01T11:00:00+0100", "2026-03-01T11:00:00+01", "2026-03-01 11:00:00.0009+01:00"] {
        assert_eq!(time(&format!("{written:?}"), None, TimeUnit::Milliseconds), Ok(AT.to_owned()), "{written}");
    }
    let half = time("\"2026-03-01T07:30:00-0230\"", None, TimeUnit::Milliseconds);
    assert_eq!(half, Ok(AT.to_owned()));
    for written in [
        "2026-03-01T11:00:00+1",
        "2026-03-01T11:00:00+01:0",
        "2026-03-01T11:00:00+010",
        "2026-03-01T11:00:00+0160",
        "2026-03-01T11:00:00+24",
        "2026-03-01T11:00:00",
        "2026-03-01",
        "20260301T110000Z",
    ] {
        assert_eq!(time(&format!("{written:?}"), None, TimeUnit::Milliseconds), Err(Reject::BadTime), "{written}");
    }
}

#[test]
fn small_units_are_cut_towards_the_past() {
    let ns = |written: &str| time(written, None, TimeUnit::Nanoseconds);
    let us = |written: &str| time(written, None, TimeUnit::Microseconds);
    assert_eq!(ns("1772359200000999999"), Ok(AT.to_owned()));
    assert_eq!(us("1772359200000999"), Ok(AT.to_owned()));
    assert_eq!(ns("-1"), Err(Reject::TooOld));
    let before = Timestamp::parse(AT).expect("a time").plus(-1).to_string();
    assert_eq!(us("1772359199999999"), Ok(before));
}

#[test]
fn local_times_are_read_in_the_zone() {
    let berlin = |written: &str| time(&format!("{written:?}"), Some("Europe/Berlin"), TimeUnit::Milliseconds);
    for (written, expected) in [
        ("2026-03-01T11:00:00", AT),
        ("2026-03-01 11:00:00.25", "2026-03-01T10:00:00.250Z"),
        // With an offset it is not local.
        ("2026-03-01T10:00:00Z", AT),
        // An hour that comes twice: the earlier.
        ("2025-10-26T02:30:00", "2025-10-26T00:30:00.000Z"),
        // An hour that never comes: the instant after the gap.
        ("2025-03-30T02:00:00", "2025-03-30T01:00:00.000Z"),
        ("2025-03-30T02:30:00", "2025-03-30T01:00:00.000Z"),
        ("2025-03-30T02:59:59.999", "2025-03-30T01:00:00.000Z"),
        ("2025-03-30T03:00:00", "2025-03-30T01:00:00.000Z"),
    ] {
        assert_eq!(berlin(written), Ok(expected.to_owned()), "{written}");
    }
    assert_eq!(berlin("2026-03-01"), Err(Reject::BadTime));
}

#[test]
fn the_words_for_a_time_without_an_offset() {
    let catalog = input(InputMapping { time: FieldRule::of([pointer("/timestamp")]), ..flat() });
    let (mut decoder, mut event) = (Decoder::new(&catalog), Event::default());
    let line = br#"{"user_id":"u","type":"x","timestamp":"2026-03-01T10:00:00"}"#;
    assert_eq!(decoder.decode(line, NOW, &mut event), Err(Reject::BadTime));
    let words = decoder.detail().expect("words");
    assert!(words.contains("local_times"), "{words}");
}
