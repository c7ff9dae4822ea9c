//! Events that workers report: one per life-cycle step or failure, never one per record.
//!
//! Nothing here writes a log. A [`WorkerEvent`] goes to the listener of the process, which logs it, counts it or shows it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::catalog_event::CatalogEvent;
use super::producer_reset::ProducerReset;
use super::stats::WorkerStats;
use super::status::PartitionStatus;
use crate::codec::SchemaKey;
use crate::engine::{BackfillResult, MigrationReport};
use crate::kafka::topology::PartitionName;
use crate::telemetry::Severity;

/// Takes events; shared by all clients and workers of a process.
pub type EventListener = Arc<dyn Fn(WorkerEvent) + Send + Sync>;

/// One worker among those of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WorkerId(pub usize);

/// What a worker was doing when a call failed. It tries again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    JoinGroup,
    AnswerGroup,
    LeaveGroup,
    Rebalance,
    ReadCommittedOffsets,
    ReadPartitionEnds,
    Fetch,
    Pause,
    Resume,
    Read,
    Restore,
    WriteSnapshot,
    StartThread,
}

/// Something that happened in the Kafka part.
#[derive(Clone, Debug)]
pub struct WorkerEvent {
    /// The worker that it concerns; `None`: all of the process.
    pub worker: Option<WorkerId>,
    pub what: Occurrence,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Occurrence {
    /// No broker answers yet, or the cluster cannot be asked.
    Unreachable {
        brokers: String,
        why: String,
        retry_in: Duration,
    },
    /// The cluster answers, and every topic exists.
    Reached {
        input: String,
        partitions: usize,
    },
    /// A check at the start was skipped.
    NotChecked {
        what: &'static str,
        of: String,
        why: String,
    },
    /// A record of an entity may become larger than its topic takes.
    MayNotFit {
        topic: String,
        /// The topic's `max.message.bytes`.
        takes: u64,
        /// The greatest size of a record, beside the key.
        bytes: u64,
    },
    Started,
    Ended(WorkerStats),
    /// What the worker has done since it started.
    Progress(WorkerStats),
    /// A transaction was committed, and everything that was read before it.
    Committed {
        /// Since its begin.
        took: Duration,
        counts: WorkerStats,
    },
    /// How the worker stands; reported twice a second as long as its loop turns.
    Status {
        /// Whether no record is applied, since a commit does not end.
        held: bool,
        partitions: Vec<(PartitionName, PartitionStatus)>,
    },
    /// The group assigned these partitions, or none.
    Assigned {
        partitions: Vec<PartitionName>,
    },
    Revoked {
        partitions: Vec<PartitionName>,
        lost: bool,
    },
    /// A partition runs, from this offset on.
    Running {
        partition: PartitionName,
        offset: i64,
    },
    /// A state is read back from the changelog: how much has been read, and about how long the rest will take.
    Restoring {
        partition: PartitionName,
        entities: usize,
        bytes: u64,
        left: Option<Duration>,
    },
    /// A state was read back, from a snapshot if there was one, and from `bytes` of the changelog.
    Restored {
        partition: PartitionName,
        entities: usize,
        bytes: u64,
        snapshot_bytes: Option<u64>,
        /// Records of the changelog that tagstream has not written; they were passed over.
        foreign: u64,
        took: Duration,
    },
    /// The history of a partition is counted again: events so far, and about how long the rest will take.
    Rebuilding {
        partition: PartitionName,
        events: u64,
        left: Option<Duration>,
    },
    /// The state has taken over what was counted from the history.
    Rebuilt {
        partition: PartitionName,
        rebuilt: BackfillResult,
        took: Duration,
    },
    /// A snapshot exists but is not used: the whole changelog is read.
    SnapshotUnused {
        partition: PartitionName,
        why: String,
    },
    /// A snapshot was written. The worker stood still while the state was copied.
    SnapshotWritten {
        partition: PartitionName,
        bytes: u64,
        copied_in: Duration,
        took: Duration,
    },
    /// A state was written under another catalog; what that means for it.
    CatalogChanged {
        partition: PartitionName,
        change: MigrationReport,
    },
    /// A step of a changed catalog in this process.
    Catalog(CatalogEvent),
    /// A partition has stopped until the operator acts. The others go on.
    PartitionStopped {
        partition: PartitionName,
        why: String,
    },
    /// A partition begins with an empty state in place of one that cannot be used: the operator has allowed it.
    StateDiscarded {
        partition: PartitionName,
        why: String,
        /// Whether the input is counted again from its first record on.
        recounts: bool,
    },
    /// A partition goes on although the records from `from` up to `to` are gone: the operator has accepted it.
    GapAccepted {
        partition: PartitionName,
        from: i64,
        to: i64,
    },
    /// The producer has its transactional id.
    ProducerReady {
        took: Duration,
    },
    /// The producer is replaced by a new one, for this reason.
    ProducerReset {
        why: ProducerReset,
    },
    /// A transaction was aborted; the same output will be sent again.
    Aborted {
        why: String,
        retry_in: Duration,
    },
    /// Transactions were too large for the brokers' pace: from now on less goes into one.
    TransactionsLimited {
        bytes_max: usize,
        took: Duration,
    },
    /// A step of a commit does not end; records wait for it.
    Waiting {
        step: &'static str,
        why: String,
    },
    /// The committed offsets have told whether a transaction in doubt was committed; the partitions, counted.
    DoubtResolved {
        committed: usize,
        open: usize,
        elsewhere: usize,
    },
    /// Dead letters over this size are cut, since the topic does not take them.
    DeadLettersCut {
        bytes_max: usize,
    },
    /// Something of the catalog does not fit the events that came.
    InputMismatch {
        words: String,
    },
    /// A record was not written; its transaction will be aborted.
    NotWritten {
        topic: String,
        why: String,
    },
    /// A call failed; the worker tries again.
    Failed {
        action: Action,
        why: String,
    },
    /// A sender's open transaction holds back the events of a partition from this offset on.
    HeldBySender {
        partition: PartitionName,
        offset: i64,
        held_for: Duration,
    },
    /// The events that a sender's transaction held back can be read.
    Released {
        partition: PartitionName,
        held_for: Duration,
    },
    /// A partition waits, before the record at this offset, until the registry says what this schema is.
    WaitsForSchema {
        partition: PartitionName,
        offset: i64,
        schema: SchemaKey,
        waited: Duration,
        why: String,
    },
    /// The registry has said what the schema is for which a partition has waited.
    SchemaKnown {
        partition: PartitionName,
        schema: SchemaKey,
        waited: Duration,
    },
    /// The wall clock has stepped, back if the number is negative.
    ClockStepped {
        step_ms: i64,
    },
    /// Of a minute's events, so many were refused since they lie in the future. `is_alarm`: more than a clock that is a
    /// little fast explains.
    FutureEvents {
        refused: u64,
        of: u64,
        is_alarm: bool,
    },
    /// A topic of the output has another number of partitions than when a state was last committed.
    OutputResized {
        topic: String,
        was: i32,
        is: i32,
    },
    /// Records of a partition cannot be read from this offset on.
    Unreadable {
        partition: PartitionName,
        offset: i64,
    },
    /// No event has come from any input for this long: the clocks stop.
    Outage {
        silent_for: Duration,
    },
    /// Events come again.
    OutageOver,
    /// A log line of librdkafka.
    Library {
        severity: Severity,
        facility: String,
        text: String,
    },
}

impl Occurrence {
    /// The event that this happened in a worker.
    pub fn of(self, worker: WorkerId) -> WorkerEvent {
        WorkerEvent { worker: Some(worker), what: self }
    }

