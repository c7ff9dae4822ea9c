//! The overview: the tags with their sizes and what came and went, what waits for approval, and health.
//!
//! - `figures`: what the page shows, of one view;
//! - `table`: the tags by group;
//! - `approvals`: what waits for approval;
//! - `health`: how far what is shown is behind;
//! - `words`: what it says.

mod words;
mod figures;
mod table;
mod health;
mod approvals;
mod show;

pub(in crate::serve::page) use approvals::approve;
pub(in crate::serve::page) use figures::{HistoryReach, await_history, no_history};
pub(in crate::serve::page) use health::reach_note;
pub(in crate::serve::page) use show::show;
pub(in crate::serve::page) use words::OverviewWords;
