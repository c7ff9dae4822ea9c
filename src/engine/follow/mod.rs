//! A partition seen from outside: followed by its changelog, and read without changing it.
//!
//! A follower has no timers and takes no decisions. It learns from each transaction of the changelog which entities have
//! another state, and how the partition stands; what it knows is that of the partition at this transaction.
//!
//! | file | holds |
//! | --- | --- |
//! | [`standing`] | how a partition stands beside its entities: clock, coverage, held tags |
//! | [`follower`] | reads the transactions of a changelog, one after another |
//! | [`state_reader`] | reads the state of an entity: tags, attributes, expressions |

mod standing;
mod follower;
mod state_reader;

pub use follower::{ChangelogFollower, FollowedEntry};
pub use standing::PartitionStanding;
pub use state_reader::{AttributeState, ReadableExpr, StateReader, TagReading};