    /// The event that this happened in the process, in no certain worker.
    pub fn of_process(self) -> WorkerEvent {
        WorkerEvent { worker: None, what: self }
    }
}

impl WorkerEvent {
    pub fn severity(&self) -> Severity {
        match &self.what {
            Occurrence::ProducerReady { .. }
            | Occurrence::Committed { .. }
            | Occurrence::Status { .. }
            | Occurrence::NotChecked { .. }
            | Occurrence::MayNotFit { .. }
            | Occurrence::SnapshotWritten { .. } => Severity::Debug,
            Occurrence::Restored { foreign: 1.., .. } => Severity::Warn,
            Occurrence::Assigned { partitions } if partitions.is_empty() => Severity::Debug,
            Occurrence::Unreachable { .. }
            | Occurrence::Revoked { lost: true, .. }
            | Occurrence::ProducerReset { .. }
            | Occurrence::Aborted { .. }
            | Occurrence::Waiting { .. }
            | Occurrence::TransactionsLimited { .. }
            | Occurrence::DoubtResolved { .. }
            | Occurrence::DeadLettersCut { .. }
            | Occurrence::NotWritten { .. }
            | Occurrence::InputMismatch { .. }
            | Occurrence::Failed { .. }
            | Occurrence::CatalogChanged { .. }
            | Occurrence::SnapshotUnused { .. }
            | Occurrence::HeldBySender { .. }
            | Occurrence::WaitsForSchema { .. }
            | Occurrence::GapAccepted { .. }
            | Occurrence::StateDiscarded { .. }
            | Occurrence::ClockStepped { .. }
            | Occurrence::OutputResized { .. }
            | Occurrence::FutureEvents { is_alarm: true, .. }
            | Occurrence::Outage { .. } => Severity::Warn,
            Occurrence::PartitionStopped { .. } | Occurrence::Unreadable { .. } => Severity::Error,
            Occurrence::Library { severity, .. } => *severity,
            Occurrence::Catalog(event) => event.severity(),
            _ => Severity::Info,
        }
    }

