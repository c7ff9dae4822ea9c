//! Sends the gym's events to a Kafka of one's own, where the service of `tagstream run` reads them.
//!
//! The history goes first, as fast as the brokers take it and before a service reads: a partition that is read to its end
//! follows the wall clock, and events of weeks ago would then be late. What happens from now on is sent by another process.
//! Both make the same events of the same plan, which begins and ends at midnight, so each sends its own part of them.

use std::thread;
use std::time::Duration;

use super::gym::{Gym, GymPlan};
use super::{CATALOG, DemoError};
use crate::catalog;
use crate::kafka::Feed;
use crate::model::{DAY_MS, Timestamp};

/// For how many days there are events after today.
const DAYS_AHEAD: u32 = 30;
/// How many events are on their way at most.
const BATCH: u64 = 10_000;

/// Which events of the plan are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// All until now, at once.
    UntilNow,
    /// Those that come, each at its time.
    FromNowOn,
}

/// What `tagstream demo --feed` sends, and where to.
#[derive(Clone, Debug)]
pub struct OutsideFeed {
    pub brokers: String,
    pub topic: String,
    pub members: u32,
    /// How many days there are before today.
    pub days: u32,
    pub seed: u64,
    pub period: Period,
}

impl OutsideFeed {
    /// Sends the events, and returns how many.
    ///
    /// # Errors
    /// The brokers do not take an event.
    pub fn run(&self, now: Timestamp) -> Result<u64, DemoError> {
        let gym = Gym::new(self.plan(now)?);
        let mut feed = Feed::to(&self.brokers, &self.topic)?;
        match self.period {
            Period::UntilNow => send_all(gym, &mut feed, now),
            Period::FromNowOn => send_in_time(gym, &mut feed, now),
        }
    }

    /// From midnight to midnight in UTC: the same for every process of a day.
    fn plan(&self, now: Timestamp) -> Result<GymPlan, DemoError> {
        let catalog = catalog::load(CATALOG).catalog.ok_or(DemoError::Catalog)?;
        let midnight = now.ms() - now.ms().rem_euclid(DAY_MS);
        let end = Timestamp::from_ms(midnight).plus(i64::from(DAYS_AHEAD) * DAY_MS);
        let days = self.days + DAYS_AHEAD;
        Ok(GymPlan { members: self.members, days, seed: self.seed, end, zone: catalog.timezone.clone() })
    }
}

fn send_all(gym: Gym, feed: &mut Feed, now: Timestamp) -> Result<u64, DemoError> {
    let mut sent = 0;
    for event in gym.take_while(|event| event.time < now) {
        feed.send(&event.key, &event.line)?;
        sent += 1;
        if sent % BATCH == 0 {
            feed.settle()?;
        }
    }
    feed.settle()?;
    Ok(sent)
}

/// `began` is the wall clock at the start; from then on a monotonic clock counts.
fn send_in_time(gym: Gym, feed: &mut Feed, began: Timestamp) -> Result<u64, DemoError> {
    let start = std::time::Instant::now();
    let mut sent = 0;
    for event in gym.skip_while(|event| event.time < began) {
        let due = Duration::from_millis(event.time.since(began).unsigned_abs());
        thread::sleep(due.saturating_sub(start.elapsed()));
        feed.send(&event.key, &event.line)?;
        feed.settle()?;
        sent += 1;
    }
    Ok(sent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::EmbeddedBroker;

    #[test]
    fn processes_of_one_day_have_the_same_plan() {
        let feed = |period| OutsideFeed {
            brokers: String::new(),
            topic: String::new(),
            members: 20,
            days: 3,
            seed: 1,
            period,
        };
        let lines = |now: i64, period| -> Vec<String> {
            let plan = feed(period).plan(Timestamp::from_ms(now)).expect("a plan");
            Gym::new(plan).map(|event| event.line).collect()
        };
        let midnight = 1_772_323_200_000;
        let morning = lines(midnight + 1_000, Period::UntilNow);
        assert!(morning.len() > 20);
        assert_eq!(morning, lines(midnight + DAY_MS - 1, Period::FromNowOn));
        assert_ne!(morning, lines(midnight + DAY_MS, Period::FromNowOn));
    }

    #[test]
    fn events_are_sent_at_their_time_from_the_start_on() {
        let end = Timestamp::from_ms(1_772_323_200_000);
        let plan = GymPlan { members: 2_000, days: 3, seed: 1, end, zone: jiff::tz::TimeZone::UTC };
        let events: Vec<_> = Gym::new(plan.clone()).collect();
        let close = |pair: &[crate::demo::gym::GymEvent]| pair[1].time.since(pair[0].time) < 500;
        let first = events.windows(2).skip(100).position(close).expect("two events in half a second") + 100;
        let began = events[first].time;

        let broker = EmbeddedBroker::start(&[("events", 1)]).expect("a broker");
        let mut feed = Feed::to(&broker.address(), "events").expect("a feed");
        let mut tail = broker.tail("events", 1).expect("a tail");
        // It sends until the gym closes, in days; the process of the test ends before.
        thread::spawn(move || send_in_time(Gym::new(plan), &mut feed, began).map_err(|error| error.to_string()));
        let mut seen = Vec::new();
        while seen.len() < 2 {
            seen.extend(tail.next(Duration::from_secs(1)).expect("a record"));
        }
        let sent: Vec<&[u8]> = seen.iter().map(Vec::as_slice).collect();
        assert_eq!(sent, [events[first].line.as_bytes(), events[first + 1].line.as_bytes()]);
    }
}
