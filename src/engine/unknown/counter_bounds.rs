//! The values that an incomplete counter may have: what was seen, and whatever the unseen part of its window could add.
//!
//! An unseen event came before the counter was added, so it is no later than that; and it lies in the window.

use super::abstract_value::{AbstractValue, NumberRange};
use crate::catalog::{CounterId, Intake, Source, TimeName};
use crate::engine::aggregate::{Reach, Readout, Series, SeriesType};
use crate::engine::expr::{Coverage, Evaluator};
use crate::engine::program::CounterPlan;
use crate::model::{Scalar, Timestamp};

/// More events than any counter has.
const COUNT_MAX: f64 = 1e18;
/// Numbers beyond this do not count in `avg`, `min`, `max` and `sum` (spec 3).
const MAGNITUDE_MAX: f64 = 1e12;
const SUM_MAX: f64 = COUNT_MAX * MAGNITUDE_MAX;

impl<'a> Evaluator<'a> {
    /// The coverage, where a counter is incomplete. A counter that was reset holds nothing of what was not seen.
    pub(crate) fn incomplete(&self, id: CounterId) -> Option<&'a Coverage> {
        let coverage = self.coverage.filter(|coverage| !coverage.is_complete(id, self.now.at))?;
        let was_reset = self.entity_state.memory(self.program.counter(id).series).has_reset();
        (!was_reset).then_some(coverage)
    }

    pub(crate) fn possible_time(&self, name: TimeName) -> AbstractValue<'a> {
        match name {
            TimeName::Counter(id) => self.possible_counter(id),
            _ => AbstractValue::Fixed(self.time(name).value),
        }
    }

    pub(crate) fn possible_counter(&self, id: CounterId) -> AbstractValue<'a> {
        let seen = self.counter(id).value;
        let Some(coverage) = self.incomplete(id) else { return AbstractValue::Fixed(seen) };
        let plan = self.program.counter(id);
        let added = coverage.seen_since(plan.series);
        let number = match seen {
            Scalar::Number(number) => Some(number),
            _ => None,
        };
        let between = |low: f64, high: f64| {
            if number == Some(low) && low == high {
                return AbstractValue::Fixed(seen);
            }
            AbstractValue::Numbers(NumberRange::between(low, high, number.is_none()))
        };
        // An event that was not seen may have begun a session or a run, or kept one going.
        let is_joined = matches!(
            self.program.series[usize::from(plan.series.0)].intake,
            Intake::Sessions { .. } | Intake::Sequence { .. }
        );
        match (plan.readout, number) {
            _ if is_joined => between(0.0, COUNT_MAX),
            (Readout::Count, _) => between(number.unwrap_or(0.0), COUNT_MAX),
            (Readout::Distinct, _) => between(number.unwrap_or(0.0), self.distinct_max(plan)),
            (Readout::Days, _) => between(number.unwrap_or(0.0), number.unwrap_or(0.0) + self.unseen_days(plan, added)),
            (Readout::Sum, _) => between(-SUM_MAX, SUM_MAX),
            (Readout::Average, _) => between(-MAGNITUDE_MAX, MAGNITUDE_MAX),
            (Readout::Least, seen) => between(-MAGNITUDE_MAX, seen.unwrap_or(MAGNITUDE_MAX)),
            (Readout::Greatest, seen) => between(seen.unwrap_or(-MAGNITUDE_MAX), MAGNITUDE_MAX),
            (Readout::FirstOrLast, _) => self.possible_first_or_last(plan, added, seen),
            (Readout::Top, _) => AbstractValue::Anything { absent: seen.is_absent() },
        }
    }

    /// Until when the bounds of a counter stay as they are.
    pub(crate) fn counter_limit(&self, id: CounterId) -> Timestamp {
        let held = self.counter(id).until;
        let Some(coverage) = self.incomplete(id) else { return held };
        let plan = self.program.counter(id);
        let slides = match plan.readout {
            Readout::Days => true,
            Readout::FirstOrLast => self.of_time(plan).is_some(),
            _ => false,
        };
        let next_pane = || plan.frame.grid.start(self.now.pane(plan.frame.grid) + 1, &self.program.zone);
        let slid = if slides { next_pane() } else { Timestamp::FOREVER };
        held.min(coverage.complete_at(id)).min(slid)
    }

    fn distinct_max(&self, plan: CounterPlan) -> f64 {
        match self.program.series[usize::from(plan.series.0)].series_type {
            SeriesType::Distinct { limit, .. } => f64::from(limit),
            _ => COUNT_MAX,
        }
    }

    /// On how many days of the window an unseen event could lie.
    fn unseen_days(&self, plan: CounterPlan, added: Timestamp) -> f64 {
        let window = self.now.window(plan.frame);
        let least = match plan.frame.reach {
            Reach::Forever => plan.frame.grid.pane(Timestamp::OLDEST_EVENT, &self.program.zone),
            _ => window.least,
        };
        let present = self.now.pane(plan.frame.grid);
        let last = plan.frame.grid.pane(added, &self.program.zone).min(present).min(window.greatest);
        let seen = self.entity_state.series(plan.series).days_between(least, last);
        (last - least + 1 - seen as i64).max(0) as f64
    }

    /// Whether a counter shows the time of the latest event (`true`) or of the earliest (`false`); `None` where it
    /// shows values.
    fn of_time(&self, plan: CounterPlan) -> Option<bool> {
        match self.program.series[usize::from(plan.series.0)].series_type {
            SeriesType::Latest(Source::Time) => Some(true),
            SeriesType::Earliest(Source::Time) => Some(false),
            _ => None,
        }
    }

    fn possible_first_or_last(&self, plan: CounterPlan, added: Timestamp, seen: Scalar<'a>) -> AbstractValue<'a> {
        let least = self.now.least(plan.frame);
        let series = self.entity_state.series(plan.series);
        let is_latest = matches!(series, Series::Latest(_));
        if is_latest && series.latest_time(least).is_some_and(|time| time >= added) {
            return AbstractValue::Fixed(seen);
        }
        let begins = match plan.frame.reach {
            Reach::Forever => Timestamp::OLDEST_EVENT,
            _ => plan.frame.grid.start(least, &self.program.zone),
        };
        if begins > added {
            return AbstractValue::Fixed(seen);
        }
        let (low, high, absent) = match (self.of_time(plan), seen) {
            (None, _) => return AbstractValue::Anything { absent: seen.is_absent() },
            (Some(true), Scalar::Time(time)) => (begins.max(time), added, false),
            (Some(false), Scalar::Time(time)) => (begins, time, false),
            (Some(_), _) => (begins, added, true),
        };
        if low >= high && !absent { AbstractValue::Fixed(seen) } else { AbstractValue::Times { low, high, absent } }
    }
}
