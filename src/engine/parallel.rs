//! Lines that run side by side: what their difference is over a stretch of time, where enclosures of each alone overlap.
//!
//! `max(days_since(last_seen), 30) >= days_since(first_seen)` compares, for who has one event, a line with itself. Each
//! alone grows by years over the stretch; that they are equal, or a second apart, shows only in their difference. So every
//! value is written as what it is as a real number, exactly:
//!
//! ```text
//!   constant + factor · part + factor · part …
//! ```
//!
//! A part is a clock term as computed, or what an operation added to the real result by rounding, of which only a bound is
//! known. This is affine arithmetic (de Figueiredo and Stolfi, "Affine arithmetic: concepts and applications", Numerical
//! Algorithms 37, 2004), with two additions that make it exact. Operations that round the same real number are one part, for
//! they are off by the same; so lines that are computed in the same way differ by exactly 0, and so do `2 * x + x` and
//! `3 * x`. And rounding to nearest is monotone: what lies within half a step of a double on all the stretch *is* that double,
//! as `(7 - x) + x` is 7. Where terms of different times are left (`x - y`), their difference is straight up to rounding, so
//! it lies between those at the two ends, give or take a margin.

use super::line::{Line, Step, binary, unary};
use crate::model::Timestamp;

/// Longer lines are left to the search: the effort grows with the cube of their length.
const STEPS_MAX: usize = 64;

/// Products below this may lose more to underflow than their error term tells.
const TINY: f64 = 1e-280;

/// The bounds of `left − right` between two instants, in doubles: of the sign there is no doubt.
pub fn difference(left: &Line, right: &Line, first: Timestamp, last: Timestamp) -> Option<(f64, f64)> {
    let mut stretch = Stretch { first, last, parts: Vec::new() };
    let (left, right) = (stretch.walk(left)?, stretch.walk(right)?);
    let (sum, error) = left.sum.plus(&right.sum.times(-1.0).0);
    Some(stretch.bounds(&sum, error))
}

/// Encloses the values of a line between two instants.
pub fn enclose(line: &Line, first: Timestamp, last: Timestamp) -> Option<(f64, f64)> {
    let mut stretch = Stretch { first, last, parts: Vec::new() };
    stretch.walk(line).map(|value| value.range)
}

/// `constant + factor · part + …`, with the parts in order and no factor of 0.
#[derive(Clone, Debug, Default, PartialEq)]
struct Sum {
    constant: f64,
    terms: Vec<(usize, f64)>,
}

impl Sum {
    fn constant(constant: f64) -> Self {
        Sum { constant, terms: Vec::new() }
    }

    fn part(part: usize) -> Self {
        Sum { constant: 0.0, terms: vec![(part, 1.0)] }
    }

    /// The sum of two, and by how much its numbers are off.
    fn plus(&self, other: &Sum) -> (Sum, Error) {
        let (constant, error) = add(self.constant, other.constant);
        let (mut sum, mut errors) = (Sum { constant, terms: self.terms.clone() }, Error::default());
        errors.constant = error.abs();
        for (part, factor) in &other.terms {
            match sum.terms.binary_search_by_key(part, |term| term.0) {
                Ok(at) => {
                    let (both, error) = add(sum.terms[at].1, *factor);
                    sum.terms[at].1 = both;
                    errors.note(*part, error);
                }
                Err(at) => sum.terms.insert(at, (*part, *factor)),
            }
        }
        sum.terms.retain(|term| term.1 != 0.0);
        (sum, errors)
    }

    fn times(&self, by: f64) -> (Sum, Error) {
        self.scaled(|number| multiply(number, by))
    }

    fn over(&self, by: f64) -> (Sum, Error) {
        self.scaled(|number| {
            let quotient = number / by;
            let is_exact = multiply(quotient, by) == (number, 0.0);
            (quotient, if is_exact { 0.0 } else { step_above(quotient) })
        })
    }

    /// `scale` gives a number and by how much that may be off.
    fn scaled(&self, scale: impl Fn(f64) -> (f64, f64)) -> (Sum, Error) {
        let (constant, error) = scale(self.constant);
        let (mut sum, mut errors) = (Sum::constant(constant), Error::default());
        errors.constant = error.abs();
        for (part, factor) in &self.terms {
            let (scaled, error) = scale(*factor);
            errors.note(*part, error);
            if scaled != 0.0 {
                sum.terms.push((*part, scaled));
            }
        }
        (sum, errors)
    }

