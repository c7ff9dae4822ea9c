//! What a series keeps of the events, how it is written, and what counters read from it.

use crate::catalog::{Aggregate, NumberSource, Source};

/// What a series keeps of the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SeriesType {
    /// The number of events per pane.
    Counts,
    /// Numbers per pane, and their sum.
    Sums(NumberSource),
    Least(NumberSource),
    Greatest(NumberSource),
    /// The days with at least one event.
    Days,
    Distinct {
        of: Source,
        limit: u32,
    },
    Latest(Source),
    Earliest(Source),
    Top {
        of: Source,
        limit: u32,
    },
}

impl SeriesType {
    pub fn new(aggregate: Aggregate) -> Self {
        match aggregate {
            Aggregate::Count => SeriesType::Counts,
            Aggregate::Sum(of) | Aggregate::Avg(of) => SeriesType::Sums(of),
            Aggregate::Min(of) => SeriesType::Least(of),
            Aggregate::Max(of) => SeriesType::Greatest(of),
            Aggregate::ActiveDays => SeriesType::Days,
            Aggregate::Distinct { of, limit } => SeriesType::Distinct { of, limit },
            Aggregate::Last(of) => SeriesType::Latest(of),
            Aggregate::First(of) => SeriesType::Earliest(of),
            Aggregate::Top { of, limit } => SeriesType::Top { of, limit },
        }
    }

    /// Whether counters with windows of different length can read one series.
    pub fn serves_any_reach(self) -> bool {
        !matches!(
            self,
            SeriesType::Distinct { .. } | SeriesType::Latest(_) | SeriesType::Earliest(_) | SeriesType::Top { .. }
        )
    }
}

/// How a series is written, where that has changed from version to version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SeriesForm {
    /// The first one of each type of series: of sums, in millionths.
    First,
    /// Sums in billionths.
    Billionths,
    /// Sums without their last zeros.
    ShortSums,
    /// Strings with counts, in few bytes.
    ShortTop,
}

impl SeriesForm {
    /// The form in which this version writes.
    pub(crate) fn of(series_type: SeriesType) -> Self {
        match series_type {
            SeriesType::Sums(_) => SeriesForm::ShortSums,
            SeriesType::Top { .. } => SeriesForm::ShortTop,
            _ => SeriesForm::First,
        }
    }
}

/// Which value a counter reads from its series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readout {
    Count,
    Sum,
    Average,
    Least,
    Greatest,
    Distinct,
    Days,
    FirstOrLast,
    Top,
}

impl Readout {
    pub fn new(aggregate: Aggregate) -> Self {
        match aggregate {
            Aggregate::Count => Readout::Count,
            Aggregate::Sum(_) => Readout::Sum,
            Aggregate::Avg(_) => Readout::Average,
            Aggregate::Min(_) => Readout::Least,
            Aggregate::Max(_) => Readout::Greatest,
            Aggregate::ActiveDays => Readout::Days,
            Aggregate::Distinct { .. } => Readout::Distinct,
            Aggregate::Last(_) | Aggregate::First(_) => Readout::FirstOrLast,
            Aggregate::Top { .. } => Readout::Top,
        }
    }

    /// Whether the value only falls while no event comes and no number that was added is negative, for a window that ends
    /// now.
    pub fn only_falls_if_positive(self) -> bool {
        matches!(self, Readout::Count | Readout::Sum | Readout::Distinct | Readout::Days)
    }
}
