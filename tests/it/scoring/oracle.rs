//! Random events under scores with and without bands, against a naive reading of the contract that looks at every user at
//! every instant that could matter.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tagstream::model::Timestamp;

use super::reevaluation::changes;

const HOUR_MS: i64 = 3_600_000;
const START_MS: i64 = 1_772_323_200_000;
const REFRESH_MS: i64 = 5 * HOUR_MS;
const WINDOW_HOURS: i64 = 6;

const CATALOG: &str = r#"
version: 1
attributes: { plan: { from: plan, value: properties.plan, type: number } }
counters:
  visits: { count: visit, window: 6h, resolution: 1h }
  last: { last: time, on: visit }
tags:
  banded:
    score: &score
      model: m.onnx
      refresh: 5h
      output: y
      inputs:
        - visits: visits
        - silent: hours_since(last)
        - odd: hours_since(last_seen) % 3 < 1
        - plan: plan
    bands: [{ name: a, below: 1 }, { name: b, below: 2 }, { name: c }]
    margin: 0.25
  plain:
    score: *score
"#;

fn formula(row: &[f64]) -> Result<f64, String> {
    let plan = if row[3].is_nan() { 0.75 } else { row[3] };
    // Absent as long as there was no visit.
    Ok(0.5 * row[0] + row[1] / 8.0 + row[2] / 4.0 + plan)
}

/// A user as the contract has it.
#[derive(Default)]
struct User {
    visits: Vec<i64>,
    last_seen: i64,
    plan: Option<f64>,
    /// When the score was made, and of what.
    scored: Option<(i64, Vec<Option<i64>>)>,
    score: Option<f64>,
    band: Option<usize>,
    seq: u64,
}

impl User {
    fn count(&self, now: i64) -> i64 {
        let least = now.div_euclid(HOUR_MS) - WINDOW_HOURS;
        self.visits.iter().filter(|at| at.div_euclid(HOUR_MS) >= least).count() as i64
    }

    fn look(&mut self, key: &str, now: i64, cause: &str, changes: &mut Vec<Value>) {
        let last = self.visits.iter().max().copied();
        let plan_bits = self.plan.map(|plan| (plan * 1e6) as i64);
        let watched = vec![Some(self.count(now)), last, Some(self.last_seen), plan_bits];
        let is_due = self.scored.as_ref().is_none_or(|(at, of)| *of != watched || now >= at + REFRESH_MS);
        if !is_due {
            return;
        }
        self.scored = Some((now, watched));
        let hours = |at: i64| (now - at) as f64 / HOUR_MS as f64;
        let odd = f64::from(u8::from(hours(self.last_seen) % 3.0 < 1.0));
        let row = [self.count(now) as f64, last.map_or(f64::NAN, hours), odd, self.plan.unwrap_or(f64::NAN)];
        let score = formula(&row).ok().filter(|score| !score.is_nan());
        let mut tell = |tag: &str, from: Value, to: Value| {
            if from != to {
                self.seq += 1;
                let at = Timestamp::from_ms(now).to_string();
                changes.push(json!([key, self.seq, tag, at, from, to, cause]));
            }
        };
        let name = |band: Option<usize>| band.map_or(Value::Null, |band| ["a", "b", "c"][band].into());
        let band = score.map(|score| banded(score, self.band));
        tell("banded", name(self.band), name(band));
        tell("plain", self.score.into(), score.into());
        (self.band, self.score) = (band, score);
    }
}

fn banded(score: f64, current: Option<usize>) -> usize {
    const BOUNDS: [f64; 2] = [1.0, 2.0];
    const MARGIN: f64 = 0.25;
    let plain = BOUNDS.iter().filter(|bound| score >= **bound).count();
    let Some(current) = current else { return plain };
    let up = current < 2 && score >= BOUNDS[current] + MARGIN;
    let down = current > 0 && score <= BOUNDS[current - 1] - MARGIN;
    if up || down { plain } else { current }
}

struct Event {
    user: usize,
    at: i64,
    plan: Option<f64>,
}

/// Every change, the ones of a user in their order; users one after the other.
fn expected(events: &[Event], end: i64) -> Vec<Value> {
    let mut all = Vec::new();
    let users: BTreeSet<usize> = events.iter().map(|event| event.user).collect();
    for index in users {
        let (mut user, key) = (User::default(), format!("u{index}"));
        let mut now = i64::MIN;
        let pass = |user: &mut User, now: &mut i64, to: i64, all: &mut Vec<Value>| {
            while let Some((at, _)) = &user.scored {
                let next = (at + REFRESH_MS).min((now.div_euclid(HOUR_MS) + 1) * HOUR_MS);
                if next > to {
                    break;
                }
                *now = next;
                user.look(&key, next, "timer", all);
            }
        };
        for event in events.iter().filter(|event| event.user == index) {
            pass(&mut user, &mut now, event.at, &mut all);
            now = event.at;
            user.last_seen = event.at;
            match event.plan {
                Some(plan) => user.plan = Some(plan),
                None => user.visits.push(event.at),
            }
            user.look(&key, now, "event", &mut all);
        }
        pass(&mut user, &mut now, end, &mut all);
    }
    all
}

fn check(seed: u64) -> usize {
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut at = START_MS;
    let mut events = Vec::new();
    for _ in 0..dice.u64(5..45) {
        // Now and then at the same instant, or at a whole hour.
        at += match dice.u64(0..5) {
            0 => 0,
            1 => HOUR_MS - at.rem_euclid(HOUR_MS),
            2 => dice.i64(0..600_000),
            3 => REFRESH_MS,
            _ => dice.i64(0..30 * HOUR_MS),
        };
        let plan = (dice.u64(0..4) == 0).then(|| f64::from(dice.u32(..8)) / 4.0);
        events.push(Event { user: dice.usize(..3), at, plan });
    }
    let end = at + 40 * HOUR_MS;
    let line = |event: &Event| {
        let kind = if event.plan.is_some() { "plan" } else { "visit" };
        let user = format!("u{}", event.user);
        json!({ "user_id": user, "type": kind, "timestamp": event.at, "properties": { "plan": event.plan } })
            .to_string()
    };
    let lines: Vec<String> = events.iter().map(line).collect();
    let found = changes(CATALOG, 4, &lines, &Timestamp::from_ms(end).to_string(), formula);
    let mut by_user: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for change in &found {
        let key = change["key"].as_str().unwrap().to_owned();
        let told = json!([
            key,
            change["seq"],
            change["tag"],
            change["at"],
            change["previous"],
            change["value"],
            change["cause"]
        ]);
        by_user.entry(key).or_default().push(told);
    }
    let found: Vec<Value> = by_user.into_values().flatten().collect();
    let expected = expected(&events, end);
    for (found, expected) in found.iter().zip(&expected) {
        assert!(same(found, expected), "seed {seed}\n engine {found}\n oracle {expected}\n{}", lines.join("\n"));
    }
    assert_eq!(found.len(), expected.len(), "seed {seed}\n{}", lines.join("\n"));
    found.len()
}

/// Equality with numbers compared as doubles.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        _ => a == b,
    }
}

#[test]
fn the_engine_scores_as_the_contract_says() {
    let changes: usize = (0..300).map(check).sum();
    assert!(changes > 5_000, "only {changes} changes: the cases test little");
}
