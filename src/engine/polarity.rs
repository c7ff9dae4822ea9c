//! In which direction a condition goes when a series grows by an event.
//!
//! A count, once grown, is at every later instant at least what it would have been, and the latest event is later. If a
//! condition follows that in one direction only, an event can move it in that direction only.

use super::program::{CounterPlan, SeriesId};
use super::series::{Reading, SeriesKind};
use crate::catalog::{Arithmetic, Comparison, CounterId, Expr, Source, TimeName};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polarity {
    /// The series does not enter.
    Still,
    /// Only upward; of conditions: towards true.
    Up,
    Down,
    /// Either way, or nobody knows.
    Mixed,
}

impl Polarity {
    fn and(self, other: Polarity) -> Polarity {
        match (self, other) {
            (Polarity::Still, other) => other,
            (this, Polarity::Still) => this,
            (this, other) if this == other => this,
            _ => Polarity::Mixed,
        }
    }

    fn flipped(self) -> Polarity {
        match self {
            Polarity::Up => Polarity::Down,
            Polarity::Down => Polarity::Up,
            same => same,
        }
    }
}

/// What grows.
#[derive(Clone, Copy, Debug)]
pub struct Growing<'a> {
    pub series: SeriesId,
    pub kind: SeriesKind,
    pub counters: &'a [CounterPlan],
}

impl Growing<'_> {
    fn is_read_by(&self, counter: CounterId) -> bool {
        self.counters[usize::from(counter.0)].series == self.series
    }

    /// Of a condition, as the series grows while none of its counters was absent.
    pub fn condition(&self, expr: &Expr) -> Polarity {
        match expr {
            Expr::Compare { op, sides, .. } => {
                let difference = self.number(&sides[0]).and(self.number(&sides[1]).flipped());
                match op {
                    Comparison::Greater | Comparison::GreaterOrEqual => difference,
                    Comparison::Less | Comparison::LessOrEqual => difference.flipped(),
                    Comparison::Equal | Comparison::NotEqual if difference == Polarity::Still => Polarity::Still,
                    Comparison::Equal | Comparison::NotEqual => Polarity::Mixed,
                }
            }
            Expr::And(sides) | Expr::Or(sides) => self.condition(&sides[0]).and(self.condition(&sides[1])),
            Expr::Not(x) => self.condition(x).flipped(),
            // What was there is still there.
            Expr::Has(_) => Polarity::Still,
            Expr::Tag(_) | Expr::Literal(_) | Expr::Attribute(_) => Polarity::Still,
            _ => Polarity::Mixed,
        }
    }

    fn number(&self, expr: &Expr) -> Polarity {
        match expr {
            Expr::Literal(_) | Expr::Attribute(_) | Expr::Tag(_) => Polarity::Still,
            Expr::Counter(id) if !self.is_read_by(*id) => Polarity::Still,
            Expr::Counter(id) => match self.counters[usize::from(id.0)].reading {
                Reading::Count | Reading::Distinct | Reading::Days => Polarity::Up,
                _ => Polarity::Mixed,
            },
            Expr::Since { of, .. } => self.time(*of).flipped(),
            Expr::Until { of, .. } | Expr::Time(of) => self.time(*of),
            Expr::Negate(x) => self.number(x).flipped(),
            Expr::Arithmetic(Arithmetic::Add | Arithmetic::Min | Arithmetic::Max, sides) => {
                self.number(&sides[0]).and(self.number(&sides[1]))
            }
            Expr::Arithmetic(Arithmetic::Subtract, sides) => {
                self.number(&sides[0]).and(self.number(&sides[1]).flipped())
            }
            _ => Polarity::Mixed,
        }
    }

    fn time(&self, name: TimeName) -> Polarity {
        match name {
            TimeName::Counter(id) if !self.is_read_by(id) => Polarity::Still,
            TimeName::Counter(_) if self.kind == SeriesKind::Latest(Source::Time) => Polarity::Up,
            TimeName::Counter(_) => Polarity::Mixed,
            // They have sets of their own.
            TimeName::Attribute(_) | TimeName::FirstSeen | TimeName::LastSeen | TimeName::Event => Polarity::Still,
        }
    }
}
