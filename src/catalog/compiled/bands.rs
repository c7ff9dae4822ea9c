//! Bands of a number: their names, the bounds between them, and the margin by which a band is left.

use crate::model::{Decimal, Number};

#[derive(Clone, Debug, PartialEq)]
pub struct Bands {
    /// One more name than bounds.
    pub names: Vec<Box<str>>,
    /// Increasing; a value at a bound is in the band above it.
    pub bounds: Vec<Number>,
    /// A value leaves its band upward at bound + margin or more, downward at bound − margin or less; 0: no hysteresis.
    pub margin: Number,
}

impl Bands {
    /// The band of a value that is in none yet.
    pub fn plain(&self, value: Number) -> u16 {
        self.bounds.partition_point(|bound| *bound <= value) as u16
    }

    /// From which value on a band is left upward; `None` for the last one.
    pub fn leaves_upward(&self, band: u16) -> Option<Number> {
        let bound = *self.bounds.get(usize::from(band))?;
        Some(exact(bound, self.margin, Decimal::plus).unwrap_or(Number::Double(bound.to_f64() + self.margin.to_f64())))
    }

    /// Down from which value on a band is left downward; `None` for the first one.
    pub fn leaves_downward(&self, band: u16) -> Option<Number> {
        let bound = *self.bounds.get(usize::from(band).checked_sub(1)?)?;
        Some(exact(bound, self.margin, Decimal::minus).unwrap_or(Number::Double(bound.to_f64() - self.margin.to_f64())))
    }
}

/// The result for two decimals.
fn exact(a: Number, b: Number, of: impl Fn(Decimal, Decimal) -> Option<Decimal>) -> Option<Number> {
    match (a, b) {
        (Number::Decimal(a), Number::Decimal(b)) => of(a, b).map(Number::Decimal),
        _ => None,
    }
}
