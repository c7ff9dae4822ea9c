//! How far a source is ahead of the others: what waits for them in merged partitions is bounded here, where it comes from.
//!
//! A merged partition has to read on whatever waits in it, or it would never see what it waits for. So whoever passes
//! events on counts what of it stands behind the least of all sources' clocks, and rests when that is too much. The least
//! source itself is never ahead, so there is always one that goes on.

use std::collections::VecDeque;

use crate::kafka::topology::SourcePartition;
use crate::model::Timestamp;

/// Bytes are counted in so many heaps: finer is of no use.
const BUCKETS: usize = 64;

/// The least of all sources' clocks, and the first source that has it.
pub(crate) type MinWatermark<'a> = (Option<Timestamp>, &'a SourcePartition);

/// What one source has passed on that may be ahead.
#[derive(Debug)]
pub(crate) struct SourceLead {
    bytes_max: usize,
    /// In the order of time: the latest clock of a heap, and its bytes.
    buckets: VecDeque<(Timestamp, usize)>,
    bytes: usize,
    is_too_large: bool,
}

impl SourceLead {
    /// `bytes_max`: how much may be ahead.
    pub(crate) fn new(bytes_max: usize) -> Self {
        SourceLead { bytes_max, buckets: VecDeque::new(), bytes: 0, is_too_large: false }
    }

    /// Something was passed on.
    pub(crate) fn add(&mut self, clock: Timestamp, bytes: usize) {
        self.bytes += bytes;
        match self.buckets.back_mut() {
            Some((last, bucket)) if *last == clock || *bucket < self.bytes_max / BUCKETS => {
                (*last, *bucket) = (clock.max(*last), *bucket + bytes);
            }
            _ => self.buckets.push_back((clock, bytes)),
        }
        self.is_too_large |= self.bytes >= self.bytes_max;
    }

    /// Forgets what is ahead of the others no more: the merge lets it go.
    pub(crate) fn settle(&mut self, own: &SourcePartition, least: MinWatermark<'_>) {
        while let Some((clock, bytes)) = self.buckets.front()
            && (Some(*clock), own) <= least
        {
            self.bytes -= bytes;
            self.buckets.pop_front();
        }
        // Not at once again.
        self.is_too_large &= self.bytes > self.bytes_max / 2;
    }

    /// What has not been settled.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether it is worth knowing where the others are.
    pub(crate) fn is_notable(&self) -> bool {
        self.bytes > self.bytes_max / 2
    }

    /// Whether the source has to rest.
    pub(crate) fn is_too_large(&self) -> bool {
        self.is_too_large
    }
}
