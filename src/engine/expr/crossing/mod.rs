//! Numbers that move with the clock, and the exact millisecond at which a predicate over them turns.
//!
//! The predicate has to turn where the expression *as computed in doubles* turns it, at the first whole millisecond,
//! and not where real numbers would. Solving the straight line gives a good guess. But rounding can move the crossing,
//! and where terms of both signs meet, the outcome may flicker around it. So the guess is proved: rounding to nearest
//! is monotone, hence the bounds of an operation's operands, put through the same operation in doubles, enclose every
//! value that it takes in between. This is interval arithmetic without widening (Moore, Kearfott, Cloud, "Introduction
//! to Interval Analysis", 2009, ch. 2, for the operations). Where an enclosure leaves the outcome open, the interval is
//! halved and its earlier half is searched first. For a monotone expression that is a binary search.
//!
//! Two expressions that run side by side are told apart, or known to be equal, by their difference
//! ([`difference`]): then one look is enough for as long as both stay straight, and a search costs some fifty
//! looks for each bend. What remains are expressions that coincide but are computed differently, as
//! `n * hours_since(a)` and `days_since(a)` are for an n of 1 / 24: rounding may turn the outcome at any millisecond,
//! so each is looked at, up to [`LOOKS_MAX`] of them in one evaluation.

mod difference;

use crate::catalog::{Arithmetic, Bands, CalendarFunction, Comparison};
use crate::engine::aggregate::{Day, Zone};
use crate::engine::expr::calendar;
use crate::engine::expr::ops::compare;
use crate::engine::program::CLOCK_BOUND_MAX;
use crate::model::{Number, Timestamp};
use difference::{difference, enclose};

/// The number of intervals and instants that one search looks at before it returns an early instant: at worst, one
/// evaluation more.
const LOOKS_MAX: u32 = 16_384;

/// The same where dates enter, whose outcomes may turn at any midnight.
const LOOKS_AT_DATES_MAX: u32 = 2_048;

/// An open interval no longer than this is looked at instant by instant.
const SCANNED_MS: i64 = 16;

/// An operation of a [`ClockExpr`], in postfix order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ClockOp {
    Number(f64),
    /// `(clock − from) / unit_ms`.
    Since {
        from: Timestamp,
        unit_ms: f64,
    },
    /// `(to − clock) / unit_ms`.
    Until {
        to: Timestamp,
        unit_ms: f64,
    },
    /// `dates_since(of)` and its like.
    Calendar {
        function: CalendarFunction,
        of: Day,
    },
    Negate,
    Abs,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Min,
    Max,
}

/// A numeric expression in which everything but the clock is fixed.
#[derive(Clone, Debug, Default)]
pub(super) struct ClockExpr {
    pub ops: Vec<ClockOp>,
}

/// The values of a clock expression over an interval.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Enclosure {
    Within(f64, f64),
    /// No finite double holds it at any instant of the interval.
    Absent,
    Open,
}

/// The depth of the operand stack that needs no allocation.
const STACK: usize = 12;

impl ClockExpr {
    /// The value at an instant; `None` where no finite double holds it.
    pub(super) fn at(&self, clock: Timestamp, zone: &Zone) -> Option<f64> {
        match self.over(clock, clock, zone) {
            Enclosure::Within(value, _) => Some(value),
            _ => None,
        }
    }

    /// Encloses the values between two instants.
    fn over(&self, first: Timestamp, last: Timestamp, zone: &Zone) -> Enclosure {
        let (mut few, mut many) = ([(0.0_f64, 0.0_f64); STACK], Vec::new());
        let stack = if self.ops.len() <= STACK {
            &mut few[..]
        } else {
            many.resize(self.ops.len(), (0.0, 0.0));
            &mut many
        };
        let mut depth = 0;
        for clock_op in &self.ops {
            let range = match *clock_op {
                ClockOp::Number(number) => (number, number),
                ClockOp::Since { from, unit_ms } => {
                    (first.since(from) as f64 / unit_ms, last.since(from) as f64 / unit_ms)
                }
                ClockOp::Until { to, unit_ms } => (to.since(last) as f64 / unit_ms, to.since(first) as f64 / unit_ms),
                ClockOp::Calendar { function, of } => {
                    let (least, greatest) = calendar::over(function, of, zone.day(first), zone.day(last));
                    (least as f64, greatest as f64)
                }
                ClockOp::Negate | ClockOp::Abs => {
                    depth -= 1;
                    unary(*clock_op, stack[depth])
                }
                _ => {
                    depth -= 2;
                    binary(*clock_op, stack[depth], stack[depth + 1])
                }
            };
            match range {
                (low, high) if low.is_finite() && high.is_finite() => stack[depth] = range,
                (low, high) if low.is_infinite() && low == high => return Enclosure::Absent,
                (low, high) if low.is_nan() && high.is_nan() && first == last => return Enclosure::Absent,
                _ => return Enclosure::Open,
            }
            depth += 1;
        }
        Enclosure::Within(stack[0].0, stack[0].1)
    }
}

