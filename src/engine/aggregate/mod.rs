//! Windows over time, and what counters keep of an entity's events.
//!
//! | file | holds |
//! | --- | --- |
//! | [`zone`] | local dates of a time zone as day numbers, and the instants at which they begin |
//! | [`window`] | how time is cut into panes, and which of them a window holds |
//! | [`now`] | the instant of an evaluation, with its local day at hand |
//! | [`series`] | the panes and values behind every aggregate |

mod zone;
mod window;
mod now;
mod series;

pub(crate) use now::Now;
pub(crate) use series::{Readout, Series, SeriesType};
pub(crate) use window::{Frame, Grid, Pane, Reach};
pub(crate) use zone::Zone;
