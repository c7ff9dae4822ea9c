//! How far a source is ahead of the others: what waits for them in merged partitions is bounded here, where it comes from.
//!
//! A merged partition has to read on whatever waits in it, or it would never see what it waits for. So whoever passes
//! events on counts what of it stands behind the least of all sources' clocks, and rests when that is too much. The least
//! source itself is never ahead, so there is always one that goes on.

use std::collections::VecDeque;

use super::merge::Source;
use crate::model::Timestamp;

/// Bytes are counted in so many heaps: finer is of no use.
const HEAPS: usize = 64;

/// The least of all sources' clocks, and the first source that has it.
pub type Least<'a> = (Option<Timestamp>, &'a Source);

/// What one source has passed on that may be ahead.
#[derive(Debug)]
pub struct Ahead {
    bytes_max: usize,
    /// In the order of time: the latest clock of a heap, and its bytes.
    heaps: VecDeque<(Timestamp, usize)>,
    bytes: usize,
    is_resting: bool,
}

impl Ahead {
    /// `bytes_max`: how much may be ahead.
    pub fn new(bytes_max: usize) -> Self {
        Ahead { bytes_max, heaps: VecDeque::new(), bytes: 0, is_resting: false }
    }

    /// Something was passed on.
    pub fn add(&mut self, clock: Timestamp, bytes: usize) {
        self.bytes += bytes;
        match self.heaps.back_mut() {
            Some((last, heap)) if *last == clock || *heap < self.bytes_max / HEAPS => {
                (*last, *heap) = (clock.max(*last), *heap + bytes);
            }
            _ => self.heaps.push_back((clock, bytes)),
        }
        self.is_resting |= self.bytes >= self.bytes_max;
    }

    /// Forgets what is ahead of the others no more: the merge lets it go.
    pub fn settle(&mut self, own: &Source, least: Least<'_>) {
        while let Some((clock, bytes)) = self.heaps.front()
            && (Some(*clock), own) <= least
        {
            self.bytes -= bytes;
            self.heaps.pop_front();
        }
        // Not at once again.
        self.is_resting &= self.bytes > self.bytes_max / 2;
    }

    /// What has not been settled.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether it is worth knowing where the others are.
    pub fn is_notable(&self) -> bool {
        self.bytes > self.bytes_max / 2
    }

    /// Whether the source has to rest.
    pub fn is_resting(&self) -> bool {
        self.is_resting
    }
}
