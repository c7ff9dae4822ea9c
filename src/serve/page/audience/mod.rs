//! An audience: an expression as it is written, its size at once, how it is divided, what it has in common with others, who
//! came and went, and who is in it. The address of the page is the whole question.
//!
//! - `question`: what the address asks, and addresses that ask it;
//! - `figures`: what the page shows, of one view;
//! - `form`: the fields; `parts`: breakdown, overlap, comparison, members;
//! - `download`: all members as a file;
//! - `words`: what it says.

mod words;
mod question;
mod figures;
mod form;
mod parts;
mod download;
mod show;

pub(in crate::serve::page) use download::download;
pub(in crate::serve::page) use show::{answer, show};
pub(in crate::serve::page) use words::AudienceWords;