pub(super) fn unary(clock_op: ClockOp, (low, high): (f64, f64)) -> (f64, f64) {
    match clock_op {
        ClockOp::Negate => (-high, -low),
        _ if low >= 0.0 => (low, high),
        _ if high <= 0.0 => (-high, -low),
        _ => (0.0, high.max(-low)),
    }
}

pub(crate) fn binary(clock_op: ClockOp, a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    match clock_op {
        ClockOp::Add => (a.0 + b.0, a.1 + b.1),
        ClockOp::Subtract => (a.0 - b.1, a.1 - b.0),
        ClockOp::Multiply => hull([a.0 * b.0, a.0 * b.1, a.1 * b.0, a.1 * b.1]),
        // Division by zero is absent, as an overflow is.
        ClockOp::Divide | ClockOp::Remainder if b == (0.0, 0.0) => (f64::INFINITY, f64::INFINITY),
        // Only dates make a divisor move (spec 4.1).
        ClockOp::Divide | ClockOp::Remainder if b.0 <= 0.0 && b.1 >= 0.0 => (f64::NAN, f64::NAN),
        ClockOp::Remainder => remainder(a, b),
        ClockOp::Divide => hull([a.0 / b.0, a.1 / b.0, a.0 / b.1, a.1 / b.1]),
        ClockOp::Min => (a.0.min(b.0), a.1.min(b.1)),
        _ => (a.0.max(b.0), a.1.max(b.1)),
    }
}

/// A remainder grows with the dividend until that passes a multiple of the divisor.
fn remainder(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    let is_one_sign = a.0 >= 0.0 || a.1 < 0.0;
    if b.0 == b.1 && is_one_sign && (a.0 / b.0).trunc() == (a.1 / b.0).trunc() && a.0 % b.0 <= a.1 % b.0 {
        return (a.0 % b.0, a.1 % b.0);
    }
    let most = b.0.abs().max(b.1.abs());
    (if a.0 < 0.0 { -most } else { 0.0 }, if a.1 > 0.0 { most } else { 0.0 })
}

fn hull(corners: [f64; 4]) -> (f64, f64) {
    if corners.iter().any(|corner| corner.is_nan()) {
        return (f64::NAN, f64::NAN);
    }
    (corners.iter().copied().fold(f64::INFINITY, f64::min), corners.iter().copied().fold(f64::NEG_INFINITY, f64::max))
}

/// The outcome of a [`Predicate`]: for comparisons 0 or 1; for bands 0 for none, else one more than the band's index.
pub(super) type Outcome = u32;

/// Something over clock expressions that has one outcome at each instant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Predicate<'a> {
    Compare {
        op: Comparison,
        left: &'a ClockExpr,
        right: &'a ClockExpr,
    },
    /// The band of a value, left only beyond the margin of the `current` one.
    Band {
        bands: &'a Bands,
        current: Option<u16>,
        value: &'a ClockExpr,
    },
}

/// The band of a value (spec 3, `value`): within the margin of the current band's bounds it stays there.
pub(crate) fn band(bands: &Bands, current: Option<u16>, value: Number) -> u16 {
    let plain = bands.plain(value);
    let Some(current) = current else {
        return plain;
    };
    // Without a margin, a value equal to the lower bound is inside.
    if bands.margin == Number::ZERO || plain == current {
        return plain;
    }
    let above = bands.leaves_upward(current).is_some_and(|edge| value >= edge);
    let below = bands.leaves_downward(current).is_some_and(|edge| value <= edge);
    if above || below { plain } else { current }
}

