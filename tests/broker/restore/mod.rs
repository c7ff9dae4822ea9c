//! State that comes back.
//!
//! - `changelog`: counters outlive the process, and the changelog stays small.
//! - `lost_state`: changelogs whose state cannot be used, and the ways on.
//! - `snapshots`: a start with snapshots on the disk.
//! - `backfill`: `--rebuild` gives a new counter the history that the input topic retains.
//! - `erasure`: nothing of an erased entity is left.

mod backfill;
mod changelog;
mod erasure;
mod lost_state;
mod snapshots;
