//! Recorded events for the catalog, written to a file: three months of users of whom some do a lot and most a little.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::catalog::{CATEGORIES, PLANS, TYPES};
use tagstream::model::Timestamp;

/// 2026-01-01T00:00:00Z
const START_MS: i64 = 1_767_225_600_000;
const DAY_MS: i64 = 86_400_000;
const LENGTH_MS: i64 = 90 * DAY_MS;

/// How many events a user has on average.
const EVENTS_A_USER: usize = 20;

/// How much each of the types happens, in thousandths.
const WEIGHTS: [u32; 12] = [300, 200, 120, 100, 80, 50, 30, 20, 20, 20, 40, 20];

pub fn users(events: usize) -> usize {
    (events / EVENTS_A_USER).max(1)
}

/// The lower the number the more they do.
pub fn key(user: usize) -> String {
    format!("u-{user:08}")
}

/// An instant after a share of the time.
pub fn instant(share: f64) -> Timestamp {
    Timestamp::from_ms(START_MS + (LENGTH_MS as f64 * share) as i64)
}

/// Writes so many events, and returns how many bytes they are.
pub fn write(path: &Path, events: usize) -> io::Result<u64> {
    let mut random = fastrand::Rng::with_seed(1);
    let mut file = BufWriter::new(File::create(path)?);
    for id in 0..events {
        let on_time = id as i64 * LENGTH_MS / events as i64;
        let late = if random.u8(..100) == 0 { random.i64(0..3_600_000) } else { 0 };
        let at = Timestamp::from_ms(START_MS + (on_time - late).max(0));
        let skewed = random.f64() * random.f64();
        let user = ((skewed * users(events) as f64) as usize).min(users(events) - 1);
        let key = key(user);
        let (amount, category) = (random.u32(100..10_000), CATEGORIES[random.usize(..CATEGORIES.len())]);
        if random.u8(..50) == 0 {
            let (plan, until) = (PLANS[random.usize(..PLANS.len())], at.plus(random.i64(1..120) * DAY_MS));
            let gender = if user.is_multiple_of(2) { "f" } else { "m" };
            writeln!(
                file,
                r#"{{"id":"{id:016x}","type":"profile","user_id":"{key}","timestamp":"{at}","properties":{{"plan":"{plan}","gender":"{gender}","until":"{until}"}}}}"#,
            )?;
            continue;
        }
        let kind = kind(random.u32(..1_000));
        writeln!(
            file,
            r#"{{"id":"{id:016x}","type":"{kind}","user_id":"{key}","timestamp":"{at}","properties":{{"category":"{category}","amount":{}.{:02},"device":"phone","quantity":{}}}}}"#,
            amount / 100,
            amount % 100,
            1 + user % 3,
        )?;
    }
    file.flush()?;
    Ok(std::fs::metadata(path)?.len())
}

fn kind(mut drawn: u32) -> &'static str {
    for (kind, weight) in TYPES.iter().zip(WEIGHTS) {
        match drawn.checked_sub(weight) {
            Some(rest) => drawn = rest,
            None => return kind,
        }
    }
    TYPES[0]
}
