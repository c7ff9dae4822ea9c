//! Random streams of few users who send much, with ids that come again: more ids than are read one by one.

use serde_json::json;

use super::dice::Dice;
use super::{Case, yaml};

/// How many lines a case has: enough for hundreds of ids that are remembered at a time.
const LINES: usize = 900;

/// 2026-03-02T10:00:00Z.
const START_MS: i64 = 1_772_445_600_000;

/// A case for de-duplication alone.
pub fn repeats(seed: u64) -> Case {
    let mut dice = Dice::new(seed ^ 0x1d5e_0000_0000);
    let mut catalog = json!({
        "version": 1,
        "input": { "dedup": dice.pick(&["1s", "1m", "10m", "10m", "1h", "1h"]) },
        "counters": { "n": { "count": "*" }, "m": { "count": "*", "window": "1m" } },
        "tags": {
            "n": { "value": "n" },
            "busy": { "when": "m >= 10" },
            "quiet": { "when": "seconds_since(last_seen) >= 30" },
        },
    });
    if dice.one_in(2) {
        catalog["input"]["dedup_limit"] = dice.pick(&[1, 5, 63, 100, 150, 400]).into();
    }
    let (mut now, mut sent) = (START_MS, 0);
    let lines = (0..LINES).map(|_| {
        now += match dice.number(0, 199) {
            0 => 3_600_000,
            1 => 300_000,
            2..=60 => 0,
            _ => dice.number(0, 1_500),
        };
        let user = if dice.one_in(8) { "v" } else { "u" };
        let event_type = if dice.one_in(300) { "$erase" } else { "a" };
        let id = if dice.one_in(3) { sent - dice.number(0, 500).min(sent) } else { sent };
        sent += 1;
        let line = json!({ "user_id": user, "type": event_type, "timestamp": now, "id": id });
        line.to_string().into_bytes()
    });
    Case { lines: lines.collect(), catalog: yaml::write(&catalog), until: None }
}
