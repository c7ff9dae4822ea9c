//! In which direction a condition can change when a series grows by an event.
//!
//! A count that has grown is at every later instant at least what it would have been without the event, and the latest
//! event is later. Where a condition follows this in one direction only, an event can change it in that direction only.

use super::plan::{CounterPlan, SeriesId};
use crate::catalog::{Arithmetic, CalendarFunction, Comparison, CounterId, Expr, Source, TimeName};
use crate::engine::aggregate::{Readout, SeriesType};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Monotonicity {
    /// The series does not enter the expression.
    Constant,
    /// Only upward; for conditions: towards true.
    Increasing,
    Decreasing,
    /// Either way, or unknown.
    Mixed,
}

impl Monotonicity {
    fn and(self, other: Monotonicity) -> Monotonicity {
        match (self, other) {
            (Monotonicity::Constant, other) => other,
            (this, Monotonicity::Constant) => this,
            (this, other) if this == other => this,
            _ => Monotonicity::Mixed,
        }
    }

    fn flipped(self) -> Monotonicity {
        match self {
            Monotonicity::Increasing => Monotonicity::Decreasing,
            Monotonicity::Decreasing => Monotonicity::Increasing,
            same => same,
        }
    }
}

/// A series that grows.
#[derive(Clone, Copy, Debug)]
pub(super) struct GrowingSeries<'a> {
    pub series: SeriesId,
    pub series_type: SeriesType,
    pub counters: &'a [CounterPlan],
}

impl GrowingSeries<'_> {
    /// Whether it is the time of the latest event.
    pub(super) fn is_latest_time(&self) -> bool {
        self.series_type == SeriesType::Latest(Source::Time)
    }

    pub(super) fn is_read_by(&self, counter: CounterId) -> bool {
        self.counters[usize::from(counter.0)].series == self.series
    }

    /// The direction of a condition while the series grows and none of its counters is absent.
    pub(super) fn condition(&self, expr: &Expr) -> Monotonicity {
        match expr {
            Expr::Compare { op, sides, .. } => {
                let difference = self.number(&sides[0]).and(self.number(&sides[1]).flipped());
                match op {
                    Comparison::Greater | Comparison::GreaterOrEqual => difference,
                    Comparison::Less | Comparison::LessOrEqual => difference.flipped(),
                    Comparison::Equal | Comparison::NotEqual if difference == Monotonicity::Constant => {
                        Monotonicity::Constant
                    }
                    Comparison::Equal | Comparison::NotEqual => Monotonicity::Mixed,
                }
            }
            Expr::And(sides) | Expr::Or(sides) => self.condition(&sides[0]).and(self.condition(&sides[1])),
            Expr::Not(x) => self.condition(x).flipped(),
            // A counter that has a value keeps having one.
            Expr::Has(_) => Monotonicity::Constant,
            Expr::Tag(_) | Expr::Literal(_) | Expr::Attribute(_) => Monotonicity::Constant,
            _ => Monotonicity::Mixed,
        }
    }

    fn number(&self, expr: &Expr) -> Monotonicity {
        match expr {
            Expr::Literal(_) | Expr::Attribute(_) | Expr::Tag(_) | Expr::Share(_) => Monotonicity::Constant,
            Expr::Counter(id) if !self.is_read_by(*id) => Monotonicity::Constant,
            Expr::Counter(id) => match self.counters[usize::from(id.0)].readout {
                Readout::Count | Readout::Distinct | Readout::Days => Monotonicity::Increasing,
                _ => Monotonicity::Mixed,
            },
            Expr::Since { of, .. } => self.time(*of).flipped(),
            Expr::Calendar(CalendarFunction::DatesSince | CalendarFunction::YearsSince, of) => self.time(*of).flipped(),
            Expr::Until { of, .. } | Expr::Time(of) | Expr::Calendar(CalendarFunction::DatesUntil, of) => {
                self.time(*of)
            }
            Expr::Negate(x) => self.number(x).flipped(),
            Expr::ToDouble(x) => self.number(x),
            Expr::Arithmetic(Arithmetic::Add | Arithmetic::Min | Arithmetic::Max, sides) => {
                self.number(&sides[0]).and(self.number(&sides[1]))
            }
            Expr::Arithmetic(Arithmetic::Subtract, sides) => {
                self.number(&sides[0]).and(self.number(&sides[1]).flipped())
            }
            _ => Monotonicity::Mixed,
        }
    }

    fn time(&self, name: TimeName) -> Monotonicity {
        match name {
            TimeName::Counter(id) if !self.is_read_by(id) => Monotonicity::Constant,
            TimeName::Counter(_) if self.is_latest_time() => Monotonicity::Increasing,
            TimeName::Counter(_) => Monotonicity::Mixed,
            // These have sets of dependents of their own.
            TimeName::Attribute(_) | TimeName::FirstSeen | TimeName::LastSeen | TimeName::Event => {
                Monotonicity::Constant
            }
            TimeName::Instant(_) | TimeName::Date(_) => Monotonicity::Constant,
        }
    }
}
