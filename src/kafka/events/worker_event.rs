//! What this part has to say: one notice a step of a life cycle or a trouble, none an event.
//!
//! Nothing here writes a log. A [`Notice`] goes to whoever holds the other end, who logs it, counts it or shows it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::catalog_event::CatalogEvent;
use super::stats::WorkerStats;
use super::status::PartitionStatus;
use crate::engine::{CatalogChange, Rebuilt};
use crate::kafka::topology::PartitionName;
use crate::telemetry::Severity;

/// Takes notices; shared by all clients and workers of a process.
pub type Notices = Arc<dyn Fn(Notice) + Send + Sync>;

/// One worker among those of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WorkerId(pub usize);

/// Why a producer is made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProducerReset {
    NoStatistics,
    SlowCommit,
    Repeated,
    InDoubt,
    Aborts,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Notice {
    /// No broker answers yet, or the cluster cannot be asked.
    Unreachable {
        brokers: String,
        why: String,
        retry_in: Duration,
    },
    /// The cluster answers and every topic is there.
    Reached {
        input: String,
        partitions: usize,
    },
    /// A check at the start was left out.
    NotChecked {
        what: &'static str,
        of: String,
        why: String,
    },
    WorkerStarted(WorkerId),
    WorkerStopped(WorkerId, WorkerStats),
    /// What a worker has done since it started.
    Progress(WorkerId, WorkerStats),
    /// A transaction is committed, and everything that was read before it.
    Committed {
        worker: WorkerId,
        /// From its begin.
        took: Duration,
        counts: WorkerStats,
    },
    /// How a worker stands, twice a second as long as its loop turns.
    Status {
        worker: WorkerId,
        /// Whether no record is applied, since a commit does not end.
        held: bool,
        partitions: Vec<(PartitionName, PartitionStatus)>,
    },
    /// The group has answered; what it gives may be nothing.
    Assigned {
        worker: WorkerId,
        partitions: Vec<PartitionName>,
    },
    Revoked {
        worker: WorkerId,
        partitions: Vec<PartitionName>,
        lost: bool,
    },
    /// A partition runs, from this offset on.
    Running {
        worker: WorkerId,
        partition: PartitionName,
        offset: i64,
    },
    /// A state is being read back from the changelog: what there is of it, and about how long the rest will take.
    Restoring {
        worker: WorkerId,
        partition: PartitionName,
        entities: usize,
        bytes: u64,
        left: Option<Duration>,
    },
    /// A state is there again; `bytes` of the changelog were read for it, and a snapshot, if there was one.
    Restored {
        worker: WorkerId,
        partition: PartitionName,
        entities: usize,
        bytes: u64,
        snapshot_bytes: Option<u64>,
        took: Duration,
    },
    /// The history of a partition is counted again: what was counted so far, and about how long the rest will take.
    Rebuilding {
        worker: WorkerId,
        partition: PartitionName,
        events: u64,
        left: Option<Duration>,
    },
    /// What the history has told was taken over.
    Rebuilt {
        worker: WorkerId,
        partition: PartitionName,
        rebuilt: Rebuilt,
        took: Duration,
    },
    /// There is a snapshot, which is not used: the whole changelog is read.
    SnapshotUnused {
        worker: WorkerId,
        partition: PartitionName,
        why: String,
    },
    /// There is a new snapshot. The worker stood still while it was copied.
    SnapshotWritten {
        worker: WorkerId,
        partition: PartitionName,
        bytes: u64,
        copied_in: Duration,
        took: Duration,
    },
    /// A state was written under another catalog; what that means for it.
    CatalogChanged {
        worker: WorkerId,
        partition: PartitionName,
        change: CatalogChange,
    },
    /// What becomes of a changed catalog in this process.
    Catalog(CatalogEvent),
    /// A partition does not go on until a person has done something. The others do.
    Stopped {
        worker: WorkerId,
        partition: PartitionName,
        why: String,
    },
    /// The producer has its transactional id.
    ProducerReady {
        worker: WorkerId,
        took: Duration,
    },
    /// The producer is made anew, for this reason.
    ProducerReset {
        worker: WorkerId,
        why: ProducerReset,
    },
    /// A transaction was given up and will be sent again.
    Aborted {
        worker: WorkerId,
        why: String,
        retry_in: Duration,
    },
    /// A step of a commit does not end; records wait for it.
    Waiting {
        worker: WorkerId,
        step: &'static str,
        why: String,
    },
    /// Whether a transaction was committed was read back.
    DoubtResolved {
        worker: WorkerId,
        committed: usize,
        open: usize,
        elsewhere: usize,
    },
    /// Dead letters over this size are cut, since the topic does not take them.
    LettersCut {
        worker: WorkerId,
        bytes_max: usize,
    },
    /// A record was not written; its transaction will be aborted.
    NotWritten {
        topic: String,
        why: String,
    },
    /// A partition cannot be started or followed now.
    Trouble {
        worker: WorkerId,
        what: &'static str,
        why: String,
    },
    /// No event came from any of the input for so long: the clocks stop.
    Outage {
        silent_for: Duration,
    },
    /// Events come again.
    OutageOver,
    /// librdkafka says something.
    Library {
        severity: Severity,
        facility: String,
        text: String,
    },
}

