//! When people do things: the days of the week, the hours of a day, the hours at which the doors are open.

use fastrand::Rng;
use jiff::civil::Weekday;

use crate::model::Timestamp;

/// A local day of the gym.
pub struct Day {
    /// Counts from the day on which the gym opened, which is 0.
    pub number: u32,
    pub weekday: Weekday,
    pub midnight: Timestamp,
}

/// A minute of the day, from midnight.
pub type Minute = i64;

impl Day {
    /// The instant of a minute of this day, at some second of it.
    pub fn at(&self, minute: Minute, rng: &mut Rng) -> Timestamp {
        self.midnight.plus(minute * 60_000 + rng.i64(0..60_000))
    }

    /// The minutes at which the doors are open.
    pub fn opening(&self) -> std::ops::Range<Minute> {
        match self.weekday {
            Weekday::Saturday | Weekday::Sunday => 9 * 60..19 * 60,
            _ => 6 * 60..22 * 60,
        }
    }

    /// How full the gym is, beside an average day: full on Mondays, half empty on Sundays.
    pub fn pull(&self) -> f64 {
        match self.weekday {
            Weekday::Monday => 1.25,
            Weekday::Tuesday => 1.15,
            Weekday::Wednesday => 1.10,
            Weekday::Thursday => 1.05,
            Weekday::Friday => 0.85,
            Weekday::Saturday => 0.95,
            Weekday::Sunday => 0.65,
        }
    }

    /// A minute at which someone sits with the app in hand: from seven to eleven at night.
    pub fn app_minute(&self, rng: &mut Rng) -> Minute {
        rng.i64(7 * 60..23 * 60)
    }
}

/// The part of the day at which a member likes to train.
#[derive(Clone, Copy, Debug)]
pub enum Habit {
    BeforeWork,
    LunchBreak,
    AfterWork,
}

impl Habit {
    pub fn of_somebody(rng: &mut Rng) -> Self {
        match rng.u32(..10) {
            0..3 => Habit::BeforeWork,
            3 => Habit::LunchBreak,
            _ => Habit::AfterWork,
        }
    }

    /// The minute at which this member comes through the door on a day.
    pub fn arrival(self, day: &Day, rng: &mut Rng) -> Minute {
        let opening = day.opening();
        let usual = match (self, day.weekday) {
            (_, Weekday::Saturday | Weekday::Sunday) => 11 * 60,
            (Habit::BeforeWork, _) => 7 * 60 + 15,
            (Habit::LunchBreak, _) => 12 * 60 + 15,
            (Habit::AfterWork, _) => 18 * 60 + 30,
        };
        // The sum of three dice: most come close to their hour, some do not.
        let off = (0..3).map(|_| rng.i64(-50..=50)).sum::<i64>();
        (usual + off).clamp(opening.start, opening.end - 45)
    }
}
