//! The read side.
//!
//! - `history`: the store of tag changes;
//! - `access`: who may ask what.

mod access;
mod history;
