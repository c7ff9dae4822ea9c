//! Decides when a worker takes snapshots of its partitions, so that the next start reads only the end of the changelog.
//!
//! A snapshot is a copy of what the changelog holds, and of nothing else. So it is taken when everything that was
//! applied to a partition is committed: after a commit beside which nothing was applied, or while nothing happens. The
//! end of the changelog is read at the same time, since no other member writes there. If another member has taken over
//! the partition without this worker knowing, segments are missing behind the copy, and a reader of the snapshot finds
//! that out.
//!
//! The worker itself copies, at the speed of memory; a thread writes the copy to the disk. There is one copy at a time,
//! so that at most one partition's state is in memory twice.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use super::Worker;
use crate::codec::{SnapshotHead, SnapshotWriter};
use crate::engine::{Extent, SnapshotUnavailable};
use crate::kafka::broker::{BrokerError, ChangelogReader, ClientError, KafkaClients};
use crate::kafka::events::{Action, Occurrence};
use crate::kafka::state::{OwedAnswer, SnapshotStore};
use crate::kafka::task::{RunningTask, Task};
use crate::kafka::topology::{PartitionId, Topology};

/// For one request for the end of a changelog; it is tried again later.
const END_PATIENCE: Duration = Duration::from_millis(500);
/// The records of the last transaction that say which changelog this is, and where the sources of a merged partition
/// are, stand at most so many offsets before the end: only the marker of the commit is behind them. To read a record
/// twice does no harm.
const BACK: i64 = 3;
/// About how many bytes a file has beside the state.
const FILE_BYTES: usize = 64 << 10;

/// Takes snapshots of a worker's partitions.
pub(super) struct SnapshotScheduler<W: KafkaClients> {
    clients: W,
    snapshots: Arc<SnapshotStore>,
    topology: Arc<Topology>,
    interval: Duration,
    /// Reads where changelogs end; created at the first request.
    reader: Option<W::Changelog>,
    known: BTreeMap<PartitionId, KnownSnapshot>,
    /// Whether a file is being written.
    is_writing: bool,
    sender: Sender<WrittenSnapshot>,
    written: Receiver<WrittenSnapshot>,
}

/// What is known of a partition's snapshot.
struct KnownSnapshot {
    /// When a snapshot was last considered.
    at: Instant,
    /// The extent of the log in the snapshot; `None`: this worker has taken none.
    extent: Option<Extent>,
}

/// What became of a file.
struct WrittenSnapshot {
    partition: PartitionId,
    bytes: u64,
    copied_in: Duration,
    took: Duration,
    result: io::Result<()>,
}

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
enum SnapshotNotTaken {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Broker(#[from] BrokerError),
    #[error(transparent)]
    NoCopy(#[from] SnapshotUnavailable),
}

impl<W: KafkaClients> SnapshotScheduler<W> {
    pub(super) fn new(clients: W, snapshots: Arc<SnapshotStore>, topology: Arc<Topology>, interval: Duration) -> Self {
        let (sender, written) = mpsc::channel();
        SnapshotScheduler {
            clients,
            snapshots,
            topology,
            interval,
            reader: None,
            known: BTreeMap::new(),
            is_writing: false,
            sender,
            written,
        }
    }

    /// Forgets a partition that was given up.
    pub(super) fn forget(&mut self, partition: PartitionId) {
        self.known.remove(&partition);
    }

    /// Whether a snapshot has to be considered. The first time is one interval after the partition began to run.
    fn is_due(&mut self, partition: PartitionId, now: Instant) -> bool {
        let known = self.known.entry(partition).or_insert(KnownSnapshot { at: now, extent: None });
        now >= known.at + self.interval
    }

    /// Copies a partition, all of which is committed, and has the copy written if there is something new in it.
    /// `patience`: how long the brokers may take to tell the end of its changelog.
    fn take(
        &mut self,
        partition: PartitionId,
        running: &RunningTask,
        patience: Duration,
    ) -> Result<(), SnapshotNotTaken> {
        let started = self.clients.now();
        let extent = running.extent();
        let known = self.known.entry(partition).or_insert(KnownSnapshot { at: started, extent: None });
        known.at = started;
        // A log without a segment holds nothing.
        if extent.next == 0 || known.extent == Some(extent) {
            return Ok(());
        }
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => none.insert(self.clients.changelog()?),
        };
        let end = reader.end(partition, patience)?;
        let head = SnapshotHead {
            log: running.log_id(),
            offset: (end - BACK).max(0),
            partition: partition.number,
            topic: self.topology.plan(partition.topic).changelog.clone(),
        };
        let began = self.clients.now();
        let mut writer = SnapshotWriter::new(&head, running.state_bytes() + FILE_BYTES);
        running.copy(&mut writer)?;
        let copied_in = self.clients.now().duration_since(began);
        known.extent = Some(extent);
        self.is_writing = true;
        let (clients, snapshots) = (self.clients.clone(), Arc::clone(&self.snapshots));
        let result = Err(io::Error::other("the thread that writes it could not start, or has failed"));
        let unwritten = WrittenSnapshot { partition, bytes: 0, copied_in, took: Duration::ZERO, result };
        let owed = OwedAnswer::new(self.sender.clone(), unwritten);
        let write = move || {
            let bytes = writer.finish();
            let result = snapshots.write(&head.topic, head.partition, &bytes);
            let took = clients.now().duration_since(began);
            owed.send(WrittenSnapshot { partition, bytes: bytes.len() as u64, copied_in, took, result });
        };
        self.clients.spawn("snapshot", Box::new(write));
        Ok(())
    }

    /// What became of the file that is being written; `None`: it is not done, or there is none.
    fn take_written(&mut self, patience: Duration) -> Option<WrittenSnapshot> {
        if !self.is_writing {
            return None;
        }
        let written = self.written.recv_timeout(patience).ok()?;
        self.is_writing = false;
        if written.result.is_err()
            && let Some(known) = self.known.get_mut(&written.partition)
        {
            known.extent = None;
        }
        Some(written)
    }
}

impl<W: KafkaClients> Worker<W> {
    /// Whether a snapshot is to be taken as soon as everything is committed.
    pub(super) fn is_snapshot_due(&mut self) -> bool {
        let Some(snapshots) = self.snapshots.as_mut().filter(|snapshots| !snapshots.is_writing) else { return false };
        let now = self.clients.now();
        let keeps_state = |task: &Task| matches!(task, Task::Running(running) if running.keeps_state());
        self.tasks.iter().any(|(partition, task)| keeps_state(task) && snapshots.is_due(*partition, now))
    }

