//! Two clock expressions that run side by side: their difference over an interval, where their own enclosures overlap.
//!
//! `max(days_since(last_seen), 30) >= days_since(first_seen)` compares, for an entity with one event, an expression
//! with itself. Each side alone grows by years over the interval; that both are equal, or a second apart, shows only in
//! their difference. So every value is written exactly as the real number that it is:
//!
//! ```text
//!   constant + factor · term + factor · term …
//! ```
//!
//! A term is a clock term as computed, or what an operation added to the real result by rounding, of which only a bound
//! is known. This is affine arithmetic (de Figueiredo and Stolfi, "Affine arithmetic: concepts and applications",
//! Numerical Algorithms 37, 2004), with two additions that make it exact. Operations that round the same real number
//! share one term, because they are off by the same; so expressions that are computed in the same way differ by exactly
//! 0, and so do `2 * x + x` and `3 * x`. And rounding to nearest is monotone: a value that lies within half a step of a
//! double on all the interval *is* that double, as `(7 - x) + x` is 7. Where terms of different times are left
//! (`x - y`), their difference is straight up to rounding, so it lies between the differences at the two ends, within a
//! margin.

use super::{ClockExpr, ClockOp, binary, unary};
use crate::catalog::CalendarFunction;
use crate::engine::aggregate::{Day, Zone};
use crate::engine::expr::calendar;
use crate::model::{DAY_MS, Timestamp};

/// Longer expressions are left to the search: the effort grows with the cube of their length.
const OPS_MAX: usize = 64;

/// By how much a number of dates differs from the days since the first of them began: a part of a day, and what a zone
/// moved its clocks by.
const DATES_OFF_MAX: f64 = 2.25;

/// Products below this may lose more to underflow than their error term tells.
const TINY: f64 = 1e-280;

/// The bounds of `left − right` between two instants, in doubles; their signs are exact.
pub(super) fn difference(
    left: &ClockExpr,
    right: &ClockExpr,
    between: (Timestamp, Timestamp),
    zone: &Zone,
) -> Option<(f64, f64)> {
    let mut interval = AffineInterval::new(between, zone);
    let (left, right) = (interval.walk(left)?, interval.walk(right)?);
    let (form, error) = left.form.plus(&right.form.times(-1.0).0);
    Some(interval.bounds(&form, error))
}

/// Encloses the values of a clock expression between two instants.
pub(super) fn enclose(clock_expr: &ClockExpr, between: (Timestamp, Timestamp), zone: &Zone) -> Option<(f64, f64)> {
    let mut interval = AffineInterval::new(between, zone);
    interval.walk(clock_expr).map(|value| value.range)
}

/// `constant + factor · term + …`, with the terms in order and no factor of 0.
#[derive(Clone, Debug, Default, PartialEq)]
struct AffineForm {
    constant: f64,
    terms: Vec<(usize, f64)>,
}

impl AffineForm {
    fn constant(constant: f64) -> Self {
        AffineForm { constant, terms: Vec::new() }
    }

    fn term(term: usize) -> Self {
        AffineForm { constant: 0.0, terms: vec![(term, 1.0)] }
    }

    /// The sum of two forms, and by how much its numbers may be off.
    fn plus(&self, other: &AffineForm) -> (AffineForm, FormError) {
        let (constant, error) = add(self.constant, other.constant);
        let (mut form, mut errors) = (AffineForm { constant, terms: self.terms.clone() }, FormError::default());
        errors.constant = error.abs();
        for (term, factor) in &other.terms {
            match form.terms.binary_search_by_key(term, |term| term.0) {
                Ok(at) => {
                    let (both, error) = add(form.terms[at].1, *factor);
                    form.terms[at].1 = both;
                    errors.note(*term, error);
                }
                Err(at) => form.terms.insert(at, (*term, *factor)),
            }
        }
        form.terms.retain(|term| term.1 != 0.0);
        (form, errors)
    }

    fn times(&self, by: f64) -> (AffineForm, FormError) {
        self.scaled(|number| multiply(number, by))
    }

