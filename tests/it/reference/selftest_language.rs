//! Hand-computed expectations for numbers, dates, elements, sessions, sequences and patterns.

use super::selftest::{check, value_of, values};
use super::{instant, number, pattern, zone};

#[test]
fn a_literal_is_a_decimal_where_nine_places_hold_it() {
    use number::Number::{Decimal, Double};
    for (text, expected) in [
        ("2.50", Decimal(2_500_000_000)),
        ("1e3", Decimal(1_000_000_000_000)),
        ("-0.000000001", Decimal(-1)),
        ("0.0000000010", Decimal(1)),
        ("0.0000000001", Double(1e-10)),
        ("1e18", Decimal(10i128.pow(27))),
        ("1000000000000000001", Double(1e18)),
        ("0", Decimal(0)),
    ] {
        assert_eq!(number::Number::literal(text), expected, "{text}");
    }
}

#[test]
fn integers_compare_exactly_with_whatever_number() {
    use number::Number::{Decimal, Double, Whole};
    assert!(Whole(9_007_199_254_740_993) > Double(9_007_199_254_740_992.0));
    assert!(Whole(i64::MAX) < Double(9_223_372_036_854_775_808.0));
    assert!(Whole(3) > Double(2.5) && Whole(-3) < Double(-2.5) && Whole(2) < Double(2.5));
    assert!(Whole(2) < Decimal(2_000_000_001));
    assert!(Double(0.1) == Decimal(100_000_000) || Double(0.1).partial_cmp(&Decimal(100_000_000)).unwrap().is_eq());
}

#[test]
fn money_over_two_counters_is_exact() {
    check(
        "counters:\n  a: { sum: properties.n, on: a }\n  b: { sum: properties.n, on: b }\n  c: { sum: properties.n, on: c }\n\
         tags:\n  left: { value: a - b - c }\n  some: { when: a - b - c > 0 }\n  taxed: { value: a * 2 }\n  half: { value: a / 4 }\n",
        &[
            ("2024-05-01T12:00:00Z", "a", "\"n\":506.22"),
            ("2024-05-01T12:00:00Z", "b", "\"n\":324.71"),
            ("2024-05-01T12:00:00Z", "c", "\"n\":181.51"),
        ],
        None,
        &[
            "2024-05-01T12:00:00.000Z left null → 506.22 (event)",
            "2024-05-01T12:00:00.000Z some null → true (event)",
            "2024-05-01T12:00:00.000Z taxed null → 1012.44 (event)",
            "2024-05-01T12:00:00.000Z half null → 126.555 (event)",
            "2024-05-01T12:00:00.000Z left 506.22 → 181.51 (event)",
            "2024-05-01T12:00:00.000Z left 181.51 → 0 (event)",
            "2024-05-01T12:00:00.000Z some true → null (event)",
        ],
    );
}

#[test]
fn birthdays_come_at_local_midnight() {
    check(
        "timezone: Europe/Berlin\nattributes:\n  born: { from: e, value: properties.born, type: date }\n\
         tags:\n  age: { value: years_since(born) }\n  soon: { when: dates_to_anniversary(born) <= 3 }\n",
        &[("2023-02-20T12:00:00Z", "e", "\"born\":\"2000-02-29\"")],
        Some("2024-03-02T00:00:00Z"),
        &[
            "2023-02-20T12:00:00.000Z age null → 22 (event)",
            "2023-02-24T23:00:00.000Z soon null → true (timer)",
            "2023-02-27T23:00:00.000Z age 22 → 23 (timer)",
            "2023-02-28T23:00:00.000Z soon true → null (timer)",
            "2024-02-25T23:00:00.000Z soon null → true (timer)",
            "2024-02-28T23:00:00.000Z age 23 → 24 (timer)",
            "2024-02-29T23:00:00.000Z soon true → null (timer)",
        ],
    );
}

#[test]
fn a_window_ago_gains_and_loses() {
    check(
        &value_of("count: a, window: 2s, ago: 2s"),
        &[("2024-05-01T12:00:00.900Z", "a", "")],
        Some("2024-05-01T13:00:00Z"),
        &[
            "2024-05-01T12:00:00.900Z t null → 0 (event)",
            "2024-05-01T12:00:02.000Z t 0 → 1 (timer)",
            "2024-05-01T12:00:05.000Z t 1 → 0 (timer)",
        ],
    );
    check(
        &format!("week_starts: sunday\n{}", value_of("count: a, calendar: week, ago: 1")),
        &[("2024-05-01T12:00:00Z", "a", "")],
        Some("2024-06-01T00:00:00Z"),
        &[
            "2024-05-01T12:00:00.000Z t null → 0 (event)",
            "2024-05-05T00:00:00.000Z t 0 → 1 (timer)",
            "2024-05-12T00:00:00.000Z t 1 → 0 (timer)",
        ],
    );
}

