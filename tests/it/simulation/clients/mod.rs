//! What a worker calls: client libraries, simulated.
//!
//! - [`sim_clients`]: all clients of one worker, and its time.
//! - [`consumer`] is what the worker calls of a member of the group, [`membership`] what goes on behind that.
//! - [`producer`] is what it calls of a transactional producer, [`producer_state`] what goes on behind that.
//! - [`early_producer`]: a producer without transactions, both sides.
//! - [`changelog_reader`]: a reader of changelogs and of the input.
//! - [`topic_inquirer`] asks about topics.

pub mod changelog_reader;
pub mod consumer;
pub mod early_producer;
pub mod membership;
pub mod producer;
pub mod producer_state;
pub mod sim_clients;
pub mod topic_inquirer;
