//! One member over time: joins, trains, tires, stays away, returns, buys, recommends, renews or lets the membership end.

use fastrand::Rng;

use super::diary::{Diary, PropertyValue};
use super::rhythm::{Day, Habit};
use super::shop;
use crate::model::{DAY_MS, Timestamp};

const CLASSES: [&str; 7] = ["yoga", "spinning", "pilates", "boxing", "hiit", "zumba", "aqua"];
/// By class; some teach two.
const COACHES: [&str; 7] = ["lena", "jonas", "lena", "tariq", "mia", "sofia", "jonas"];
const GOALS: [&str; 4] = ["muscle", "weight", "endurance", "back"];

/// ```text
///                    tires                 no energy left
///          ┌──────▶ Fading ──────────────────────┐
///  joins ─▶│ Keen ◀────┘ a friend drags them in  ▼
///          │  ▲ └───── holiday ───────────────▶ Away ─▶ for good
///          │  └──────────── comes back ──────────┘
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mood {
    Keen,
    /// Energy falls from 1 to 0, and the visits with it.
    Fading {
        energy: f64,
    },
    Away {
        /// `None`: for good.
        back_on: Option<u32>,
    },
}

/// What a member has paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    Trial,
    Month,
    Quarter,
}

impl Plan {
    fn name(self) -> &'static str {
        match self {
            Plan::Trial => "trial",
            Plan::Month => "month",
            Plan::Quarter => "quarter",
        }
    }

    fn days(self) -> i64 {
        match self {
            Plan::Trial => 14,
            Plan::Month => 30,
            Plan::Quarter => 90,
        }
    }
}

pub(crate) struct Member {
    key: String,
    joins_on: u32,
    referred_by: Option<String>,
    plan: Plan,
    /// The end of what is paid for; before the first day it has no meaning.
    until: Timestamp,
    mood: Mood,
    /// Workouts a week at the best of times.
    keenness: f64,
    habit: Habit,
    favourite: usize,
    /// How long a session lasts, in minutes.
    stamina: i64,
    /// The chance to buy something on a visit.
    spends: f64,
    /// The chance to recommend the gym on a good day.
    sociable: f64,
    /// Something that will be sent back: on which day, and for how much.
    parcel: Option<(u32, i64)>,
    /// The end of a coupon that was claimed and not used.
    coupon: Option<Timestamp>,
}

impl Member {
    /// A future member. Half of them join in the opening week, the others over the following weeks.
    pub(crate) fn new(number: u32, days: u32, rng: &mut Rng) -> Self {
        let opening_week = (days / 8).clamp(1, 7);
        let later = (days * 4 / 5).max(1);
        let joins_on = if rng.bool() { rng.u32(..opening_week) } else { rng.u32(..later) };
        let plan = match rng.u32(..100) {
            0..20 => Plan::Trial,
            20..80 => Plan::Month,
            _ => Plan::Quarter,
        };
        let never_starts = rng.f64() < 0.08;
        Member {
            key: format!("u-{:04}", number + 1),
            joins_on,
            referred_by: None,
            plan,
            until: Timestamp::MIN,
            mood: if never_starts { away(joins_on, 8..30, rng) } else { Mood::Keen },
            keenness: 0.9 + 4.4 * rng.f64(),
            habit: Habit::random(rng),
            favourite: rng.usize(..CLASSES.len()),
            stamina: rng.i64(32..85),
            spends: 0.5 * rng.f64() * rng.f64(),
            sociable: 0.03 * rng.f64() * rng.f64(),
            parcel: None,
            coupon: None,
        }
    }

    pub(crate) fn key(&self) -> String {
        self.key.clone()
    }

    pub(crate) fn is_still_to_come(&self, day: &Day) -> bool {
        self.joins_on > day.number
    }

    /// A friend has told them about the gym.
    pub(crate) fn come_soon(&mut self, host: String, day: &Day, rng: &mut Rng) {
        self.joins_on = self.joins_on.min(day.number + rng.u32(1..=4));
        self.referred_by = Some(host);
    }

