//! The words of failures that the log and the probe tell alike, each with what mends it.

use std::time::Duration;

use crate::codec::SchemaKey;
use crate::kafka::topology::PartitionName;

/// How far the wall clock has stepped.
pub(super) fn clock_step_words(step_ms: i64) -> String {
    let seconds = step_ms.unsigned_abs() as f64 / 1e3;
    let direction = if step_ms < 0 { "back" } else { "forward" };
    format!(
        "the wall clock has stepped {direction} by {seconds:.1} s: clocks of partitions do not go back, and what waits goes \
         on by the monotonic clock; check the time synchronisation of this machine"
    )
}

/// What is wrong where many events lie in the future, and what to do.
pub(crate) fn future_words(refused: u64, of: u64) -> String {
    format!(
        "{refused} of the last minute's {of} events were refused since they lie in the future (in_future): the clock of this \
         machine is slow, or that of a sender is fast; correct it, then send the dead letters again"
    )
}

/// What a partition waits for, and what it does meanwhile.
pub(crate) fn schema_wait_words(partition: &PartitionName, schema: SchemaKey, waited: Duration) -> String {
    format!(
        "partition {partition} has waited for the schema with {schema} for {} s: the schema registry has not said \
         what it is; nothing is skipped, and the partition goes on by itself as soon as the registry answers",
        waited.as_secs()
    )
}

/// Why records cannot be read, and what to do.
pub(crate) fn unreadable_words(partition: &PartitionName, offset: i64) -> String {
    format!(
        "partition {partition} cannot be read from offset {offset} on: a batch of records is damaged, or is larger than \
         receive.message.max.bytes (100 MB) when it is decompressed; nothing is skipped: set a larger \
         kafka.properties.receive.message.max.bytes and restart, or delete the records up to behind the batch \
         (kafka-delete-records)"
    )
}