impl Notice {
    pub fn severity(&self) -> Severity {
        match self {
            Notice::ProducerReady { .. }
            | Notice::Committed { .. }
            | Notice::Status { .. }
            | Notice::NotChecked { .. }
            | Notice::SnapshotWritten { .. } => Severity::Debug,
            Notice::Assigned { partitions, .. } if partitions.is_empty() => Severity::Debug,
            Notice::Unreachable { .. }
            | Notice::ProducerReset { .. }
            | Notice::Aborted { .. }
            | Notice::Waiting { .. }
            | Notice::DoubtResolved { .. }
            | Notice::LettersCut { .. }
            | Notice::NotWritten { .. }
            | Notice::Trouble { .. }
            | Notice::CatalogChanged { .. }
            | Notice::SnapshotUnused { .. }
            | Notice::Outage { .. } => Severity::Warn,
            Notice::Stopped { .. } => Severity::Error,
            Notice::Revoked { lost, .. } => {
                if *lost {
                    Severity::Warn
                } else {
                    Severity::Info
                }
            }
            Notice::Library { severity, .. } => *severity,
            Notice::Catalog(news) => news.severity(),
            _ => Severity::Info,
        }
    }

    /// The worker that says it: each such notice shows that its loop turns.
    pub fn worker(&self) -> Option<WorkerId> {
        match self {
            Notice::WorkerStarted(worker)
            | Notice::WorkerStopped(worker, _)
            | Notice::Progress(worker, _)
            | Notice::Committed { worker, .. }
            | Notice::Status { worker, .. }
            | Notice::Assigned { worker, .. }
            | Notice::Revoked { worker, .. }
            | Notice::Running { worker, .. }
            | Notice::Restored { worker, .. }
            | Notice::SnapshotWritten { worker, .. }
            | Notice::CatalogChanged { worker, .. }
            | Notice::Stopped { worker, .. }
            | Notice::ProducerReady { worker, .. }
            | Notice::ProducerReset { worker, .. }
            | Notice::Aborted { worker, .. }
            | Notice::Waiting { worker, .. }
            | Notice::DoubtResolved { worker, .. }
            | Notice::LettersCut { worker, .. }
            | Notice::Trouble { worker, .. } => Some(*worker),
            // A reader beside the worker says how far it is.
            Notice::Restoring { .. }
            | Notice::Rebuilding { .. }
            | Notice::Rebuilt { .. }
            | Notice::SnapshotUnused { .. }
            | Notice::Unreachable { .. }
            | Notice::Reached { .. }
            | Notice::NotChecked { .. }
            | Notice::NotWritten { .. }
            | Notice::Catalog(_)
            | Notice::Outage { .. }
            | Notice::OutageOver
            | Notice::Library { .. } => None,
        }
    }

