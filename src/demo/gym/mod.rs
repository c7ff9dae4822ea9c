//! Generates the events of an invented gym with a shop: what its members do, as event lines in the order of time.
//!
//! - `shop`: the items for sale;
//! - `rhythm`: weekdays, opening hours and the hours at which people train;
//! - `diary`: a day's events, sorted and written as JSON lines;
//! - `member`: what one member does in a day.
//!
//! All randomness comes from one seed, so the same plan gives the same events.

mod shop;
mod rhythm;
mod diary;
mod member;

use std::collections::VecDeque;

use fastrand::Rng;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, ToSpan};

use diary::Diary;
pub use diary::GymEvent;
use member::Member;
use rhythm::Day;

use crate::model::{DAY_MS, Timestamp};

/// The parameters of a gym.
#[derive(Clone, Debug)]
pub struct GymPlan {
    pub members: u32,
    pub days: u32,
    pub seed: u64,
    /// The instant after the last event; the gym opens `days` earlier.
    pub end: Timestamp,
    /// Where the gym stands.
    pub zone: TimeZone,
}

impl GymPlan {
    /// The instant at which the gym opens: no event is earlier.
    pub fn start(&self) -> Timestamp {
        self.end.plus(-i64::from(self.days) * DAY_MS)
    }
}

/// The events of a gym, day by day.
pub struct Gym {
    plan: GymPlan,
    rng: Rng,
    members: Vec<Member>,
    date: Date,
    /// Counts the days from the first, which is 0.
    day: u32,
    diary: Diary,
    /// The rest of the day that was generated last.
    today: VecDeque<GymEvent>,
}

impl Gym {
    pub fn new(plan: GymPlan) -> Self {
        let mut rng = Rng::with_seed(plan.seed);
        let members = (0..plan.members).map(|number| Member::new(number, plan.days, &mut rng)).collect();
        // The day on which the plan starts has already begun: the gym opens on the next one.
        let started_on = instant(plan.start()).to_zoned(plan.zone.clone()).date();
        let date = started_on.checked_add(1.day()).unwrap_or(started_on);
        Gym { plan, rng, members, date, day: 0, diary: Diary::default(), today: VecDeque::new() }
    }

    /// Generates the next day of all members; false after the last one.
    fn live(&mut self) -> bool {
        let Ok(midnight) = self.date.to_zoned(self.plan.zone.clone()) else {
            return false;
        };
        let midnight = Timestamp::from_ms(midnight.timestamp().as_millisecond());
        if midnight >= self.plan.end {
            return false;
        }
        let day = Day { number: self.day, weekday: self.date.weekday(), midnight };
        for number in 0..self.members.len() {
            self.members[number].live(&day, &mut self.rng, &mut self.diary);
            if self.members[number].recommends(&day, &mut self.rng) {
                self.invite(number, &day);
            }
        }
        let (start, end) = (self.plan.start(), self.plan.end);
        self.today.extend(self.diary.close().filter(|event| event.time >= start && event.time < end));
        self.day += 1;
        match self.date.checked_add(1.day()) {
            Ok(date) => self.date = date,
            Err(_) => return false,
        }
        true
    }

    /// A member recommends the gym to a friend; about half of the friends come.
    fn invite(&mut self, number: usize, day: &Day) {
        let friend = self.rng.usize(..self.members.len());
        let host = self.members[number].key();
        if friend == number || !self.members[friend].is_still_to_come(day) {
            return;
        }
        let guest = self.members[friend].key();
        self.members[number].recommend(&guest, day, &mut self.rng, &mut self.diary);
        if self.rng.bool() {
            self.members[friend].come_soon(host, day, &mut self.rng);
        }
    }
}

impl Iterator for Gym {
    type Item = GymEvent;

    fn next(&mut self) -> Option<GymEvent> {
        while self.today.is_empty() {
            if !self.live() {
                return None;
            }
        }
        self.today.pop_front()
    }
}

fn instant(at: Timestamp) -> Instant {
    Instant::from_millisecond(at.ms()).unwrap_or_default()
}
