//! What the model makes of many random cases: a feature that never shows in a change is one that no case tests.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use serde_json::Value;

use super::{Case, Feature, Features, NOW_MS, case, case_with, sharp, sharp_with, shrink};
use crate::reference::{Outcome, replay, replay_looking};

type Tally = BTreeMap<String, usize>;

fn run(case: &Case) -> Outcome {
    replay(&case.catalog, &case.lines, NOW_MS, case.until)
}

/// Counts changes by what had a part in them.
fn count(catalog: &str, outcome: &Outcome, tally: &mut Tally) {
    let catalog: Value = serde_saphyr::from_str(catalog).expect("a YAML file");
    let mut seen = |what: String| *tally.entry(what).or_default() += 1;
    seen(format!("case {}", if outcome.changes.is_empty() { "without a change" } else { "with changes" }));
    seen(format!("case in {}", catalog.get("timezone").and_then(Value::as_str).unwrap_or("UTC")));
    if catalog.get("history").is_some() {
        seen(format!(
            "partial history {}",
            if outcome.changes.is_empty() { "without a change" } else { "with changes" }
        ));
    }
    outcome.rejects.iter().for_each(|reject| seen(format!("reject {}", reject.reason)));
    for change in &outcome.changes {
        let word = |member: &str| change[member].as_str().expect("a text");
        let how = format!("{} by {}", word("change"), word("cause"));
        let tag = catalog["tags"][word("tag")].as_object().expect("a tag");
        let parts: Vec<&str> =
            tag.keys().map(String::as_str).filter(|key| !matches!(*key, "title" | "group" | "entity")).collect();
        seen(format!("tag {}: {how}", parts.join("+")));
        seen(format!("entity {} by {}", word("entity"), word("cause")));
        for name in change["because"].as_object().expect("a map").keys() {
            if let Some((function, _)) = name.split_once('(') {
                seen(format!("call {function} by {}", word("cause")));
            } else if let Some(counter) = catalog["counters"].get(name) {
                seen(format!("counter {} by {}", described(counter), word("cause")));
                for modifier in ["each", "since", "ago"].into_iter().filter(|word| counter.get(word).is_some()) {
                    seen(format!("counter with {modifier} by {}", word("cause")));
                }
            } else if let Some(attribute) = catalog["attributes"].get(name) {
                let kind = attribute.get("type").and_then(Value::as_str).unwrap_or("of no declared type");
                seen(format!("attribute {kind}"));
            } else {
                seen(if name.starts_with("tag.") {
                    "tag used by a tag".to_owned()
                } else {
                    format!("built in {name}")
                });
            }
        }
    }
}

fn described(counter: &Value) -> String {
    let aggregate = counter.as_object().expect("a map").keys().next().expect("an aggregate");
    let window = match counter.get("window") {
        None if counter.get("calendar").is_some() => "calendar",
        None => "lifetime",
        Some(Value::String(length)) if length == "lifetime" => "lifetime",
        Some(Value::String(_)) => "rolling",
        Some(_) => "calendar",
    };
    format!("{aggregate} {window}")
}

/// Draws cases until everything that is wanted has shown, and fails if it does not within these seeds.
fn expect_all(name: &str, seeds: Range<u64>, draw: &[fn(u64) -> Case], wanted: &[String]) {
    let started = Instant::now();
    let mut tally = Tally::new();
    let missing = |tally: &Tally| wanted.iter().filter(|what| !tally.contains_key(*what)).cloned().collect::<Vec<_>>();
    for seed in seeds.clone() {
        for draw in draw {
            let case = draw(seed);
            let outcome = catch_unwind(AssertUnwindSafe(|| run(&case)));
            let outcome = outcome.unwrap_or_else(|_| panic!("{name} seed {seed} with\n{}", case.catalog));
            count(&case.catalog, &outcome, &mut tally);
        }
        if missing(&tally).is_empty() {
            println!("{name}: all has shown by seed {seed}, after {:?}", started.elapsed());
            return;
        }
    }
    tally.iter().for_each(|(what, times)| println!("  {times:7} {what}"));
    panic!("{name}: no case of {seeds:?} tests {:?}", missing(&tally));
}

#[test]
fn broad_cases_show_every_aggregate_over_every_window() {
    let mut wanted = Vec::new();
    for aggregate in ["count", "sum", "avg", "min", "max", "distinct", "active_days", "last", "first", "top"] {
        for window in ["lifetime", "rolling", "calendar"] {
            let causes: &[&str] = if window == "lifetime" { &["event"] } else { &["event", "timer"] };
            wanted.extend(causes.iter().map(|cause| format!("counter {aggregate} {window} by {cause}")));
        }
    }
    expect_all("broad", 0..2000, &[case], &wanted);
}

#[test]
fn sharp_cases_show_every_call_by_timer() {
    let ways = ["since", "until"].map(|way| ["days", "hours", "minutes", "seconds"].map(|unit| (unit, way)));
    let wanted = ways.concat().into_iter().map(|(unit, way)| format!("call {unit}_{way} by timer"));
    expect_all("sharp", 0..2000, &[sharp], &wanted.collect::<Vec<_>>());
}