    /// What this member does on a day.
    pub(crate) fn live(&mut self, day: &Day, rng: &mut Rng, diary: &mut Diary) {
        if self.is_still_to_come(day) {
            return;
        }
        if day.number == self.joins_on {
            self.join(day, rng, diary);
            return;
        }
        self.mood = self.mood_of(day, rng);
        self.mind_membership(day, rng, diary);
        let paid = self.until > day.midnight.plus(DAY_MS);
        if paid && rng.f64() < self.energy() * day.pull() * self.keenness / 7.0 {
            self.train(day, rng, diary);
        } else if rng.f64() < self.energy() * self.spends / 8.0 {
            let at = day.at(day.app_minute(rng), rng);
            self.buy(day, at, rng, diary);
        }
        self.send_back(day, rng, diary);
        if self.energy() > 0.0 && rng.f64() < 0.02 {
            self.claim_coupon(day, rng, diary);
        }
        if self.energy() == 1.0 && rng.f64() < 0.004 {
            self.change_their_mind(day, rng, diary);
        }
    }

    /// How much of their keenness is left today.
    fn energy(&self) -> f64 {
        match self.mood {
            Mood::Keen => 1.0,
            Mood::Fading { energy } => energy,
            Mood::Away { .. } => 0.0,
        }
    }

    fn mood_of(&self, day: &Day, rng: &mut Rng) -> Mood {
        let chance = rng.f64();
        match self.mood {
            Mood::Keen if chance < 0.012 => Mood::Fading { energy: 0.8 },
            Mood::Keen if chance < 0.018 => away(day.number, 9..20, rng),
            Mood::Keen => Mood::Keen,
            Mood::Fading { .. } if chance < 0.04 => Mood::Keen,
            Mood::Fading { energy } if energy < 0.15 && rng.f64() < 0.3 => Mood::Away { back_on: None },
            Mood::Fading { energy } if energy < 0.15 => away(day.number, 6..32, rng),
            Mood::Fading { energy } => Mood::Fading { energy: energy * 0.84 },
            Mood::Away { back_on: Some(back_on) } if back_on <= day.number => Mood::Keen,
            Mood::Away { back_on } => Mood::Away { back_on },
        }
    }

    fn join(&mut self, day: &Day, rng: &mut Rng, diary: &mut Diary) {
        let minute = self.habit.arrival(day, rng);
        let at = day.at(minute, rng);
        self.until = at.plus(self.plan.days() * DAY_MS);
        let mut properties =
            vec![("plan", PropertyValue::Text(self.plan.name())), ("until", PropertyValue::Instant(self.until))];
        if let Some(host) = &self.referred_by {
            properties.push(("referred_by", PropertyValue::Text(host)));
        }
        diary.write(at, &self.key, "member_joined", &properties);
        if rng.f64() < 0.85 {
            self.fill_in_profile(day.at(minute + 6, rng), rng, diary);
        }
        if self.mood == Mood::Keen && rng.bool() {
            self.work_out(day.at(minute + 15, rng), rng, diary);
        }
    }

    fn fill_in_profile(&self, at: Timestamp, rng: &mut Rng, diary: &mut Diary) {
        let gender = ["female", "male", "other"][rng.usize(..21) / 10];
        let properties = [
            ("gender", PropertyValue::Text(gender)),
            ("birth_year", PropertyValue::Number(rng.i64(1955..2009))),
            ("goal", PropertyValue::Text(GOALS[rng.usize(..GOALS.len())])),
        ];
        diary.write(at, &self.key, "profile_updated", &properties);
    }

    /// Renews before the end or some days after it; the less they come, the less likely.
    fn mind_membership(&mut self, day: &Day, rng: &mut Rng, diary: &mut Diary) {
        let days_left = self.until.since(day.midnight) as f64 / DAY_MS as f64;
        let likes_it = 0.02 + 0.23 * self.energy();
        if !(-25.0..6.0).contains(&days_left) || rng.f64() >= likes_it {
            return;
        }
        if self.plan == Plan::Trial {
            self.plan = if rng.f64() < 0.7 { Plan::Month } else { Plan::Quarter };
        }
        let at = day.at(day.app_minute(rng), rng);
        self.until = self.until.max(at).plus(self.plan.days() * DAY_MS);
        let properties =
            [("plan", PropertyValue::Text(self.plan.name())), ("until", PropertyValue::Instant(self.until))];
        diary.write(at, &self.key, "member_renewed", &properties);
    }

