//! Expressions over counters that have not seen their whole window (spec 4.3).
//!
//! | file | holds |
//! | --- | --- |
//! | [`abstract_value`] | all values that an expression may have: one, an interval, or anything |
//! | [`number_range`] | numbers between two ends, and what is computed with them |
//! | [`where_bounds`] | what a counter's `where` says of the numbers that its aggregate takes |
//! | [`counter_bounds`] | the values that an incomplete counter may have |
//! | [`kleene`] | true, false or unknown, and until when |

mod abstract_value;
mod number_range;
mod where_bounds;
mod counter_bounds;
mod kleene;

pub(crate) use kleene::{BandVerdict, Known, Truth};
