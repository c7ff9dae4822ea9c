//! How a changed catalog takes effect: what it would change is counted, it is decided once for the whole application
//! which tags are held, and held tags wait for approval.
//!
//! ```text
//!              submitted          all workers have measured the impact
//!   Active ────────────▶ Pending ──────────────────────────────────────▶ Active, undecided
//!      ▲                                                                       │ all partitions of the application
//!      │ approved                                                              ▼ are counted
//!      └───────────────────────────────────────────────────────────────── some tags held
//! ```
//!
//! An edit of the catalog must not mail a million people by mistake. So a tag that would change for more than a certain
//! share of the entities is held: it stays as it is until the operator approves.
//!
//! **Trouble.** The share is that of the whole application, but a process knows only its own partitions, and after a
//! restart only those that were read back so far. Processes start, reload and die at different times. And an approval
//! that was answered must outlive a crash.
//!
//! **Choice.** What is known stands with the state: the meta record of each partition's changelog, which every
//! transaction writes, has a [`RolloutNote`](crate::codec::RolloutNote). It is committed with the partition's offset, so
//! a former owner cannot write it. Nobody acts on anything else:
//!
//! 1. When a partition comes under a catalog, what it would change is counted once, and noted. Until it is decided, the
//!    tags that would change for an entity of the partition stay as they are.
//! 2. The [`Board`] of a process has the committed notes of all partitions: those of its own, and those of other
//!    processes, read from the end of their changelogs while something waits, and now and then by
//!    the process that decides. A partition that is under another catalog,
//!    because its process has not reloaded or its state was not read back, is not counted.
//! 3. When all partitions are counted, the owner of the first one decides: it notes which tags are held, with the impact
//!    in all partitions. One writer, so one decision, also where processes have different limits.
//! 4. A decision counts when it is committed. All others find it on the board, act, and note it too, so it outlives the
//!    process that has made it. A partition that comes later takes it over and counts nothing.
//! 5. An approval is noted in all partitions of the process that was asked, and answered when it is committed there. What
//!    any partition notes as approved is approved in all of them.
//!
//! A partition whose history was counted again without another catalog is decided for itself, by its own counts: the
//! other partitions may never be counted again.
//!
//! | file | holds | does not know |
//! | --- | --- | --- |
//! | [`board`] | the committed notes of all partitions, and what follows from them | what is not committed |
//! | [`rollout`] | the catalogs, and the notes of this process; shared by its workers | how a note is committed |

mod board;
mod rollout;

pub use board::Board;
pub(crate) use rollout::CatalogVersion;
pub use rollout::{CatalogRollout, ReadingReason, RolloutStatus};
