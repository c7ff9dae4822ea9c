//! Hand-computed expectations for the rules that are easily got wrong: counters, windows, verdicts.

use super::{instant, number, replay, zone};

/// 2100-01-01.
const NOW_MS: i64 = 4_102_444_800_000;

/// Replays flat events `(time, type, properties)` of the user `u` and compares the changes, each written as
/// `at tag previous → value (cause)`.
pub fn check(catalog: &str, events: &[(&str, &str, &str)], until: Option<&str>, expected: &[&str]) {
    let catalog = format!("version: 1\n{catalog}");
    let found = replay(&catalog, &lines(events), NOW_MS, until.map(|until| instant::parse(until).expect("a time")));
    assert_eq!(found.rejects, []);
    let written = found.changes.iter().map(|change| {
        let word = |name: &str| change[name].as_str().expect("a text");
        format!("{} {} {} → {} ({})", word("at"), word("tag"), change["previous"], change["value"], word("cause"))
    });
    assert_eq!(written.collect::<Vec<_>>(), expected);
}

pub fn lines(events: &[(&str, &str, &str)]) -> Vec<Vec<u8>> {
    let line = |(time, kind, properties): &(&str, &str, &str)| {
        format!(r#"{{"user_id":"u","type":"{kind}","timestamp":"{time}","properties":{{{properties}}}}}"#).into_bytes()
    };
    events.iter().map(line).collect()
}

/// A catalog with one counter `c` and a tag whose value it is.
pub fn value_of(counter: &str) -> String {
    format!("counters:\n  c: {{ {counter} }}\ntags:\n  t: {{ value: c }}\n")
}

/// The values that a counter `c` takes, one event a second from noon, each with these properties; absent ones are `-`.
pub fn values(counter: &str, properties: &[&str]) -> Vec<String> {
    let catalog = format!("version: 1\n{}", value_of(counter));
    let times: Vec<String> = (0..properties.len()).map(|second| format!("2024-05-01T12:00:{second:02}Z")).collect();
    let events = times.iter().zip(properties).map(|(time, properties)| (time.as_str(), "e", *properties));
    let events: Vec<_> = events.collect();
    let after = |count: usize| {
        let changes = replay(&catalog, &lines(&events[..count]), NOW_MS, None).changes;
        changes.last().map_or("-".to_owned(), |change| change["value"].to_string())
    };
    (1..=events.len()).map(after).collect()
}

#[test]
fn a_pane_leaves_when_the_one_after_the_window_begins() {
    check(
        &value_of("count: a, window: 2s"),
        &[("2024-05-01T12:00:00.900Z", "a", ""), ("2024-05-01T12:00:01Z", "a", "")],
        Some("2024-05-01T13:00:00Z"),
        &[
            "2024-05-01T12:00:00.900Z t null → 1 (event)",
            "2024-05-01T12:00:01.000Z t 1 → 2 (event)",
            "2024-05-01T12:00:03.000Z t 2 → 1 (timer)",
            "2024-05-01T12:00:04.000Z t 1 → 0 (timer)",
        ],
    );
}

#[test]
fn active_days_count_today_among_the_dates_of_the_window() {
    check(
        &format!("timezone: Asia/Shanghai\n{}", value_of("active_days: '*', window: 2d")),
        &[("2024-05-01T15:59:59.999Z", "a", ""), ("2024-05-01T16:00:00Z", "b", "")],
        Some("2024-06-01T00:00:00Z"),
        &[
            "2024-05-01T15:59:59.999Z t null → 1 (event)",
            "2024-05-01T16:00:00.000Z t 1 → 2 (event)",
            "2024-05-02T16:00:00.000Z t 2 → 1 (timer)",
            "2024-05-03T16:00:00.000Z t 1 → 0 (timer)",
        ],
    );
}

#[test]
fn whole_days_are_local_and_of_23_hours_too() {
    check(
        &format!("timezone: Europe/Berlin\n{}", value_of("count: a, window: 1d, resolution: 1d")),
        &[("2024-03-30T22:30:00Z", "a", "")],
        Some("2024-06-01T00:00:00Z"),
        &["2024-03-30T22:30:00.000Z t null → 1 (event)", "2024-03-31T22:00:00.000Z t 1 → 0 (timer)"],
    );
}

#[test]
fn dates_never_go_back_and_may_be_skipped() {
    let start = |name, date: (i64, i64, i64)| {
        instant::write(zone::Zone::named(name).start_of_day(instant::day_of_civil(date.0, date.1, date.2)))
    };
    // Midnight is missing: the day begins at one o'clock.
    assert_eq!(start("America/Sao_Paulo", (2018, 11, 4)), "2018-11-04T03:00:00.000Z");
    // At midnight of the 18th (UTC-2) clocks were put back to 23:00 of the 17th (UTC-3). No instant before it showed the
    // 18th, so the date first turns at the second midnight.
    assert_eq!(start("America/Sao_Paulo", (2018, 2, 18)), "2018-02-18T03:00:00.000Z");
    // There was no 30th: its place is taken by the 31st.
    assert_eq!(start("Pacific/Apia", (2011, 12, 30)), "2011-12-30T10:00:00.000Z");
    assert_eq!(start("Pacific/Apia", (2011, 12, 31)), "2011-12-30T10:00:00.000Z");
    // In St. John's clocks were put back at one past midnight until 2006: the date had turned, and stays.
    let zone = zone::Zone::named("America/St_Johns");
    let turned = instant::parse("2006-10-29T02:30:30Z").expect("a time"); // 00:00:30 local summer time
    let day = instant::day_of_civil(2006, 10, 29);
    assert_eq!((zone.day(turned - 60_000), zone.day(turned), zone.day(turned + 60_000)), (day - 1, day, day));
    assert_eq!(zone.start_of_day(day), turned - 30_000);
}

#[test]
fn calendar_windows_hold_the_current_period() {
    check(
        &format!("timezone: Asia/Kolkata\n{}", value_of("count: a, window: { calendar: week }")),
        &[("2024-05-05T18:29:59Z", "a", ""), ("2024-05-05T18:30:00Z", "a", "")],
        Some("2024-05-13T00:00:00Z"),
        &[
            "2024-05-05T18:29:59.000Z t null → 1 (event)",
            "2024-05-05T18:30:00.000Z t 1 → 0 (timer)",
            "2024-05-05T18:30:00.000Z t 0 → 1 (event)",
            "2024-05-12T18:30:00.000Z t 1 → 0 (timer)",
        ],
    );
}

#[test]
fn sums_are_decimal_and_half_even() {
    let units = |text| number::units(text);
    assert_eq!(units("0.0000000005"), Some(0));
    assert_eq!(units("0.0000000015"), Some(2));
    assert_eq!(units("-0.0000000025"), Some(-2));
    assert_eq!(units("0.00000000250000000000000000000001"), Some(3));
    assert_eq!(units("25e-10"), Some(2));
    assert_eq!(units("1.5E3"), Some(1_500_000_000_000));
    assert_eq!(units("1e15"), Some(10i128.pow(24)));
    assert_eq!(units("1000000000000000.0000000001"), None);
    assert_eq!(units("1e400"), None);
    assert_eq!(units("1e-400"), Some(0));
    assert_eq!(units("0e999999999999999999999"), Some(0));
    assert_eq!(units("0.1"), Some(100_000_000));
    let sums = values("sum: properties.n, on: e", &["\"n\":0.1", "\"n\":0.2", "\"n\":2e15", "\"n\":\"5\"", ""]);
    assert_eq!(sums, ["0.1", "0.3", "0.3", "0.3", "0.3"]);
    let averages = values("avg: properties.n, on: e", &["", "\"n\":1", "\"n\":2", "\"n\":[3]"]);
    assert_eq!(averages, ["-", "1", "1.5", "1.5"]);
}

#[test]
fn distinct_stays_at_its_limit_and_tells_types_apart() {
    let distinct = values(
        "distinct: properties.v, on: e, limit: 4",
        &["\"v\":1", "\"v\":1.0", "\"v\":\"1\"", "\"v\":[true,1,null,[2],{}]", "\"v\":[]", "\"v\":[\"x\",\"y\",\"z\"]"],
    );
    assert_eq!(distinct, ["1", "1", "2", "3", "3", "4"]);
}

#[test]
fn top_breaks_ties_and_makes_room() {
    let lifetime = values(
        "top: properties.v, on: e, limit: 2",
        // b is later; a overtakes; c drives out b, rarer than a; b comes back without its count and drives out c.
        &[
            "\"v\":\"a\"",
            "\"v\":\"b\"",
            "\"v\":\"a\"",
            "\"v\":\"c\"",
            "\"v\":\"b\"",
            "\"v\":[\"b\",\"b\"]",
            "\"v\":\"b\"",
        ],
    );
    assert_eq!(lifetime, ["\"a\"", "\"b\"", "\"a\"", "\"a\"", "\"a\"", "\"b\"", "\"b\""]);
    // With panes of a minute all are equally recent: the lesser one.
    let paned =
        values("top: properties.v, on: e, window: 2m, resolution: 1m", &["\"v\":\"b\"", "\"v\":\"a\"", "\"v\":\"c\""]);
    assert_eq!(paned, ["\"b\"", "\"a\"", "\"a\""]);
}

#[test]
fn last_and_first_go_by_event_time_then_arrival() {
    let events = [
        ("2024-05-01T12:00:00Z", "e", "\"v\":1"),
        ("2024-05-01T12:00:00Z", "e", "\"v\":2"),
        ("2024-05-01T11:59:00Z", "e", "\"v\":3"),
        ("2024-05-01T11:59:00Z", "e", "\"v\":4"),
        ("2024-05-01T12:00:00Z", "e", "\"v\":null"),
    ];
    check(
        "counters:\n  l: { last: properties.v, on: e }\n  f: { first: properties.v, on: e }\ntags:\n  tl: { value: l }\n  tf: { value: f }",
        &events,
        None,
        &[
            "2024-05-01T12:00:00.000Z tl null → 1 (event)",
            "2024-05-01T12:00:00.000Z tf null → 1 (event)",
            "2024-05-01T12:00:00.000Z tl 1 → 2 (event)",
            "2024-05-01T12:00:00.000Z tf 1 → 3 (event)",
        ],
    );
}

#[test]
fn attributes_keep_the_latest_fact() {
    check(
        "attributes:\n  a: { from: e, value: properties.v, type: number }\ntags:\n  t: { value: a }",
        &[
            ("2024-05-01T12:00:00Z", "e", "\"v\":1"),
            ("2024-05-01T11:00:00Z", "e", "\"v\":2"),
            ("2024-05-01T12:00:01Z", "e", "\"v\":\"3\""),
            ("2024-05-01T12:00:02Z", "e", ""),
            ("2024-05-01T12:00:03Z", "e", "\"v\":null"),
            ("2024-05-01T12:00:02Z", "e", "\"v\":4"),
            ("2024-05-01T12:00:03Z", "e", "\"v\":5"),
        ],
        None,
        &[
            "2024-05-01T12:00:00.000Z t null → 1 (event)",
            "2024-05-01T12:00:03.000Z t 1 → null (event)",
            "2024-05-01T12:00:03.000Z t null → 5 (event)",
        ],
    );
}

#[test]
fn a_rule_waits_keeps_and_leaves_when_all_agree() {
    let catalog = "counters:\n  c: { count: a, window: 10s }\n  stop: { count: s }\n\
        tags:\n  t: { when: c >= 2, for: 3s, keep_for: 4s, until: stop > 0 || c == 0 }";
    check(
        catalog,
        &[
            ("2024-05-01T12:00:00Z", "a", ""),
            ("2024-05-01T12:00:05Z", "a", ""), // when holds from here to :11, when the first pane leaves
        ],
        Some("2024-05-01T13:00:00Z"),
        &[
            "2024-05-01T12:00:08.000Z t null → true (timer)",
            "2024-05-01T12:00:16.000Z t true → null (timer)", // c is 0 at :16, later than :11 + 4
        ],
    );
    check(
        catalog,
        &[
            ("2024-05-01T12:00:00Z", "a", ""),
            ("2024-05-01T12:00:08Z", "a", ""), // holds from :08, and no longer at :11: just not broken off at the end of `for`
            ("2024-05-01T12:00:11Z", "a", ""), // at :11 the pane left first: a break, and `when` holds anew
            ("2024-05-01T12:00:12Z", "s", ""),
        ],
        Some("2024-05-01T13:00:00Z"),
        &[
            "2024-05-01T12:00:14.000Z t null → true (timer)",
            "2024-05-01T12:00:23.000Z t true → null (timer)", // stopped at :19
        ],
    );
}

#[test]
fn margins_hold_a_band_until_the_value_is_well_beyond() {
    let catalog = "attributes:\n  v: { from: e, value: properties.v }\ntags:\n  t:\n    value: v\n    margin: 2\n    \
        bands: [ { name: low, below: 10 }, { name: mid, below: 20 }, { name: high } ]";
    let given = ["10", "9", "8", "11.9", "12", "21.9", "22", "18.5", "18", "100", "8", "\"x\"", "9.5"];
    let bands = ["mid", "mid", "low", "low", "mid", "mid", "high", "high", "mid", "high", "low", "-", "low"];
    for count in 1..=given.len() {
        let times: Vec<String> = (0..count).map(|second| format!("2024-05-01T12:00:{second:02}Z")).collect();
        let properties: Vec<String> = given.iter().map(|value| format!("\"v\":{value}")).collect();
        let events = times.iter().zip(&properties).map(|(time, own)| (time.as_str(), "e", own.as_str()));
        let changes =
            replay(&format!("version: 1\n{catalog}"), &lines(&events.collect::<Vec<_>>()), NOW_MS, None).changes;
        let last = changes.last().expect("a change");
        assert_eq!(last["value"].as_str().unwrap_or("-"), bands[count - 1], "after {}", given[count - 1]);
    }
}

#[test]
fn clock_terms_flip_at_their_first_millisecond() {
    check(
        "tags:\n  day: { when: days_since(first_seen) >= 1 }\n  more: { when: days_since(first_seen) > 1 }\n  \
        third: { when: hours_since(first_seen) * 3 >= 0.01 }\n  \
        stage: { stages: [ { name: new, when: seconds_since(last_seen) < 1.0005 }, { name: old } ] }",
        &[("2024-05-01T12:00:00.001Z", "a", "")],
        Some("2024-05-03T12:00:00Z"),
        &[
            "2024-05-01T12:00:00.001Z stage null → \"new\" (event)",
            "2024-05-01T12:00:01.002Z stage \"new\" → \"old\" (timer)",
            "2024-05-01T12:00:12.001Z third null → true (timer)",
            "2024-05-02T12:00:00.001Z day null → true (timer)",
            "2024-05-02T12:00:00.002Z more null → true (timer)",
        ],
    );
}

#[test]
fn tags_take_their_turn_after_those_they_use_and_say_why() {
    let catalog = "version: 1\ncounters:\n  c: { count: a, window: 1s }\n  d: { count: b }\ntags:\n  \
        late: { when: tag.early && !tag.other, until: d == 0 && has(c) }\n  other: { when: d > 5 }\n  early: { when: c > 0 }\n  \
        s: { stages: [ { name: x, when: c > 1 }, { name: y, when: d == 0 && days_since(last_seen) < 1 } ] }";
    let changes =
        replay(catalog, &lines(&[("2024-05-01T12:00:00Z", "a", "")]), NOW_MS, instant::parse("2024-05-02T12:00:00Z"))
            .changes;
    let told: Vec<String> =
        changes.iter().map(|c| format!("{} {} {} {}", c["seq"], c["tag"], c["value"], c["because"])).collect();
    assert_eq!(
        told,
        [
            r#"1 "early" true {"c":1}"#,
            r#"2 "late" true {"tag.early":true,"tag.other":false}"#,
            r#"3 "s" "y" {"c":1,"d":0,"days_since(last_seen)":0}"#,
            r#"4 "early" null {"c":0}"#,
            r#"5 "late" null {"tag.early":false,"tag.other":false,"d":0,"c":0}"#,
            r#"6 "s" null {"c":0,"d":0,"days_since(last_seen)":1}"#,
        ]
    );
}

#[test]
fn absent_values_are_false_and_different_types_never_compare() {
    let catalog =
        "attributes:\n  x: { from: never, value: properties.x }\n  s: { from: a, value: properties.s }\ntags:\n";
    for (condition, holds) in [
        ("x < 1", false),
        ("x != 1", false),
        ("!(x != 1)", true),
        ("!x", true),
        ("x + 1 > 0", false),
        ("(x > 1) == false", true),
        ("has(x)", false),
        ("s == 5", false),
        ("s != 5", false),
        ("s == 'é\"'", true),
        ("s < 'f'", false),
        ("s in ['a', 'é\"']", true),
        ("1 / 0 > 0 || 1 / 0 <= 0", false),
        ("-7 % 4 == -3", true),
        ("1e308 * 10 > 0", false),
        ("x ? false : true", true),
        ("max(1, 2) - min(1, 2) == abs(-1)", true),
        ("days_between(first_seen, last_seen) == 0 && first_seen == last_seen", true),
    ] {
        let yaml = format!("{catalog}  t: {{ when: {} }}", serde_json::json!(condition));
        let expected: &[&str] = if holds { &["2024-05-01T12:00:00.000Z t null → true (event)"] } else { &[] };
        check(&yaml, &[("2024-05-01T12:00:00Z", "a", "\"s\":\"\\u00e9\\\"\"")], None, expected);
    }
}

#[test]
fn until_leaves_out_later_events_and_lets_time_pass() {
    check(
        &value_of("count: a, window: 10s"),
        &[("2024-05-01T12:00:00Z", "a", ""), ("2024-05-01T12:00:12Z", "a", ""), ("2024-05-01T12:00:01Z", "a", "")],
        Some("2024-05-01T12:00:11Z"),
        &[
            "2024-05-01T12:00:00.000Z t null → 1 (event)",
            "2024-05-01T12:00:01.000Z t 1 → 2 (event)",
            "2024-05-01T12:00:11.000Z t 2 → 1 (timer)",
        ],
    );
}
