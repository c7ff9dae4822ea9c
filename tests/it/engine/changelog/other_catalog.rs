//! A log read under another catalog: what means the same keeps its state, whatever its name and number.

use tagstream::engine::{CellName, MigrationReport, Partition};
use tagstream::model::Timestamp;

use super::compacted_log::Compacted;
use super::{Driven, program};

const HEAD: &str = "version: 1\ntimezone: Asia/Shanghai\n";

const OLD: &str = r#"
attributes:
  plan: { from: bought, value: properties.plan }
  city: { from: moved, value: properties.city }
counters:
  visits: { count: visit, window: 7d, resolution: 1d }
  spend: { sum: properties.amount, on: bought, where: "properties.amount > 1 && type == \"bought\"" }
  pages: { distinct: properties.page, on: visit, window: 7d, resolution: 1d }
tags:
  plan: { value: plan }
  visits: { value: visits }
  spend: { value: spend }
  pages: { value: pages }
  busy: { when: visits >= 2 }
  level: { value: spend, bands: [{ name: low, below: 10 }, { name: mid, below: 100 }, { name: high }] }
  stage: { stages: [{ name: payer, when: spend > 5 }, { name: guest, when: visits > 5 }, { name: other }] }
"#;

const EVENTS: [&str; 5] = [
    r#"{"user_id":"u","type":"visit","timestamp":"2026-03-01T10:00:00Z","properties":{"page":"a"}}"#,
    r#"{"user_id":"u","type":"visit","timestamp":"2026-03-04T10:00:00Z","properties":{"page":"b"}}"#,
    r#"{"user_id":"u","type":"visit","timestamp":"2026-03-04T11:00:00Z","properties":{"page":"c"}}"#,
    r#"{"user_id":"u","type":"bought","timestamp":"2026-03-04T12:00:00Z","properties":{"amount":20,"plan":"gold"}}"#,
    r#"{"user_id":"v","type":"moved","timestamp":"2026-03-04T12:30:00Z","properties":{"city":"Kyiv"}}"#,
];

/// The log that [`EVENTS`] leave under a catalog.
fn log_of(catalog: &str) -> Compacted {
    let program = program(&format!("{HEAD}{catalog}"));
    let mut driven = Driven::new(&program);
    let mut log = Compacted::default();
    for event in EVENTS {
        driven.line(event.as_bytes(), None);
        log.write(&mut driven.partition);
    }
    log
}

fn tags(partition: &mut Partition, key: &str) -> Vec<String> {
    let tags =
        partition.current_tags(key, |tags| tags.iter().map(|tag| format!("{}={:?}", tag.tag, tag.value)).collect());
    tags.unwrap_or_default()
}

fn list<'a>(names: impl IntoIterator<Item = &'a CellName>) -> String {
    names.into_iter().map(CellName::to_string).collect::<Vec<_>>().join("; ")
}

struct Expected {
    new: &'static str,
    dropped: &'static str,
    /// Of `u`, right after the restart.
    at_once: &'static [&'static str],
    /// When time has passed by a millisecond.
    then: &'static [&'static str],
}

fn check(catalog: &str, expected: &Expected) {
    let program = program(&format!("{HEAD}{catalog}"));
    let restored = log_of(OLD).restore(&program);
    let MigrationReport { new, dropped, .. } = restored.change.expect("the catalog is another one");
    assert_eq!((list(&new), list(&dropped)), (expected.new.to_owned(), expected.dropped.to_owned()));
    let mut driven = Driven::new(&program);
    driven.partition = restored.partition;
    assert_eq!(driven.partition.entities(), 2);
    let found = tags(&mut driven.partition, "u");
    let (known, gone) = found.split_at(expected.at_once.len());
    assert_eq!(known, expected.at_once, "at once: {catalog}");
    // What the catalog has no more is had until it is removed.
    for tag in gone {
        let name = tag.split('=').next().unwrap_or_default();
        assert!(expected.dropped.contains(&format!("tag {name}")), "at once: {tag}: {catalog}");
    }
    let now = driven.partition.clock().expect("there were events");
    driven.partition.advance(now.plus(1), &mut driven.changes);
    assert_eq!(tags(&mut driven.partition, "u"), expected.then, "then: {catalog}");
}

#[test]
fn the_same_catalog_is_no_change() {
    let restored = log_of(OLD).restore(&program(&format!("{HEAD}{OLD}")));
    assert_eq!(restored.change, None);
}

#[test]
fn renamed_and_renumbered_ones_keep_their_state() {
    check(
        r#"
attributes:
  home: { from: moved, value: properties.city }
  tariff: { from: bought, value: properties.plan }
counters:
  first: { count: other_type, where: "properties.other == 1" }
  turnover: { sum: properties.amount, on: [bought], where: "properties.amount > 1 && type == \"bought\"" }
  calls: { count: visit, window: 7d, resolution: 1d }
tags:
  calls: { value: calls }
  turnover: { value: turnover }
  tariff: { value: tariff }
  busy: { when: calls >= 2 }
"#,
        &Expected {
            new: "counter first; tag calls; tag tariff; tag turnover",
            dropped: "counter pages; tag level; tag pages; tag plan; tag spend; tag stage; tag visits",
            at_once: &["busy=Bool(true)"],
            then: &["calls=Number(3)", "turnover=Number(20)", "tariff=String(\"gold\")", "busy=Bool(true)"],
        },
    );
}

