//! What events say, in words.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use super::failure_words::{clock_step_words, future_words, schema_wait_words, unreadable_words};
use super::worker_event::Occurrence;
use crate::engine::{BackfillResult, CellName, MigrationReport};
use crate::kafka::topology::PartitionName;

/// `512 bytes`, `3.4 kB`, `12.0 MB`
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..100_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

fn time_left(left: &Option<Duration>) -> String {
    left.map(|left| format!(", about {} s left", left.as_secs())).unwrap_or_default()
}

fn names(names: &BTreeSet<CellName>) -> String {
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.iter().map(CellName::to_string).collect::<Vec<_>>().join(", ")
    }
}

fn rebuilt_words(partition: &PartitionName, rebuilt: &BackfillResult, took: Duration) -> String {
    let BackfillResult { events, entities, since } = rebuilt;
    let seen = match since {
        None => "all counters have seen everything".to_owned(),
        Some(since) => format!("new counters have seen everything since {since}"),
    };
    format!(
        "has counted the history of partition {partition} again, {events} events in {took:?}; new counters of {entities} \
         entities were taken over; {seen}"
    )
}

fn lost_words(partitions: &[PartitionName]) -> String {
    format!(
        "has lost partitions {}: the group went on without it; their next owner repeats what was not committed",
        PartitionName::list(partitions)
    )
}

fn held_words(partition: &PartitionName, offset: i64, held_for: Duration) -> String {
    format!(
        "a sender's open transaction holds back partition {partition} from offset {offset} on, for {} s so far: nothing \
         behind it can be read, and the clock of the partition stands until the sender ends the transaction \
         (kafka-transactions --find-hanging finds one whose sender is gone)",
        held_for.as_secs()
    )
}

fn catalog_changed_words(partition: &PartitionName, change: &MigrationReport) -> String {
    format!(
        "the state of partition {partition} is of another catalog; begins empty: {}; dropped: {}; the rest keeps what it \
         has",
        names(&change.new),
        names(&change.dropped)
    )
}

fn restored_words(partition: &PartitionName, entities: usize, bytes: u64, snapshot_bytes: Option<u64>) -> String {
    let from = match snapshot_bytes {
        None => size(bytes),
        Some(snapshot) => format!("a snapshot of {} and {bytes} bytes of the changelog", size(snapshot)),
    };
    format!("has restored partition {partition}: {entities} entities from {from}")
}

fn foreign_words(foreign: u64) -> String {
    match foreign {
        0 => String::new(),
        _ => format!(
            "; {foreign} records of its changelog are not tagstream's and were passed over: another program writes there"
        ),
    }
}

