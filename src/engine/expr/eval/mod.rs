//! Expressions over an entity: each has a value, and the instant until which the value holds if no event comes.
//!
//! A counter holds until the next pane that matters leaves its window; a comparison until the decline of its counter or
//! the clock turns it; `&&` and `||` as long as their operands decide them. An instant may be early (the evaluation
//! then finds nothing changed, and a new instant), but never late.

mod comparison;

use crate::catalog::{
    Arithmetic, Bands, CalendarFunction, Comparison, CounterId, Expr, Motion, TagDefinition, TagId, TimeName,
};
use crate::engine::aggregate::{Now, Pane, Zone};
use crate::engine::entity::{EntityState, TagState};
use crate::engine::expr::calendar;
use crate::engine::expr::coverage::Coverage;
use crate::engine::expr::crossing::{ClockExpr, ClockOp, Predicate, band};
use crate::engine::expr::frozen::FrozenExpr;
use crate::engine::expr::ops::{
    calculate, compare_values, fold_case, instant, local_day, magnitude, match_text, negate, share, test_text,
    text_size, without_decimal,
};
use crate::engine::expr::score_cache::ScoreCache;
use crate::engine::expr::text_arena::TextArena;
use crate::engine::program::{CounterPlan, Program, SeriesId};
use crate::model::{Number, Scalar, Timestamp, Unit};

/// A value, and the first instant at which it may be another although no event comes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TimedValue<'a> {
    pub value: Scalar<'a>,
    pub until: Timestamp,
}

impl<'a> TimedValue<'a> {
    fn forever(value: Scalar<'a>) -> Self {
        TimedValue { value, until: Timestamp::FOREVER }
    }

    fn bool(value: bool, until: Timestamp) -> Self {
        TimedValue { value: Scalar::Bool(value), until }
    }
}

/// Buffers for clock expressions, kept from one evaluation to the next.
#[derive(Debug, Default)]
pub(crate) struct ClockExprs {
    left: ClockExpr,
    right: ClockExpr,
}

/// Evaluates expressions over an entity whose attributes, series and tags that matter have been loaded.
#[derive(Debug)]
pub(crate) struct Evaluator<'a> {
    pub program: &'a Program,
    pub entity_state: &'a EntityState,
    pub now: Now,
    pub clock_exprs: &'a mut ClockExprs,
    pub score_cache: &'a ScoreCache,
    pub texts: &'a TextArena,
    /// Present where counters that matter have not seen their whole window: then an expression that has a value may be
    /// unknown all the same.
    pub coverage: Option<&'a Coverage>,
}

