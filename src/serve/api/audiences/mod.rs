//! Audiences: how many, who, how divided.
//!
//! - `size`: sizes, breakdowns, overlaps; `members`: pages, NDJSON, CSV.

pub(super) mod size;
pub(super) mod members;
