//! How fast an expression grows with the clock: the rules that keep the next change of every verdict computable.
//!
//! The clock enters through `…_since` and `…_until`, which are linear in it. As long as a term stays linear, the
//! instant at which it reaches a bound is one division. So terms that move with the clock are not multiplied with each
//! other, are not divisors, and are used only in comparisons and bands. Terms that cancel are refused too: what remains
//! of them is a rounding error, which would change verdicts at random milliseconds.

use crate::catalog::compiled::Arithmetic;

/// The growth of a number in a day without events.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Slope {
    /// The number does not depend on the clock.
    Zero,
    /// It grows by this, which is not 0.
    PerDay(f64),
    /// It grows by an amount that depends on values.
    Unknown,
}

/// Why terms that move with the clock cannot be combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClockError {
    Product,
    Divisor,
    Remainder,
    Cancel,
    TimesZero,
}

/// Slopes that differ by at most this fraction are the same, such as those of 24 hours and of a day.
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

    /// The slope of `abs(x)`, which changes its sign where x is 0.
    pub(crate) fn folded(self) -> Slope {
        if self.moves() { Slope::Unknown } else { Slope::Zero }
    }

    /// The slope of `min`, `max` and `?:`, whose value is one of two numbers.
    pub(crate) fn or(self, other: Slope) -> Slope {
        match (self, other) {
            (Slope::Zero, Slope::Zero) => Slope::Zero,
            (Slope::PerDay(a), Slope::PerDay(b)) if cancels(a, b) => self,
            _ => Slope::Unknown,
        }
    }

    /// Whether both numbers move with the clock and their difference does not.
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

/// The slope of an arithmetic term; each side is its slope, and its value if that is known.
///
/// # Errors
/// When the term would not be linear in the clock, or the clock cancels.
pub(super) fn combine(op: Arithmetic, a: (Slope, Option<f64>), b: (Slope, Option<f64>)) -> Result<Slope, ClockError> {
    match op {
        Arithmetic::Add => a.0.plus(b.0),
        Arithmetic::Subtract => a.0.plus(b.0.negated()),
        Arithmetic::Multiply | Arithmetic::Scale if a.0.moves() && b.0.moves() => Err(ClockError::Product),
        Arithmetic::Multiply | Arithmetic::Scale if a.0.moves() => a.0.times(b.1),
        Arithmetic::Multiply | Arithmetic::Scale => b.0.times(a.1),
        Arithmetic::Divide if b.0.moves() => Err(ClockError::Divisor),
        Arithmetic::Divide => match b.1 {
            // Always absent, whatever the clock is.
            Some(0.0) => Ok(a.0.folded()),
            divisor => a.0.times(divisor.map(|d| 1.0 / d)),
        },
        Arithmetic::Remainder if a.0.moves() || b.0.moves() => Err(ClockError::Remainder),
        Arithmetic::Remainder => Ok(Slope::Zero),
        Arithmetic::Min | Arithmetic::Max => Ok(a.0.or(b.0)),
    }
}