    fn over(&self, by: f64) -> (AffineForm, FormError) {
        self.scaled(|number| {
            let quotient = number / by;
            let is_exact = multiply(quotient, by) == (number, 0.0);
            (quotient, if is_exact { 0.0 } else { step_above(quotient) })
        })
    }

    /// `scale` returns a number and by how much that may be off.
    fn scaled(&self, scale: impl Fn(f64) -> (f64, f64)) -> (AffineForm, FormError) {
        let (constant, error) = scale(self.constant);
        let (mut form, mut errors) = (AffineForm::constant(constant), FormError::default());
        errors.constant = error.abs();
        for (term, factor) in &self.terms {
            let (scaled, error) = scale(*factor);
            errors.note(*term, error);
            if scaled != 0.0 {
                form.terms.push((*term, scaled));
            }
        }
        (form, errors)
    }

    fn is_finite(&self) -> bool {
        self.constant.is_finite() && self.terms.iter().all(|term| term.1.is_finite())
    }
}

/// By how much the numbers of a form are off at most.
#[derive(Clone, Debug, Default)]
struct FormError {
    constant: f64,
    factors: Vec<(usize, f64)>,
}

impl FormError {
    fn note(&mut self, term: usize, error: f64) {
        if error != 0.0 {
            self.factors.push((term, error.abs()));
        }
    }
}

/// What a term is: terms with equal keys are equal at every instant.
#[derive(Clone, Debug, PartialEq)]
enum TermKey {
    /// `(clock − from) / unit_ms`.
    Clock(Timestamp, f64),
    /// `years_since(of)` and its like; of `dates_since(of)`, by how much it differs from `days_since(of)`.
    Calendar(CalendarFunction, Day),
    /// By how much the double nearest to a real number differs from it.
    Rounding(AffineForm),
    /// The same of an operation whose real result is not at hand.
    RoundingOf(ClockOp, AffineForm, AffineForm),
    /// All of what an operation results in.
    Result(ClockOp, AffineForm, AffineForm),
}

#[derive(Clone, Debug)]
struct Term {
    key: TermKey,
    /// The least and the greatest value over the interval; for a clock term, its first and its last value.
    range: (f64, f64),
}

/// A number over the interval.
#[derive(Clone, Debug)]
struct AffineValue {
    form: AffineForm,
    range: (f64, f64),
}

#[derive(Debug)]
struct AffineInterval<'z> {
    first: Timestamp,
    last: Timestamp,
    zone: &'z Zone,
    known_terms: Vec<Term>,
}

impl<'z> AffineInterval<'z> {
    fn new((first, last): (Timestamp, Timestamp), zone: &'z Zone) -> Self {
        AffineInterval { first, last, zone, known_terms: Vec::new() }
    }

    /// The value of a clock expression; `None` where an intermediate double may not be finite.
    fn walk(&mut self, clock_expr: &ClockExpr) -> Option<AffineValue> {
        if clock_expr.ops.len() > OPS_MAX {
            return None;
        }
        let mut stack: Vec<AffineValue> = Vec::with_capacity(clock_expr.ops.len());
        for clock_op in &clock_expr.ops {
            let value = match *clock_op {
                ClockOp::Number(number) => AffineValue { form: AffineForm::constant(number), range: (number, number) },
                ClockOp::Since { from, unit_ms } => self.clock(from, unit_ms),
                ClockOp::Calendar { function, of } => self.calendar(function, of),
                // Rounding is symmetric about 0.
                ClockOp::Until { to, unit_ms } => negated(&self.clock(to, unit_ms)),
                ClockOp::Negate => negated(&stack.pop()?),
                ClockOp::Abs => {
                    let x = stack.pop()?;
                    self.absolute(x)
                }
                ClockOp::Min | ClockOp::Max => {
                    let (b, a) = (stack.pop()?, stack.pop()?);
                    self.chosen(*clock_op, a, b)
                }
                ClockOp::Add | ClockOp::Subtract | ClockOp::Multiply | ClockOp::Divide | ClockOp::Remainder => {
                    let (b, a) = (stack.pop()?, stack.pop()?);
                    self.calculated(*clock_op, &a, &b)
                }
            };
            let is_fine = value.range.0.is_finite() && value.range.1.is_finite() && value.form.is_finite();
            stack.push(is_fine.then_some(value)?);
        }
        stack.pop()
    }