impl<'a> Evaluator<'a> {
    pub(crate) fn eval(&mut self, expr: &'a Expr) -> TimedValue<'a> {
        match expr {
            Expr::Literal(value) => TimedValue::forever(value.as_scalar()),
            Expr::Attribute(id) => TimedValue::forever(self.entity_state.attribute(*id)),
            Expr::Counter(id) => self.counter(*id),
            Expr::Time(name) => self.time(*name),
            Expr::Tag(id) => TimedValue::forever(self.tag(*id)),
            Expr::Since { unit, of } => self.elapsed(*of, *unit, 1),
            Expr::Until { unit, of } => self.elapsed(*of, *unit, -1),
            Expr::Between { unit, from, to } => self.between(*unit, *from, *to),
            Expr::Negate(x) => self.unary(x, negate),
            Expr::Abs(x) => self.unary(x, magnitude),
            Expr::ToDouble(x) => {
                let held = self.eval(x);
                TimedValue { value: without_decimal(held.value), until: held.until }
            }
            Expr::Arithmetic(op, sides) => self.arithmetic(*op, sides),
            Expr::Calendar(function, of) => self.calendar(*function, *of),
            Expr::Compare { op, sides, motion: Motion::Still } => self.compare(*op, sides),
            Expr::Compare { op, sides, .. } => self.compare_moving(*op, sides),
            Expr::And(sides) => self.both(sides, false),
            Expr::Or(sides) => self.both(sides, true),
            Expr::Not(x) => {
                let held = self.eval(x);
                TimedValue::bool(!held.value.holds(), held.until)
            }
            Expr::Conditional(parts) => {
                let condition = self.eval(&parts[0]);
                let taken = self.eval(if condition.value.holds() { &parts[1] } else { &parts[2] });
                TimedValue { value: taken.value, until: taken.until.min(condition.until) }
            }
            Expr::In(x, list) if is_among_dates(x, list) => self.among(x, list),
            Expr::In(x, list) => {
                let needle = self.eval(x);
                let mut held = TimedValue::bool(false, needle.until);
                for item in list {
                    let item = self.eval(item);
                    held.until = held.until.min(item.until);
                    if compare_values(Comparison::Equal, needle.value, item.value, self.zone()) {
                        held.value = Scalar::Bool(true);
                    }
                }
                held
            }
            Expr::Has(x) => {
                let held = self.eval(x);
                TimedValue::bool(!held.value.is_absent(), held.until)
            }
            Expr::Text(test, sides) => {
                let (left, right) = (self.eval(&sides[0]), self.eval(&sides[1]));
                let until = left.until.min(right.until);
                TimedValue { value: test_text(*test, left.value, right.value), until }
            }
            Expr::Case(case, x) => {
                let held = self.eval(x);
                TimedValue { value: fold_case(*case, held.value, self.texts), until: held.until }
            }
            Expr::Matches(x, pattern) => {
                let held = self.eval(x);
                TimedValue { value: match_text(held.value, pattern), until: held.until }
            }
            Expr::Size(x) => {
                let held = self.eval(x);
                TimedValue { value: text_size(held.value), until: held.until }
            }
            Expr::Share(name) => TimedValue::forever(Scalar::double(share(name, self.entity_state.key()))),
            // Properties of an event: only a `where` has them.
            Expr::Property(_) | Expr::Item(_) | Expr::EventType | Expr::Contains(..) | Expr::WallClock(_) => {
                TimedValue::forever(Scalar::Absent)
            }
        }
    }

    /// The band in which a value lies; `None` where it has no value. With the instant until which that holds.
    pub(crate) fn band(&mut self, expr: &'a Expr, bands: &Bands, current: Option<u16>) -> (Option<u16>, Timestamp) {
        if expr.motion() == Motion::Still {
            let held = self.eval(expr);
            let place = match held.value {
                Scalar::Number(number) => Some(band(bands, current, number)),
                _ => None,
            };
            return (place, held.until);
        }
        let mut clock_expr = std::mem::take(&mut self.clock_exprs.left);
        clock_expr.ops.clear();
        let frozen = self.freeze(expr, &mut clock_expr);
        let predicate = Predicate::Band { bands, current, value: &clock_expr };
        let found = match frozen.constant {
            _ if !frozen.is_number => (None, frozen.until),
            Some(number) => (Some(band(bands, current, number)), frozen.until),
            None => {
                let (now, zone) = (self.now.at, self.zone());
                let outcome = predicate.at(now, zone);
                let until = predicate.next_change(outcome, now, frozen.until, zone);
                (outcome.checked_sub(1).map(|band| band as u16), until)
            }
        };
        self.clock_exprs.left = clock_expr;
        found
    }

    pub(crate) fn counter(&self, id: CounterId) -> TimedValue<'a> {
        let plan = self.program.counter(id);
        let window = self.now.window(plan.frame);
        let (value, turn) = self.entity_state.series(plan.series).read(plan.readout, window);
        TimedValue { value, until: self.begin_of(plan, turn) }
    }

    fn begin_of(&self, plan: CounterPlan, pane: Option<Pane>) -> Timestamp {
        pane.map_or(Timestamp::FOREVER, |pane| plan.frame.grid.start(pane, &self.program.zone))
    }

