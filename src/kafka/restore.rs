//! State read back from the changelog, beside the worker, which goes on with its other partitions.
//!
//! A worker that knows what the group has committed for its new partitions sends a thread on an [`Errand`] for them; the
//! findings come back one by one. Which end of the changelog is the right one is the whole difficulty: a committed
//! offset can be read before the marker that ends its transaction has reached the changelog, so neither "all there is"
//! nor "all that is decided" will do (KAFKA-10167 was this). For each partition:
//!
//! 1. the committed offset is read, by a request that waits while a transaction that moves it is open (the worker did);
//! 2. after that, the end E of the changelog as one sees it who reads what is not committed, too;
//! 3. then one waits until no transaction that is open begins before E;
//! 4. and reads, committed records only, until the reader stands at E or behind it;
//! 5. the changelog's own note of the next offset must be the committed one. If it is not, somebody has committed
//!    meanwhile, and all begins again; if it stays so, the two do not belong together, and nothing is guessed.
//!
//! Where there is a snapshot, reading begins with it and goes on in the changelog where the snapshot says. The note is the
//! changelog's in any case. If anything is wrong with the snapshot all of the changelog is read.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use rdkafka::Message;

use super::breaker::{Breaker, TagNames};
use super::clients::ClientError;
use super::clock::Clock;
use super::failpoint::{self, Step};
use super::merge::{Reached, Source};
use super::notice::{Notice, Notices, WorkerId};
use super::rebuild::Backfill;
use super::snapshots::{Snapshots, Unusable};
use super::streams::{PartitionId, Streams};
use super::wire::{Bounds, ChangelogReader, Wire, WireError};
use super::worker::WorkerPlan;
use crate::codec::{ChangelogDecodeError, ChangelogKey, ChangelogRecord, SnapshotProgress, SourceEntry};
use crate::engine::{
    ChangelogError, Checkpoint, CompiledCatalog, ImpactPreview, MigrationReport, Partition, Program, RestoredPartition,
    StateRestorer,
};

pub(super) const CALL_PATIENCE: Duration = Duration::from_secs(5);
pub(super) const POLL: Duration = Duration::from_millis(50);
/// The pause before something is tried again that a broker could not do.
const RETRY: Duration = Duration::from_millis(200);
/// How often to look whether open transactions have ended.
const STABLE_PAUSE: Duration = Duration::from_millis(5);
pub(super) const PROGRESS: Duration = Duration::from_secs(5);

/// A partition whose state is to be read back.
#[derive(Clone, Debug)]
pub struct Task {
    pub partition: PartitionId,
    pub committed: Option<i64>,
    /// Given when the partition has been given up meanwhile.
    pub cancel: Cancel,
}

/// Tells an errand that nobody waits for a partition any more. A copy is the same signal.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    pub fn give(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_given(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn is(&self, other: &Cancel) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// What an errand has found.
pub struct Finding {
    pub partition: PartitionId,
    cancel: Cancel,
    pub result: Result<Found, RestoreError>,
}

impl Finding {
    /// Whether it answers the task that bears this signal.
    pub fn answers(&self, cancel: &Cancel) -> bool {
        self.cancel.is(cancel)
    }
}

/// A state as of a transaction.
pub struct Found {
    pub state: Partition,
    /// The changelog's note of it; none where the changelog is empty.
    pub note: Option<Note>,
    /// How far the sources of a merged partition are.
    pub sources: Option<Sources>,
    pub catalog_change: Option<MigrationReport>,
    pub took: Duration,
    /// Of the records that were read.
    pub bytes: u64,
    /// Of the snapshot that was read before them.
    pub snapshot_bytes: Option<u64>,
}

/// What the changelog says of where a partition stands.
#[derive(Clone, Debug)]
pub struct Note {
    pub next_offset: i64,
    pub log_id: u64,
    position: Checkpoint,
}

/// What the changelog says of the sources of a merged partition.
#[derive(Clone, Debug)]
pub struct Sources {
    pub read_to: i64,
    pub reached: Vec<Reached>,
}

/// Why a state cannot be read back.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RestoreError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("{topic}, partition {partition}, offset {offset}: {error}")]
    Record { topic: String, partition: i32, offset: i64, error: ReadError },
    #[error("{topic}, partition {partition}: {error}")]
    Whole { topic: String, partition: i32, error: ChangelogError },
    #[error(transparent)]
    Snapshot(#[from] Unusable),
}

