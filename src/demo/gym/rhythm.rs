//! When members do things: weekdays, hours of the day, opening hours.

use fastrand::Rng;
use jiff::civil::Weekday;

use crate::model::Timestamp;

/// A local day of the gym.
pub(crate) struct Day {
    /// 0 is the day on which the gym opened.
    pub number: u32,
    pub weekday: Weekday,
    pub midnight: Timestamp,
}

/// A minute of the day, from midnight.
pub(crate) type Minute = i64;

impl Day {
    /// The instant of a minute of this day, at some second of it.
    pub(crate) fn at(&self, minute: Minute, rng: &mut Rng) -> Timestamp {
        self.midnight.plus(minute * 60_000 + rng.i64(0..60_000))
    }

    /// The opening hours, in minutes.
    pub(crate) fn opening(&self) -> std::ops::Range<Minute> {
        match self.weekday {
            Weekday::Saturday | Weekday::Sunday => 9 * 60..19 * 60,
            _ => 6 * 60..22 * 60,
        }
    }

    /// The number of visits relative to an average day: most on Mondays, fewest on Sundays.
    pub(crate) fn pull(&self) -> f64 {
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

    /// A random minute at which members use the app: from 7:00 to 23:00.
    pub(crate) fn app_minute(&self, rng: &mut Rng) -> Minute {
        rng.i64(7 * 60..23 * 60)
    }
}

/// The part of the day at which a member likes to train.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Habit {
    BeforeWork,
    LunchBreak,
    AfterWork,
}

impl Habit {
    pub(crate) fn random(rng: &mut Rng) -> Self {
        match rng.u32(..10) {
            0..3 => Habit::BeforeWork,
            3 => Habit::LunchBreak,
            _ => Habit::AfterWork,
        }
    }

    /// The minute at which this member arrives on a day.
    pub(crate) fn arrival(self, day: &Day, rng: &mut Rng) -> Minute {
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