    /// Begins a snapshot if one is due.
    pub(super) fn snapshot_if_due(&mut self) {
        let Some(snapshots) = &mut self.snapshots else { return };
        if let Some(written) = snapshots.take_written(Duration::ZERO) {
            self.report_written(written);
        }
        if !self.cycle.is_clear() {
            return;
        }
        let Some(snapshots) = &mut self.snapshots else { return };
        if snapshots.is_writing {
            return;
        }
        let now = self.clients.now();
        let due = self.tasks.iter().find_map(|(partition, task)| match task {
            Task::Running(running)
                if running.keeps_state() && snapshots.is_due(*partition, now) && running.is_committed() =>
            {
                Some(*partition)
            }
            _ => None,
        });
        if let Some(partition) = due {
            self.take_snapshot(partition, END_PATIENCE);
        }
    }

    /// Takes snapshots of partitions that are about to be given up, as far as there is time, and waits for the files.
    pub(super) fn take_final_snapshots(&mut self, partitions: &[PartitionId], patience: Duration) {
        if !self.cycle.is_clear() {
            return;
        }
        let deadline = self.clients.now() + patience;
        for partition in partitions {
            if self.clients.now() >= deadline || !self.await_file(deadline) {
                return;
            }
            self.take_snapshot(*partition, deadline.saturating_duration_since(self.clients.now()));
        }
        self.await_file(deadline);
    }

    /// Waits for the file that is being written. Returns whether none is being written any more.
    fn await_file(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(self.clients.now());
        let Some(snapshots) = &mut self.snapshots else { return false };
        if let Some(written) = snapshots.take_written(left) {
            self.report_written(written);
        }
        self.snapshots.as_ref().is_some_and(|snapshots| !snapshots.is_writing)
    }

    fn take_snapshot(&mut self, partition: PartitionId, patience: Duration) {
        let (Some(snapshots), Some(Task::Running(running))) = (&mut self.snapshots, self.tasks.get(&partition)) else {
            return;
        };
        if !running.keeps_state() || !running.is_committed() {
            return;
        }
        match snapshots.take(partition, running, patience) {
            // It is tried again at the next interval.
            Ok(()) | Err(SnapshotNotTaken::NoCopy(_)) => {}
            Err(error) => self.report_not_written(partition, &error),
        }
    }

    fn report_written(&self, written: WrittenSnapshot) {
        let WrittenSnapshot { partition, bytes, copied_in, took, result } = written;
        match result {
            Ok(()) => {
                let partition = self.topology().name(partition);
                self.report(Occurrence::SnapshotWritten { partition, bytes, copied_in, took });
            }
            Err(error) => self.report_not_written(partition, &error),
        }
    }

    fn report_not_written(&self, partition: PartitionId, error: &impl std::fmt::Display) {
        let partition = self.topology().name(partition);
        let why = format!("no new snapshot of partition {partition}, so the next start takes longer: {error}");
        self.report(Occurrence::Failed { action: Action::WriteSnapshot, why });
    }
}
