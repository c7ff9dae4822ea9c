//! Expressions: their values, and until when these hold if no event comes.
//!
//! | file | holds |
//! | --- | --- |
//! | [`text_arena`] | texts that an evaluation makes |
//! | [`ops`] | comparisons, arithmetic and functions of text |
//! | [`event_part`] | an event, or one element of an array in it |
//! | [`event_filter`] | `where` and what aggregates compute: expressions over one event |
//! | [`event_values`] | the values that an aggregate tells apart in an event |
//! | [`calendar`] | functions of dates, which move at local midnights, and the day on which a comparison turns |
//! | [`crossing`] | numbers that move with the clock, and when a predicate over them turns |
//! | [`coverage`] | since when the events of a counter are known, and when that is its whole window |
//! | [`score_cache`] | scores that were asked for together |
//! | [`frozen`] | an expression in which everything but the clock is fixed |
//! | [`eval`] | expressions over an entity |

mod text_arena;
mod ops;
mod event_part;
mod event_filter;
mod event_values;
mod calendar;
mod crossing;
mod coverage;
mod score_cache;
mod frozen;
mod eval;

pub(crate) use calendar::{of_dates, over as calendar_over, value as calendar_value};
pub(crate) use coverage::{Coverage, InheritedCoverage, PartialSeries};
pub(crate) use crossing::{ClockOp, band, binary, first_change};
pub(crate) use eval::{ClockExprs, Evaluator, load_inputs, load_series};
pub(crate) use event_filter::{computed_number, event_value, passes, scalar, source};
pub(crate) use event_part::EventPart;
pub(crate) use event_values::{hash_value, visit_texts, visit_values};
pub(crate) use ops::{
    calculate, calculate_decimals, compare_values, fold_case, instant, local_day, magnitude, match_text, negate,
    test_text, text_size, without_decimal,
};
pub(crate) use score_cache::ScoreCache;
pub(crate) use text_arena::TextArena;
