//! Audiences: the entities of a kind for which an expression of the catalog's language holds, at one instant.
//!
//! An expression is first answered from bitmaps: what certainly holds and what may hold. Where it is a combination of tags,
//! bands and stages, the two are the same, and nothing else is read. Where it mentions attributes, counters or the clock, the
//! states of those entities are evaluated that the bitmaps have left open.
//!
//! | file | holds |
//! | --- | --- |
//! | [`bounds`] | what bitmaps say of an expression |
//! | [`question`] | an expression that was checked, and who it selects |
//! | [`selection`] | entities of a view, by partition |
//! | [`breakdown`] | a selection divided by the values of an expression |
//! | [`forecast`] | who enters and leaves if nothing happens |
//! | [`past`] | who was selected at a past instant |
//! | [`preview`] | who enters and leaves under another catalog |

mod bounds;
mod question;
mod selection;
mod past;
mod breakdown;
mod forecast;
mod preview;

pub use breakdown::{Breakdown, BreakdownCell, CellValue, Dimension, DimensionError};
pub use forecast::{DayForecast, Forecast, TagMoves};
pub use past::{PastError, PastView, ViewAt};
pub use preview::{CatalogPreview, TagPreview};
pub use question::{Audience, Column};
pub use selection::{Member, Selection};
