//! An input that does not stay as it was.
//!
//! - `open_transaction`: a sender's open transaction holds events back.

mod open_transaction;