    /// What repeats of the same trouble have in common; `None` for what must never be left out.
    pub fn repeats_as(&self) -> Option<String> {
        match self {
            Notice::Aborted { why, .. } => Some(format!("aborted {why}")),
            Notice::Waiting { step, .. } => Some(format!("waiting {step}")),
            Notice::NotWritten { topic, why } => Some(format!("not written {topic} {why}")),
            Notice::Trouble { what, why, .. } => Some(format!("trouble {what} {why}")),
            Notice::ProducerReset { why, .. } => Some(format!("recycled {why}")),
            Notice::Library { facility, severity, .. } => Some(format!("library {facility} {severity:?}")),
            _ => None,
        }
    }
}

impl ProducerReset {
    pub const ALL: [ProducerReset; 5] = [
        ProducerReset::NoStatistics,
        ProducerReset::SlowCommit,
        ProducerReset::Repeated,
        ProducerReset::InDoubt,
        ProducerReset::Aborts,
    ];

    pub fn code(self) -> &'static str {
        match self {
            ProducerReset::NoStatistics => "no_statistics",
            ProducerReset::SlowCommit => "slow_commit",
            ProducerReset::Repeated => "repeated_requests",
            ProducerReset::InDoubt => "doubt",
            ProducerReset::Aborts => "aborts",
        }
    }
}

impl fmt::Display for ProducerReset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ProducerReset::NoStatistics => "its statistics do not come",
            ProducerReset::SlowCommit => "the last commit took long and may have been sent twice",
            ProducerReset::Repeated => "requests were repeated or a connection broke during the last commit",
            ProducerReset::InDoubt => "the fate of the last transaction is not known",
            ProducerReset::Aborts => "several transactions in a row were aborted",
        })
    }
}

/// As the list that it is.
fn listed(partitions: &[PartitionName]) -> String {
    let names: Vec<String> = partitions.iter().map(PartitionName::to_string).collect();
    format!("[{}]", names.join(", "))
}

