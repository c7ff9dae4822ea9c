//! Windows over time, and what counters keep of an entity's events.
//!
//! | file | holds |
//! | --- | --- |
//! | [`zone`] | local dates of a time zone as day numbers, and the instants at which they begin |
//! | [`window`] | how time is cut into panes, and which of them a window holds |
//! | [`now`] | the instant of an evaluation, with its local day at hand |
//! | [`memory`] | what a series remembers of events beside what it counts: resets, sessions, runs of steps |
//! | [`series`] | the panes and values behind every aggregate |
//! | [`series_state`] | a series with what it remembers |

mod zone;
mod window;
mod now;
mod memory;
mod series;
mod series_state;

pub(crate) use memory::{Memory, RunStep};
pub(crate) use now::Now;
pub(crate) use series::{
    Amount, Growth, PackedPanes, PaneTotal, Readout, Series, SeriesForm, SeriesType, packed_latest, put_latest,
};
pub(crate) use series_state::SeriesState;
pub(crate) use window::{Frame, Grid, LiveWindow, Pane, Reach};
pub(crate) use zone::{Day, Zone};