impl fmt::Display for Occurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { brokers, why, retry_in } => {
                write!(f, "no answer from the brokers at {brokers}: {why}; trying again in {retry_in:?}")
            }
            Self::Reached { input, partitions } => write!(f, "brokers reached; {input} has {partitions} partitions"),
            Self::NotChecked { what, of, why } => write!(f, "not checked: {what} {of} ({why})"),
            Self::MayNotFit { topic, takes, bytes } => {
                let (takes, bytes) = (size(*takes), size(*bytes));
                write!(f, "the topic {topic} takes records of {takes}, and with this catalog one may become {bytes} ")?;
                f.write_str("(tagstream check --format json has the sizes); raise its max.message.bytes")
            }
            Self::Started => f.write_str("started"),
            Self::Ended(counts) => write!(f, "stopped: {counts}"),
            Self::Progress(counts) => counts.fmt(f),
            Self::Committed { took, counts } => write!(f, "committed in {took:?}: {counts}"),
            Self::Status { partitions, .. } => write!(f, "partitions {partitions:?}"),
            Self::Assigned { partitions } => write!(f, "is assigned partitions {}", PartitionName::list(partitions)),
            Self::Revoked { partitions, lost: false } => {
                write!(f, "gives up partitions {}", PartitionName::list(partitions))
            }
            Self::Revoked { partitions, lost: true } => f.write_str(&lost_words(partitions)),
            Self::Running { partition, offset } => write!(f, "runs partition {partition} from offset {offset}"),
            Self::Restoring { partition, entities, bytes, left } => {
                let (size, left) = (size(*bytes), time_left(left));
                write!(f, "restores partition {partition}: {entities} entities, {size} so far{left}")
            }
            Self::Restored { partition, entities, bytes, snapshot_bytes, foreign, took } => {
                write!(f, "{} in {took:?}", restored_words(partition, *entities, *bytes, *snapshot_bytes))?;
                f.write_str(&foreign_words(*foreign))
            }
            Self::Rebuilding { partition, events, left } => {
                let left = time_left(left);
                write!(f, "counts the history of partition {partition} again: {events} events so far{left}")
            }
            Self::Rebuilt { partition, rebuilt, took } => f.write_str(&rebuilt_words(partition, rebuilt, *took)),
            Self::SnapshotUnused { partition, why } => {
                write!(f, "does not use the snapshot of partition {partition}, and reads all of the changelog: {why}")
            }
            Self::SnapshotWritten { partition, bytes, copied_in, took } => {
                let size = size(*bytes);
                write!(f, "has written a snapshot of partition {partition}: {size}, copied in {copied_in:?}, ")?;
                write!(f, "on the disk after {took:?}")
            }
            Self::CatalogChanged { partition, change } => f.write_str(&catalog_changed_words(partition, change)),
            Self::Catalog(event) => event.fmt(f),
            Self::PartitionStopped { partition, why } => {
                write!(f, "has stopped partition {partition}: {why}; the other partitions go on")
            }
            Self::StateDiscarded { partition, why, recounts } => {
                let option = if *recounts { "recount" } else { "start-empty" };
                write!(
                    f,
                    "partition {partition} begins with an empty state, as --{option} says, in place of one: {why}"
                )
            }
            Self::GapAccepted { partition, from, to } => write!(
                f,
                "partition {partition} goes on at offset {to}: the {} offsets from {from} on are gone, which --accept-gap \
                 has accepted",
                to - from
            ),
            Self::ProducerReady { took } => write!(f, "producer ready after {took:?}"),
            Self::ProducerReset { why } => write!(f, "new producer, since {why}"),
            Self::Aborted { why, retry_in } => {
                write!(f, "transaction aborted ({why}); the same output is sent again in {retry_in:?}")
            }
            Self::TransactionsLimited { bytes_max, took } => write!(
                f,
                "a transaction was not committed in {} s, the second in a row: the brokers are slow, or hold this client to \
                 a quota; at most {} go into one now, more again when they are fast",
                took.as_secs(),
                size(*bytes_max as u64)
            ),
            Self::Waiting { step, why } => write!(f, "{step} does not end ({why}); waiting"),
            Self::DoubtResolved { committed, open, elsewhere } => write!(
                f,
                "fate of the last transaction read back: {committed} partitions committed, {open} to be sent again, \
                 {elsewhere} taken over by another worker"
            ),
            Self::DeadLettersCut { bytes_max } => {
                write!(f, "the dead-letter topic refuses large records; values over {bytes_max} bytes are cut")
            }
            Self::InputMismatch { words } => f.write_str(words),
            Self::NotWritten { topic, why } => write!(f, "records to {topic} are not written: {why}"),
            Self::Failed { action, why } => write!(f, "{action}: {why}"),
            Self::HeldBySender { partition, offset, held_for } => {
                f.write_str(&held_words(partition, *offset, *held_for))
            }
            Self::Released { partition, held_for } => {
                let seconds = held_for.as_secs();
                write!(f, "the sender's transaction that held back partition {partition} for {seconds} s has ended")
            }
            Self::WaitsForSchema { partition, offset, schema, waited, why } => {
                let words = schema_wait_words(partition, *schema, *waited);
                write!(f, "{words} (offset {offset}; {why})")
            }
            Self::SchemaKnown { partition, schema, waited } => {
                let seconds = waited.as_secs();
                write!(f, "partition {partition} goes on: it has waited for the schema with {schema} for {seconds} s")
            }
            Self::ClockStepped { step_ms } => f.write_str(&clock_step_words(*step_ms)),
            Self::FutureEvents { refused, of, is_alarm: true } => f.write_str(&future_words(*refused, *of)),
            Self::FutureEvents { refused, of, is_alarm: false } => {
                write!(f, "{refused} of the last minute's {of} events lie in the future: no alarm any more")
            }
            Self::OutputResized { topic, was, is } => write!(
                f,
                "the topic {topic} had {was} partitions and has {is}: from now on each key has its new partition, and its \
                 earlier records stand in another"
            ),
            Self::Unreadable { partition, offset } => f.write_str(&unreadable_words(partition, *offset)),
            Self::Outage { silent_for } => {
                write!(f, "no event from any input for {silent_for:?}: the clocks stop until one comes")
            }
            Self::OutageOver => f.write_str("events come again: the clocks go on"),
            Self::Library { facility, text, .. } => write!(f, "librdkafka {facility}: {text}"),
        }
    }
}
