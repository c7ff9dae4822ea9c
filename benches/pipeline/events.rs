//! The events of the pipeline's bench: the same for everybody who measures, from their number alone.
//!
//! Customers visit a shop, and buy at every fourth visit; 25,000 events a day. A tenth of the customers sends almost half of
//! the events. Each event is a JSON object of exactly 206 bytes.

use std::fmt::Write;

use tagstream::model::Timestamp;

pub const USERS: usize = 200_000;
pub const EVENT_BYTES: usize = 206;
/// 2025-01-01T00:00:00Z
const START_MS: i64 = 1_735_689_600_000;
const PACE_MS: i64 = 86_400_000 / 25_000;

/// An event, and whose it is.
pub struct Event {
    pub user: usize,
    pub line: Vec<u8>,
}

/// So many events, in the order of their times.
pub fn events(count: usize) -> impl Iterator<Item = Event> {
    let mut random = fastrand::Rng::with_seed(1);
    (0..count).map(move |number| {
        let at = START_MS + number as i64 * PACE_MS;
        let user = (USERS as f64 * random.f64().powi(3)) as usize;
        Event { user, line: line(number, user, at, &mut random) }
    })
}

fn line(number: usize, user: usize, at_ms: i64, random: &mut fastrand::Rng) -> Vec<u8> {
    const CATEGORIES: [&str; 6] = ["shoes", "food", "mats", "bands", "bottles", "shirts"];
    let event_type = if random.u8(..4) == 0 { "purchase" } else { "visit" };
    let (cents, category) = (random.u32(500..20_000), random.choice(CATEGORIES).unwrap_or("shoes"));
    let mut line = String::with_capacity(EVENT_BYTES);
    let _ = write!(
        line,
        r#"{{"id":"{number:016x}","type":"{event_type}","user_id":"u-{user:08}","timestamp":"{}","properties":{{"category":"{category}","amount":{}.{:02},"quantity":{},"session":""#,
        Timestamp::from_ms(at_ms),
        cents / 100,
        cents % 100,
        1 + user % 3,
    );
    const END: &str = "\"}}";
    while line.len() < EVENT_BYTES - END.len() {
        line.push(random.digit(16));
    }
    line.push_str(END);
    line.into_bytes()
}
