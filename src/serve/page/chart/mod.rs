//! Charts as SVG, drawn here: they need no script, and have a table with the same numbers for those who do not see them.
//!
//! Colours come from classes, so that they fit the colour scheme. Every picture has a title and says in a sentence what it
//! shows.
//!
//! - `scale`: round steps of an axis;
//! - `axes`: what charts over time share;
//! - `sparkline`: a small line without axes;
//! - `line`: a size over time;
//! - `columns`: what came above the axis, and what went below it;
//! - `bars`: horizontal bars, one a row.

mod scale;
mod axes;
mod sparkline;
mod line;
mod columns;
mod bars;

pub(in crate::serve::page) use bars::{Bar, bars};
pub(in crate::serve::page) use columns::{ColumnChart, MoveColumn, columns};
pub(in crate::serve::page) use line::{LineChart, Point, line};
pub(in crate::serve::page) use sparkline::sparkline;