    fn tag(&self, id: TagId) -> Scalar<'a> {
        let kind = &self.program.tag(id).definition;
        let state = self.entity_state.tag(id);
        match kind {
            TagDefinition::Rule { .. } => Scalar::Bool(matches!(state, TagState::On { .. })),
            _ => self.entity_state.shown(kind, state),
        }
    }

    pub(crate) fn time(&self, name: TimeName) -> TimedValue<'a> {
        match name {
            TimeName::Attribute(id) => TimedValue::forever(self.entity_state.attribute(id)),
            TimeName::Counter(id) => self.counter(id),
            TimeName::FirstSeen => {
                TimedValue::forever(self.entity_state.first_seen().map_or(Scalar::Absent, Scalar::Time))
            }
            TimeName::LastSeen => {
                TimedValue::forever(self.entity_state.last_seen().map_or(Scalar::Absent, Scalar::Time))
            }
            TimeName::Instant(at) => TimedValue::forever(Scalar::Time(at)),
            TimeName::Date(date) => TimedValue::forever(Scalar::Date(date)),
            TimeName::Event => TimedValue::forever(Scalar::Absent),
        }
    }

    /// `days_since` for a sign of 1, `days_until` for −1, at this instant. Comparisons find out until when they hold.
    fn elapsed(&self, of: TimeName, unit: Unit, sign: i64) -> TimedValue<'a> {
        let held = self.time(of);
        let value = instant(held.value, self.zone())
            .map_or(Scalar::Absent, |time| Scalar::double((sign * self.now.at.since(time)) as f64 / unit.ms() as f64));
        TimedValue { value, until: held.until }
    }

    /// A function that moves at local midnights, and the next one at which it has another value.
    fn calendar(&self, function: CalendarFunction, of: TimeName) -> TimedValue<'a> {
        let held = self.time(of);
        let Some(day) = local_day(held.value, self.zone()) else {
            return TimedValue { value: Scalar::Absent, until: held.until };
        };
        let (value, steps) = (
            calendar::value(function, day, self.now.day()),
            self.zone().start(calendar::next_step(function, day, self.now.day())),
        );
        TimedValue { value: Scalar::double(value as f64), until: held.until.min(steps) }
    }

    /// `in`, where dates enter: each item is a comparison, which holds longer than its sides.
    fn among(&mut self, x: &'a Expr, list: &'a [Expr]) -> TimedValue<'a> {
        let mut held = TimedValue::bool(false, Timestamp::FOREVER);
        for item in list {
            let equal = if x.motion().max(item.motion()) == Motion::Still {
                let (left, right) = (self.eval(x), self.eval(item));
                let equal = compare_values(Comparison::Equal, left.value, right.value, self.zone());
                TimedValue::bool(equal, left.until.min(right.until))
            } else {
                self.compare_operands(Comparison::Equal, x, item)
            };
            held = match (held.value.holds(), equal.value.holds()) {
                (true, true) => TimedValue::bool(true, held.until.max(equal.until)),
                (true, false) => held,
                (false, true) => equal,
                (false, false) => TimedValue::bool(false, held.until.min(equal.until)),
            };
        }
        held
    }

    fn between(&self, unit: Unit, from: TimeName, to: TimeName) -> TimedValue<'a> {
        let (from, to) = (self.time(from), self.time(to));
        let value = match (instant(from.value, self.zone()), instant(to.value, self.zone())) {
            (Some(from), Some(to)) => Scalar::double(to.since(from) as f64 / unit.ms() as f64),
            _ => Scalar::Absent,
        };
        TimedValue { value, until: from.until.min(to.until) }
    }

    fn unary(&mut self, x: &'a Expr, apply: impl Fn(Number) -> Number) -> TimedValue<'a> {
        let held = self.eval(x);
        let value = match held.value {
            Scalar::Number(number) => Scalar::Number(apply(number)),
            _ => Scalar::Absent,
        };
        TimedValue { value, until: held.until }
    }

    fn arithmetic(&mut self, op: Arithmetic, sides: &'a [Expr; 2]) -> TimedValue<'a> {
        let (left, right) = (self.eval(&sides[0]), self.eval(&sides[1]));
        let value = match (left.value, right.value) {
            (Scalar::Number(a), Scalar::Number(b)) => calculate(op, a, b),
            _ => Scalar::Absent,
        };
        TimedValue { value, until: left.until.min(right.until) }
    }

    /// `&&` for a `decisive` of false, `||` for one of true.
    ///
    /// One decisive operand decides. Where both are decisive, the result holds as long as one of them does.
    fn both(&mut self, sides: &'a [Expr; 2], decisive: bool) -> TimedValue<'a> {
        let left = self.eval(&sides[0]);
        let left_decides = left.value.holds() == decisive;
        if left_decides && left.until == Timestamp::FOREVER {
            return TimedValue::bool(decisive, Timestamp::FOREVER);
        }
        let right = self.eval(&sides[1]);
        let right_decides = right.value.holds() == decisive;
        match (left_decides, right_decides) {
            (true, true) => TimedValue::bool(decisive, left.until.max(right.until)),
            (true, false) => TimedValue::bool(decisive, left.until),
            (false, true) => TimedValue::bool(decisive, right.until),
            (false, false) => TimedValue::bool(!decisive, left.until.min(right.until)),
        }
    }

    fn zone(&self) -> &'a Zone {
        &self.program.zone
    }

    /// Writes an expression as a clock expression: everything but the clock is fixed at its present value.
    fn freeze(&mut self, expr: &'a Expr, clock_expr: &mut ClockExpr) -> FrozenExpr {
        if expr.motion() == Motion::Still {
            let held = self.eval(expr);
            let Scalar::Number(number) = held.value else {
                return FrozenExpr { is_number: false, constant: None, until: held.until };
            };
            clock_expr.ops.push(ClockOp::Number(number.to_f64()));
            return FrozenExpr { is_number: true, constant: Some(number), until: held.until };
        }
        match expr {
            Expr::Since { unit, of } => {
                self.freeze_time(*of, clock_expr, |from| ClockOp::Since { from, unit_ms: unit.ms() as f64 })
            }
            Expr::Until { unit, of } => {
                self.freeze_time(*of, clock_expr, |to| ClockOp::Until { to, unit_ms: unit.ms() as f64 })
            }
            Expr::Calendar(function, of) => {
                let held = self.time(*of);
                let day = local_day(held.value, self.zone());
                clock_expr.ops.extend(day.map(|of| ClockOp::Calendar { function: *function, of }));
                FrozenExpr { is_number: day.is_some(), constant: None, until: held.until }
            }
            Expr::Negate(x) => self.freeze(x, clock_expr).then(clock_expr, ClockOp::Negate),
            Expr::Abs(x) => self.freeze(x, clock_expr).then(clock_expr, ClockOp::Abs),
            Expr::ToDouble(x) => self.freeze(x, clock_expr).in_doubles(),
            Expr::Arithmetic(op, sides) => {
                let (a, b) = (self.freeze(&sides[0], clock_expr), self.freeze(&sides[1], clock_expr));
                let until = a.until.min(b.until);
                let both = FrozenExpr { is_number: a.is_number && b.is_number, constant: None, until };
                both.then(clock_expr, ClockOp::from(*op))
            }
            Expr::Conditional(parts) => {
                let condition = self.eval(&parts[0]);
                let taken = self.freeze(if condition.value.holds() { &parts[1] } else { &parts[2] }, clock_expr);
                FrozenExpr { until: taken.until.min(condition.until), ..taken }
            }
            _ => FrozenExpr { is_number: false, constant: None, until: Timestamp::FOREVER },
        }
    }

    fn freeze_time(
        &self,
        of: TimeName,
        clock_expr: &mut ClockExpr,
        clock_op: impl Fn(Timestamp) -> ClockOp,
    ) -> FrozenExpr {
        let held = self.time(of);
        let time = instant(held.value, self.zone());
        clock_expr.ops.extend(time.map(clock_op));
        FrozenExpr { is_number: time.is_some(), constant: None, until: held.until }
    }
}

/// Whether numbers of dates enter an `in`.
fn is_among_dates(x: &Expr, list: &[Expr]) -> bool {
    std::iter::once(x).chain(list).any(|part| part.motion() == Motion::Midnights)
}

/// Decodes a series, in the panes of its program.
pub(crate) fn load_series(program: &Program, id: SeriesId, entity_state: &mut EntityState) {
    let grid = program.series[usize::from(id.0)].frame.grid;
    entity_state.load_series(id, |at| grid.pane(at, &program.zone));
}

/// Decodes everything that the evaluation of a tag may read.
pub(crate) fn load_inputs(program: &Program, place: usize, entity_state: &mut EntityState) {
    let plan = &program.tags[place];
    for id in &plan.series {
        load_series(program, *id, entity_state);
    }
    for id in &plan.attributes {
        entity_state.load_attribute(*id);
    }
    entity_state.load_tags();
}