#[test]
fn another_meaning_begins_empty() {
    check(
        r#"
attributes:
  plan: { from: moved, value: properties.plan }
counters:
  visits: { count: "*", window: 7d, resolution: 1d }
  spend: { sum: properties.amount, on: bought, where: "properties.amount > 2 && type == \"bought\"" }
tags:
  plan: { value: plan }
  visits: { value: visits }
  spend: { value: spend }
  busy: { value: visits }
"#,
        &Expected {
            new: "attribute plan; counter spend; counter visits",
            dropped: "attribute city; attribute plan; counter pages; counter spend; counter visits; tag level; tag pages; tag stage",
            at_once: &["plan=String(\"gold\")", "visits=Number(3)", "spend=Number(20)", "busy=Bool(true)"],
            // What has not been seen may be anything: such a tag keeps its state. Attributes have no such doubts.
            then: &["visits=Number(3)", "spend=Number(20)", "busy=Bool(true)"],
        },
    );
}

#[test]
fn a_window_of_another_length_keeps_what_there_is() {
    check(
        r#"
counters:
  visits: { count: visit, window: 2d, resolution: 1d }
  pages: { distinct: properties.page, on: visit, window: 30d, resolution: 1d }
  pages_1d: { distinct: properties.page, on: visit, window: 1d, resolution: 1d }
tags:
  visits: { value: visits }
  pages: { value: pages }
  pages_1d: { value: pages_1d }
"#,
        &Expected {
            new: "tag pages_1d",
            dropped: "attribute city; attribute plan; counter spend; tag busy; tag level; tag plan; tag spend; tag stage",
            at_once: &["visits=Number(3)", "pages=Number(3)"],
            then: &["visits=Number(2)", "pages=Number(3)", "pages_1d=Number(2)"],
        },
    );
}

#[test]
fn bands_and_stages_go_by_name() {
    check(
        r#"
counters:
  spend: { sum: properties.amount, on: bought, where: "properties.amount > 1 && type == \"bought\"" }
  visits: { count: visit, window: 7d, resolution: 1d }
tags:
  level: { value: spend, bands: [{ name: none, below: 1 }, { name: low, below: 10 }, { name: mid, below: 15 }, { name: top }] }
  stage: { stages: [{ name: guest, when: visits > 5 }, { name: other }] }
  busy: { when: visits >= 100 }
"#,
        &Expected {
            new: "",
            dropped: "attribute city; attribute plan; counter pages; tag pages; tag plan; tag spend; tag visits",
            // The stage that it was in is gone: it stays until the tag is evaluated.
            at_once: &["level=String(\"mid\")", "stage=String(\"payer\")", "busy=Bool(true)"],
            then: &["level=String(\"top\")", "stage=String(\"other\")"],
        },
    );
}

