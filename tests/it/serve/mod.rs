//! The read side: its API, its store, and who may read.
//!
//! - `history`: the store of tag changes;
//! - `access`: who may ask what.

mod access;
mod history;