    fn clock(&mut self, from: Timestamp, unit_ms: f64) -> AffineValue {
        let range = (self.first.since(from) as f64 / unit_ms, self.last.since(from) as f64 / unit_ms);
        AffineValue { form: AffineForm::term(self.term(TermKey::Clock(from, unit_ms), range)), range }
    }

    fn calendar(&mut self, function: CalendarFunction, of: Day) -> AffineValue {
        let days = (self.zone.day(self.first), self.zone.day(self.last));
        let (least, greatest) = calendar::over(function, of, days.0, days.1);
        let range = (least as f64, greatest as f64);
        if least == greatest {
            return AffineValue { form: AffineForm::constant(range.0), range };
        }
        let key = TermKey::Calendar(function, of);
        let is_falling = match function {
            CalendarFunction::DatesSince => false,
            CalendarFunction::DatesUntil => true,
            CalendarFunction::YearsSince | CalendarFunction::DatesToAnniversary => {
                return AffineValue { form: AffineForm::term(self.term(key, range)), range };
            }
        };
        // Dates run side by side with days, whatever the zone does to its clocks.
        let days = self.clock(self.zone.start(of), DAY_MS as f64);
        let days = if is_falling { negated(&days) } else { days };
        let rest = AffineForm::term(self.term(key, (-DATES_OFF_MAX, DATES_OFF_MAX)));
        AffineValue { form: days.form.plus(&rest).0, range }
    }

    fn absolute(&mut self, x: AffineValue) -> AffineValue {
        match x.range {
            (low, _) if low >= 0.0 => x,
            (_, high) if high <= 0.0 => negated(&x),
            range => self.opaque(ClockOp::Abs, x.form, AffineForm::default(), unary(ClockOp::Abs, range)),
        }
    }

    /// `min` and `max`.
    fn chosen(&mut self, clock_op: ClockOp, a: AffineValue, b: AffineValue) -> AffineValue {
        let (difference, error) = a.form.plus(&b.form.times(-1.0).0);
        let (low, high) = self.bounds(&difference, error);
        let (is_above, is_below) = (low >= 0.0 || a.range.0 >= b.range.1, high <= 0.0 || a.range.1 <= b.range.0);
        match (is_above, is_below) {
            (false, false) => self.opaque(clock_op, a.form, b.form, binary(clock_op, a.range, b.range)),
            _ if is_above == (clock_op == ClockOp::Max) => a,
            _ => b,
        }
    }

    fn calculated(&mut self, clock_op: ClockOp, a: &AffineValue, b: &AffineValue) -> AffineValue {
        let range = binary(clock_op, a.range, b.range);
        let is_still = |value: &AffineValue| value.form.terms.is_empty();
        let (form, error) = match clock_op {
            ClockOp::Add => a.form.plus(&b.form),
            ClockOp::Subtract => a.form.plus(&b.form.times(-1.0).0),
            ClockOp::Multiply if is_still(b) => a.form.times(b.form.constant),
            ClockOp::Multiply if is_still(a) => b.form.times(a.form.constant),
            ClockOp::Divide if is_still(b) => a.form.over(b.form.constant),
            _ => return self.opaque(clock_op, a.form.clone(), b.form.clone(), range),
        };
        let is_whole = clock_op == ClockOp::Multiply && (is_power(a) || is_power(b));
        let is_exact = error.constant == 0.0 && error.factors.is_empty();
        let off = self.most(&error);
        let (low, high) = self.bounds(&form, error);
        let range = (range.0.max(low), range.1.min(high));
        if range.0 == range.1 {
            return AffineValue { form: AffineForm::constant(range.0), range };
        }
        if is_exact && (is_whole || form == a.form || form == b.form) {
            return AffineValue { form, range };
        }
        // Half the distance of doubles at the farthest end, and what the form's numbers are off.
        let half = step_above(range.0.abs().max(range.1.abs())) / 2.0;
        let most = add_up(half.max(f64::from_bits(1)), off);
        let key = if is_exact {
            TermKey::Rounding(form.clone())
        } else {
            TermKey::RoundingOf(clock_op, a.form.clone(), b.form.clone())
        };
        let rounding = AffineForm::term(self.term(key, (-most, most)));
        AffineValue { form: form.plus(&rounding).0, range }
    }

