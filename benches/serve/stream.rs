//! Events of a gym with a shop, for the catalog of the engine's bench: every user a few, then all of them at random.

use tagstream::model::Timestamp;

/// Lines a batch.
const BATCH: usize = 50_000;
/// 2026-01-01T00:00:00Z
const START_MS: i64 = 1_767_225_600_000;
/// Each user has an event in this time, in the first part.
const ROUND_MS: i64 = 3 * 86_400_000;

pub struct Stream {
    users: usize,
    /// Events of the first part that are left.
    left: usize,
    clock_ms: i64,
    random: fastrand::Rng,
    number: u64,
}

impl Stream {
    pub fn new(users: usize, rounds: usize) -> Self {
        let random = fastrand::Rng::with_seed(1);
        Stream { users, left: users * rounds, clock_ms: START_MS, random, number: 0 }
    }

    /// The next events of the first part, in which the users come in turns.
    pub fn first(&mut self) -> Option<Vec<Vec<u8>>> {
        let count = self.left.min(BATCH);
        self.left -= count;
        let lines: Vec<Vec<u8>> = (0..count)
            .map(|_| {
                self.clock_ms = START_MS + (i128::from(self.number) * i128::from(ROUND_MS) / self.users as i128) as i64;
                let user = self.number as usize % self.users;
                self.line(user)
            })
            .collect();
        (!lines.is_empty()).then_some(lines)
    }

    /// Users at random, a thousand events a second of event time.
    pub fn next(&mut self, count: usize) -> Vec<Vec<u8>> {
        let mut line = |_| {
            self.clock_ms += 1;
            let user = self.random.usize(..self.users);
            self.line(user)
        };
        (0..count).map(&mut line).collect()
    }

    fn line(&mut self, user: usize) -> Vec<u8> {
        const CATEGORIES: [&str; 6] = ["shoes", "food", "mats", "bands", "bottles", "shirts"];
        let event_type = match self.random.u8(..100) {
            0..60 => "workout",
            60..90 => "purchase",
            90..95 => "referral",
            95..98 => "profile_updated",
            _ => "member_renewed",
        };
        let category = self.random.choice(CATEGORIES).unwrap_or("shoes");
        let (amount, gender) = (self.random.u32(1..200), if user.is_multiple_of(2) { "f" } else { "m" });
        self.number += 1;
        serde_json::json!({
            "id": format!("{:016x}", self.number), "type": event_type, "user_id": key(user),
            "timestamp": Timestamp::from_ms(self.clock_ms).to_string(),
            "properties": { "category": category, "amount": amount, "gender": gender, "until": "2026-09-01T00:00:00Z" },
        })
        .to_string()
        .into_bytes()
    }
}

pub fn key(user: usize) -> String {
    format!("u-{user:08}")
}