/// So many bytes, for people.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..100_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "worker {}", self.0)
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::Unreachable { brokers, why, retry_in } => {
                write!(f, "no answer from the brokers at {brokers}: {why}; trying again in {retry_in:?}")
            }
            Notice::Reached { input, partitions } => write!(f, "brokers reached; {input} has {partitions} partitions"),
            Notice::NotChecked { what, of, why } => write!(f, "not checked: {what} {of} ({why})"),
            Notice::WorkerStarted(worker) => write!(f, "{worker} started"),
            Notice::WorkerStopped(worker, counts) => write!(f, "{worker} stopped: {counts}"),
            Notice::Progress(worker, counts) => write!(f, "{worker}: {counts}"),
            Notice::Committed { worker, took, counts } => write!(f, "{worker} has committed in {took:?}: {counts}"),
            Notice::Status { worker, partitions, .. } => write!(f, "{worker} stands at {partitions:?}"),
            Notice::Assigned { worker, partitions } => {
                write!(f, "{worker} is assigned partitions {}", listed(partitions))
            }
            Notice::Revoked { worker, partitions, lost: false } => {
                write!(f, "{worker} gives up partitions {}", listed(partitions))
            }
            Notice::Revoked { worker, partitions, lost: true } => write!(
                f,
                "{worker} has lost partitions {}: the group went on without it; what was not committed is done by their next owner",
                listed(partitions)
            ),
            Notice::Running { worker, partition, offset } => {
                write!(f, "{worker} runs partition {partition} from offset {offset}")
            }
            Notice::Restoring { worker, partition, entities, bytes, left } => {
                write!(f, "{worker} restores partition {partition}: {entities} users, {} so far", size(*bytes))?;
                match left {
                    Some(left) => write!(f, ", about {} s left", left.as_secs()),
                    None => Ok(()),
                }
            }
            Notice::Restored { worker, partition, entities, bytes, snapshot_bytes: None, took } => {
                let size = size(*bytes);
                write!(f, "{worker} has restored partition {partition}: {entities} users from {size} in {took:?}")
            }
            Notice::Restored { worker, partition, entities, bytes, snapshot_bytes: Some(snapshot), took } => {
                let size = size(*snapshot);
                write!(
                    f,
                    "{worker} has restored partition {partition}: {entities} users from a snapshot of {size} and \
                     {bytes} bytes of the changelog in {took:?}"
                )
            }
            Notice::Rebuilding { worker, partition, events, left } => {
                write!(f, "{worker} counts the history of partition {partition} again: {events} events so far")?;
                match left {
                    Some(left) => write!(f, ", about {} s left", left.as_secs()),
                    None => Ok(()),
                }
            }
            Notice::Rebuilt { worker, partition, rebuilt, took } => {
                let Rebuilt { events, entities, since } = rebuilt;
                write!(
                    f,
                    "{worker} has counted the history of partition {partition} again, {events} events in {took:?}, and \
                     taken over what is new of {entities} users; "
                )?;
                match since {
                    None => f.write_str("all counters have seen everything"),
                    Some(since) => write!(f, "new counters have seen everything since {since}"),
                }
            }
            Notice::SnapshotUnused { worker, partition, why } => {
                write!(
                    f,
                    "{worker} does not use the snapshot of partition {partition}, and reads all of the changelog: {why}"
                )
            }
            Notice::SnapshotWritten { worker, partition, bytes, copied_in, took } => {
                let size = size(*bytes);
                write!(
                    f,
                    "{worker} has written a snapshot of partition {partition}: {size}, copied in {copied_in:?}, there \
                     after {took:?}"
                )
            }
            Notice::CatalogChanged { worker, partition, change } => {
                let names = |names: &BTreeSet<String>| match names.len() {
                    0 => "nothing".to_owned(),
                    _ => names.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
                };
                write!(
                    f,
                    "{worker}: the state of partition {partition} is of another catalog; begins empty: {}; dropped: {}; the \
                     rest keeps what it has",
                    names(&change.new),
                    names(&change.dropped)
                )
            }
            Notice::Catalog(news) => news.fmt(f),
            Notice::Stopped { worker, partition, why } => {
                write!(f, "{worker} has stopped partition {partition}: {why}; the other partitions go on")
            }
            Notice::ProducerReady { worker, took } => write!(f, "{worker}: producer ready after {took:?}"),
            Notice::ProducerReset { worker, why } => write!(f, "{worker}: new producer, since {why}"),
            Notice::Aborted { worker, why, retry_in } => {
                write!(f, "{worker}: transaction aborted ({why}); the same again in {retry_in:?}")
            }
            Notice::Waiting { worker, step, why } => write!(f, "{worker}: {step} does not end ({why}); waiting"),
            Notice::DoubtResolved { worker, committed, open, elsewhere } => write!(
                f,
                "{worker}: fate of the last transaction read back: {committed} partitions committed, {open} to be sent again, {elsewhere} owned by somebody else"
            ),
            Notice::LettersCut { worker, bytes_max } => {
                write!(
                    f,
                    "{worker}: the dead-letter topic refuses large records; values over {bytes_max} bytes are cut"
                )
            }
            Notice::NotWritten { topic, why } => {
                write!(f, "records to {topic} are not written: {why}")
            }
            Notice::Trouble { worker, what, why } => write!(f, "{worker}: {what}: {why}"),
            Notice::Outage { silent_for } => {
                write!(f, "no event from any of the input for {silent_for:?}: the clocks stop until one comes")
            }
            Notice::OutageOver => f.write_str("events come again: the clocks go on"),
            Notice::Library { facility, text, .. } => write!(f, "librdkafka {facility}: {text}"),
        }
    }
}
