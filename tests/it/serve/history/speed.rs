//! How much the store takes in, and how fast it answers: prints figures. `TAGSTREAM_CHANGES` says how many changes.

use std::time::Instant;

use serde_json::{Value, json};
use tagstream::model::Timestamp;
use tagstream::serve::history::{ChangeQuery, HistoryReader, HistoryWriter, SegmentLimits};

use super::{Directory, TOPIC, change, deadline, place};

/// A hundred changes each, of five million.
const ENTITIES: u64 = 50_000;
const TAGS: u64 = 20;
const A_TRANSACTION: u64 = 100_000;

#[test]
#[ignore = "prints figures; run it by name, in a release build"]
fn figures() {
    let changes: u64 = std::env::var("TAGSTREAM_CHANGES").ok().and_then(|n| n.parse().ok()).unwrap_or(5_000_000);
    let directory = Directory::new("speed");
    let limits = SegmentLimits::of_history(std::time::Duration::from_secs(400 * 86_400));
    let mut writer = HistoryWriter::open(&directory.0, TOPIC, limits).expect("a store");
    let (mut random, mut spent, mut batch) = (1_u64, 0.0, Vec::new());
    let mut next = 0;
    while next < changes {
        batch.clear();
        for n in next..(next + A_TRANSACTION).min(changes) {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (entity, tag) = ((random >> 33) % ENTITIES, (random >> 13) % TAGS);
            let values = if n % 2 == 0 { (Value::Null, json!(true)) } else { (json!(true), Value::Null) };
            // 400 days.
            let at_ms = 1_700_000_000_000 + (n as f64 / changes as f64 * 34.56e9) as i64;
            batch.push(change(&format!("user-{entity}"), &format!("tag_{tag}"), n, at_ms, values, "event"));
        }
        let began = Instant::now();
        for record in &batch {
            writer.add(record).expect("a row");
        }
        next += batch.len() as u64;
        writer.commit(&place(next as usize)).expect("a commit");
        spent += began.elapsed().as_secs_f64();
        if next.is_multiple_of(1_000_000) {
            println!("{next} changes: {:.0} a second so far", next as f64 / spent);
        }
    }
    let bytes: u64 =
        std::fs::read_dir(&directory.0).expect("a folder").flatten().map(|e| e.metadata().expect("a size").len()).sum();
    println!("{:.0} bytes a change", bytes as f64 / changes as f64);
    drop(writer);
    // A reader that has nothing in its memory.
    let reader = HistoryReader::new(&directory.0);
    let mut took: Vec<f64> = (0..200)
        .map(|n| {
            let key = format!("user-{}", n * 977 % ENTITIES);
            let query = ChangeQuery {
                kind: "user",
                key: &key,
                from: Timestamp::MIN,
                to: Timestamp::FOREVER,
                tag: None,
                limit: 100,
            };
            let began = Instant::now();
            let found = reader.read(deadline(), |view| view.changes(&query)).expect("changes");
            assert!(!found.is_empty());
            began.elapsed().as_secs_f64() * 1_000.0
        })
        .collect();
    took.sort_by(f64::total_cmp);
    println!("the last 100 changes of an entity: median {:.2} ms, 99 of 100 within {:.2} ms", took[100], took[197]);
    let end = Timestamp::from_ms(1_700_000_000_000 + 34_560_000_000);
    for days in [1, 7, 30] {
        let (began, mut count) = (Instant::now(), 0_u64);
        reader
            .read(deadline(), |view| view.undo(("user", "tag_3"), end.plus(-days * 86_400_000), |_, _| count += 1))
            .expect("values");
        println!("a tag {days} days ago: {:.1} ms for {count} entities", began.elapsed().as_secs_f64() * 1_000.0);
    }
}