    fn opaque(&mut self, clock_op: ClockOp, a: AffineForm, b: AffineForm, range: (f64, f64)) -> AffineValue {
        AffineValue { form: AffineForm::term(self.term(TermKey::Result(clock_op, a, b), range)), range }
    }

    fn term(&mut self, key: TermKey, range: (f64, f64)) -> usize {
        self.known_terms.iter().position(|term| term.key == key).unwrap_or_else(|| {
            self.known_terms.push(Term { key, range });
            self.known_terms.len() - 1
        })
    }

    /// The greatest size of an error.
    fn most(&self, error: &FormError) -> f64 {
        error.factors.iter().fold(error.constant, |most, (term, off)| {
            let (low, high) = self.known_terms[*term].range;
            add_up(most, multiply_up(*off, low.abs().max(high.abs())))
        })
    }

    /// The doubles nearest to the bounds of a form, or doubles beyond them. What is rounded lies between them, and
    /// where they are not 0 they have the sign of the form.
    fn bounds(&self, form: &AffineForm, error: FormError) -> (f64, f64) {
        let off = self.most(&error);
        let (mut low, mut high) = (-off, off);
        let (mut first, mut last, mut size, mut straight) = (form.constant, form.constant, form.constant.abs(), 0);
        for (term, factor) in &form.terms {
            let Term { key, range } = &self.known_terms[*term];
            if matches!(key, TermKey::Clock(..)) {
                let (at_first, at_last) = (factor * range.0, factor * range.1);
                (first, last) = (first + at_first, last + at_last);
                size += at_first.abs().max(at_last.abs());
                straight += 1;
            } else {
                let (least, greatest) = if *factor > 0.0 { *range } else { (range.1, range.0) };
                low = -add_up(-low, multiply_up(-factor, least));
                high = add_up(high, multiply_up(*factor, greatest));
            }
        }
        // Per clock term: half a step for its own rounding at the ends, half a step for it in between; per operation
        // here: half a step. Together less than a step per term, and four.
        let margin = if straight == 0 { 0.0 } else { f64::from(straight + 4) * f64::EPSILON * size };
        let (least, greatest) = (first.min(last) - margin, first.max(last) + margin);
        match (least + low, greatest + high) {
            bounds if bounds.0.is_finite() && bounds.1.is_finite() => bounds,
            _ => (f64::NEG_INFINITY, f64::INFINITY),
        }
    }
}

fn negated(x: &AffineValue) -> AffineValue {
    AffineValue { form: x.form.times(-1.0).0, range: unary(ClockOp::Negate, x.range) }
}

/// Whether a multiplication by this rounds nothing.
fn is_power(value: &AffineValue) -> bool {
    const MANTISSA: u64 = (1 << 52) - 1;
    let factor = value.form.constant;
    value.form.terms.is_empty() && factor.abs() >= 1.0 && factor.to_bits() & MANTISSA == 0
}

/// The distance from a double to the next greater one.
fn step_above(number: f64) -> f64 {
    number.abs().next_up() - number.abs()
}

/// The sum of two doubles, and by how much the real sum is greater (Knuth, "The Art of Computer Programming", vol. 2,
/// 4.2.2, theorem B).
fn add(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let of_b = sum - a;
    (sum, (a - (sum - of_b)) + (b - of_b))
}

/// The product of two doubles, and by how much the real product is greater; where that is too small to tell, a bound of
/// it.
fn multiply(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    if product.abs() < TINY && a != 0.0 && b != 0.0 {
        return (product, f64::MIN_POSITIVE);
    }
    (product, a.mul_add(b, -product))
}

fn add_up(a: f64, b: f64) -> f64 {
    let (sum, more) = add(a, b);
    if more > 0.0 { sum.next_up() } else { sum }
}

fn multiply_up(a: f64, b: f64) -> f64 {
    let (product, more) = multiply(a, b);
    if more > 0.0 { product.next_up() } else { product }
}
