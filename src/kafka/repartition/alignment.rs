//! How far a source is ahead of the others. This bounds what waits for them in merged partitions.
//!
//! A merged partition has to read everything, or it would never reach the events that it waits for. So the task that
//! forwards events counts the bytes that are ahead of the lowest watermark of all sources, and pauses when there are
//! too many. The source with the lowest watermark is never ahead, so at least one goes on. Flink calls this watermark
//! alignment.

use std::collections::VecDeque;

use crate::kafka::topology::SourcePartition;
use crate::model::Timestamp;

/// Bytes are counted in so many buckets.
const BUCKETS: usize = 64;

/// The lowest watermark of all sources, and the first source that has it.
pub(crate) type MinWatermark<'a> = (Option<Timestamp>, &'a SourcePartition);

/// The bytes that one source has forwarded and that may be ahead of the others.
#[derive(Debug)]
pub(crate) struct SourceLead {
    bytes_max: usize,
    /// In the order of time: the latest clock of a bucket, and its bytes.
    buckets: VecDeque<(Timestamp, usize)>,
    bytes: usize,
    is_too_large: bool,
}

impl SourceLead {
    /// `bytes_max`: how many bytes may be ahead.
    pub(crate) fn new(bytes_max: usize) -> Self {
        SourceLead { bytes_max, buckets: VecDeque::new(), bytes: 0, is_too_large: false }
    }

    /// An event was forwarded.
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

    /// Removes what is not ahead of the others any more.
    pub(crate) fn settle(&mut self, own: &SourcePartition, least: MinWatermark<'_>) {
        while let Some((clock, bytes)) = self.buckets.front()
            && (Some(*clock), own) <= least
        {
            self.bytes -= bytes;
            self.buckets.pop_front();
        }
        // The source goes on when half of it has gone, not at once.
        self.is_too_large &= self.bytes > self.bytes_max / 2;
    }

    /// The bytes that are ahead.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether it is worth asking for the watermarks of the others.
    pub(crate) fn is_notable(&self) -> bool {
        self.bytes > self.bytes_max / 2
    }

    /// Whether the source has to pause.
    pub(crate) fn is_too_large(&self) -> bool {
        self.is_too_large
    }
}
