//! Events on their way from the inputs to merged partitions, and their order there. It knows no client and no state.
//!
//! | file | holds |
//! | --- | --- |
//! | [`murmur2`] | the partition of a key, as Java's clients choose it |
//! | [`alignment`] | how far a source is ahead of the slowest one |
//! | [`repartition_buffer`] | records to forward in the next transaction |
//! | [`time_merge`] | puts the events of several sources into the order of time |
//! | [`repartitioner`] | forwards events and watermarks |

mod murmur2;
mod alignment;
mod repartition_buffer;
mod time_merge;
mod repartitioner;

pub(crate) use alignment::{MinWatermark, SourceLead};
pub(crate) use repartition_buffer::{RepartitionBuffer, Span};
pub(crate) use repartitioner::{Repartitioner, forwarded_record, input_record, repartition_headers, source_position};
pub use time_merge::{SourcePosition, SourceProgress, TimeMerge};