#[test]
fn another_condition_alone_is_looked_at_at_once() {
    let program = program(&format!("{HEAD}{}", OLD.replace("visits >= 2", "visits >= 200")));
    let restored = log_of(OLD).restore(&program);
    assert_eq!(restored.change, None, "all cells mean the same");
    let mut driven = Driven::new(&program);
    driven.partition = restored.partition;
    driven.partition.advance(Timestamp::parse("2026-03-04T12:30:00.001Z").expect("a time"), &mut driven.changes);
    let told: Vec<String> =
        driven.changes.0.iter().map(|change| format!("{} {}", change["tag"], change["change"])).collect();
    assert_eq!(told, [r#""busy" "removed""#]);
}

#[test]
fn a_log_of_several_schemas_loses_those_that_no_segment_needs() {
    let mut log = log_of(OLD);
    let other = format!("{HEAD}{}", OLD.replace("busy", "hectic"));
    let program = program(&other);
    let mut driven = Driven::new(&program);
    driven.partition = log.restore(&program).partition;
    let mut clock = driven.partition.clock().expect("there were events");
    let schemas = |log: &Compacted| {
        let mut log = log.clone();
        log.compact_all();
        log.records.iter().filter(|record| record.is_schema()).count()
    };
    driven.partition.advance(clock.plus(1), &mut driven.changes);
    log.write(&mut driven.partition);
    assert_eq!(schemas(&log), 2);
    for round in 0..5_000 {
        clock = clock.plus(1_000);
        let page = format!("page-{}-{}", round % 200, "long".repeat(10));
        let line = format!(
            r#"{{"user_id":"u-{}","type":"visit","timestamp":"{clock}","properties":{{"page":"{page}"}}}}"#,
            round % 100
        );
        driven.line(line.as_bytes(), None);
        log.write(&mut driven.partition);
        if round % 500 == 0 {
            log.compact_all();
        }
    }
    assert_eq!(schemas(&log), 1);
    let restored = log.restore(&program);
    assert_eq!(restored.change, None);
    assert_eq!(restored.partition.entities(), driven.partition.entities());
}

/// What the second edition of the language keeps: resets, sessions, steps, elements.
const MEMORIES: &str = r#"
counters:
  fails: { count: failed, since: paid }
  sittings: { sessions: visit, gap: 2h }
  steps: { sequence: [visit, { on: bought, where: "properties.amount > 1" }, joined], within: 3d }
  lines: { sum: item.price * item.quantity, on: bought, each: properties.items, where: item.price > 1 }
  before: { count: visit, window: 1d, ago: 1d, resolution: 1h }
tags:
  fails: { value: fails }
  sittings: { value: sittings }
  steps: { value: steps }
  lines: { value: lines }
  before: { value: before }
"#;

const REMEMBERED: [&str; 7] = [
    r#"{"user_id":"u","type":"failed","timestamp":"2026-03-01T09:00:00Z"}"#,
    r#"{"user_id":"u","type":"paid","timestamp":"2026-03-01T09:10:00Z"}"#,
    r#"{"user_id":"u","type":"failed","timestamp":"2026-03-01T09:20:00Z"}"#,
    r#"{"user_id":"u","type":"visit","timestamp":"2026-03-01T10:00:00Z"}"#,
    r#"{"user_id":"u","type":"visit","timestamp":"2026-03-01T11:00:00Z"}"#,
    r#"{"user_id":"u","type":"visit","timestamp":"2026-03-02T10:00:00Z"}"#,
    r#"{"user_id":"u","type":"bought","timestamp":"2026-03-02T11:00:00Z","properties":{"amount":2,"items":[{"price":2.5,"quantity":2},{"price":1,"quantity":9}]}}"#,
];

/// What goes on after the restart: each of these is right only with what was remembered.
const CONTINUED: [&str; 3] = [
    r#"{"user_id":"u","type":"failed","timestamp":"2026-03-01T09:05:00Z"}"#,
    r#"{"user_id":"u","type":"visit","timestamp":"2026-03-02T11:30:00Z"}"#,
    r#"{"user_id":"u","type":"joined","timestamp":"2026-03-02T12:00:00Z"}"#,
];

/// The tags of `u` under a catalog that takes the state of [`MEMORIES`] over, after all events.
fn continued(catalog: &str) -> (String, Vec<String>) {
    let old = program(&format!("{HEAD}{MEMORIES}"));
    let (mut driven, mut log) = (Driven::new(&old), Compacted::default());
    for event in REMEMBERED {
        driven.line(event.as_bytes(), None);
        log.write(&mut driven.partition);
    }
    let new = program(&format!("{HEAD}{catalog}"));
    let restored = log.restore(&new);
    let fresh =
        restored.change.map(|report| list(report.new.iter().filter(|name| name.to_string().starts_with("counter"))));
    let mut driven = Driven::new(&new);
    driven.partition = restored.partition;
    for event in CONTINUED {
        driven.line(event.as_bytes(), None);
    }
    (fresh.unwrap_or_default(), tags(&mut driven.partition, "u"))
}

#[test]
fn resets_sessions_steps_and_elements_are_kept_under_other_names() {
    let renamed = MEMORIES.replace("sittings:", "calls:").replace("value: sittings", "value: calls");
    let renamed = renamed.replace("  steps:", "  way:").replace("value: steps", "value: way");
    let renamed = renamed.replace("  fails:", "  errors:").replace("value: fails", "value: errors");
    let expected = |names: [&str; 3]| {
        let [fails, sittings, steps] = names;
        [
            format!("{fails}=Number(1)"),
            format!("{sittings}=Number(2)"),
            format!("{steps}=Number(1)"),
            "lines=Number(5)".to_owned(),
            "before=Number(2)".to_owned(),
        ]
    };
    assert_eq!(continued(MEMORIES), (String::new(), expected(["fails", "sittings", "steps"]).to_vec()));
    assert_eq!(continued(&renamed), (String::new(), expected(["errors", "calls", "way"]).to_vec()));
}

#[test]
fn another_gap_step_reset_or_array_begins_anew() {
    let others = [
        ("gap: 2h", "gap: 3h", "counter sittings"),
        ("within: 3d", "within: 2d", "counter steps"),
        ("properties.amount > 1\"", "properties.amount > 2\"", "counter steps"),
        ("since: paid", "since: [paid, visit]", "counter fails"),
        ("each: properties.items", "each: properties.lines", "counter lines"),
        ("item.price * item.quantity", "item.quantity * item.price", "counter lines"),
        ("where: item.price > 1", "where: item.price >= 1", "counter lines"),
    ];
    for (old, other, expected) in others {
        assert_eq!(continued(&MEMORIES.replace(old, other)).0, expected, "{other}");
    }
    // The panes of a counter some time ago serve another one that needs no more of them.
    assert_eq!(continued(&MEMORIES.replace("window: 1d, ago: 1d", "window: 6h, ago: 12h")).0, "");
}
