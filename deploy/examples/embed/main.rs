//! A program that embeds the engine: a gym's events go in, tag changes come out, and one member is explained.

use std::error::Error;

use tagstream::{Engine, TagChange, Timestamp};

/// As a file for `tagstream run` would say it.
const CATALOG: &str = r#"
version: 1
counters:
  workouts_30d: { count: workout, window: 30d }
  spend_30d:    { sum: properties.amount, on: purchase, window: 30d }
  last_active:  { last: time, on: "*" }
tags:
  active_member: { when: workouts_30d >= 3, until: workouts_30d < 2 }
  churn_risk:    { when: days_since(last_active) >= 14 }
  spend_level:
    value: spend_30d
    bands: [ { name: none, below: 1 }, { name: some, below: 100 }, { name: high } ]
"#;

/// What a message queue, a log file or a request would bring.
const RECORDS: [&str; 6] = [
    r#"{"user_id":"ada","type":"workout","timestamp":"2026-03-01T08:00:00Z"}"#,
    r#"{"user_id":"bob","type":"workout","timestamp":"2026-03-01T09:30:00Z"}"#,
    r#"{"user_id":"ada","type":"workout","timestamp":"2026-03-03T08:00:00Z"}"#,
    r#"{"user_id":"ada","type":"purchase","timestamp":"2026-03-03T08:10:00Z","properties":{"amount":49.9}}"#,
    r#"{"user_id":"bob","type":"workout"}"#,
    r#"{"user_id":"ada","type":"workout","timestamp":"2026-03-05T08:00:00Z"}"#,
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut engine = Engine::from_yaml(CATALOG)?;
    let now = Timestamp::parse("2026-03-05T08:00:01Z")?;
    for record in RECORDS {
        if let Err(rejected) = engine.apply_json(record.as_bytes(), now, print_change) {
            println!("rejected ({rejected}): {record}");
        }
    }

    // Nothing happens for three weeks. The changes bear the instants at which they become true.
    engine.advance(Timestamp::parse("2026-03-26T00:00:00Z")?, print_change);

    for tag in engine.tags("user", "ada").unwrap_or_default() {
        println!("ada has {} = {:?} since {}", tag.name, tag.value, tag.since);
    }
    for (counter, value) in engine.counters("user", "ada").unwrap_or_default() {
        println!("ada's {counter}: {value:?}");
    }
    if let Some(next) = engine.next_change("user", "ada") {
        println!("ada's next change: {} at {}: {:?}", next.tag, next.at, next.value);
    }
    if let Some(explanation) = engine.explain("user", "ada", "churn_risk") {
        for clause in explanation.sections.iter().flat_map(|section| &section.clauses) {
            println!("churn_risk: {} is {:?}", clause.text, clause.value);
        }
    }
    Ok(())
}

fn print_change(change: &TagChange<'_>) {
    println!("{} {} {} {}", change.at, change.key, change.tag, change.change_type().name());
}
