//! Tags: from a state and what holds now to the next state, and when to look again.
//!
//! | file | holds |
//! | --- | --- |
//! | [`state_machine`] | the state machines of rules, values, bands, stages and manual tags |
//! | [`score`] | tags with a `score`: when a model is asked, and what becomes of its answer |

mod state_machine;
mod score;

pub(crate) use score::{SCORE_LABEL, input_row_if_due};
pub(crate) use state_machine::{NextState, Shown, TagCommand, Transition, band_or_stage, step};