    fn is_finite(&self) -> bool {
        self.constant.is_finite() && self.terms.iter().all(|term| term.1.is_finite())
    }
}

/// By how much the numbers of a sum are off at most.
#[derive(Clone, Debug, Default)]
struct Error {
    constant: f64,
    factors: Vec<(usize, f64)>,
}

impl Error {
    fn note(&mut self, part: usize, error: f64) {
        if error != 0.0 {
            self.factors.push((part, error.abs()));
        }
    }
}

/// What a part is: equal keys, equal numbers at every instant.
#[derive(Clone, Debug, PartialEq)]
enum Key {
    /// `(clock − from) / unit_ms`.
    Clock(Timestamp, f64),
    /// By how much the double nearest to a real number differs from it.
    Rounding(Sum),
    /// The same of an operation whose real result is not at hand.
    RoundingOf(Step, Sum, Sum),
    /// All of what an operation results in.
    Result(Step, Sum, Sum),
}

#[derive(Clone, Debug)]
struct Part {
    key: Key,
    /// The least and the greatest that it is over the stretch; of a clock term what it is first and last.
    range: (f64, f64),
}

/// What a number is over the stretch.
#[derive(Clone, Debug)]
struct Value {
    sum: Sum,
    range: (f64, f64),
}

#[derive(Debug)]
struct Stretch {
    first: Timestamp,
    last: Timestamp,
    parts: Vec<Part>,
}

impl Stretch {
    /// What a line is; `None` where some double on the way may not be finite.
    fn walk(&mut self, line: &Line) -> Option<Value> {
        if line.steps.len() > STEPS_MAX {
            return None;
        }
        let mut stack: Vec<Value> = Vec::with_capacity(line.steps.len());
        for step in &line.steps {
            let value = match *step {
                Step::Number(number) => Value { sum: Sum::constant(number), range: (number, number) },
                Step::Since { from, unit_ms } => self.clock(from, unit_ms),
                // Rounding is the same on both sides of 0.
                Step::Until { to, unit_ms } => negated(&self.clock(to, unit_ms)),
                Step::Negate => negated(&stack.pop()?),
                Step::Abs => {
                    let x = stack.pop()?;
                    self.absolute(x)
                }
                Step::Min | Step::Max => {
                    let (b, a) = (stack.pop()?, stack.pop()?);
                    self.chosen(*step, a, b)
                }
                Step::Add | Step::Subtract | Step::Multiply | Step::Divide => {
                    let (b, a) = (stack.pop()?, stack.pop()?);
                    self.calculated(*step, &a, &b)
                }
            };
            let is_fine = value.range.0.is_finite() && value.range.1.is_finite() && value.sum.is_finite();
            stack.push(is_fine.then_some(value)?);
        }
        stack.pop()
    }

    fn clock(&mut self, from: Timestamp, unit_ms: f64) -> Value {
        let range = (self.first.since(from) as f64 / unit_ms, self.last.since(from) as f64 / unit_ms);
        Value { sum: Sum::part(self.part(Key::Clock(from, unit_ms), range)), range }
    }

    fn absolute(&mut self, x: Value) -> Value {
        match x.range {
            (low, _) if low >= 0.0 => x,
            (_, high) if high <= 0.0 => negated(&x),
            range => self.opaque(Step::Abs, x.sum, Sum::default(), unary(Step::Abs, range)),
        }
    }

    /// `min` and `max`.
    fn chosen(&mut self, step: Step, a: Value, b: Value) -> Value {
        let (difference, error) = a.sum.plus(&b.sum.times(-1.0).0);
        let (low, high) = self.bounds(&difference, error);
        let (is_above, is_below) = (low >= 0.0 || a.range.0 >= b.range.1, high <= 0.0 || a.range.1 <= b.range.0);
        match (is_above, is_below) {
            (false, false) => self.opaque(step, a.sum, b.sum, binary(step, a.range, b.range)),
            _ if is_above == (step == Step::Max) => a,
            _ => b,
        }
    }

