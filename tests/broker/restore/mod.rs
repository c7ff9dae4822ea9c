//! State that comes back.
//!
//! - `changelog`: counters outlive the process, and the changelog stays small.
//! - `snapshots`: a start with snapshots on the disk.
//! - `backfill`: `--rebuild` gives a new counter the history that the input topic retains.
//! - `erasure`: nothing of an erased entity is left.

mod backfill;
mod changelog;
mod erasure;
mod snapshots;
