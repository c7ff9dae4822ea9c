//! Expressions that are equal for a while: few timers, however long that is, and still the exact millisecond.

use std::fmt::Write;

use tagstream::engine::CompiledCatalog;
use tagstream::model::Timestamp;
use tagstream::replay::Replay;

use super::agreement::{Collected, NOW_MS};

/// 2026-01-01T00:00:00Z.
const START_MS: i64 = 1_767_225_600_000;

const DAY_MS: i64 = 86_400_000;

const YEAR_MS: i64 = 365 * DAY_MS;

const COUNTERS: &str = r#"
counters:
  a: { last: time, on: a }
  b: { last: time, on: b }
  na: { count: a }
  nb: { count: b }
  none: { count: never, window: 400d }
  s: { sum: properties.x, on: "*" }
"#;

/// The changes of the one tag as milliseconds after the start and value, and the timers that fired.
///
/// There are an `a` with an x of 0.1 at the start, and a `b` with one of 0.2 so much later.
fn replayed(head: &str, tag: &str, b_ms: i64, for_ms: i64) -> (Vec<(i64, String)>, u64) {
    let catalog = format!("version: 1\n{head}{COUNTERS}tags:\n  z: {tag}\n");
    let loaded = tagstream::catalog::load(&catalog);
    let programs = CompiledCatalog::new(loaded.catalog.unwrap_or_else(|| panic!("{:#?}", loaded.problems)));
    let until = Timestamp::from_ms(START_MS + for_ms);
    let mut replay = Replay::new(&programs, Timestamp::from_ms(NOW_MS), Some(until));
    let mut changes = Collected::default();
    for (kind, after_ms, x) in [("a", 0, "0.1"), ("b", b_ms, "0.2")] {
        let mut line = String::new();
        let time = START_MS + after_ms;
        let _ = write!(line, r#"{{"user_id":"u","type":"{kind}","timestamp":{time},"properties":{{"x":{x}}}}}"#);
        replay.line(line.as_bytes(), &mut changes);
    }
    replay.finish(&mut changes);
    let told = changes.0.iter().map(|change| {
        let at = Timestamp::parse(change["at"].as_str().expect("an instant")).expect("an instant");
        (at.ms() - START_MS, change["value"].to_string())
    });
    (told.collect(), replay.partition_set_mut().partitions_mut().iter_mut().map(|p| p.take_stats().timers).sum())
}

/// A year has few timers; each row has what is told, and when.
#[test]
fn lines_that_coincide_fire_few_timers() {
    let on = |at| (at, "true");
    let off = |at| (at, "null");
    let rows: &[(&str, &[(i64, &str)])] = &[
        ("max(days_since(last_seen), 30) >= days_since(first_seen)", &[on(0)]),
        ("max(days_since(last_seen), 30) > days_since(first_seen)", &[on(0), off(30 * DAY_MS)]),
        ("na * days_since(a) > nb * days_since(b)", &[]),
        ("na * days_since(a) > days_since(b)", &[]),
        ("na * days_since(a) >= nb * days_since(a)", &[on(0)]),
        ("s * days_since(a) - 0.3 * days_since(a) > 0", &[]),
        ("s * days_since(a) - 0.3 * days_since(b) >= 0", &[on(0)]),
        ("min(days_since(a), 14) == days_since(a)", &[on(0), off(14 * DAY_MS + 1)]),
        ("min(days_since(a), 14) < days_since(a)", &[on(14 * DAY_MS + 1)]),
        ("min(days_since(a), 14) >= days_since(a)", &[on(0), off(14 * DAY_MS + 1)]),
        ("max(days_since(a), 14) <= days_since(a)", &[on(14 * DAY_MS)]),
        ("max(days_since(a), 14) - days_since(a) <= 0", &[on(14 * DAY_MS)]),
        ("abs(days_since(a) - 7) + days_since(a) <= 7", &[on(0), off(7 * DAY_MS + 1)]),
        ("abs(days_until(a)) == days_since(a)", &[on(0)]),
        ("(days_since(a) < 7 ? days_since(a) : 3) == days_since(a)", &[on(0), off(7 * DAY_MS)]),
        ("(na == 1 ? days_since(a) : 3) <= days_since(b)", &[on(0)]),
        ("2 * na * days_since(a) + days_since(a) == 3 * nb * days_since(b)", &[on(0)]),
    ];
    for (when, expected) in rows {
        let (changes, timers) = replayed("", &format!("{{ when: \"{when}\" }}"), 0, YEAR_MS);
        let mut found: Vec<_> = changes.iter().map(|(at, value)| (*at, value.as_str())).collect();
        // What holds between the two events of the start only is none of this.
        if found.starts_with(&[on(0), off(0)]) {
            found.drain(..2);
        }
        println!("{timers} timers: {when}");
        assert_eq!(found, *expected, "{when}");
        assert!(timers <= 3, "{timers} timers: {when}");
    }
}

/// Lines that never meet, but run close to each other.
#[test]
fn lines_a_millisecond_apart_fire_few_timers() {
    for apart_ms in [1, 10, 1_000, 60_000] {
        let when = "max(days_since(last_seen), 30) >= days_since(first_seen)";
        let (changes, timers) = replayed("", &format!("{{ when: \"{when}\" }}"), apart_ms, YEAR_MS);
        println!("{timers} timers: {apart_ms} ms apart");
        assert_eq!(changes, [(0, "true".to_owned()), (30 * DAY_MS + 1, "null".to_owned())], "{apart_ms}");
        assert!(timers <= 3, "{timers} timers: {apart_ms} ms apart");
    }
}

#[test]
fn a_value_that_stays_on_a_bound_fires_few_timers() {
    let value = "(minutes_since(first_seen) >= 0 ? days_since(first_seen) : 0) + min(days_until(last_seen), none)";
    for (bands, band) in [("{ name: low, below: 0 }", "\"high\""), ("{ name: low, below: 5e-324 }", "\"low\"")] {
        for margin in ["", "margin: 3, "] {
            let tag = format!("{{ value: \"{value}\", {margin}bands: [{bands}, {{ name: high }}] }}");
            let (changes, timers) = replayed("", &tag, 0, YEAR_MS);
            println!("{timers} timers: {tag}");
            assert_eq!(changes, [(0, band.to_owned())], "{tag}");
            assert!(timers <= 3, "{timers} timers: {tag}");
        }
    }
}

/// What is not doubted is known to coincide also where something beside it is.
#[test]
fn a_history_in_doubt_fires_few_timers() {
    let when = "max(days_since(last_seen), 30) >= days_since(first_seen) && none == 0";
    let (changes, timers) = replayed("history: partial\n", &format!("{{ when: \"{when}\" }}"), 0, 500 * DAY_MS);
    println!("{timers} timers: {when}");
    assert_eq!(changes, [(400 * DAY_MS, "true".to_owned())]);
    assert!(timers <= 10, "{timers} timers");
}

/// Where rounding makes answers flicker, each of them is told: millisecond by millisecond as doubles compare.
#[test]
fn rounding_is_followed_to_the_millisecond() {
    type Condition = fn(f64) -> bool;
    const SECONDS: f64 = 1_000.0;
    const HOURS: f64 = 3_600_000.0;
    const DAYS: f64 = 86_400_000.0;
    const SCANNED_MS: i64 = 30_000;
    let rows: &[(&str, Condition)] = &[
        ("min(days_since(a), 14) * 24 == hours_since(a)", |ms| ms / DAYS * 24.0 == ms / HOURS),
        ("na * 0.1 * seconds_since(a) + 0.2 * seconds_since(a) > 0.3 * nb * seconds_since(b)", |ms| {
            0.1 * (ms / SECONDS) + 0.2 * (ms / SECONDS) > 0.3 * (ms / SECONDS)
        }),
        ("abs(seconds_since(a) - 0.3) + seconds_since(a) <= 0.3", |ms| {
            (ms / SECONDS - 0.3).abs() + ms / SECONDS <= 0.3
        }),
        ("max(seconds_since(a) - 7.3, 0) + 7.3 <= seconds_since(a)", |ms| {
            (ms / SECONDS - 7.3).max(0.0) + 7.3 <= ms / SECONDS
        }),
        ("abs(seconds_since(a) - 7) + seconds_since(a) <= 7", |ms| (ms / SECONDS - 7.0).abs() + ms / SECONDS <= 7.0),
    ];
    for (when, holds) in rows {
        let (changes, _) = replayed("", &format!("{{ when: \"{when}\" }}"), 0, SCANNED_MS);
        let mut expected = Vec::new();
        let mut now = false;
        for ms in 0..=SCANNED_MS {
            if holds(ms as f64) != now {
                now = !now;
                expected.push((ms, if now { "true" } else { "null" }.to_owned()));
            }
        }
        assert_eq!(changes, expected, "{when}");
    }
}