    fn calculated(&mut self, step: Step, a: &Value, b: &Value) -> Value {
        let range = binary(step, a.range, b.range);
        let is_still = |value: &Value| value.sum.terms.is_empty();
        let (sum, error) = match step {
            Step::Add => a.sum.plus(&b.sum),
            Step::Subtract => a.sum.plus(&b.sum.times(-1.0).0),
            Step::Multiply if is_still(b) => a.sum.times(b.sum.constant),
            Step::Multiply if is_still(a) => b.sum.times(a.sum.constant),
            Step::Divide if is_still(b) => a.sum.over(b.sum.constant),
            _ => return self.opaque(step, a.sum.clone(), b.sum.clone(), range),
        };
        let is_whole = step == Step::Multiply && (is_power(a) || is_power(b));
        let is_exact = error.constant == 0.0 && error.factors.is_empty();
        let off = self.most(&error);
        let (low, high) = self.bounds(&sum, error);
        let range = (range.0.max(low), range.1.min(high));
        if range.0 == range.1 {
            return Value { sum: Sum::constant(range.0), range };
        }
        if is_exact && (is_whole || sum == a.sum || sum == b.sum) {
            return Value { sum, range };
        }
        // Half the distance of doubles at the farthest end, and what the numbers of the sum are off.
        let half = step_above(range.0.abs().max(range.1.abs())) / 2.0;
        let most = add_up(half.max(f64::from_bits(1)), off);
        let key =
            if is_exact { Key::Rounding(sum.clone()) } else { Key::RoundingOf(step, a.sum.clone(), b.sum.clone()) };
        let rounding = Sum::part(self.part(key, (-most, most)));
        Value { sum: sum.plus(&rounding).0, range }
    }

    fn opaque(&mut self, step: Step, a: Sum, b: Sum, range: (f64, f64)) -> Value {
        Value { sum: Sum::part(self.part(Key::Result(step, a, b), range)), range }
    }

    fn part(&mut self, key: Key, range: (f64, f64)) -> usize {
        self.parts.iter().position(|part| part.key == key).unwrap_or_else(|| {
            self.parts.push(Part { key, range });
            self.parts.len() - 1
        })
    }

    /// How much an error comes to at most.
    fn most(&self, error: &Error) -> f64 {
        error.factors.iter().fold(error.constant, |most, (part, off)| {
            let (low, high) = self.parts[*part].range;
            add_up(most, multiply_up(*off, low.abs().max(high.abs())))
        })
    }

    /// The doubles nearest to the bounds of a sum, or doubles beyond these. So what is rounded lies between them, and where they
    /// are not 0 they have the sign of the sum.
    fn bounds(&self, sum: &Sum, error: Error) -> (f64, f64) {
        let off = self.most(&error);
        let (mut low, mut high) = (-off, off);
        let (mut first, mut last, mut size, mut straight) = (sum.constant, sum.constant, sum.constant.abs(), 0);
        for (part, factor) in &sum.terms {
            let Part { key, range } = &self.parts[*part];
            if matches!(key, Key::Clock(..)) {
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
        // Of each clock term half a step for its own rounding at the ends, another for it in between, and for each operation
        // here half a step more: less than a step for each term, and four.
        let margin = if straight == 0 { 0.0 } else { f64::from(straight + 4) * f64::EPSILON * size };
        let (least, greatest) = (first.min(last) - margin, first.max(last) + margin);
        match (least + low, greatest + high) {
            bounds if bounds.0.is_finite() && bounds.1.is_finite() => bounds,
            _ => (f64::NEG_INFINITY, f64::INFINITY),
        }
    }
}

fn negated(x: &Value) -> Value {
    Value { sum: x.sum.times(-1.0).0, range: unary(Step::Negate, x.range) }
}

/// Whether nothing is rounded when this multiplies.
fn is_power(value: &Value) -> bool {
    const MANTISSA: u64 = (1 << 52) - 1;
    let factor = value.sum.constant;
    value.sum.terms.is_empty() && factor.abs() >= 1.0 && factor.to_bits() & MANTISSA == 0
}

/// From a double's size to the next greater one.
fn step_above(number: f64) -> f64 {
    number.abs().next_up() - number.abs()
}

/// A double sum, and what the real one is more (Knuth, "The Art of Computer Programming", vol. 2, 4.2.2, theorem B).
fn add(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let of_b = sum - a;
    (sum, (a - (sum - of_b)) + (b - of_b))
}

/// A double product, and what the real one is more; where that is too small to tell, more than it can be.
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
