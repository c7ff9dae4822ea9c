//! Comparisons: each follows the numbers on its sides to the instant at which it turns.

use std::ops::ControlFlow;

use super::{Evaluator, TimedValue};
use crate::catalog::{CalendarFunction, Comparison, CounterId, Expr, TimeName};
use crate::engine::aggregate::{Pane, Series};
use crate::engine::expr::calendar;
use crate::engine::expr::crossing::{ClockExpr, ClockOp, Predicate, compare_clock_term};
use crate::engine::expr::frozen::exact_bound;
use crate::engine::expr::ops::{compare, compare_values, holds, instant, local_day};
use crate::model::{Decimal, Number, Scalar, Timestamp, Value};

impl<'a> Evaluator<'a> {
    pub(super) fn compare(&mut self, op: Comparison, sides: &'a [Expr; 2]) -> TimedValue<'a> {
        match (&sides[0], &sides[1]) {
            (Expr::Counter(_), Expr::Counter(_)) => {}
            (Expr::Counter(id), other) => return self.compare_counter(op, *id, other),
            (other, Expr::Counter(id)) => return self.compare_counter(op.mirrored(), *id, other),
            _ => {}
        }
        let (left, right) = (self.eval(&sides[0]), self.eval(&sides[1]));
        let holds = compare_values(op, left.value, right.value, self.zone());
        TimedValue::bool(holds, left.until.min(right.until))
    }

    /// Compares a counter, and follows its value until the comparison turns.
    fn compare_counter(&mut self, op: Comparison, id: CounterId, other: &'a Expr) -> TimedValue<'a> {
        let other = self.eval(other);
        let plan = self.program.counter(id);
        let window = self.now.window(plan.frame);
        let series = self.entity_state.series(plan.series);
        if plan.readout.only_falls_if_positive()
            && plan.frame.ago == 0
            && let Scalar::Number(Number::Decimal(bound)) = other.value
            && let Some((holds, turned)) = compare_falling(op, series, window.least, bound)
        {
            let turned = turned.and_then(|pane| plan.frame.exit(pane));
            return TimedValue::bool(holds, other.until.min(self.begin_of(plan, turned)));
        }
        let (value, _) = series.read(plan.readout, window);
        let holds = compare_values(op, value, other.value, self.zone());
        let turned = series.follow(plan.readout, window, |after| {
            let after = after.map_or(Scalar::Absent, Scalar::Number);
            if compare_values(op, after, other.value, self.zone()) == holds {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        TimedValue::bool(holds, other.until.min(self.begin_of(plan, turned)))
    }

    pub(super) fn compare_moving(&mut self, op: Comparison, sides: &'a [Expr; 2]) -> TimedValue<'a> {
        self.compare_operands(op, &sides[0], &sides[1])
    }

    /// A comparison with numbers that move, and the first instant at which it turns.
    pub(super) fn compare_operands(&mut self, op: Comparison, x: &'a Expr, y: &'a Expr) -> TimedValue<'a> {
        if let (term, Expr::Literal(Value::Number(bound))) = (x, y)
            && let Some(held) = self.compare_term(op, term, bound.to_f64())
        {
            return held;
        }
        if let (Expr::Literal(Value::Number(bound)), Expr::Calendar(..)) = (x, y)
            && let Some(held) = self.compare_term(op.mirrored(), y, bound.to_f64())
        {
            return held;
        }
        let (mut left, mut right) =
            (std::mem::take(&mut self.clock_exprs.left), std::mem::take(&mut self.clock_exprs.right));
        left.ops.clear();
        right.ops.clear();
        let (a, b) = (self.freeze(x, &mut left), self.freeze(y, &mut right));
        let limit = a.until.min(b.until);
        let held = match (a.constant, b.constant) {
            // What is no number does not move: a `?:` may have a number in one branch and a text in the other.
            _ if !a.is_number || !b.is_number => {
                let (a, b) = (self.eval(x).value, self.eval(y).value);
                TimedValue::bool(compare_values(op, a, b, self.zone()), limit)
            }
            (Some(a), Some(b)) => {
                TimedValue::bool(compare_values(op, Scalar::Number(a), Scalar::Number(b), self.zone()), limit)
            }
            _ => {
                let op = exact_bound(op, (a, &mut left), (b, &mut right));
                let predicate = Predicate::Compare { op, left: &left, right: &right };
                let (now, zone) = (self.now.at, self.zone());
                let outcome = predicate.at(now, zone);
                TimedValue::bool(outcome == 1, predicate.next_change(outcome, now, limit, zone))
            }
        };
        (self.clock_exprs.left, self.clock_exprs.right) = (left, right);
        held
    }

    /// The result of a comparison at all instants of an interval, where it is one; incomplete counters are taken as
    /// they are.
    pub(crate) fn compare_over(
        &mut self,
        op: Comparison,
        sides: &'a [Expr; 2],
        first: Timestamp,
        last: Timestamp,
    ) -> Option<bool> {
        let (mut left, mut right) = (ClockExpr::default(), ClockExpr::default());
        let (a, b) = (self.freeze(&sides[0], &mut left), self.freeze(&sides[1], &mut right));
        if !a.is_number || !b.is_number || last >= a.until.min(b.until) {
            return None;
        }
        if let (Some(a), Some(b)) = (a.constant, b.constant) {
            return Some(compare_values(op, Scalar::Number(a), Scalar::Number(b), self.zone()));
        }
        let op = exact_bound(op, (a, &mut left), (b, &mut right));
        let predicate = Predicate::Compare { op, left: &left, right: &right };
        predicate.over(first, last, self.zone()).map(|outcome| outcome == 1)
    }

    /// Compares a clock term or a function of dates alone with a number.
    fn compare_term(&self, op: Comparison, term: &Expr, bound: f64) -> Option<TimedValue<'a>> {
        let (of, is_since, unit_ms) = match term {
            Expr::Calendar(function, of) => return Some(self.compare_dates(op, *function, *of, bound)),
            Expr::Since { unit, of } => (*of, true, unit.ms() as f64),
            Expr::Until { unit, of } => (*of, false, unit.ms() as f64),
            _ => return None,
        };
        let held = self.time(of);
        let Some(time) = instant(held.value, self.zone()) else {
            return Some(TimedValue::bool(false, held.until));
        };
        let clock_op =
            if is_since { ClockOp::Since { from: time, unit_ms } } else { ClockOp::Until { to: time, unit_ms } };
        let (holds, turns) = compare_clock_term(op, clock_op, bound, self.now.at)?;
        Some(TimedValue::bool(holds, turns.min(held.until)))
    }

    fn compare_dates(&self, op: Comparison, function: CalendarFunction, of: TimeName, bound: f64) -> TimedValue<'a> {
        let held = self.time(of);
        let Some(day) = local_day(held.value, self.zone()) else {
            return TimedValue::bool(false, held.until);
        };
        let today = self.now.day();
        let holds = compare(op, calendar::value(function, day, today) as f64, bound);
        let turns = calendar::turns(function, day, op, bound, today).map(|day| self.zone().start(day));
        TimedValue::bool(holds, turns.unwrap_or(Timestamp::FOREVER).min(held.until))
    }
}

/// Compares a number that only falls until the next event: whether it holds, and the pane with which it turns when that
/// leaves the window. `None`: the number may rise, or the comparison is one that may turn twice.
fn compare_falling(op: Comparison, series: &Series, least: Pane, bound: Decimal) -> Option<(bool, Option<Pane>)> {
    let op = op.of_unsigned(Number::Decimal(bound));
    let wants_more = match op {
        Comparison::Greater | Comparison::GreaterOrEqual => true,
        Comparison::Less | Comparison::LessOrEqual => false,
        Comparison::Equal | Comparison::NotEqual => return None,
    };
    let compare = |value: Decimal| holds(op, value.cmp(&bound));
    let value = series.falling(least)?;
    let is_held = compare(value);
    if wants_more != is_held {
        return Some((is_held, None));
    }
    Some((is_held, series.falls_until(least, value, |value| compare(value) != is_held)))
}
