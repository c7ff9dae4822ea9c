//! Catalogs and the input topic.
//!
//! - `rollout`: a changed catalog on a running service waits for approval, or comes into force.
//! - `decided_once`: what it does is decided once, whatever dies and however many processes there are.
//! - `from_topic`: `diff`, `forecast` and `explain` read the input topic.

mod decided_once;
mod from_topic;
mod rollout;
