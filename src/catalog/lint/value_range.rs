//! The range of numbers that an expression can have, in simple cases: for warnings about what never happens.

use crate::catalog::compiled::{
    Aggregate, CalendarFunction, CalendarUnit, Comparison, Counter, Expr, TimeName, Window,
};
use crate::model::Value;

/// All numbers from `least` to `most`, or all whole numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ValueRange {
    pub least: f64,
    pub most: f64,
    pub is_whole: bool,
}

impl ValueRange {
    /// The range of a counter, or of the time since a past event; `None` when it is not known.
    pub(super) fn of(expr: &Expr, counters: &[Counter]) -> Option<ValueRange> {
        match expr {
            Expr::Counter(id) => ValueRange::of_counter(&counters[usize::from(id.0)]),
            Expr::Share(_) => Some(ValueRange { least: 0.0, most: 1.0_f64.next_down(), is_whole: false }),
            Expr::Calendar(CalendarFunction::DatesToAnniversary, _) => {
                Some(ValueRange { least: 0.0, most: 365.0, is_whole: true })
            }
            Expr::Calendar(
                CalendarFunction::DatesSince | CalendarFunction::YearsSince,
                TimeName::FirstSeen | TimeName::LastSeen | TimeName::Counter(_),
            ) => Some(ValueRange { least: 0.0, most: f64::INFINITY, is_whole: true }),
            Expr::Since { of: TimeName::FirstSeen | TimeName::LastSeen | TimeName::Counter(_), .. } => {
                Some(ValueRange { least: 0.0, most: f64::INFINITY, is_whole: false })
            }
            _ => None,
        }
    }

    fn of_counter(counter: &Counter) -> Option<ValueRange> {
        let most = match counter.aggregate {
            Aggregate::Count => f64::INFINITY,
            Aggregate::Distinct { limit, .. } => f64::from(limit),
            Aggregate::ActiveDays => match counter.window {
                Window::Rolling { panes, .. } => f64::from(panes),
                Window::Calendar(CalendarUnit::Day) => 1.0,
                Window::Calendar(CalendarUnit::Week(_)) => 7.0,
                Window::Calendar(CalendarUnit::Month) => 31.0,
                Window::Calendar(CalendarUnit::Year) => 366.0,
                Window::Lifetime => f64::INFINITY,
            },
            _ => return None,
        };
        Some(ValueRange { least: 0.0, most, is_whole: true })
    }

    /// Whether a number of the range lies between `from` (included) and `to` (excluded).
    pub(super) fn meets(self, from: f64, to: f64) -> bool {
        let first = from.max(self.least);
        let first = if self.is_whole { first.ceil() } else { first };
        first < to && first <= self.most
    }

    /// The result of a comparison with `bound`, if it is the same for the whole range.
    pub(super) fn verdict(self, op: Comparison, bound: f64) -> Option<bool> {
        let (all_below, all_above) = (self.most < bound, self.least > bound);
        match op {
            Comparison::Less if all_below => Some(true),
            Comparison::Less if self.least >= bound => Some(false),
            Comparison::LessOrEqual if self.most <= bound => Some(true),
            Comparison::LessOrEqual if all_above => Some(false),
            Comparison::Greater if all_above => Some(true),
            Comparison::Greater if self.most <= bound => Some(false),
            Comparison::GreaterOrEqual if self.least >= bound => Some(true),
            Comparison::GreaterOrEqual if all_below => Some(false),
            Comparison::Equal if all_below || all_above || self.misses(bound) => Some(false),
            Comparison::NotEqual if all_below || all_above || self.misses(bound) => Some(true),
            _ => None,
        }
    }

    fn misses(self, bound: f64) -> bool {
        self.is_whole && bound.fract() != 0.0
    }
}

impl std::fmt::Display for ValueRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.most < 1.0 {
            write!(f, "lies from {} up to but not including 1", self.least)
        } else if self.most.is_finite() {
            write!(f, "lies between {} and {}", self.least, self.most)
        } else {
            write!(f, "is never less than {}", self.least)
        }
    }
}

/// The parts of a comparison with a number, turned so that the number is on the right.
pub(super) fn simple_comparison(expr: &Expr) -> Option<(&Expr, Comparison, f64)> {
    let Expr::Compare { op, sides, .. } = expr else { return None };
    match &**sides {
        [x, Expr::Literal(Value::Number(bound))] => Some((x, *op, bound.to_f64())),
        [Expr::Literal(Value::Number(bound)), x] => Some((x, op.mirrored(), bound.to_f64())),
        _ => None,
    }
}