/// What is wrong with a record.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    Unreadable(#[from] ChangelogDecodeError),
    #[error(transparent)]
    Damage(#[from] ChangelogError),
    #[error(transparent)]
    Snapshot(#[from] Unusable),
}

/// Sends errands, and takes what they find.
pub struct Restorer<W> {
    errand: Errand<W>,
    findings: Receiver<Finding>,
}

impl<W: Wire> Restorer<W> {
    pub fn new(wire: W, plan: &WorkerPlan, snapshots: Option<Arc<Snapshots>>) -> Self {
        let (sender, findings) = mpsc::channel();
        let errand = Errand {
            wire,
            programs: Arc::clone(&plan.programs),
            breaker: Arc::clone(&plan.breaker),
            streams: Arc::clone(&plan.streams),
            snapshots,
            worker: plan.id,
            clock: plan.clock.clone(),
            backfill: plan.backfill,
            notices: Arc::clone(&plan.notices),
            findings: sender,
        };
        Restorer { errand, findings }
    }

    /// Another catalog is in force: errands from now on read under it.
    pub fn renew(&mut self, programs: Arc<CompiledCatalog>) {
        self.errand.programs = programs;
    }

    /// Has the states of partitions read back, one after the other.
    pub fn send(&self, tasks: Vec<Task>) {
        let errand = self.errand.clone();
        self.errand.wire.spawn("restore", Box::new(move || errand.run(tasks)));
    }

    pub fn next(&self) -> Option<Finding> {
        self.findings.try_recv().ok()
    }
}

/// The work of one thread.
#[derive(Clone)]
pub(super) struct Errand<W> {
    pub(super) wire: W,
    programs: Arc<CompiledCatalog>,
    breaker: Arc<Breaker>,
    pub(super) streams: Arc<Streams>,
    snapshots: Option<Arc<Snapshots>>,
    pub(super) worker: WorkerId,
    pub(super) clock: Clock,
    pub(super) backfill: Backfill,
    pub(super) notices: Notices,
    findings: Sender<Finding>,
}

/// Why a reading ended without a state.
pub(super) enum Interrupted {
    Cancelled,
    For(RestoreError),
}

impl From<RestoreError> for Interrupted {
    fn from(error: RestoreError) -> Self {
        Interrupted::For(error)
    }
}

impl From<Unusable> for Interrupted {
    fn from(error: Unusable) -> Self {
        Interrupted::For(error.into())
    }
}

impl<W: Wire> Errand<W> {
    fn run(&self, tasks: Vec<Task>) {
        let reader = self.wire.changelog();
        for task in tasks {
            let result = match &reader {
                Ok(reader) => self.restore(reader, &task),
                Err(error) => Err(RestoreError::Client(error.clone()).into()),
            };
            let result = match result {
                Ok(found) => Ok(found),
                Err(Interrupted::For(error)) => Err(error),
                Err(Interrupted::Cancelled) => continue,
            };
            let Task { partition, cancel, .. } = task;
            // A worker that has ended needs no state.
            let _ = self.findings.send(Finding { partition, cancel, result });
        }
    }

    fn restore(&self, reader: &W::Changelog, task: &Task) -> Result<Found, Interrupted> {
        let partition = task.partition;
        let started = self.wire.now();
        let end = self.insist(task, || reader.end(partition, CALL_PATIENCE))?;
        let low = self.await_stable(reader, task, end)?;
        failpoint::pass(Step::RestoreStable);
        match self.restore_from_snapshot(reader, task, low..end, started) {
            Ok(None) => {}
            Ok(Some(found)) => return Ok(found),
            Err(Interrupted::Cancelled) => return Err(Interrupted::Cancelled),
            Err(Interrupted::For(error)) => {
                let partition = self.streams.name(partition);
                (self.notices)(Notice::SnapshotUnused { worker: self.worker, partition, why: error.to_string() });
            }
        }
        let mut reading = Reading::new(self.program(partition), None);
        if low < end {
            self.insist(task, || reader.open(partition, low))?;
            self.read(reader, task, low..end, started, &mut reading)?;
        }
        self.finish(task, reading, started)
    }

    /// Reads a snapshot, and of the changelog what is not in it. `None`: there is no snapshot.
    fn restore_from_snapshot(
        &self,
        reader: &W::Changelog,
        task: &Task,
        range: Range<i64>,
        started: Instant,
    ) -> Result<Option<Found>, Interrupted> {
        let partition = task.partition;
        let Some(snapshots) = &self.snapshots else { return Ok(None) };
        let Some(mut file) = snapshots.open(&self.topic(partition), partition.number)? else { return Ok(None) };
        let (log, offset) = (file.head().log, file.head().offset);
        let mut reading = Reading::new(self.program(partition), Some(log));
        while file.read_into(&mut reading.restoring).map_err(Unusable::from)? == SnapshotProgress::More {
            if task.cancel.is_given() {
                return Err(Interrupted::Cancelled);
            }
        }
        reading.snapshot_bytes = Some(file.bytes());
        if !range.contains(&offset) {
            return Err(Unusable::Offset { offset, low: range.start, end: range.end }.into());
        }
        self.insist(task, || reader.open(partition, offset))?;
        self.read(reader, task, offset..range.end, started, &mut reading)?;
        if reading.note.is_none() {
            return Err(Unusable::NoNote.into());
        }
        self.finish(task, reading, started).map(Some)
    }

    fn finish(&self, task: &Task, reading: Reading, started: Instant) -> Result<Found, Interrupted> {
        let partition = task.partition;
        failpoint::pass(Step::RestoreEnd);
        let Reading { restoring, note, sources, bytes, snapshot_bytes, .. } = reading;
        let position = note.as_ref().map_or_else(Checkpoint::default, |note| note.position.clone());
        let (catalog, is_first) = (position.catalog, position.clock.is_none());
        let RestoredPartition { partition: mut state, change: catalog_change } =
            restoring.finish(position).map_err(|error| RestoreError::Whole {
                topic: self.topic(partition),
                partition: partition.number,
                error,
            })?;
        let end = note.as_ref().map(|note| note.next_offset).filter(|next| Some(*next) == task.committed);
        let is_rebuilt = match end {
            Some(end) => self.rebuild(task, &mut state, end, catalog_change.as_ref())?,
            None => false,
        };
        if task.cancel.is_given() {
            return Err(Interrupted::Cancelled);
        }
        let is_other_catalog = catalog != state.program().catalog.fingerprint && !is_first;
        self.heed_breaker(partition, &mut state, is_other_catalog || is_rebuilt);
        // What an earlier restart has told already is no news.
        let catalog_change = catalog_change.filter(|_| is_other_catalog);
        let took = self.wire.now().duration_since(started);
        Ok(Found { state, note, sources, catalog_change, took, bytes, snapshot_bytes })
    }

    /// Puts on hold, or lets go, what the breaker says. `is_judged_anew`: under a catalog under which it was not before.
    fn heed_breaker(&self, partition: PartitionId, state: &mut Partition, is_judged_anew: bool) {
        let held: TagNames = state.held_tags().map(Box::from).collect();
        if held.is_empty() && !is_judged_anew {
            return;
        }
        let outlook = ImpactPreview::whole(state);
        state.release_tags(&self.breaker.noted(partition, held, &outlook));
        if is_judged_anew {
            let exceeding = self.breaker.restored(partition, &outlook);
            state.hold_tags(state.held_tags().map(Box::from).chain(exceeding).collect());
        }
    }

    /// Waits until everything before `end` is committed or aborted. Returns where the partition begins.
    fn await_stable(&self, reader: &W::Changelog, task: &Task, end: i64) -> Result<i64, Interrupted> {
        let mut tell_at = self.wire.now() + PROGRESS;
        loop {
            let Bounds { low, high } = self.insist(task, || reader.stable(task.partition, CALL_PATIENCE))?;
            if high >= end {
                return Ok(low);
            }
            if self.wire.now() >= tell_at {
                tell_at = self.wire.now() + PROGRESS;
                let why = format!(
                    "a transaction is open in {}, partition {}, from offset {high} on; its end is waited for",
                    self.topic(task.partition),
                    task.partition.number
                );
                self.trouble(why);
            }
            self.wire.sleep(STABLE_PAUSE);
        }
    }

    fn read(
        &self,
        reader: &W::Changelog,
        task: &Task,
        range: Range<i64>,
        started: Instant,
        reading: &mut Reading,
    ) -> Result<(), Interrupted> {
        let partition = task.partition;
        let mut tell_at = self.wire.now() + PROGRESS;
        loop {
            if task.cancel.is_given() {
                return Err(Interrupted::Cancelled);
            }
            match reader.poll(POLL) {
                Some(Ok(record)) => {
                    let offset = record.offset();
                    if offset >= range.end {
                        // Of a transaction that came later: half of it would be no state at all.
                        return Ok(());
                    }
                    reading.take(record.key().unwrap_or_default(), record.payload()).map_err(|error| {
                        RestoreError::Record {
                            topic: self.topic(partition),
                            partition: partition.number,
                            offset,
                            error,
                        }
                    })?;
                    failpoint::pass(Step::RestoreRecord);
                    if offset + 1 < range.end {
                        continue;
                    }
                }
                Some(Err(error)) => self.trouble(error.text),
                None => {}
            }
            let position = self.insist(task, || reader.position(partition))?.unwrap_or(range.start);
            if position >= range.end {
                return Ok(());
            }
            let now = self.wire.now();
            if now >= tell_at {
                tell_at = now + PROGRESS;
                let read = (position - range.start) as f64 / (range.end - range.start) as f64;
                let took = now.duration_since(started).as_secs_f64();
                (self.notices)(Notice::Restoring {
                    worker: self.worker,
                    partition: self.streams.name(partition),
                    entities: reading.restoring.entities(),
                    bytes: reading.bytes,
                    left: (read > 0.0).then(|| Duration::from_secs_f64(took * (1.0 - read) / read)),
                });
            }
        }
    }

    pub(super) fn program(&self, partition: PartitionId) -> &Arc<Program> {
        self.streams.plan(partition.stream).role.program(&self.programs)
    }

    /// The changelog's name.
    fn topic(&self, partition: PartitionId) -> String {
        self.streams.plan(partition.stream).changelog.clone()
    }

    /// Calls until there is an answer.
    pub(super) fn insist<T>(
        &self,
        task: &Task,
        mut call: impl FnMut() -> Result<T, WireError>,
    ) -> Result<T, Interrupted> {
        loop {
            if task.cancel.is_given() {
                return Err(Interrupted::Cancelled);
            }
            match call() {
                Ok(answer) => return Ok(answer),
                Err(error) => self.trouble(error.text),
            }
            self.wire.sleep(RETRY);
        }
    }

    pub(super) fn trouble(&self, why: String) {
        (self.notices)(Notice::Trouble { worker: self.worker, what: "restoring", why });
    }
}

/// What has been read of a changelog partition.
struct Reading {
    restoring: StateRestorer,
    /// The log that it has to be; `None`: any.
    log_id: Option<u64>,
    note: Option<Note>,
    sources: Option<Sources>,
    bytes: u64,
    snapshot_bytes: Option<u64>,
}

impl Reading {
    fn new(program: &Arc<Program>, log_id: Option<u64>) -> Self {
        let restoring = StateRestorer::new(Arc::clone(program));
        Reading { restoring, log_id, note: None, sources: None, bytes: 0, snapshot_bytes: None }
    }

    fn take(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), ReadError> {
        self.bytes += (key.len() + value.map_or(0, <[u8]>::len)) as u64;
        match ChangelogRecord::read(key, value)? {
            ChangelogRecord::Meta(meta) => {
                if self.log_id.is_some_and(|log_id| log_id != meta.log) {
                    return Err(Unusable::OtherLog.into());
                }
                let position = meta.checkpoint();
                self.note = Some(Note { next_offset: meta.next_offset, log_id: meta.log, position });
            }
            ChangelogRecord::Schema { id, meaning } => self.restoring.schema(id, meaning)?,
            ChangelogRecord::Segment(segment) => self.restoring.segment(segment)?,
            ChangelogRecord::Cleared(ChangelogKey::Segment(slot)) => self.restoring.clear(slot),
            ChangelogRecord::Cleared(ChangelogKey::Schema(id)) => self.restoring.clear_schema(id),
            ChangelogRecord::Sources { read_to, entries } => {
                let reached = |entry: SourceEntry<'_>| Reached {
                    source: Source { topic: entry.topic.into(), partition: entry.partition },
                    clock: entry.clock,
                    next: entry.next,
                };
                let reached = SourceEntry::read_all(entries)?.into_iter().map(reached).collect();
                self.sources = Some(Sources { read_to, reached });
            }
            ChangelogRecord::Cleared(ChangelogKey::Sources) => self.sources = None,
            // Nobody removes it.
            ChangelogRecord::Cleared(ChangelogKey::Meta) => self.note = None,
        }
        Ok(())
    }
}
