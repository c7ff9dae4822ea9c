//! When a model is asked and how long its answer stands, with formulas for models.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tagstream::catalog::{TagId, load};
use tagstream::engine::CompiledCatalog;
use tagstream::model::Timestamp;
use tagstream::replay::Replay;
use tagstream::scoring::{Models, Scorer, SlowModelPolicy};

use crate::engine::agreement::{Collected, NOW_MS};

/// The changes of events under a catalog whose scores are all the same formula.
pub fn changes(
    catalog: &str,
    width: usize,
    lines: &[String],
    until: &str,
    formula: impl Fn(&[f64]) -> Result<f64, String> + Clone + Send + Sync + 'static,
) -> Vec<Value> {
    let loaded = load(catalog);
    let catalog = loaded.catalog.unwrap_or_else(|| panic!("{:#?}", loaded.problems));
    let mut models = Models::default();
    for places in &loaded.models {
        models.insert(places.tag, Scorer::of_formula(width, SlowModelPolicy::Wait, formula.clone()));
    }
    let programs = CompiledCatalog::with_models(catalog, models);
    let mut replay = Replay::new(&programs, Timestamp::from_ms(NOW_MS), Timestamp::parse(until).ok());
    let mut changes = Collected::default();
    for line in lines {
        replay.line(line.as_bytes(), &mut changes);
    }
    replay.finish(&mut changes);
    changes.0
}

fn event(user: &str, kind: &str, at: &str) -> String {
    json!({ "user_id": user, "type": kind, "timestamp": at }).to_string()
}

/// What is told of each change: when, from what, to what, why.
fn told(changes: &[Value]) -> Vec<String> {
    let text = |change: &Value| {
        format!("{} {} → {} {}", change["at"].as_str().unwrap(), change["previous"], change["value"], change["because"])
    };
    changes.iter().map(text).collect()
}

const BANDS: &str = r#"
version: 1
counters:
  visits: { count: visit, window: 3d, resolution: 1d }
tags:
  churn:
    score: { model: m.onnx, inputs: [visits: visits, silent: days_since(last_seen)], output: y }
    bands: [{ name: low, below: 1 }, { name: high }]
"#;

#[test]
fn a_score_is_made_by_events_by_panes_that_leave_and_by_the_clock() {
    let lines = [event("u", "visit", "2026-03-01T10:00:00Z"), event("u", "visit", "2026-03-01T12:00:00Z")];
    // Two visits more than days of silence.
    let found = changes(BANDS, 2, &lines, "2026-03-09T00:00:00Z", |row| Ok(row[1] - 0.25 * row[0]));
    assert_eq!(
        told(&found),
        [
            r#"2026-03-01T10:00:00.000Z null → "low" {"visits":1,"days_since(last_seen)":0,"score":-0.25}"#,
            // A day after the score at noon, and no sooner: silent for a day and 0.5 for two visits; then 1.5.
            r#"2026-03-03T12:00:00.000Z "low" → "high" {"visits":2,"days_since(last_seen)":2,"score":1.5}"#,
        ]
    );
}

#[test]
fn a_pane_that_leaves_makes_a_score_at_its_instant() {
    let catalog = BANDS.replace("silent: days_since(last_seen)", "one: 1");
    let lines = [event("u", "visit", "2026-03-01T10:00:00Z")];
    let found = changes(&catalog, 2, &lines, "2026-03-09T00:00:00Z", |row| Ok(row[0]));
    assert_eq!(
        told(&found),
        [
            r#"2026-03-01T10:00:00.000Z null → "high" {"visits":1,"score":1}"#,
            r#"2026-03-05T00:00:00.000Z "high" → "low" {"visits":0,"score":0}"#,
        ]
    );
}

#[test]
fn without_bands_the_score_is_the_value_and_nan_is_none() {
    let catalog = r#"
version: 1
attributes: { plan: { from: plan, value: properties.plan } }
tags:
  value: { score: { model: m.onnx, inputs: [plan: plan, any: has(plan)], output: y, refresh: 12h } }
  rich: { when: tag.value > 1 }
"#;
    let set = |plan: Value, at: &str| {
        json!({ "user_id": "u", "type": "plan", "timestamp": at, "properties": { "plan": plan } }).to_string()
    };
    let lines = [
        set(json!(true), "2026-03-01T10:00:00Z"),
        set(json!(3.5), "2026-03-01T11:00:00Z"),
        set(json!("gold"), "2026-03-01T12:00:00Z"),
        set(json!(null), "2026-03-01T13:00:00Z"),
        set(json!(0.25), "2026-03-01T14:00:00Z"),
    ];
    let found = changes(catalog, 2, &lines, "2026-03-03T00:00:00Z", |row| {
        assert!(row[1] == f64::from(u8::from(row[1] != 0.0)), "a condition is 1 or 0");
        Ok(row[0])
    });
    let values: Vec<Value> = found.iter().map(|change| json!([change["tag"], change["value"]])).collect();
    assert_eq!(
        json!(values),
        json!([["value", 1], ["value", 3.5], ["rich", true], ["value", null], ["rich", null], ["value", 0.25]])
    );
    assert_eq!(found[3]["because"], json!({ "plan": "gold", "score": null }));
}

#[test]
fn a_model_that_fails_leaves_the_score_that_stands() {
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    let formula = move |row: &[f64]| {
        *count.lock().unwrap() += 1;
        if row[1] == 0.0 && row[0] == 1.0 || row[1] > 3.5 { Ok(row[1].floor()) } else { Err("no".to_owned()) }
    };
    let lines = [event("u", "visit", "2026-03-01T10:00:00Z"), event("u", "visit", "2026-03-01T22:00:00Z")];
    let found = changes(BANDS, 2, &lines, "2026-03-06T12:00:00Z", formula);
    assert_eq!(
        told(&found),
        [
            r#"2026-03-01T10:00:00.000Z null → "low" {"visits":1,"days_since(last_seen)":0,"score":0}"#,
            r#"2026-03-06T00:00:00.000Z "low" → "high" {"visits":0,"days_since(last_seen)":4.083333333333333,"score":4}"#,
        ]
    );
    // By both events, at 22:00 of three days, when the visits left at midnight, and a day later.
    assert_eq!(*asked.lock().unwrap(), 7);
}

#[test]
fn no_entity_is_scored_by_what_is_not_known() {
    let catalog = format!("history: partial\n{BANDS}");
    let lines = [
        event("v", "other", "2026-03-01T09:00:00Z"),
        event("u", "visit", "2026-03-01T10:00:00Z"),
        event("u", "visit", "2026-03-03T12:00:00Z"),
    ];
    let found = changes(&catalog, 2, &lines, "2026-03-06T12:00:00Z", |row| Ok(row[0]));
    let u: Vec<Value> = found.into_iter().filter(|change| change["key"] == "u").collect();
    // The window of three days is known three days after the first event.
    assert_eq!(
        told(&u),
        [r#"2026-03-04T09:00:00.000Z null → "high" {"visits":2,"days_since(last_seen)":0.875,"score":2}"#]
    );
}

#[test]
fn a_tag_without_its_model_is_never_on() {
    let catalog = load(BANDS).catalog.unwrap();
    let programs = CompiledCatalog::new(catalog);
    assert!(programs.user().models.of(TagId(0)).is_none());
    let mut replay = Replay::new(&programs, Timestamp::from_ms(NOW_MS), None);
    let mut changes = Collected::default();
    replay.line(event("u", "visit", "2026-03-01T10:00:00Z").as_bytes(), &mut changes);
    assert_eq!(changes.0, Vec::<Value>::new());
}
