//! The session: who may see a page, signing in and out with a token, and what a reader has switched to.
//!
//! With a file of tokens a page needs the one of the cookie; a reader without it gets a page on which to give it. The
//! cookie is read by no script and sent by no other site (`access`).
//!
//! - `admission`: who may see a page;
//! - `sign_in`: the page on which a token is given, and what comes of it;
//! - `switches`: language and colours;
//! - `words`: what they say.

mod words;
mod sign_in;
mod switches;
mod admission;

pub(in crate::serve::page) use admission::{admit, for_browsers, needs, note_reader};
pub(in crate::serve::page) use sign_in::{sign_in, sign_out};
pub(in crate::serve::page) use switches::switch;
pub(in crate::serve::page) use words::SessionWords;
