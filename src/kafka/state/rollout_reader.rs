//! Reads what the partitions of other processes note of the rollout: the last meta record of each changelog.
//!
//! Every transaction writes one, so it stands near the end, and only the end is read.

use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use rdkafka::Message;

use crate::codec::{ChangelogKey, ChangelogRecord, PartitionFacts, RolloutNote};
use crate::kafka::broker::{ChangelogReader, KafkaClients, OffsetBounds};
use crate::kafka::catalog_rollout::ReadingReason;
use crate::kafka::topology::PartitionId;

/// While something waits in this process.
const INTERVAL: Duration = Duration::from_secs(2);
/// While other processes may wait for a decision.
const INTERVAL_IDLE: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(50);
/// Reading the end of one changelog takes at most this long; it is tried again.
const READ_MAX: Duration = Duration::from_secs(10);
/// A question without an answer for this long is asked again: its thread may not have started.
const LOST_AFTER: Duration = Duration::from_secs(30);
/// How many records from the end are read first, and how much further the next look goes back.
const TAIL: i64 = 64;
const FURTHER: i64 = 16;

/// What the last meta record of a partition says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LatestNote {
    /// The partition has no state.
    Nothing,
    /// It cannot be read, so it is of another version of the program.
    Unknown,
    Under {
        catalog: u64,
        note: Option<RolloutNote>,
    },
}

/// Reads notes on a thread of its own, at intervals.
pub(crate) struct RolloutReader<W: KafkaClients> {
    clients: W,
    asked_at: Option<Instant>,
    is_waiting: bool,
    sender: Sender<Vec<(PartitionId, LatestNote)>>,
    answers: Receiver<Vec<(PartitionId, LatestNote)>>,
}

impl<W: KafkaClients> RolloutReader<W> {
    pub(crate) fn new(clients: W) -> Self {
        let (sender, answers) = mpsc::channel();
        RolloutReader { clients, asked_at: None, is_waiting: false, sender, answers }
    }

    /// Begins to read the notes of partitions, if it is time.
    pub(crate) fn ask(&mut self, (partitions, reason): (Vec<PartitionId>, ReadingReason)) {
        let now = self.clients.now();
        let every = match reason {
            _ if self.is_waiting => LOST_AFTER,
            ReadingReason::WaitsHere => INTERVAL,
            ReadingReason::OthersMayWait => INTERVAL_IDLE,
        };
        if partitions.is_empty() || self.asked_at.is_some_and(|at| now < at + every) {
            return;
        }
        (self.asked_at, self.is_waiting) = (Some(now), true);
        let (clients, sender) = (self.clients.clone(), self.sender.clone());
        let read = move || {
            let found = match clients.changelog() {
                Ok(reader) => {
                    let note = |partition| Some((partition, latest_note(&clients, &reader, partition)?));
                    partitions.into_iter().filter_map(note).collect()
                }
                // The other clients of the worker have the error, too, and report it.
                Err(_) => Vec::new(),
            };
            // The worker may have ended meanwhile.
            let _ = sender.send(found);
        };
        self.clients.spawn("rollout", Box::new(read));
    }

    /// The notes that have come.
    pub(crate) fn answer(&mut self) -> Vec<(PartitionId, LatestNote)> {
        let Ok(found) = self.answers.try_recv() else { return Vec::new() };
        self.is_waiting = false;
        found
    }
}

/// `None`: the brokers do not tell now.
fn latest_note<W: KafkaClients>(clients: &W, reader: &W::Changelog, partition: PartitionId) -> Option<LatestNote> {
    let OffsetBounds { low, high } = reader.stable(partition, PATIENCE).ok()?;
    let deadline = clients.now() + READ_MAX;
    let mut tail = TAIL;
    loop {
        let from = (high - tail).max(low);
        if let Some(note) = last_between::<W>(clients, reader, partition, (from, high), deadline)? {
            return Some(note);
        }
        if from == low {
            return Some(LatestNote::Nothing);
        }
        tail = tail.saturating_mul(FURTHER);
    }
}

/// The last note between two offsets. `None`: it took too long.
fn last_between<W: KafkaClients>(
    clients: &W,
    reader: &W::Changelog,
    partition: PartitionId,
    (from, end): (i64, i64),
    deadline: Instant,
) -> Option<Option<LatestNote>> {
    let mut found = None;
    if from >= end {
        return Some(found);
    }
    reader.open(partition, from).ok()?;
    let mut position = from;
    while position < end {
        match reader.poll(POLL) {
            Some(Ok(record)) if record.offset() >= end => break,
            Some(Ok(record)) => {
                position = record.offset() + 1;
                found = note_of(record.key().unwrap_or_default(), record.payload()).or(found);
            }
            _ => position = reader.position(partition).ok()?.unwrap_or(position).max(position),
        }
        if clients.now() >= deadline {
            return None;
        }
    }
    Some(found)
}

/// The note of a record, if it is a meta record.
fn note_of(key: &[u8], value: Option<&[u8]>) -> Option<LatestNote> {
    match ChangelogRecord::read(key, value) {
        Ok(ChangelogRecord::Meta(meta)) => Some(match PartitionFacts::read(meta.facts) {
            Some(facts) => LatestNote::Under { catalog: meta.catalog, note: facts.rollout },
            None => LatestNote::Unknown,
        }),
        Err(_) if ChangelogKey::is_meta(key) => Some(LatestNote::Unknown),
        _ => None,
    }
}
