//! Round steps of an axis.

/// An axis from zero to a round number that is not less than the largest value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scale {
    pub step: u64,
    pub end: u64,
}

/// Steps of an axis.
const STEPS: u64 = 4;

impl Scale {
    pub(super) fn to(most: u64) -> Self {
        let rough = most.div_ceil(STEPS).max(1);
        let unit = 10_u64.pow(rough.ilog10());
        let step = [1, 2, 5].into_iter().map(|times| times * unit).find(|step| *step >= rough).unwrap_or(10 * unit);
        Scale { step, end: most.div_ceil(step).max(1) * step }
    }

    pub(super) fn steps(self) -> impl Iterator<Item = u64> {
        (0..=self.end / self.step).map(move |step| step * self.step)
    }

    /// Where a value stands between 0 and a length.
    pub(super) fn place(self, value: u64, length: f64) -> f64 {
        length * value as f64 / self.end as f64
    }
}

/// A coordinate, to a tenth.
pub(super) fn at(coordinate: f64) -> String {
    format!("{coordinate:.1}")
}
