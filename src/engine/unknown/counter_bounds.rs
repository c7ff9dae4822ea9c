//! The values that an incomplete counter may have: what was seen, and whatever the unseen part of its window could add.
//!
//! An unseen event came before the counter was added, so it is no later than that; and it lies in the window.

use super::abstract_value::AbstractValue;
use super::number_range::{NumberRange, greater_of, lesser_of};
use super::where_bounds::CountedRange;
use crate::catalog::{Arithmetic, CounterId, Intake, Source, TimeName};
use crate::engine::aggregate::{Reach, Readout, Series, SeriesType};
use crate::engine::expr::{Coverage, Evaluator, calculate};
use crate::engine::program::CounterPlan;
use crate::model::{Decimal, Number, Scalar, Timestamp};

/// 10²⁰: more events than any counter has, and beyond every integer with which a count is compared. Its multiples are
/// still decimals.
const COUNT_MAX: Decimal = Decimal::from_billionths(100_000_000_000 * 1_000_000_000 * 1_000_000_000);
/// More than any sum is: that of a billion of the largest numbers. Some hundred such sums can still be added.
const SUM_MAX: Decimal = Decimal::from_billionths(1_000_000_000_000_000 * 1_000_000_000 * 1_000_000_000);

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
        let between = |low: Number, high: Number| {
            if number == Some(low) && low == high {
                return AbstractValue::Fixed(seen);
            }
            AbstractValue::Numbers(NumberRange::between(low, high, number.is_none()))
        };
        let whole = |low: Number, high: Number| {
            if number == Some(low) && low == high {
                return AbstractValue::Fixed(seen);
            }
            AbstractValue::Numbers(NumberRange::whole(low, high, number.is_none()))
        };
        // An event that was not seen may have begun a session or a run, or kept one going.
        let is_joined = matches!(
            self.program.series[usize::from(plan.series.0)].intake,
            Intake::Sessions { .. } | Intake::Sequence { .. }
        );
        let CountedRange { low, high } = CountedRange::of(&self.program.catalog.counters[usize::from(id.0)]);
        match (plan.readout, number) {
            _ if is_joined => whole(Number::ZERO, Number::Decimal(COUNT_MAX)),
            (Readout::Count, _) => whole(number.unwrap_or(Number::ZERO), Number::Decimal(COUNT_MAX)),
            (Readout::Distinct, _) => whole(number.unwrap_or(Number::ZERO), self.distinct_max(plan)),
            (Readout::Days, _) => {
                let seen = number.unwrap_or(Number::ZERO);
                whole(seen, self.days_max(plan, seen, added))
            }
            (Readout::Sum, _) => {
                let seen = number.unwrap_or(Number::ZERO);
                let least = if low < Number::ZERO { Number::Decimal(SUM_MAX.negated()) } else { seen };
                let most = if high > Number::ZERO { Number::Decimal(SUM_MAX) } else { seen };
                between(least, most)
            }
            // An average is a double.
            (Readout::Average, seen) => {
                let (low, high) = (Number::Double(low.to_f64()), Number::Double(high.to_f64()));
                between(seen.map_or(low, |seen| lesser_of(seen, low)), seen.map_or(high, |seen| greater_of(seen, high)))
            }
            (Readout::Least, seen) => {
                let most = seen.unwrap_or(high);
                between(lesser_of(low, most), most)
            }
            (Readout::Greatest, seen) => {
                let least = seen.unwrap_or(low);
                between(least, greater_of(high, least))
            }
            (Readout::FirstOrLast, _) => self.possible_first_or_last(plan, added, seen),
            (Readout::Top, _) => AbstractValue::Text { absent: seen.is_absent() },
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

    fn distinct_max(&self, plan: CounterPlan) -> Number {
        match self.program.series[usize::from(plan.series.0)].series_type {
            SeriesType::Distinct { limit, .. } => Number::count(u64::from(limit)),
            _ => Number::Decimal(COUNT_MAX),
        }
    }

    /// On how many days of the window there were events at most: on those that were seen, and on all on which an unseen
    /// one could lie.
    fn days_max(&self, plan: CounterPlan, seen: Number, added: Timestamp) -> Number {
        let window = self.now.window(plan.frame);
        let least = match plan.frame.reach {
            Reach::Forever => plan.frame.grid.pane(Timestamp::OLDEST_EVENT, &self.program.zone),
            _ => window.least,
        };
        let present = self.now.pane(plan.frame.grid);
        let last = plan.frame.grid.pane(added, &self.program.zone).min(present).min(window.greatest);
        let without = last - least + 1 - self.entity_state.series(plan.series).days_between(least, last) as i64;
        match calculate(Arithmetic::Add, seen, Number::count(without.max(0) as u64)) {
            Scalar::Number(most) => most,
            _ => seen,
        }
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