impl Predicate<'_> {
    pub(super) fn at(&self, clock: Timestamp, zone: &Zone) -> Outcome {
        match *self {
            Predicate::Compare { op, left, right } => match (left.at(clock, zone), right.at(clock, zone)) {
                (Some(left), Some(right)) => Outcome::from(compare(op, left, right)),
                _ => 0,
            },
            Predicate::Band { bands, current, value } => {
                value.at(clock, zone).map_or(0, |value| Outcome::from(band(bands, current, Number::Double(value))) + 1)
            }
        }
    }

    /// The outcome, if the enclosures show that it is the same at all instants of an interval.
    pub(super) fn over(&self, first: Timestamp, last: Timestamp, zone: &Zone) -> Option<Outcome> {
        let is_long = last.since(first) >= SCANNED_MS;
        match *self {
            Predicate::Compare { op, left, right } => {
                match (left.over(first, last, zone), right.over(first, last, zone)) {
                    (Enclosure::Within(a, b), Enclosure::Within(c, d)) => decide(op, (a, b), (c, d))
                        .or_else(|| {
                            let difference = is_long.then(|| difference(left, right, (first, last), zone))?;
                            decide(op, difference?, (0.0, 0.0))
                        })
                        .map(Outcome::from),
                    (Enclosure::Absent, _) | (_, Enclosure::Absent) => Some(0),
                    _ => None,
                }
            }
            Predicate::Band { bands, current, value } => {
                let place = |(low, high)| {
                    let band = |value| band(bands, current, Number::Double(value));
                    let (low, high) = (band(low), band(high));
                    (low == high).then(|| Outcome::from(low) + 1)
                };
                match value.over(first, last, zone) {
                    Enclosure::Within(low, high) => place((low, high))
                        .or_else(|| is_long.then(|| enclose(value, (first, last), zone)).flatten().and_then(place)),
                    Enclosure::Absent => Some(0),
                    Enclosure::Open => None,
                }
            }
        }
    }

    fn has_dates(&self) -> bool {
        let is_date = |op: &ClockOp| matches!(op, ClockOp::Calendar { .. });
        match *self {
            Predicate::Compare { left, right, .. } => left.ops.iter().chain(&right.ops).any(is_date),
            Predicate::Band { value, .. } => value.ops.iter().any(is_date),
        }
    }

    /// Where the straight line through two instants crosses the bound of the predicate.
    fn guess(&self, now: Timestamp, zone: &Zone) -> Option<Timestamp> {
        const STEP_MS: i64 = 86_400_000;
        let difference = |clock: Timestamp| match *self {
            Predicate::Compare { left, right, .. } => Some(left.at(clock, zone)? - right.at(clock, zone)?),
            Predicate::Band { value, .. } => value.at(clock, zone),
        };
        let (here, there) = (difference(now)?, difference(now.plus(STEP_MS))?);
        let slope = (there - here) / STEP_MS as f64;
        let target = match *self {
            Predicate::Compare { .. } => 0.0,
            Predicate::Band { bands, current, .. } => {
                let band = band(bands, current, Number::Double(here));
                let edge = match (slope > 0.0, current == Some(band)) {
                    (true, true) => bands.leaves_upward(band)?,
                    (false, true) => bands.leaves_downward(band)?,
                    (true, false) => *bands.bounds.get(usize::from(band))?,
                    (false, false) => *bands.bounds.get(usize::from(band).checked_sub(1)?)?,
                };
                edge.to_f64()
            }
        };
        let distance_ms = (target - here) / slope;
        (distance_ms >= 0.0 && distance_ms < Timestamp::MAX.ms() as f64).then(|| now.plus(distance_ms as i64))
    }

    /// The first instant after `now` and before `limit` with another outcome than the one at `now`, or `limit`.
    ///
    /// May be early where a search would take too long, never late.
    pub(super) fn next_change(&self, outcome: Outcome, now: Timestamp, limit: Timestamp, zone: &Zone) -> Timestamp {
        let (mut first, last) = (now.plus(1), limit.plus(-1).min(Timestamp::MAX));
        if let Some(guess) = self.guess(now, zone) {
            let before = guess.plus(-2).min(last);
            if before < first || self.over(first, before, zone) == Some(outcome) {
                first = first.max(before.plus(1));
                for _ in 0..5 {
                    if first > last {
                        return limit;
                    }
                    if self.at(first, zone) != outcome {
                        return first;
                    }
                    first = first.plus(1);
                }
            }
        }
        let over = |first, last| if first == last { Some(self.at(first, zone)) } else { self.over(first, last, zone) };
        let looks = if self.has_dates() { LOOKS_AT_DATES_MAX } else { LOOKS_MAX };
        Search { over, outcome, looks }.run(first, last).unwrap_or(limit)
    }
}

/// The first instant after `now` and before `limit` at which a predicate has another outcome than `outcome`, or
/// `limit`. `over` returns the outcome of an interval where it is the same throughout, and always that of a single
/// instant.
///
/// May be early where a search would take too long, never late.
pub(crate) fn first_change<A: PartialEq>(
    outcome: A,
    now: Timestamp,
    limit: Timestamp,
    over: impl FnMut(Timestamp, Timestamp) -> Option<A>,
) -> Timestamp {
    let (first, last) = (now.plus(1), limit.plus(-1).min(Timestamp::MAX));
    Search { over, outcome, looks: LOOKS_MAX }.run(first, last).unwrap_or(limit)
}

struct Search<A, F> {
    over: F,
    outcome: A,
    /// The number of looks that are left.
    looks: u32,
}

