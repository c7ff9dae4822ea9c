//! The demo's picture: what it says, and that it fits.

use serde_json::json;
use tagstream::codec::ParsedChange;
use tagstream::demo::frame::{DemoStatus, Line, Phase, ScreenSize, frame, sentence};
use tagstream::demo::tag_counts::TagCounts;
use tagstream::model::Timestamp;

use super::gym::catalog;

fn change(tag: &str, previous: serde_json::Value, value: serde_json::Value) -> ParsedChange {
    let record = json!({
        "id": "00", "entity": "user", "key": "u-0412", "tag": tag, "change": "added", "value": value,
        "previous": previous, "at": "2026-03-15T08:00:00.000Z", "seq": 7, "cause": "timer",
        "because": {"days_since(last_active)": 14, "session_minutes": 61.238, "goal": null}, "catalog": "00",
    });
    ParsedChange::parse(record.to_string().as_bytes()).unwrap()
}

fn text(line: &Line) -> String {
    line.iter().map(|(_, text)| text.as_str()).collect()
}

fn moment() -> DemoStatus {
    let now = Timestamp::parse("2026-03-15T08:00:30Z").unwrap();
    DemoStatus {
        now,
        day: 30,
        days: 60,
        members: 10,
        events: 4_321,
        events_a_second: 99.7,
        phase: Phase::Running,
        page: None,
    }
}

fn picture(board: &TagCounts, columns: usize, rows: usize) -> Vec<String> {
    frame(board, board.latest(), &moment(), ScreenSize { columns, rows }).iter().map(text).collect()
}

#[test]
fn a_change_reads_as_a_sentence() {
    let sentence = |previous, value| text(&sentence(&change("risk", previous, value)));
    let because = "days_since(last_active) = 14, session_minutes = 61.24, goal = none";
    for (previous, value, what) in [
        (json!(null), json!(true), "risk added"),
        (json!(true), json!(null), "risk removed"),
        (json!(null), json!("low"), "risk added: low"),
        (json!("low"), json!("mid"), "risk low → mid"),
        (json!("mid"), json!(null), "risk removed: was mid"),
    ] {
        assert_eq!(sentence(previous, value), format!("03-15 08:00  u-0412  ◷ {what:35}  {because}"));
    }
}

#[test]
fn the_table_counts_who_has_which_tag() {
    let mut board = TagCounts::new(&catalog());
    for (tag, previous, value) in [
        ("churn_risk", json!(null), json!(true)),
        ("churn_risk", json!(null), json!(true)),
        ("churn_risk", json!(true), json!(null)),
        ("lifecycle", json!(null), json!("new")),
        ("lifecycle", json!("new"), json!("active")),
        ("favourite_class", json!(null), json!("yoga")),
    ] {
        board.take(change(tag, previous, value));
    }
    let picture = picture(&board, 120, 40);
    assert_eq!(picture[1], "2026-03-15 08:00 UTC  day 30 of 60  ████████████░░░░░░░░░░░░  Ctrl-C ends it");
    assert_eq!(picture[2], "4321 events (100/s)   6 tag changes, 6 of them because nothing happened");
    let row = |name: &str| picture.iter().find(|line| line.starts_with(name)).unwrap().as_str();
    assert_eq!(row("churn_risk "), "churn_risk              1        2        0        1   ██░░░░░░░░░░░░░░░░░░░░░░");
    assert_eq!(
        row("lifecycle "),
        "lifecycle               1        1        1        0   new 0 · lost 0 · lapsing 0 · cooling 0 · active 1"
    );
    assert_eq!(row("favourite_class "), "favourite_class         1        1        0        0   yoga 1");
    assert!(picture.last().unwrap().contains("favourite_class added: yoga"));
}

#[test]
fn a_picture_fits_every_screen() {
    let mut board = TagCounts::new(&catalog());
    for _ in 0..100 {
        board.take(change("churn_risk", json!(null), json!(true)));
    }
    for (columns, rows) in [(200, 60), (80, 24), (40, 12), (20, 5), (1, 1), (0, 0)] {
        let picture = picture(&board, columns, rows);
        assert!(picture.len() <= rows, "{rows} rows: {picture:#?}");
        assert!(picture.iter().all(|line| line.chars().count() <= columns), "{columns} columns: {picture:#?}");
        if rows >= 12 {
            assert!(picture.iter().filter(|line| line.contains("u-0412")).count() >= 6, "{picture:#?}");
        }
    }
}
