//! Numbers, texts and times at the limits of what counts, as lines: a script would write its numbers anew, as doubles.

use tagstream::codec::Decoder;
use tagstream::engine::{Partition, Program};
use tagstream::model::{Event, Timestamp};

use super::agreement::{Collected, NOW_MS, compare, run_engine};
use crate::generate::Case;

/// The values that a tag takes one after the other; the reference agrees.
fn values(catalog: &str, properties: &[&str]) -> Vec<String> {
    let line = |(hour, properties): (usize, &&str)| {
        let time = format!("2026-01-01T{hour:02}:00:00Z");
        format!(r#"{{"user_id":"u","type":"told","timestamp":"{time}","properties":{properties}}}"#).into_bytes()
    };
    let lines = properties.iter().enumerate().map(line).collect();
    let case = Case { catalog: format!("version: 1\n{catalog}\ntags: {{ z: {{ value: x }} }}\n"), lines, until: None };
    compare(&case, NOW_MS).unwrap_or_else(|difference| panic!("{catalog}: {difference}"));
    let (changes, rejects) = run_engine(&case, NOW_MS).expect("a catalog");
    assert_eq!(rejects, []);
    changes.iter().map(|change| change["value"].to_string()).collect()
}

#[test]
fn numbers_beyond_the_limit_do_not_count_as_they_are_written() {
    let told = [
        r#"{"x":1}"#,
        // The doubles of these two are ±10¹².
        r#"{"x":1000000000000.00005}"#,
        r#"{"x":-1000000000000.0000000001}"#,
        r#"{"x":-1000000000000.000}"#,
        r#"{"x":999999999999.99999999}"#,
    ];
    let rows: [(&str, &[&str]); 4] = [
        ("sum", &["1", "-999999999999", "1"]),
        ("avg", &["1", "-499999999999.5", "0.3333333333333333"]),
        ("min", &["1", "-1000000000000"]),
        ("max", &["1", "1000000000000"]),
    ];
    for (aggregate, expected) in rows {
        let found = values(&format!("counters: {{ x: {{ {aggregate}: properties.x, on: told }} }}"), &told);
        assert_eq!(found, expected, "{aggregate}");
    }
}

#[test]
fn texts_that_are_too_long_are_counted_like_values_that_are_not_taken() {
    let loaded = tagstream::catalog::load(
        "version: 1\nattributes: { a: { from: told, value: properties.x, type: string } }\n\
         counters: { l: { last: properties.x, on: told }, t: { top: properties.x, on: told } }\n\
         tags: { a: { value: a } }\n",
    );
    let program = Program::new(loaded.catalog.expect("a catalog"));
    let (mut decoder, mut partition) = (Decoder::new(&program.catalog), Partition::new(program));
    let mut event = Event::default();
    for text in ["x".repeat(1_024), "x".repeat(1_025), "é".repeat(513), "é".repeat(512)] {
        let line =
            format!(r#"{{"user_id":"u","type":"told","timestamp":1772445600000,"properties":{{"x":"{text}"}}}}"#);
        decoder.decode(line.as_bytes(), Timestamp::from_ms(NOW_MS), &mut event).expect("the event is right");
        partition.apply(&event, &mut Collected::default());
    }
    let stats = partition.take_stats();
    assert_eq!((stats.skipped, stats.attributes[0].mismatched, stats.attributes[0].missing), (vec![2, 2], 2, 0));
}

#[test]
fn times_outside_the_years_that_can_be_written_change_nothing() {
    let told = [
        r#"{"x":"9999-12-31T23:59:59.999-01:00"}"#,
        r#"{"x":"0000-01-01T00:00:00+00:01"}"#,
        r#"{"x":"9999-12-31T23:59:59.999Z"}"#,
        r#"{"x":"9999-12-31T23:59:00-00:01"}"#,
        r#"{"x":253402300800000}"#,
        r#"{"x":"0000-01-01T01:00:00+01:00"}"#,
    ];
    let found = values("attributes: { x: { from: told, value: properties.x, type: time } }", &told);
    assert_eq!(found, [r#""9999-12-31T23:59:59.999Z""#, r#""0000-01-01T00:00:00.000Z""#]);
}
