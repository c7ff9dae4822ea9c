//! When a worker takes snapshots of its partitions: so that the next start reads only the end of the changelog.
//!
//! A snapshot is a copy of what the changelog holds, and of nothing else. So it is taken where all that was applied to a
//! partition is committed and nothing has been applied since: after a commit, and when nothing happens. The changelog's
//! end is asked for then, too: nobody else writes there. If somebody does, who owns the partition meanwhile without this
//! worker knowing, segments are missing behind the copy, and whoever reads it finds that out.
//!
//! Copying is the worker's own work, at the speed of memory; a thread writes the copy to the disk. There is one at a
//! time, so that no more than the state of one partition is in memory twice.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use super::Worker;
use crate::codec::{SnapshotHead, SnapshotWriter};
use crate::engine::{Extent, NoCopy};
use crate::kafka::broker::{BrokerError, ChangelogReader, ClientError, KafkaClients};
use crate::kafka::events::{Action, Occurrence};
use crate::kafka::state::SnapshotStore;
use crate::kafka::task::{RunningTask, Task};
use crate::kafka::topology::{PartitionId, Topology};

/// For one look at the end of a changelog, where there will be another time.
const END_PATIENCE: Duration = Duration::from_millis(500);
/// So many offsets in front of the end there are the changelog's notes of the last transaction, which say of which
/// changelog the snapshot is, and where the sources of a merged partition are: behind the last of them there is the marker
/// of the commit at most. To read a record again does no harm.
const BACK: i64 = 3;
/// What a file has beside the state, about.
const FILE_BYTES: usize = 64 << 10;

/// Takes snapshots.
pub(super) struct SnapshotScheduler<W: KafkaClients> {
    clients: W,
    snapshots: Arc<SnapshotStore>,
    topology: Arc<Topology>,
    interval: Duration,
    /// Knows where changelogs end; made when that is asked for the first time.
    reader: Option<W::Changelog>,
    known: BTreeMap<PartitionId, KnownSnapshot>,
    /// Whether a file is being written.
    is_writing: bool,
    sender: Sender<WrittenSnapshot>,
    written: Receiver<WrittenSnapshot>,
}

/// What is known of the snapshot of a partition.
struct KnownSnapshot {
    /// When it was looked at.
    at: Instant,
    /// The log as of the snapshot; none if there is no snapshot of ours.
    extent: Option<Extent>,
}

/// What has become of a file.
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
    KafkaClients(#[from] BrokerError),
    #[error(transparent)]
    NoCopy(#[from] NoCopy),
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

    /// A partition is not ours any more.
    pub(super) fn forget(&mut self, partition: PartitionId) {
        self.known.remove(&partition);
    }

    /// Whether a partition has to be looked at. The first time is an interval after it has begun to run.
    fn is_due(&mut self, partition: PartitionId, now: Instant) -> bool {
        let known = self.known.entry(partition).or_insert(KnownSnapshot { at: now, extent: None });
        now >= known.at + self.interval
    }

    /// Copies a partition of which all is committed, and has the copy written, if it is of something new. The brokers may
    /// take so long to tell where its changelog ends.
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
        // Before its first segment a log holds nothing.
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
        let (clients, snapshots, sender) = (self.clients.clone(), Arc::clone(&self.snapshots), self.sender.clone());
        let write = move || {
            let bytes = writer.finish();
            let result = snapshots.write(&head.topic, head.partition, &bytes);
            let took = clients.now().duration_since(began);
            // A worker that has ended does not want to know.
            let _ = sender.send(WrittenSnapshot { partition, bytes: bytes.len() as u64, copied_in, took, result });
        };
        self.clients.spawn("snapshot", Box::new(write));
        Ok(())
    }

    /// What has become of the file that is being written; `None`: nothing yet, or there is none.
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
    /// Begins a snapshot if it is time for one.
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

    /// Waits for the file that is being written; whether there is none any more.
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
            // There is another time.
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
        let why = format!("there is no new one of partition {partition}, which costs time at the next start: {error}");
        self.report(Occurrence::Failed { action: Action::WriteSnapshot, why });
    }
}
