//! An edit of the catalog: its text with its problems beside it, and what it would change on the state as it is. Nothing here
//! changes the service: the file is put in force as always.
//!
//! - `show`: the page; `preview`: the table of what would change;
//! - `words`: what it says.

mod words;
mod preview;
mod show;

pub(in crate::serve::page) use show::{preview, problems_of, show};
pub(in crate::serve::page) use words::CatalogWords;
