//! Topics and the cluster, before or beside the workers: created, checked, scanned. No worker uses it.
//!
//! | file | holds |
//! | --- | --- |
//! | [`topic_admin`] | creates topics, reads their settings |
//! | [`topic_specs`] | the topics that the service needs, as they should be |
//! | [`topics`] | `tagstream topics create` |
//! | [`preflight`] | what must be right before the workers start |
//! | [`topic_scan`] | all records of the input topics, in the order of time |
//! | [`changes_tail`] | the tag changes, read on from kept places |
//! | [`command_sender`] | commands, written to the input |
//! | [`changes_member`] | the tag changes, read as a member of a group |
//! | [`letter_sender`] | dead letters of subscribers |
//! | [`changelog_tail`] | committed records of the changelogs, for replicas |

mod topic_admin;
mod topic_specs;
pub mod topics;
mod preflight;
mod topic_scan;
mod changelog_tail;
mod changes_tail;
mod changes_member;
mod command_sender;
mod letter_sender;

pub use changelog_tail::{ChangelogTail, ChangelogTailRecord};
pub use changes_member::{
    ChangesMember, MemberError, MemberRequest, MissingTopicsError, SubscribedRecord, missing_topics,
};
pub use changes_tail::{ChangesTail, ChangesTailRecord};
pub use command_sender::{CommandSender, OnWritten, WrittenRecord};
pub use letter_sender::LetterSender;
pub use preflight::{ClusterError, await_cluster};
pub use topic_scan::{TopicScan, TopicScanError};
