//! The state of all entities, as the changelogs tell it: like a standby that never takes over.
//!
//! # Views
//! Everything that is shown comes from a [`ReplicaView`]: all partitions, each as of one committed transaction. A view never
//! changes. The feed makes the next one and puts it in the place of the last; the lock is held for as long as it takes to
//! copy a pointer. So an answer that takes long sees one instant from its beginning to its end, waits for no catching up,
//! and holds none up; all figures that are made from one view agree. A view that nobody holds is dropped.
//!
//! What makes this cheap is that views share what did not change: states lie in chunks of a few entities, bitmaps are one for
//! each tag, band and stage, and a transaction copies only those chunks and bitmaps in which it changes something, once for
//! each view. While the feed catches up, it shows a view ten times a second, however many transactions that is.
//!
//! Keys are found through one concurrent map a partition. It may be ahead of a view: an entity that is too new for the view
//! has a number whose state the view does not have, so it is not known there. An entity that was erased has no number any
//! more, so it is found in no view, also not in an old one.
//!
//! # What is always true
//! - A view is made only where a transaction has ended: the meta record is its last.
//! - A partition's clock never goes back from one view to the next, unless its changelog was created again.
//! - Where the changelog has a gap (compaction was faster than the feed), nothing is guessed: the partition is read again
//!   from the first record, and what was shown before stays until it has caught up.
//!
//! # Map
//! | file | holds |
//! | --- | --- |
//! | [`entity_table`] | states by number, in chunks that views share |
//! | [`tag_index`] | bitmaps of who has which tag |
//! | [`view`] | what is shown |
//! | [`state_file`] | a file with the state of a partition |
//! | [`follower`] | one changelog, from its first record to the live end |
//! | [`state_files`] | the files of all partitions: read at the start, written now and then, erased from |
//! | [`shown`] | the present view, and how far it is behind |
//! | [`following`] | all changelogs under one catalog |
//! | [`feed`] | the thread |

mod entity_table;
mod tag_index;
mod view;
mod state_file;
mod follower;
mod state_files;
mod shown;
mod following;
mod feed;

pub use entity_table::EntityNumber;
pub use feed::{FeedContext, FeedOrders, ReplicaFeed};
pub use follower::{FollowError, PartitionFollower};
pub use following::DepartedEntity;
pub use shown::{OtherCatalog, PartitionProgress, Replica, ReplicaStatus};
pub use state_file::{SavedPartition, StateFile, StateFileError, StateFileReader};
pub use tag_index::PastTag;
pub use view::{HeldImpacts, PartitionView, ReplicaView};