impl<A: PartialEq, F: FnMut(Timestamp, Timestamp) -> Option<A>> Search<A, F> {
    /// As [`Search::first`], but first near by: where rounding makes the outcome flicker, the next change is near.
    fn run(mut self, first: Timestamp, last: Timestamp) -> Option<Timestamp> {
        let near = first.plus(SCANNED_MS - 1).min(last);
        self.first(first, near).or_else(|| self.first(near.plus(1), last))
    }

    /// The first instant of an interval with another outcome, or the first for which no look was left.
    fn first(&mut self, first: Timestamp, last: Timestamp) -> Option<Timestamp> {
        if first > last || self.holds(first, last) {
            return None;
        }
        if first == last || self.looks == 0 {
            return Some(first);
        }
        if last.since(first) < SCANNED_MS {
            return (first.ms()..=last.ms()).map(Timestamp::from_ms).find(|at| !self.holds(*at, *at));
        }
        let middle = Timestamp::from_ms(first.ms() + (last.ms() - first.ms()) / 2);
        self.first(first, middle).or_else(|| self.first(middle.plus(1), last))
    }

    /// Whether an interval is known to have this outcome throughout.
    fn holds(&mut self, first: Timestamp, last: Timestamp) -> bool {
        self.looks = self.looks.saturating_sub(1);
        self.looks > 0 && (self.over)(first, last).as_ref() == Some(&self.outcome)
    }
}

/// A clock term alone against a number, as in most comparisons with the clock: whether it holds, and the instant at
/// which it turns, without a search. `None` where a search is needed.
pub(super) fn compare_clock_term(
    op: Comparison,
    clock_op: ClockOp,
    bound: f64,
    now: Timestamp,
) -> Option<(bool, Timestamp)> {
    if matches!(op, Comparison::Equal | Comparison::NotEqual) || bound.abs() > CLOCK_BOUND_MAX {
        return None;
    }
    // `>=` and `<` turn where the bound is reached, `>` and `<=` where it is passed.
    let reaches = matches!(op, Comparison::GreaterOrEqual | Comparison::Less);
    let (value, change) = match clock_op {
        ClockOp::Since { from, unit_ms } => {
            (now.since(from) as f64 / unit_ms, from.plus(steps_to(bound, unit_ms, reaches)))
        }
        // Counting down, it turns at the first instant at which the bound is no longer reached, or no longer passed.
        ClockOp::Until { to, unit_ms } => {
            (to.since(now) as f64 / unit_ms, to.plus(1 - steps_to(bound, unit_ms, reaches)))
        }
        _ => return None,
    };
    Some((compare(op, value, bound), if change <= now { Timestamp::FOREVER } else { change }))
}

/// The least number of whole milliseconds that, in units, is at least the bound (`reaches`) or greater than it.
fn steps_to(bound: f64, unit_ms: f64, reaches: bool) -> i64 {
    let is_there = |ms: i64| {
        let units = ms as f64 / unit_ms;
        if reaches { units >= bound } else { units > bound }
    };
    let mut ms = (bound * unit_ms).ceil() as i64;
    while is_there(ms - 1) {
        ms -= 1;
    }
    while !is_there(ms) {
        ms += 1;
    }
    ms
}

/// A comparison of all values of one interval with all of another; `None` where it differs.
fn decide(op: Comparison, left: (f64, f64), right: (f64, f64)) -> Option<bool> {
    match op {
        Comparison::Less if left.1 < right.0 => Some(true),
        Comparison::Less if left.0 >= right.1 => Some(false),
        Comparison::LessOrEqual if left.1 <= right.0 => Some(true),
        Comparison::LessOrEqual if left.0 > right.1 => Some(false),
        Comparison::Greater | Comparison::GreaterOrEqual => decide(op.mirrored(), right, left),
        Comparison::Equal | Comparison::NotEqual => {
            let apart = left.1 < right.0 || right.1 < left.0;
            let one = left.0 == left.1 && right.0 == right.1 && left.0 == right.0;
            (apart || one).then_some(one == (op == Comparison::Equal))
        }
        _ => None,
    }
}

impl From<Arithmetic> for ClockOp {
    fn from(op: Arithmetic) -> Self {
        match op {
            Arithmetic::Add => ClockOp::Add,
            Arithmetic::Subtract => ClockOp::Subtract,
            Arithmetic::Multiply | Arithmetic::Scale => ClockOp::Multiply,
            Arithmetic::Divide => ClockOp::Divide,
            Arithmetic::Remainder => ClockOp::Remainder,
            Arithmetic::Min => ClockOp::Min,
            Arithmetic::Max => ClockOp::Max,
        }
    }
}
