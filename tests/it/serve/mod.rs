//! The read side.
//!
//! - `history`: the store of tag changes.

mod history;
