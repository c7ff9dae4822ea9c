//! Scores under a changed catalog: what stands, what is made anew, and what is told of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tagstream::catalog::load;
use tagstream::engine::CompiledCatalog;
use tagstream::model::Timestamp;
use tagstream::replay::Replay;
use tagstream::scoring::{Models, Scorer, SlowModelPolicy};

use crate::engine::agreement::{Collected, NOW_MS};

const BEFORE: &str = r#"
version: 1
counters: { visits: { count: visit } }
tags:
  t:
    score: { model: m.onnx, inputs: [visits: visits, silent: days_since(last_seen)], output: y, refresh: 30d }
    bands: [{ name: low, below: 1 }, { name: mid, below: 5 }, { name: high }]
"#;

const RULE: &str = "version: 1\ncounters: { visits: { count: visit } }\ntags: { t: { when: visits >= 2 } }\n";

/// Counts how often it is asked.
fn programs(text: &str, asked: &Arc<AtomicUsize>) -> Arc<CompiledCatalog> {
    let loaded = load(text);
    let mut models = Models::default();
    for places in &loaded.models {
        let asked = Arc::clone(asked);
        let formula = move |row: &[f64]| {
            asked.fetch_add(1, Ordering::Relaxed);
            Ok(row[0] + row[1])
        };
        models.insert(places.tag, Scorer::of_formula(places.names.len(), SlowModelPolicy::Wait, formula));
    }
    CompiledCatalog::with_models(loaded.catalog.unwrap_or_else(|| panic!("{:#?}", loaded.problems)), models)
}

/// What two visits and then, a day later, another catalog make: the changes under that one, and how often it was asked.
fn adopted(before: &str, after: &str) -> (Vec<Value>, usize) {
    let asked = Arc::new(AtomicUsize::new(0));
    let (before, after) = (programs(before, &asked), programs(after, &asked));
    let mut replay = Replay::new(&before, Timestamp::from_ms(NOW_MS), None);
    let mut changes = Collected::default();
    for at in ["2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z"] {
        let line = json!({ "user_id": "u", "type": "visit", "timestamp": at }).to_string();
        replay.line(line.as_bytes(), &mut changes);
    }
    replay.advance(Timestamp::parse("2026-03-02T11:00:00Z").unwrap(), &mut changes);
    asked.store(0, Ordering::Relaxed);
    let mut changes = Collected::default();
    let user = after.catalog.user();
    replay.partition_set_mut().partition_mut(user).switch_catalog(Arc::clone(after.of(user)), BTreeSet::new());
    replay.advance(Timestamp::parse("2026-03-02T12:00:00Z").unwrap(), &mut changes);
    let told = |change: &Value| {
        assert_eq!(change["cause"], "catalog");
        json!([whole(&change["previous"]), whole(&change["value"]), whole(&change["because"]["score"])])
    };
    (changes.0.iter().map(told).collect(), asked.load(Ordering::Relaxed))
}

/// A number as it was when the catalog changed: the entity's turn comes a millisecond later.
fn whole(value: &Value) -> Value {
    value.as_f64().map_or_else(|| value.clone(), |number| json!(number.round() as i64))
}

#[test]
fn a_score_stands_and_is_put_into_other_bands() {
    assert_eq!(adopted(BEFORE, BEFORE), (vec![], 0));
    assert_eq!(adopted(BEFORE, &BEFORE.replace("below: 5", "below: 2")), (vec![json!(["mid", "high", 2])], 0));
    let more = "bands: [{ name: none, below: 0 }, { name: low, below: 1 }, { name: mid, below: 5 }, { name: high }]";
    let renumbered = BEFORE.replace("bands: [{ name: low, below: 1 }, { name: mid, below: 5 }, { name: high }]", more);
    assert_eq!(adopted(BEFORE, &renumbered), (vec![], 0));
}

#[test]
fn another_question_has_another_answer() {
    let silence = BEFORE.replace("silent: days_since(last_seen)", "silent: 10 * days_since(last_seen)");
    assert_eq!(adopted(BEFORE, &silence), (vec![json!(["mid", "high", 12])], 1));
    let renamed = BEFORE.replace("name: mid", "name: middle");
    assert_eq!(adopted(BEFORE, &renamed), (vec![json!(["mid", "middle", 3])], 1));
    assert_eq!(adopted(BEFORE, &BEFORE.replace("output: y", "output: z")), (vec![], 1));
}

#[test]
fn other_kinds_of_tag_become_scores_and_scores_become_others() {
    assert_eq!(adopted(RULE, BEFORE), (vec![json!([true, "mid", 3])], 1));
    assert_eq!(adopted(BEFORE, RULE), (vec![json!(["mid", true, null])], 0));
    let plain = BEFORE.lines().filter(|line| !line.contains("bands")).collect::<Vec<_>>().join("\n");
    assert_eq!(adopted(BEFORE, &plain), (vec![json!(["mid", 3, 3])], 1));
    assert_eq!(adopted(&plain, BEFORE), (vec![json!([2, "mid", 3])], 1));
    assert_eq!(adopted(&plain, &plain), (vec![], 0));
}
