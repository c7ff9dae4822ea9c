//! What each aggregate costs beside `count`: CPU time an event, with its decoding, and bytes a user.

use std::fmt::Write;

use tagstream::catalog;
use tagstream::codec::Decoder;
use tagstream::engine::{Partition, Program};
use tagstream::model::{Event, Timestamp};

use super::{Written, cpu_ns};

/// A counter each, over 30 days in panes of an hour, or over the lifetime.
const COUNTERS: [(&str, &str); 19] = [
    ("count", "{ count: buy, window: 30d }"),
    ("count, where", "{ count: buy, window: 30d, where: properties.amount > 20 }"),
    ("sum", "{ sum: properties.amount, on: buy, window: 30d }"),
    ("avg", "{ avg: properties.amount, on: buy, window: 30d }"),
    ("max", "{ max: properties.amount, on: buy, window: 30d }"),
    ("distinct", "{ distinct: properties.page, on: buy, window: 30d }"),
    ("active_days", "{ active_days: buy, window: 30d }"),
    ("last", "{ last: properties.page, on: buy }"),
    ("top", "{ top: properties.page, on: buy, window: 30d }"),
    ("count, ago", "{ count: buy, window: 15d, ago: 15d }"),
    ("count, since", "{ count: buy, window: 30d, since: { on: buy, where: properties.amount > 95 } }"),
    ("sessions", "{ sessions: buy, gap: 30m, window: 30d }"),
    ("sequence of 2", "{ sequence: [buy, { on: buy, where: properties.amount > 50 }], within: 1d, window: 30d }"),
    ("sequence of 8", "{ sequence: [buy, buy, buy, buy, buy, buy, buy, buy], within: 30d, window: 30d }"),
    ("sum of a formula", "{ sum: properties.amount * 0.81 + 1, on: buy, window: 30d }"),
    ("count, each", "{ count: buy, each: properties.items, window: 30d }"),
    ("sum, each", "{ sum: item.price, on: buy, each: properties.items, window: 30d }"),
    ("formula, each", "{ sum: item.price * item.quantity, on: buy, each: properties.items, window: 30d }"),
    ("top, each", "{ top: item.name, on: buy, each: properties.items, window: 30d }"),
];

const USERS: usize = 20_000;
const ROUNDS: usize = 20;
const HOUR_MS: i64 = 3_600_000;

/// Prints a line for each aggregate. An event has an array of three elements.
pub fn print() {
    println!("{:>18}  {:>14}  {:>8}  {:>13}", "aggregate", "ns CPU/event", "to count", "bytes/user");
    let mut first = None;
    for (name, counter) in COUNTERS {
        let (ns, bytes) = measure(counter);
        let first = *first.get_or_insert(ns);
        println!("{name:>18}  {ns:>14.0}  {:>8.2}  {bytes:>13}", ns / first);
    }
}

/// Nanoseconds an event, and bytes a user, after 20 events of each user over 20 days.
fn measure(counter: &str) -> (f64, usize) {
    let loaded =
        catalog::load(&format!("version: 1\ncounters: {{ x: {counter} }}\ntags: {{ t: {{ when: has(x) }} }}\n"));
    let program = Program::new(loaded.catalog.unwrap_or_else(|| panic!("{counter}: {:?}", loaded.problems)));
    let (mut decoder, mut partition) = (Decoder::new(&program.catalog), Partition::new(program));
    let (mut event, mut sink, mut ns) = (Event::default(), Written::default(), 0);
    let mut random = fastrand::Rng::with_seed(1);
    for round in 0..ROUNDS {
        let lines: Vec<String> = (0..USERS).map(|user| line(user, round, &mut random)).collect();
        let began = cpu_ns();
        for line in &lines {
            decoder.decode(line.as_bytes(), Timestamp::MAX, &mut event).expect("the event is right");
            partition.apply(&event, &mut sink);
        }
        ns += cpu_ns() - began;
    }
    (ns as f64 / (USERS * ROUNDS) as f64, partition.bytes() / USERS)
}

fn line(user: usize, round: usize, random: &mut fastrand::Rng) -> String {
    let at = super::START_MS + round as i64 * 24 * HOUR_MS + (user as i64 * 24 * HOUR_MS) / USERS as i64;
    let (amount, page) = (random.u32(0..10_000), random.u8(0..9));
    let mut line = format!(
        r#"{{"user_id":"user-{user}","type":"buy","timestamp":{at},"properties":{{"amount":{}.{:02},"page":"p{page}","items":["#,
        amount / 100,
        amount % 100
    );
    for item in 0..3 {
        let (comma, price, name) = (if item > 0 { "," } else { "" }, random.u32(0..1_000), random.u8(0..9));
        // Writing to a string does not fail.
        let _ = write!(line, r#"{comma}{{"name":"n{name}","price":{price}.5,"quantity":{}}}"#, item + 1);
    }
    line.push_str("]}}");
    line
}