#[test]
fn cases_with_features_show_all_of_them() {
    let mut wanted = Vec::new();
    for kind in ["user", "account", "shop", "team"] {
        let causes = ["event", "timer", "command", "erased", "forgotten"];
        wanted.extend(causes.map(|cause| format!("entity {kind} by {cause}")));
    }
    let more = [
        "tag manual: added by command",
        "tag manual: changed by command",
        "tag manual: removed by command",
        "tag manual: removed by timer",
        "tag manual: removed by erased",
        "tag when: added by command",
        "tag stages: removed by forgotten",
        "reject missing_key",
        "partial history with changes",
    ];
    wanted.extend(more.map(str::to_owned));
    let mut when = |feature: Feature, texts: &[&str]| {
        if Features::ALL.has(feature) {
            wanted.extend(texts.iter().map(|text| (*text).to_owned()));
        }
    };
    let sessions = [
        "counter sessions rolling by timer",
        "counter sessions calendar by timer",
        "counter sessions lifetime by event",
    ];
    when(Feature::Sessions, &sessions);
    let sequences = [
        "counter sequence rolling by timer",
        "counter sequence calendar by timer",
        "counter sequence lifetime by event",
    ];
    when(Feature::Sequence, &sequences);
    when(Feature::Each, &["counter with each by event", "counter with each by timer"]);
    when(Feature::Since, &["counter with since by event", "counter with since by timer"]);
    when(Feature::Ago, &["counter with ago by event", "counter with ago by timer"]);
    let calls = ["dates_since", "dates_until", "years_since", "dates_to_anniversary"];
    let calls = calls.map(|call| format!("call {call} by timer"));
    when(Feature::Dates, &calls.each_ref().map(String::as_str));
    when(Feature::Dates, &["attribute date"]);
    when(Feature::Share, &["call share by timer"]);
    let draw: [fn(u64) -> Case; 2] = [|seed| case_with(seed, Features::ALL), |seed| sharp_with(seed, Features::ALL)];
    expect_all("cases with features", 0..1000, &draw, &wanted);
}

#[test]
fn a_partial_history_makes_a_difference_and_then_none() {
    let (mut different, mut same) = (0, 0);
    for seed in 0..300 {
        let case = case_with(seed, Features::ALL);
        if case.catalog.contains("history: \"partial\"") {
            let complete =
                Case { catalog: case.catalog.replace("history: \"partial\"", "history: complete"), ..case.clone() };
            let (partial, complete) = (run(&case).changes, run(&complete).changes);
            *if partial == complete { &mut same } else { &mut different } += 1;
            // In the end the two say the same of most tags, where most windows are short.
            assert!(partial.len() <= complete.len() + 5, "seed {seed}: {} and {}", partial.len(), complete.len());
        }
    }
    println!("partial histories: {different} different, {same} the same");
    assert!(different > 20);
}

#[test]
fn looking_more_often_changes_nothing() {
    for seed in 0..60 {
        let case = match seed % 4 {
            0 => case(seed),
            1 => sharp(seed),
            2 => case_with(seed, Features::ALL),
            _ => sharp_with(seed, Features::ALL),
        };
        let outcome = run(&case);
        // Around every change, and one instant at random in between.
        let at = |change: &Value| change["at"].as_str().expect("a text").parse::<jiff::Timestamp>().expect("a time");
        let changed: BTreeSet<i64> = outcome.changes.iter().map(|change| at(change).as_millisecond()).collect();
        let near: BTreeSet<i64> = changed.iter().flat_map(|ms| ms - 2..=ms + 2).collect();
        let mut chance = fastrand::Rng::with_seed(seed);
        let mut looks = |from: i64, to: i64| {
            let mut instants: BTreeSet<i64> = near.range(from + 1..=to).copied().collect();
            instants.insert(chance.i64(from + 1..=to));
            instants.into_iter().collect()
        };
        let looked = replay_looking(&case.catalog, &case.lines, NOW_MS, case.until, &mut looks);
        assert_eq!(looked.changes, outcome.changes, "seed {seed} with\n{}", case.catalog);
    }
}

#[test]
fn looking_at_every_millisecond_changes_nothing() {
    const SPAN_MS_MAX: i64 = 15_000;
    const ENOUGH: usize = 4;
    let (mut looked_at, mut seed) = (0, 0);
    while looked_at < ENOUGH {
        let mut case = sharp(seed);
        case.lines.truncate(20);
        case.until = None;
        let mut span_ms = 0;
        let outcome = replay_looking(&case.catalog, &case.lines, NOW_MS, None, &mut |from, to| {
            span_ms += to - from;
            Vec::new()
        });
        if span_ms <= SPAN_MS_MAX {
            let mut looks = |from: i64, to: i64| (from + 1..=to).collect();
            let looked = replay_looking(&case.catalog, &case.lines, NOW_MS, None, &mut looks);
            assert_eq!(looked.changes, outcome.changes, "seed {seed} with\n{}", case.catalog);
            looked_at += 1;
        }
        seed += 1;
        assert!(seed < 1500, "only {looked_at} cases span so little time");
    }
    println!("{looked_at} cases with every millisecond looked at, by seed {seed}");
}

#[test]
fn a_failing_case_is_made_small() {
    let removed_by_timer = |case: &Case| {
        let of_interest = |change: &Value| change["change"] == "removed" && change["cause"] == "timer";
        run(case).changes.iter().any(of_interest)
    };
    let large = (0..).map(case).find(removed_by_timer).expect("a case");
    let small = shrink(large, &removed_by_timer);
    assert!(small.lines.len() <= 2, "{small:?}");
    assert_eq!(small.catalog.matches("\n  t").count(), 1, "{}", small.catalog);
}
