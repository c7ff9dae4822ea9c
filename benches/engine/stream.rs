//! Events of a gym with a shop: every user a few over the last months, then all of them at random.

use std::fmt::Write;

use tagstream::model::Timestamp;

/// Lines a batch: enough to time, few enough to stay out of the engine's way.
const BATCH: usize = 50_000;

/// 2026-01-01T00:00:00Z
pub const START_MS: i64 = 1_767_225_600_000;
const DAY_MS: i64 = 86_400_000;

pub struct Stream {
    start_ms: i64,
    users: usize,
    rounds: usize,
    /// The next event of the warm-up.
    next: usize,
    clock_ms: i64,
    random: fastrand::Rng,
    lines: Vec<Vec<u8>>,
    id: u64,
}

impl Stream {
    pub fn new(start_ms: i64, users: usize, rounds: usize) -> Self {
        Stream {
            users,
            rounds,
            next: 0,
            start_ms,
            clock_ms: start_ms,
            random: fastrand::Rng::with_seed(1),
            lines: Vec::new(),
            id: 0,
        }
    }

    /// Each user once a round, a round every three days.
    pub fn warm_up(&mut self) -> Option<&[Vec<u8>]> {
        let total = self.users * self.rounds;
        if self.next >= total {
            return None;
        }
        let end = (self.next + BATCH).min(total);
        let round_ms = 3 * DAY_MS;
        self.lines.clear();
        for event in self.next..end {
            self.clock_ms = self.start_ms + (event as i128 * i128::from(round_ms) / self.users as i128) as i64;
            let user = event % self.users;
            self.push(user);
        }
        self.next = end;
        Some(&self.lines)
    }

    /// Users at random, a thousand events a second of event time.
    pub fn next_batch(&mut self) -> &[Vec<u8>] {
        self.lines.clear();
        for _ in 0..BATCH {
            self.clock_ms += 1;
            let user = self.random.usize(..self.users);
            self.push(user);
        }
        &self.lines
    }

    fn push(&mut self, user: usize) {
        const CATEGORIES: [&str; 6] = ["shoes", "food", "mats", "bands", "bottles", "shirts"];
        let kind = match self.random.u8(..100) {
            0..60 => "workout",
            60..90 => "purchase",
            90..95 => "referral",
            95..98 => "profile_updated",
            _ => "member_renewed",
        };
        let (amount, category) = (self.random.u32(100..20_000), self.random.choice(CATEGORIES).unwrap_or("shoes"));
        self.id += 1;
        let mut line = String::with_capacity(240);
        let _ = write!(
            line,
            r#"{{"id":"{:016x}","type":"{kind}","user_id":"u-{user:08}","timestamp":"{}","properties":{{"category":"{category}","amount":{}.{:02},"quantity":{},"gender":"{}","until":"2026-09-01T00:00:00Z"}}}}"#,
            self.id,
            Timestamp::from_ms(self.clock_ms),
            amount / 100,
            amount % 100,
            1 + user % 3,
            if user.is_multiple_of(2) { "f" } else { "m" },
        );
        self.lines.push(line.into_bytes());
    }
}