    /// A visit: perhaps a class, booked some hours before; a workout; perhaps the shop.
    fn train(&mut self, day: &Day, rng: &mut Rng, diary: &mut Diary) {
        let arrival = self.habit.arrival(day, rng);
        if rng.f64() < 0.45 {
            let booked_at = (arrival - rng.i64(20..480)).max(0);
            let class = if rng.f64() < 0.65 { self.favourite } else { rng.usize(..CLASSES.len()) };
            let properties =
                [("class", PropertyValue::Text(CLASSES[class])), ("coach", PropertyValue::Text(COACHES[class]))];
            diary.write(day.at(booked_at, rng), &self.key, "class_booked", &properties);
        }
        let leaves_at = self.work_out(day.at(arrival, rng), rng, diary);
        if rng.f64() < self.spends {
            self.buy(day, leaves_at.plus(rng.i64(60_000..900_000)), rng, diary);
        }
    }

    /// Writes a workout at its end, and returns that time.
    fn work_out(&self, begins_at: Timestamp, rng: &mut Rng, diary: &mut Diary) -> Timestamp {
        let minutes = self.stamina + rng.i64(-12..=12);
        let ends_at = begins_at.plus(minutes * 60_000);
        let properties =
            [("minutes", PropertyValue::Number(minutes)), ("heart_rate", PropertyValue::Number(rng.i64(96..164)))];
        diary.write(ends_at, &self.key, "workout", &properties);
        if rng.f64() < 0.01 {
            diary.repeat_last();
        }
        ends_at
    }

    /// The app gives a coupon for the shop, for two weeks.
    fn claim_coupon(&mut self, day: &Day, rng: &mut Rng, diary: &mut Diary) {
        let at = day.at(day.app_minute(rng), rng);
        let until = at.plus(14 * DAY_MS);
        self.coupon = Some(until);
        diary.write(at, &self.key, "coupon_claimed", &[("until", PropertyValue::Instant(until))]);
    }

    fn buy(&mut self, day: &Day, at: Timestamp, rng: &mut Rng, diary: &mut Diary) {
        let item = shop::pick(rng);
        let properties = [
            ("item", PropertyValue::Text(item.name)),
            ("category", PropertyValue::Text(item.category)),
            ("amount", PropertyValue::Cents(item.cents)),
        ];
        diary.write(at, &self.key, "purchase", &properties);
        if self.coupon.is_some_and(|until| at < until) && rng.f64() < 0.7 {
            self.coupon = None;
            diary.write(at, &self.key, "coupon_used", &[]);
        }
        if item.category == "gear" && rng.f64() < 0.15 {
            self.parcel = Some((day.number + rng.u32(1..6), item.cents));
        }
    }

    /// What did not fit comes back: a purchase of less than nothing.
    fn send_back(&mut self, day: &Day, rng: &mut Rng, diary: &mut Diary) {
        if let Some((due_on, cents)) = self.parcel
            && due_on <= day.number
        {
            self.parcel = None;
            let properties = [("category", PropertyValue::Text("return")), ("amount", PropertyValue::Cents(-cents))];
            diary.write(day.at(day.app_minute(rng), rng), &self.key, "purchase", &properties);
        }
    }

    /// Another favourite class, another goal.
    fn change_their_mind(&mut self, day: &Day, rng: &mut Rng, diary: &mut Diary) {
        self.favourite = rng.usize(..CLASSES.len());
        let properties = [("goal", PropertyValue::Text(GOALS[rng.usize(..GOALS.len())]))];
        diary.write(day.at(day.app_minute(rng), rng), &self.key, "profile_updated", &properties);
    }

    /// Whether they tell a friend today.
    pub(crate) fn recommends(&self, day: &Day, rng: &mut Rng) -> bool {
        day.number > self.joins_on && self.mood == Mood::Keen && rng.f64() < self.sociable
    }

    pub(crate) fn recommend(&self, friend: &str, day: &Day, rng: &mut Rng, diary: &mut Diary) {
        diary.write(
            day.at(day.app_minute(rng), rng),
            &self.key,
            "referral",
            &[("friend", PropertyValue::Text(friend))],
        );
    }
}

/// Away for a number of days.
fn away(day: u32, days: std::ops::Range<u32>, rng: &mut Rng) -> Mood {
    Mood::Away { back_on: Some(day + rng.u32(days)) }
}
