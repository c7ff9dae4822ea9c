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

use super::clients::ClientError;
use super::cycle::Fate;
use super::notice::Notice;
use super::slot::{Running, Slot};
use super::snapshots::Snapshots;
use super::streams::{PartitionId, Streams};
use super::wire::{ChangelogReader, Wire, WireError};
use super::worker::Worker;
use crate::codec::{SnapshotHead, SnapshotWriter};
use crate::engine::{Extent, SnapshotUnavailable};

/// For one look at the end of a changelog, where there will be another time.
const END_PATIENCE: Duration = Duration::from_millis(500);
/// So many offsets in front of the end there are the changelog's notes of the last transaction, which say of which
/// changelog the snapshot is, and where the sources of a merged partition are: behind the last of them there is the marker
/// of the commit at most. To read a record again does no harm.
const BACK: i64 = 3;
/// What a file has beside the state, about.
const FILE_BYTES: usize = 64 << 10;

/// Takes snapshots.
pub struct Scribe<W: Wire> {
    wire: W,
    snapshots: Arc<Snapshots>,
    streams: Arc<Streams>,
    interval: Duration,
    /// Knows where changelogs end; made when that is asked for the first time.
    reader: Option<W::Changelog>,
    kept: BTreeMap<PartitionId, Kept>,
    /// Whether a file is being written.
    writes: bool,
    sender: Sender<Written>,
    written: Receiver<Written>,
}

/// What is known of the snapshot of a partition.
struct Kept {
    /// When it was looked at.
    at: Instant,
    /// The log as of the snapshot; none if there is no snapshot of ours.
    extent: Option<Extent>,
}

/// What has become of a file.
struct Written {
    partition: PartitionId,
    bytes: u64,
    copied_in: Duration,
    took: Duration,
    result: io::Result<()>,
}

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
enum NotTaken {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error(transparent)]
    NoCopy(#[from] SnapshotUnavailable),
}

impl<W: Wire> Scribe<W> {
    pub fn new(wire: W, snapshots: Arc<Snapshots>, streams: Arc<Streams>, interval: Duration) -> Self {
        let (sender, written) = mpsc::channel();
        Scribe {
            wire,
            snapshots,
            streams,
            interval,
            reader: None,
            kept: BTreeMap::new(),
            writes: false,
            sender,
            written,
        }
    }

    /// A partition is not ours any more.
    pub fn forget(&mut self, partition: PartitionId) {
        self.kept.remove(&partition);
    }

    /// Whether a partition has to be looked at. The first time is an interval after it has begun to run.
    fn is_due(&mut self, partition: PartitionId, now: Instant) -> bool {
        let kept = self.kept.entry(partition).or_insert(Kept { at: now, extent: None });
        now >= kept.at + self.interval
    }

    /// Copies a partition of which all is committed, and has the copy written, if it is of something new. The brokers may
    /// take so long to tell where its changelog ends.
    fn take(&mut self, partition: PartitionId, running: &Running, patience: Duration) -> Result<(), NotTaken> {
        let started = self.wire.now();
        let extent = running.extent();
        let kept = self.kept.entry(partition).or_insert(Kept { at: started, extent: None });
        kept.at = started;
        // Before its first segment a log holds nothing.
        if extent.next == 0 || kept.extent == Some(extent) {
            return Ok(());
        }
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => none.insert(self.wire.changelog()?),
        };
        let end = reader.end(partition, patience)?;
        let head = SnapshotHead {
            log: running.log_id(),
            offset: (end - BACK).max(0),
            partition: partition.number,
            topic: self.streams.plan(partition.stream).changelog.clone(),
        };
        let began = self.wire.now();
        let mut writer = SnapshotWriter::new(&head, running.state_bytes() + FILE_BYTES);
        running.copy(&mut writer)?;
        let copied_in = self.wire.now().duration_since(began);
        kept.extent = Some(extent);
        self.writes = true;
        let (wire, snapshots, sender) = (self.wire.clone(), Arc::clone(&self.snapshots), self.sender.clone());
        let write = move || {
            let bytes = writer.finish();
            let result = snapshots.write(&head.topic, head.partition, &bytes);
            let took = wire.now().duration_since(began);
            // A worker that has ended does not want to know.
            let _ = sender.send(Written { partition, bytes: bytes.len() as u64, copied_in, took, result });
        };
        self.wire.spawn("snapshot", Box::new(write));
        Ok(())
    }

    /// What has become of the file that is being written; `None`: nothing yet, or there is none.
    fn hear(&mut self, patience: Duration) -> Option<Written> {
        if !self.writes {
            return None;
        }
        let written = self.written.recv_timeout(patience).ok()?;
        self.writes = false;
        if written.result.is_err()
            && let Some(kept) = self.kept.get_mut(&written.partition)
        {
            kept.extent = None;
        }
        Some(written)
    }
}

impl<W: Wire> Worker<W> {
    /// Begins a snapshot if it is time for one.
    pub(super) fn snapshot_if_due(&mut self) {
        let Some(scribe) = &mut self.scribe else { return };
        if let Some(written) = scribe.hear(Duration::ZERO) {
            self.tell(written);
        }
        let (Some(scribe), Fate::Clear) = (&mut self.scribe, &self.fate) else { return };
        if scribe.writes {
            return;
        }
        let now = self.wire.now();
        let due = self.slots.iter().find_map(|(partition, slot)| match slot {
            Slot::Running(running)
                if running.keeps_state() && scribe.is_due(*partition, now) && running.is_committed() =>
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
    pub(super) fn snapshot_last(&mut self, partitions: &[PartitionId], patience: Duration) {
        if !matches!(self.fate, Fate::Clear) {
            return;
        }
        let deadline = self.wire.now() + patience;
        for partition in partitions {
            if self.wire.now() >= deadline || !self.await_file(deadline) {
                return;
            }
            self.take_snapshot(*partition, deadline.saturating_duration_since(self.wire.now()));
        }
        self.await_file(deadline);
    }

    /// Waits for the file that is being written; whether there is none any more.
    fn await_file(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(self.wire.now());
        let Some(scribe) = &mut self.scribe else { return false };
        if let Some(written) = scribe.hear(left) {
            self.tell(written);
        }
        self.scribe.as_ref().is_some_and(|scribe| !scribe.writes)
    }

    fn take_snapshot(&mut self, partition: PartitionId, patience: Duration) {
        let (Some(scribe), Some(Slot::Running(running))) = (&mut self.scribe, self.slots.get(&partition)) else {
            return;
        };
        if !running.keeps_state() || !running.is_committed() {
            return;
        }
        match scribe.take(partition, running, patience) {
            // There is another time.
            Ok(()) | Err(NotTaken::NoCopy(_)) => {}
            Err(error) => self.not_written(partition, &error),
        }
    }

    fn tell(&self, written: Written) {
        let Written { partition, bytes, copied_in, took, result } = written;
        match result {
            Ok(()) => {
                let partition = self.streams().name(partition);
                self.say(Notice::SnapshotWritten { worker: self.plan.id, partition, bytes, copied_in, took });
            }
            Err(error) => self.not_written(partition, &error),
        }
    }

    fn not_written(&self, partition: PartitionId, error: &impl std::fmt::Display) {
        let partition = self.streams().name(partition);
        let why = format!("there is no new one of partition {partition}, which costs time at the next start: {error}");
        self.say(Notice::Trouble { worker: self.plan.id, what: "writing snapshots", why });
    }
}