    /// The worker whose loop has reported it: the event shows that the loop turns. `None`: it comes from a thread beside
    /// the worker, or from the process.
    pub fn reporting_loop(&self) -> Option<WorkerId> {
        let is_beside = matches!(
            self.what,
            Occurrence::Restoring { .. }
                | Occurrence::Rebuilding { .. }
                | Occurrence::Rebuilt { .. }
                | Occurrence::SnapshotUnused { .. }
        );
        self.worker.filter(|_| !is_beside)
    }

    /// What repeats of the same failure have in common; `None`: each of these events has to be logged.
    pub fn repeats_as(&self) -> Option<String> {
        match &self.what {
            Occurrence::Aborted { why, .. } => Some(format!("aborted {why}")),
            Occurrence::Waiting { step, .. } => Some(format!("waiting {step}")),
            Occurrence::NotWritten { topic, why } => Some(format!("not written {topic} {why}")),
            Occurrence::Failed { action, why } => Some(format!("failed {action} {why}")),
            Occurrence::HeldBySender { partition, .. } => Some(format!("held {partition}")),
            Occurrence::WaitsForSchema { partition, .. } => Some(format!("schema {partition}")),
            Occurrence::OutputResized { topic, .. } => Some(format!("resized {topic}")),
            Occurrence::Unreadable { partition, .. } => Some(format!("unreadable {partition}")),
            Occurrence::ProducerReset { why } => Some(format!("reset {why}")),
            Occurrence::Catalog(CatalogEvent::Uncounted { .. }) => Some("uncounted".to_owned()),
            Occurrence::Library { facility, severity, .. } => Some(format!("library {facility} {severity:?}")),
            _ => None,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Action::JoinGroup => "joining the group",
            Action::AnswerGroup => "answering the group",
            Action::LeaveGroup => "leaving the group",
            Action::Rebalance => "rebalance",
            Action::ReadCommittedOffsets => "reading committed offsets",
            Action::ReadPartitionEnds => "reading the ends of a partition",
            Action::Fetch => "fetching",
            Action::Pause => "pausing",
            Action::Resume => "resuming",
            Action::Read => "reading",
            Action::Restore => "restoring",
            Action::WriteSnapshot => "writing snapshots",
            Action::StartThread => "starting a thread",
        })
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "worker {}", self.0)
    }
}

impl fmt::Display for WorkerEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(worker) = self.worker {
            write!(f, "{worker}: ")?;
        }
        self.what.fmt(f)
    }
}
