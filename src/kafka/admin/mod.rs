//! Topics and the cluster, before or beside the workers: created, checked, scanned. No worker uses it.
//!
//! | file | holds |
//! | --- | --- |
//! | [`topic_admin`] | creates topics, reads their settings |
//! | [`topic_specs`] | the topics that the service needs, as they should be |
//! | [`topics`] | `tagstream topics create` |
//! | [`preflight`] | what must be right before the workers start |
//! | [`topic_scan`] | all records of the input topics, in the order of time |

mod topic_admin;
mod topic_specs;
pub mod topics;
mod preflight;
mod topic_scan;

pub use preflight::{ClusterError, await_cluster};
pub use topic_scan::{TopicScan, TopicScanError};
