//! Numbers, texts and times at the limits of what counts, as lines: a script would write its numbers anew, as doubles.

use serde_json::Value;
use tagstream::codec::{Decoder, write_change, write_current_tags};
use tagstream::engine::{Partition, Program, Sink};
use tagstream::model::{ArrayId, Event, TagChange, Timestamp};

use super::agreement::{Collected, NOW_MS, compare, run_engine};
use crate::generate::{self, Case, Features};

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
        // The doubles of these two are ±10¹⁵.
        r#"{"x":1000000000000000.00005}"#,
        r#"{"x":-1000000000000000.0000000000001}"#,
        r#"{"x":-1000000000000000.000}"#,
        r#"{"x":999999999999999.99999999999}"#,
    ];
    let rows: [(&str, &[&str]); 4] = [
        ("sum", &["1", "-999999999999999", "1"]),
        ("avg", &["1", "-499999999999999.5", "0.3333333333333333"]),
        ("min", &["1", "-1000000000000000"]),
        ("max", &["1", "1000000000000000"]),
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
        r#"{"x":"0000-12-31T23:59:59.999Z"}"#,
        r#"{"x":"0001-01-01T01:00:00+01:00"}"#,
    ];
    let found = values("attributes: { x: { from: told, value: properties.x, type: time } }", &told);
    assert_eq!(found, [r#""9999-12-31T23:59:59.999Z""#, r#""0001-01-01T00:00:00.000Z""#]);
}

/// One user's event, then silence until an instant: how many timers fired, and the changes.
fn silence(catalog: &str, properties: &str, until: &str) -> (u64, Vec<Value>) {
    let loaded = tagstream::catalog::load(&format!("version: 1\ntimezone: Europe/Berlin\n{catalog}"));
    let program = Program::new(loaded.catalog.unwrap_or_else(|| panic!("{:?}", loaded.problems)));
    let (mut decoder, mut partition) = (Decoder::new(&program.catalog), Partition::new(program));
    let (mut event, mut changes) = (Event::default(), Collected::default());
    let line =
        format!(r#"{{"user_id":"u","type":"told","timestamp":"2026-03-15T08:00:00Z","properties":{properties}}}"#);
    decoder.decode(line.as_bytes(), Timestamp::from_ms(NOW_MS), &mut event).expect("the event is right");
    partition.apply(&event, &mut changes);
    partition.advance(Timestamp::parse(until).expect("a time"), &mut changes);
    (partition.take_stats().timers, changes.0)
}

#[test]
fn a_tag_of_dates_is_evaluated_only_at_the_midnights_at_which_it_can_change() {
    let attributes = "attributes: { born: { from: told, value: properties.born, type: date } }";
    let rows = [
        // Thirty years are 10,958 days.
        ("dates_since(born) >= 10958", 1),
        ("years_since(born) >= 30", 1),
        ("'dates_since(born) in [1, 10958]'", 3),
        ("dates_since(born) > 100 && dates_until(born) > -200", 2),
        ("dates_since(born) + 3 * years_since(born) >= 10900", 1),
        ("'dates_since(born) % 5000 == 0'", 5),
        ("dates_to_anniversary(born) == 0", 60),
        ("date(\"2046-01-01\") > born && dates_until(date(\"2046-01-01\")) < 3", 1),
        ("dates_since(born) > days_since(born) + 3", 0),
    ];
    for (when, timers) in rows {
        let when = if when.starts_with('\'') { when.to_owned() } else { format!("'{when}'") };
        let catalog = format!("{attributes}\ntags: {{ t: {{ when: {when} }} }}\n");
        let (fired, changes) = silence(&catalog, r#"{"born":"2026-03-15"}"#, "2056-03-15T12:00:00Z");
        assert_eq!(fired, timers, "{when}: {changes:?}");
    }
}

#[test]
fn thirty_years_of_days_are_one_change_a_day() {
    let catalog = "attributes: { born: { from: told, value: properties.born, type: date } }\n\
                   tags: { days: { value: dates_since(born) } }\n";
    let (fired, changes) = silence(catalog, r#"{"born":"1996-03-15"}"#, "2056-03-15T12:00:00Z");
    assert_eq!((fired, changes.len()), (10_958, 10_959));
    assert_eq!(changes.last().map(|change| change["value"].clone()), Some(Value::from(21_915)));
}

/// Elements with a number of their own, from 0 on.
fn items(count: usize) -> String {
    let items: Vec<String> = (0..count).map(|n| format!(r#"{{"n":{n}}}"#)).collect();
    format!(r#"{{"items":[{}]}}"#, items.join(","))
}

#[test]
fn elements_after_the_first_thousand_do_not_count() {
    let told = [items(1_000), items(1_001), items(20_000)];
    let told = told.each_ref().map(String::as_str);
    let rows = [
        ("count: told", ["1000", "2000", "3000"]),
        ("count: told, where: item.n >= 999", ["1", "2", "3"]),
        ("sum: item.n, on: told", ["499500", "999000", "1498500"]),
        ("sum: item.n * 2 + 1, on: told", ["1000000", "2000000", "3000000"]),
    ];
    for (counter, expected) in rows {
        let found = values(&format!("counters: {{ x: {{ {counter}, each: properties.items }} }}"), &told);
        assert_eq!(found, expected, "{counter}");
    }
    let distinct = "counters: { x: { distinct: item.n, on: told, each: properties.items, limit: 4096 } }";
    assert_eq!(values(distinct, &told), ["1000"]);
}

#[test]
fn elements_that_are_left_out_are_told_and_take_no_memory() {
    let loaded = tagstream::catalog::load(
        "version: 1\ncounters: { x: { count: told, each: properties.items } }\ntags: { x: { value: x } }\n",
    );
    let program = Program::new(loaded.catalog.expect("a catalog"));
    let (mut decoder, mut partition) = (Decoder::new(&program.catalog), Partition::new(program));
    let mut event = Event::default();
    let mut after = |count: usize| {
        let line =
            format!(r#"{{"user_id":"u","type":"told","timestamp":1772445600000,"properties":{}}}"#, items(count));
        decoder.decode(line.as_bytes(), Timestamp::from_ms(NOW_MS), &mut event).expect("the event is right");
        partition.apply(&event, &mut Collected::default());
        (event.items(ArrayId(0)).count(), partition.take_stats().items_left_out, partition.bytes())
    };
    let (few, none, bytes) = after(3);
    assert_eq!((few, none), (3, 0));
    let (looked_at, left_out, more_bytes) = after(60_000);
    assert_eq!((looked_at, left_out), (1_000, 59_000));
    assert!(more_bytes < bytes + 100, "{more_bytes} instead of {bytes}");
    assert_eq!(after(1_000).1, 0);
}

#[test]
fn elements_are_read_only_of_events_in_which_some_count() {
    let read = |on: &str, event_type: &str| {
        let catalog = format!(
            "version: 1\ncounters: {{ x: {{ count: {on}, each: properties.items }}, y: {{ count: other }}, \
             z: {{ count: \"*\", each: properties.none }} }}\ntags: {{ x: {{ when: x + y + z > 1 }} }}\n"
        );
        let catalog = tagstream::catalog::load(&catalog).catalog.expect("a catalog");
        let (mut decoder, mut event) = (Decoder::new(&catalog), Event::default());
        let properties = items(1_002);
        let line =
            format!(r#"{{"user_id":"u","type":"{event_type}","timestamp":1772445600000,"properties":{properties}}}"#);
        decoder.decode(line.as_bytes(), Timestamp::from_ms(NOW_MS), &mut event).expect("the event is right");
        (event.items(ArrayId(0)).count(), event.items_left_out)
    };
    for event_type in ["told", "told_more", "other", "unknown"] {
        assert_eq!(read("\"*\"", event_type), (1_000, 2), "{event_type}");
    }
    let rows = [("told", (1_000, 2)), ("told_more", (1_000, 2)), ("other", (0, 0)), ("unknown", (0, 0))];
    for (event_type, expected) in rows {
        assert_eq!(read("\"told*\"", event_type), expected, "{event_type}");
    }
}

#[test]
fn a_sequence_of_eight_steps_keeps_no_more_than_a_time_for_each() {
    let steps: Vec<String> = (1..=8).map(|n| format!("{{ on: told, where: properties.n == {n} }}")).collect();
    let counter = format!("counters: {{ x: {{ sequence: [{}], within: 30d }} }}", steps.join(", "));
    // As many runs begin as there are events, and each can be ended by a single eighth step.
    let mut told: Vec<String> = (0..23).map(|n| format!(r#"{{"n":{}}}"#, n % 7 + 1)).collect();
    told.push(r#"{"n":8}"#.to_owned());
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    assert_eq!(values(&counter, &told), ["0", "1"]);

    let loaded = tagstream::catalog::load(&format!("version: 1\n{counter}\ntags: {{ x: {{ value: x }} }}\n"));
    let program = Program::new(loaded.catalog.expect("a catalog"));
    let (mut decoder, mut partition) = (Decoder::new(&program.catalog), Partition::new(program));
    let (mut event, mut bytes) = (Event::default(), 0);
    for n in 0..20_000 {
        let at = 1_772_445_600_000_i64 + n * 1_000;
        let step = n % 7 + 1;
        let line = format!(r#"{{"user_id":"u","type":"told","timestamp":{at},"properties":{{"n":{step}}}}}"#);
        decoder.decode(line.as_bytes(), Timestamp::from_ms(NOW_MS), &mut event).expect("the event is right");
        partition.apply(&event, &mut Collected::default());
        if n == 7 {
            bytes = partition.bytes();
        }
    }
    assert!(partition.bytes() < bytes + 100, "{} instead of {bytes}", partition.bytes());
}

#[test]
fn a_pattern_looks_at_64_kib_in_proportion() {
    // Backtracking would try 2⁶⁵⁵³⁶ ways.
    let catalog = "counters:\n  a: { count: told, where: 'properties.x.matches(r\"^(a|a|a?)*b$\")' }\n  \
                   b: { count: told, where: 'properties.x.matches(r\"(a|b)*a(a|b){200}c?$\")' }\n\
                   tags: { a: { when: a > 0 }, b: { when: b > 0 } }\n";
    let text = "a".repeat(65_536);
    let (_, changes) = silence(catalog, &format!(r#"{{"x":"{text}"}}"#), "2026-03-16T00:00:00Z");
    let tags: Vec<&str> = changes.iter().filter_map(|change| change["tag"].as_str()).collect();
    assert_eq!(tags, ["b"]);
}

/// The length of the longest tag change, without its key.
#[derive(Default)]
struct Longest {
    line: Vec<u8>,
    bytes: usize,
}

impl Sink for Longest {
    fn change(&mut self, change: &TagChange<'_>) {
        self.line.clear();
        write_change(change, &mut self.line);
        self.bytes = self.bytes.max(self.line.len() - change.key.len());
    }
}

/// The greatest records of a partition are within the program's bounds; returns which share of the bound of a state is used.
fn within_bounds(catalog: &str, lines: &[Vec<u8>]) -> f64 {
    let loaded = tagstream::catalog::load(catalog);
    let program = Program::new(loaded.catalog.expect("a catalog"));
    let bounds = program.record_bounds();
    let (mut decoder, mut partition) = (Decoder::new(&program.catalog), Partition::new(program));
    let (mut event, mut longest) = (Event::default(), Longest::default());
    for line in lines {
        if decoder.decode(line, Timestamp::from_ms(NOW_MS), &mut event).is_ok() {
            partition.apply(&event, &mut longest);
        }
    }
    assert!(longest.bytes as u64 <= bounds.tag_change, "{} bytes of {bounds:?}\n{catalog}", longest.bytes);
    let (mut keys, mut record) = (0, Vec::new());
    partition.each_entity(|key, tags| {
        keys += key.len() as u64;
        record.clear();
        write_current_tags("user", key, tags, &mut record);
        let bytes = (record.len() - key.len()) as u64;
        assert!(bytes <= bounds.current_tags, "{bytes} bytes of {bounds:?}\n{catalog}");
    });
    let (state, entities) = (partition.state_bytes() - keys, partition.entities() as u64);
    assert!(state <= bounds.state * entities, "{state} bytes of {entities} entities, {bounds:?}\n{catalog}");
    state as f64 / (bounds.state * entities.max(1)) as f64
}

#[test]
fn no_record_is_larger_than_the_catalog_allows() {
    for seed in generate::seeds(300) {
        for case in [generate::case_with(seed, Features::ALL), generate::sharp_with(seed, Features::ALL)] {
            within_bounds(&case.catalog, &case.lines);
        }
    }
}

#[test]
fn records_of_the_longest_texts_are_within_the_bounds_and_fill_them() {
    let text = "\\u0001".repeat(1_024);
    let catalog = "version: 1\nattributes: { a: { from: told, value: properties.x } }\n\
                   counters: { l: { last: properties.x, on: told } }\n\
                   tags: { a: { value: a }, l: { value: l }, both: { when: 'a == l' } }\n";
    let line = format!(r#"{{"user_id":"u","type":"told","timestamp":1772445600000,"properties":{{"x":"{text}"}}}}"#);
    let used = within_bounds(catalog, &[line.into_bytes()]);
    assert!(used > 0.5, "the state uses {used} of its bound");
}
