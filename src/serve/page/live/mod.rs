//! Tag changes as they come, with their reasons, filtered by tag and by expression.
//!
//! - `show`: the page with the last changes; `stream`: those that follow, for its script;
//! - `row`: a change as a row of the list;
//! - `words`: what it says.

mod words;
mod row;
mod show;
mod stream;

pub(in crate::serve::page) use show::show;
pub(in crate::serve::page) use stream::stream;
pub(in crate::serve::page) use words::LiveWords;
