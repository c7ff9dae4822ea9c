//! What a counter may be that has not seen its whole window: every value that the unseen events could still give it.

use std::collections::BTreeSet;

use super::catalog::{Aggregate, Counter};
use super::counter::Taken;
use super::decimal::{COUNTED_MAX, ONE};
use super::evaluate::calculate;
use super::expression::{Arithmetic, Name};
use super::number::Number;
use super::possible::{ENDLESS, Possible};
use super::range::May;
use super::value::Value;
use super::window::{NEVER, Window};
use super::zone::Zone;

impl Counter {
    /// All that the counter may be at a clock; `added` is the clock at which it was added, after which nothing was
    /// missed, or `None` where nothing ever was.
    pub fn possible(&self, zone: &Zone, taken: &[Taken], clock: i64, added: Option<i64>) -> Possible {
        let seen = self.value(zone, taken, clock);
        let Some(added) = added.filter(|added| clock < self.window.complete(zone, *added)) else {
            return Possible::only(seen);
        };
        let held = self.held(zone, taken, clock);
        let none = May::is(held.is_empty());
        let number = match seen {
            Value::Number(number) => Some(number),
            _ => None,
        };
        let at_least = number.unwrap_or(Number::ZERO);
        let counted = (Number::Decimal(-COUNTED_MAX * ONE), Number::Decimal(COUNTED_MAX * ONE));
        let endless = (Number::Decimal(-ENDLESS * ONE), Number::Decimal(ENDLESS * ONE));
        match self.aggregate {
            Aggregate::Count => Possible::numbers(at_least, endless.1),
            Aggregate::Sum => Possible::numbers(endless.0, endless.1),
            Aggregate::Average => Possible::doubles(counted.0.double(), counted.1.double()).or_absent(none),
            Aggregate::Least => Possible::numbers(counted.0, number.unwrap_or(counted.1)).or_absent(none),
            Aggregate::Greatest => Possible::numbers(number.unwrap_or(counted.0), counted.1).or_absent(none),
            Aggregate::Distinct => Possible::numbers(at_least, Number::whole(self.limit)),
            Aggregate::ActiveDays => {
                let more = Number::whole(self.days_without(zone, &held, clock, added) as usize);
                Possible::numbers(at_least, calculate(Arithmetic::Add, at_least, more, false))
            }
            Aggregate::Top => Possible::any_text().or_absent(none),
            Aggregate::Last => {
                let begins = self.window.begins(zone, clock);
                let latest = held.iter().map(|one| one.time).max();
                let from = latest.map_or(begins, |latest| latest.max(begins));
                match latest {
                    Some(latest) if latest >= added => Possible::only(seen),
                    _ if from > added => Possible::only(seen),
                    _ if self.is_of_times() => Possible::times(from, added).or_absent(none),
                    _ => Possible::any_scalar().or_absent(none),
                }
            }
            Aggregate::First => {
                let begins = self.window.begins(zone, clock);
                let to = held.iter().map(|one| one.time).min().unwrap_or(added);
                match self.is_of_times() {
                    _ if begins > to => Possible::only(seen),
                    true => Possible::times(begins, to).or_absent(none),
                    false => Possible::any_scalar().or_absent(none),
                }
            }
        }
    }

    fn is_of_times(&self) -> bool {
        self.path == Some(Name::Fact("time".to_owned()))
    }

    /// How many local dates, up to that on which the counter was added, lie in the window and have no seen event.
    fn days_without(&self, zone: &Zone, held: &[&Taken], clock: i64, added: i64) -> i64 {
        let last = zone.day(added);
        let all = last - self.window.first_date(zone, clock) + 1;
        let seen: BTreeSet<i64> = held.iter().map(|one| one.local_date).filter(|date| *date <= last).collect();
        all.max(0) - seen.len() as i64
    }

    /// The first instant after the clock at which what may be unseen is less with no event.
    pub fn unseen_changes(&self, zone: &Zone, clock: i64, added: Option<i64>) -> i64 {
        let Some(complete) = added.map(|added| self.window.complete(zone, added)).filter(|end| clock < *end) else {
            return NEVER;
        };
        match (self.window, self.aggregate) {
            (Window::Rolling { .. }, Aggregate::ActiveDays | Aggregate::Last | Aggregate::First) => {
                complete.min(self.window.moves(zone, clock))
            }
            _ => complete,
        }
    }
}
