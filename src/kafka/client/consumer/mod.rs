//! The member of the group.
//!
//! Records do not come through the client's own queue, one event at a time, but through a queue of our own to which those of
//! the partitions are forwarded: from there they are taken many at a time. The client's own queue has what the group
//! requests, and errors.
//!
//! | file | holds |
//! | --- | --- |
//! | [`arrival`] | waits until something has come, by the monotonic clock |
//! | [`record_queue`] | the queue of the records, and a record that was taken from it; the unsafe code |
//! | [`error_places`] | positions that librdkafka overstates after an error |
//! | [`callbacks`] | what the client calls: requests of the group are kept for the worker |
//! | [`group_member`] | the consumer behind the worker's trait |

mod arrival;
mod record_queue;
mod error_places;
mod callbacks;
mod group_member;

pub(super) use group_member::RdkafkaConsumer;
