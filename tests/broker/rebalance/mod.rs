//! Partitions that move between the processes of one application.
//!
//! - `static_members`: members that the group waits for.
//! - `dynamic_members`: members that leave at once, and the brokers' own protocol.
//! - `killed_in_revocation`: the process dies while the group takes partitions from it.

mod dynamic_members;
mod killed_in_revocation;
mod static_members;
