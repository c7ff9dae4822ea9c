//! Catalogs and the input topic.
//!
//! - `rollout`: a changed catalog on a running service waits for approval, or comes into force.
//! - `from_topic`: `diff`, `forecast` and `explain` read the input topic.

mod from_topic;
mod rollout;
