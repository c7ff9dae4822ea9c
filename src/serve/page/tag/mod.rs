//! One tag: its definition as written, its size over time, what came and went and why, its members, and what comes.
//!
//! - `figures`: what the page shows, of one view;
//! - `over_time`: the charts; `reasons`: why the tag was entered and left;
//! - `forecast`: the next thirty days, on a page of its own, since it takes long: a script brings it into the tag's page;
//! - `words`: what it says.

mod words;
mod figures;
mod over_time;
mod reasons;
mod forecast;
mod show;

pub(in crate::serve::page) use forecast::forecast;
pub(in crate::serve::page) use reasons::{cause, change_word};
pub(in crate::serve::page) use show::show;
pub(in crate::serve::page) use words::TagWords;
