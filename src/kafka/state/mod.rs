//! State that comes back from the changelog, beside the worker. It knows no transaction and no group.
//!
//! | file | holds |
//! | --- | --- |
//! | [`owed_answer`] | an answer that a thread gives in any case |
//! | [`recovery`] | what the operator allows for a partition that cannot go on |
//! | [`snapshot_store`] | snapshot files on the local disk |
//! | [`changelog_reading`] | what has been read of a changelog so far |
//! | [`restore_error`] | why a state cannot be read back |
//! | [`restore`] | restores states on a thread of its own |
//! | [`discard`] | a partition that begins anew beside a changelog whose state cannot be used |
//! | [`backfill`] | counts the history of an input again for new counters |
//! | [`rollout_reader`] | what other partitions note of the rollout of a catalog |

mod owed_answer;
mod recovery;
mod snapshot_store;
mod changelog_reading;
mod restore_error;
mod restore;
mod discard;
mod backfill;
mod rollout_reader;

pub(crate) use changelog_reading::MergeProgress;
pub(crate) use discard::StateUse;
pub(crate) use owed_answer::OwedAnswer;
pub use recovery::{Recovery, RecoveryPoint};
pub use restore::Backfill;
pub(crate) use restore::{Cancel, RestoreContext, RestoreRequest, RestoreResult, RestoredNote, Restorer};
pub(crate) use restore_error::RestoreError;
pub(crate) use rollout_reader::{LatestNote, RolloutReader};
pub(crate) use snapshot_store::SnapshotStore;
pub use snapshot_store::prepare as prepare_snapshots;