#[test]
fn elements_count_by_themselves() {
    let lines =
        ["\"l\":[{\"p\":1.5,\"q\":2},{\"p\":2},null,{\"p\":0.1,\"q\":3}]", "\"l\":{}", "\"l\":[{\"p\":1,\"q\":1}]"];
    assert_eq!(values("sum: item.p * item.q, each: properties.l, on: e", &lines), ["3.3", "3.3", "4.3"]);
    assert_eq!(values("count: e, each: properties.l", &lines), ["4", "4", "5"]);
    assert_eq!(values("count: e, each: properties.l, where: '!has(item)'", &lines), ["1", "1", "1"]);
    assert_eq!(values("last: item.q, each: properties.l, on: e", &lines), ["3", "3", "1"]);
}

#[test]
fn resets_sessions_and_sequences() {
    let at = |steps: &[(&'static str, &'static str)]| -> Vec<(&'static str, &'static str, &'static str)> {
        steps.iter().map(|(time, kind)| (*time, *kind, "")).collect()
    };
    check(
        &value_of("count: a, since: ok"),
        &at(&[
            ("2024-05-01T12:00:00Z", "a"),
            ("2024-05-01T12:00:02Z", "a"),
            ("2024-05-01T12:00:01Z", "ok"),
            ("2024-05-01T12:00:00Z", "a"),
            ("2024-05-01T12:00:01Z", "a"),
        ]),
        None,
        &[
            "2024-05-01T12:00:00.000Z t null → 1 (event)",
            "2024-05-01T12:00:02.000Z t 1 → 2 (event)",
            "2024-05-01T12:00:02.000Z t 2 → 0 (event)",
            "2024-05-01T12:00:02.000Z t 0 → 1 (event)",
        ],
    );
    check(
        &value_of("sessions: a, gap: 2s"),
        &at(&[
            ("2024-05-01T12:00:00Z", "a"),
            ("2024-05-01T12:00:02Z", "a"),
            ("2024-05-01T12:00:04.001Z", "a"),
            ("2024-05-01T12:00:03Z", "a"),
        ]),
        None,
        &["2024-05-01T12:00:00.000Z t null → 1 (event)", "2024-05-01T12:00:04.001Z t 1 → 2 (event)"],
    );
    check(
        &value_of("sequence: ['a*', b, a], within: 3s"),
        &at(&[
            ("2024-05-01T12:00:00Z", "a"),
            ("2024-05-01T12:00:02Z", "b"),
            ("2024-05-01T12:00:01Z", "a"),
            ("2024-05-01T12:00:03Z", "ab"),
            ("2024-05-01T12:00:03Z", "a"),
            ("2024-05-01T12:00:03Z", "b"),
            ("2024-05-01T12:00:06Z", "a"),
        ]),
        None,
        &["2024-05-01T12:00:00.000Z t null → 0 (event)", "2024-05-01T12:00:03.000Z t 0 → 1 (event)"],
    );
}

#[test]
fn patterns_match_anywhere() {
    for (pattern, text, expected) in [
        ("^a+$", "aaa", true),
        ("^a+$", "aaa\n", false),
        ("\\d{2,3}", "x12y", true),
        ("^(?:ab|c)*$", "abcab", true),
        ("\\bcat\\b", "a cat!", true),
        ("\\bcat\\b", "concat", false),
        ("[^a-c]", "abc", false),
        ("\\w", "é", false),
        ("x?y", "y", true),
    ] {
        assert_eq!(pattern::matches(pattern, text), expected, "{pattern} {text}");
    }
}

#[test]
fn local_times_are_read_as_the_wall_shows_them() {
    let zone = zone::Zone::named("Europe/Berlin");
    let read = |text: &str| instant::write(zone.at_wall(instant::read(text).expect("a time").0));
    assert_eq!(read("2024-05-01T12:00:00"), "2024-05-01T10:00:00.000Z");
    assert_eq!(read("2024-10-27T02:30:00"), "2024-10-27T00:30:00.000Z");
    assert_eq!(read("2024-03-31T02:30:00"), "2024-03-31T01:00:00.000Z");
    assert_eq!(read("2024-03-31T03:00:00"), "2024-03-31T01:00:00.000Z");
}
