//! How an expression moves with the clock: the rules that keep every verdict's next instant computable.
//!
//! The clock enters through `…_since` and `…_until` as a straight line. As long as nothing bends that line, where it
//! crosses a bound is a division. So a moving term must not meet another one in a product, stand in a divisor, or be
//! looked at other than by a comparison or bands. Terms that cancel are refused as well: what is left of them is
//! rounding noise, which would flip verdicts at random milliseconds.

use crate::catalog::compiled::Arithmetic;

/// How much a number grows in a day on which nothing happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Slope {
    /// The clock does not enter.
    Zero,
    /// By this much, not 0.
    PerDay(f64),
    /// It moves, by an amount that depends on values.
    Unknown,
}

/// Why moving terms can't be put together so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClockError {
    Product,
    Divisor,
    Remainder,
    Cancel,
    TimesZero,
}

/// Slopes that differ by less than this fraction are the same: 24 hours and a day, written in different ways.
const SAME_SLOPE: f64 = 1e-9;

impl Slope {
    pub(crate) fn moves(self) -> bool {
        self != Slope::Zero
    }

    pub(crate) fn negated(self) -> Slope {
        match self {
            Slope::PerDay(k) => Slope::PerDay(-k),
            other => other,
        }
    }

    /// Of `abs(x)`: downhill becomes uphill somewhere.
    pub(crate) fn folded(self) -> Slope {
        if self.moves() { Slope::Unknown } else { Slope::Zero }
    }

    /// Of one or the other, as `min`, `max` and `?:` choose.
    pub(crate) fn or(self, other: Slope) -> Slope {
        match (self, other) {
            (Slope::Zero, Slope::Zero) => Slope::Zero,
            (Slope::PerDay(a), Slope::PerDay(b)) if cancels(a, b) => self,
            _ => Slope::Unknown,
        }
    }

    /// Whether the difference of two numbers does not move although both do.
    pub(crate) fn cancels(self, other: Slope) -> bool {
        matches!((self, other), (Slope::PerDay(a), Slope::PerDay(b)) if cancels(a, b))
    }

    fn plus(self, other: Slope) -> Result<Slope, ClockError> {
        match (self, other) {
            (Slope::Zero, slope) | (slope, Slope::Zero) => Ok(slope),
            _ if self.cancels(other.negated()) => Err(ClockError::Cancel),
            (Slope::PerDay(a), Slope::PerDay(b)) => Ok(Slope::PerDay(a + b)),
            _ => Ok(Slope::Unknown),
        }
    }

    fn times(self, factor: Option<f64>) -> Result<Slope, ClockError> {
        match (self, factor) {
            (Slope::Zero, _) => Ok(Slope::Zero),
            (_, Some(0.0)) => Err(ClockError::TimesZero),
            (Slope::PerDay(k), Some(factor)) if (k * factor).is_finite() => Ok(Slope::PerDay(k * factor)),
            _ => Ok(Slope::Unknown),
        }
    }
}

fn cancels(a: f64, b: f64) -> bool {
    (a - b).abs() <= SAME_SLOPE * a.abs().max(b.abs())
}

/// The slope of an arithmetic term; a side is its slope and its value where that is known.
///
/// # Errors
/// Where the line would bend, or vanish.
pub(super) fn combine(op: Arithmetic, a: (Slope, Option<f64>), b: (Slope, Option<f64>)) -> Result<Slope, ClockError> {
    match op {
        Arithmetic::Add => a.0.plus(b.0),
        Arithmetic::Subtract => a.0.plus(b.0.negated()),
        Arithmetic::Multiply if a.0.moves() && b.0.moves() => Err(ClockError::Product),
        Arithmetic::Multiply if a.0.moves() => a.0.times(b.1),
        Arithmetic::Multiply => b.0.times(a.1),
        Arithmetic::Divide if b.0.moves() => Err(ClockError::Divisor),
        Arithmetic::Divide => match b.1 {
            // Absent whatever the clock: no line to bend.
            Some(0.0) => Ok(a.0.folded()),
            divisor => a.0.times(divisor.map(|d| 1.0 / d)),
        },
        Arithmetic::Remainder if a.0.moves() || b.0.moves() => Err(ClockError::Remainder),
        Arithmetic::Remainder => Ok(Slope::Zero),
        Arithmetic::Min | Arithmetic::Max => Ok(a.0.or(b.0)),
    }
}
