//! Restores states from the changelog on a thread of their own, while the worker goes on with its other partitions.
//!
//! A worker that knows the committed offsets of its new partitions starts a [`RestoreJob`] for them; the results come
//! back one by one. The difficulty is to find the right end of the changelog: a committed offset can be visible before
//! the marker of its transaction has reached the changelog. So neither the end of the log nor its last stable offset
//! will do (KAFKA-10167 was this error). For each partition:
//!
//! 1. The worker reads the committed offset, by a request that waits while an open transaction may move it.
//! 2. After that, the job reads the end E of the changelog, uncommitted records included.
//! 3. It waits until no open transaction begins before E.
//! 4. It reads the committed records until its position is E or behind it.
//! 5. The next offset that the changelog has recorded must be the committed one. If not, another member has committed
//!    meanwhile, and all begins again; if it stays so, the two do not belong together, and nothing is guessed.
//!
//! If there is a snapshot, it is read first, and then the changelog from where the snapshot says. The recorded offset
//! is the changelog's in any case. If anything is wrong with the snapshot, the whole changelog is read.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use rdkafka::Message;

use super::changelog_reading::ChangelogReading;
use super::changelog_reading::{ChangelogPosition, MergeProgress};
use super::discard::StateUse;
use super::owed_answer::OwedAnswer;
use super::restore_error::RestoreError;
use super::snapshot_store::{SnapshotStore, SnapshotUnusable};
use crate::codec::{ChangelogKey, PayloadFormat, RolloutNote, SnapshotProgress};
use crate::engine::{
    Checkpoint, CompiledCatalog, ImpactPreview, MigrationReport, Partition, Program, RestoredPartition,
};
use crate::kafka::broker::{BrokerError, ChangelogReader, KafkaClients, OffsetBounds};
use crate::kafka::catalog_rollout::CatalogRollout;
use crate::kafka::clock::Clock;
use crate::kafka::events::{Action, EventListener, Occurrence, TagNames, WorkerId};
use crate::kafka::failpoint::{self, Failpoint};
use crate::kafka::topology::{PartitionId, Topology};

pub(super) const CALL_PATIENCE: Duration = Duration::from_secs(5);
pub(super) const POLL: Duration = Duration::from_millis(50);
/// The pause before a call that failed is tried again.
const RETRY: Duration = Duration::from_millis(200);
/// The pause between two looks whether open transactions have ended.
const STABLE_PAUSE: Duration = Duration::from_millis(5);
pub(super) const PROGRESS: Duration = Duration::from_secs(5);

/// A partition whose state is to be read back.
#[derive(Clone, Debug)]
pub(crate) struct RestoreRequest {
    pub partition: PartitionId,
    pub committed: Option<i64>,
    pub state_use: StateUse,
    /// Given when the partition was given up meanwhile.
    pub cancel: Cancel,
}

/// Tells a job that a partition is not needed any more. A copy is the same signal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cancel(Arc<AtomicBool>);

impl Cancel {
    pub(crate) fn give(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_given(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn is(&self, other: &Cancel) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// What restoring one partition has come to.
pub(crate) struct RestoreResult {
    pub partition: PartitionId,
    cancel: Cancel,
    pub result: Result<RestoredState, RestoreError>,
}

impl RestoreResult {
    /// Whether it answers the request with this signal.
    pub(crate) fn answers(&self, cancel: &Cancel) -> bool {
        self.cancel.is(cancel)
    }
}

/// A state as of a transaction.
pub(crate) struct RestoredState {
    pub state: Partition,
    /// The changelog's record of it; `None`: the changelog is empty.
    pub position: Option<ChangelogPosition>,
    /// How far the sources of a merged partition are.
    pub sources: Option<MergeProgress>,
    /// Keys of the changelog to clear with the first transaction.
    pub cleared: Vec<ChangelogKey>,
    pub catalog_change: Option<MigrationReport>,
    pub rollout: RestoredNote,
    pub took: Duration,
    /// Bytes of the changelog that were read.
    pub bytes: u64,
    /// Records of the changelog that tagstream has not written.
    pub foreign: u64,
    /// Bytes of the snapshot that was read before them.
    pub snapshot_bytes: Option<u64>,
}

/// What a partition notes of the rollout of its catalog, when it has been read back.
pub(crate) struct RestoredNote {
    pub note: RolloutNote,
    /// Whether it is what the changelog says.
    pub is_committed: bool,
}

/// Why the tags of a state that was read back may change without an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reevaluated {
    No,
    /// It comes under another catalog.
    ForCatalog,
    /// Its history was counted again.
    ForHistory,
}

/// Starts restore jobs, and takes their results.
pub(crate) struct Restorer<W> {
    job: RestoreJob<W>,
    sender: Sender<RestoreResult>,
    results: Receiver<RestoreResult>,
}

impl<W: KafkaClients> Restorer<W> {
    pub(crate) fn new(clients: W, context: RestoreContext, snapshots: Option<Arc<SnapshotStore>>) -> Self {
        let (sender, results) = mpsc::channel();
        Restorer { job: RestoreJob { clients, context, snapshots }, sender, results }
    }

    /// Switches to another catalog: jobs that start from now on read under it.
    pub(crate) fn switch_catalog(&mut self, compiled: Arc<CompiledCatalog>) {
        self.job.context.compiled = compiled;
    }

    /// Restores partitions, one after the other. Each request that is not cancelled gets a result.
    pub(crate) fn send(&self, requests: Vec<RestoreRequest>) {
        let owe = |request: RestoreRequest| {
            let (partition, cancel, result) =
                (request.partition, request.cancel.clone(), Err(RestoreError::ThreadEnded));
            (request, OwedAnswer::new(self.sender.clone(), RestoreResult { partition, cancel, result }))
        };
        let (job, requests) = (self.job.clone(), requests.into_iter().map(owe).collect());
        self.job.clients.spawn("restore", Box::new(move || job.run(requests)));
    }

    pub(crate) fn next(&self) -> Option<RestoreResult> {
        self.results.try_recv().ok()
    }
}

/// How counters begin that are new in a catalog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backfill {
    /// They begin empty, and fill.
    #[default]
    Off,
    /// What the input topic retains is counted when a state is read back.
    On,
}

/// What reading states back needs to know of its worker.
#[derive(Clone)]
pub(crate) struct RestoreContext {
    pub worker: WorkerId,
    pub topology: Arc<Topology>,
    /// The format of the input's values; `None`: JSON.
    pub payloads: Option<Arc<dyn PayloadFormat>>,
    pub compiled: Arc<CompiledCatalog>,
    pub rollout: Arc<CatalogRollout>,
    pub backfill: Backfill,
    pub clock: Clock,
    pub listener: EventListener,
}

/// The work of one thread.
#[derive(Clone)]
pub(super) struct RestoreJob<W> {
    pub(super) clients: W,
    pub(super) context: RestoreContext,
    snapshots: Option<Arc<SnapshotStore>>,
}

/// Why restoring has ended without a state.
pub(super) enum RestoreInterruption {
    Cancelled,
    For(RestoreError),
}

impl From<RestoreError> for RestoreInterruption {
    fn from(error: RestoreError) -> Self {
        RestoreInterruption::For(error)
    }
}

impl From<SnapshotUnusable> for RestoreInterruption {
    fn from(error: SnapshotUnusable) -> Self {
        RestoreInterruption::For(error.into())
    }
}

impl<W: KafkaClients> RestoreJob<W> {
    fn run(&self, requests: Vec<(RestoreRequest, OwedAnswer<RestoreResult>)>) {
        let reader = self.clients.changelog();
        for (request, owed) in requests {
            let result = match &reader {
                Ok(reader) => self.restore(reader, &request),
                Err(error) => Err(RestoreError::Client(error.clone()).into()),
            };
            let result = match result {
                Ok(found) => Ok(found),
                Err(RestoreInterruption::For(error)) => Err(error),
                // Nobody waits for it any more.
                Err(RestoreInterruption::Cancelled) => continue,
            };
            let RestoreRequest { partition, cancel, .. } = request;
            owed.send(RestoreResult { partition, cancel, result });
        }
    }

    fn restore(&self, reader: &W::Changelog, request: &RestoreRequest) -> Result<RestoredState, RestoreInterruption> {
        let partition = request.partition;
        let started = self.clients.now();
        let end = self.insist(request, || reader.end(partition, CALL_PATIENCE))?;
        let low = self.await_stable(reader, request, end)?;
        failpoint::pass(Failpoint::RestoreStable);
        if request.state_use != StateUse::Continue {
            return self.discard(reader, request, low..end, started);
        }
        match self.restore_from_snapshot(reader, request, low..end, started) {
            Ok(None) => {}
            Ok(Some(found)) => return Ok(found),
            Err(RestoreInterruption::Cancelled) => return Err(RestoreInterruption::Cancelled),
            Err(RestoreInterruption::For(error)) => {
                let partition = self.context.topology.name(partition);
                (self.context.listener)(
                    Occurrence::SnapshotUnused { partition, why: error.to_string() }.of(self.context.worker),
                );
            }
        }
        let mut reading = ChangelogReading::new(self.program(partition), None);
        if low < end {
            self.insist(request, || reader.open(partition, low))?;
            self.read(reader, request, low..end, started, &mut reading)?;
        }
        self.finish(request, reading, started)
    }

    /// Reads a snapshot, and then the part of the changelog that is not in it. `None`: there is no snapshot.
    fn restore_from_snapshot(
        &self,
        reader: &W::Changelog,
        request: &RestoreRequest,
        range: Range<i64>,
        started: Instant,
    ) -> Result<Option<RestoredState>, RestoreInterruption> {
        let partition = request.partition;
        let Some(snapshots) = &self.snapshots else { return Ok(None) };
        let Some(mut file) = snapshots.open(&self.topic(partition), partition.number)? else { return Ok(None) };
        let (log, offset) = (file.head().log, file.head().offset);
        let mut reading = ChangelogReading::new(self.program(partition), Some(log));
        while file.read_into(&mut reading.restoring).map_err(SnapshotUnusable::from)? == SnapshotProgress::More {
            if request.cancel.is_given() {
                return Err(RestoreInterruption::Cancelled);
            }
        }
        reading.snapshot_bytes = Some(file.bytes());
        if !range.contains(&offset) {
            return Err(SnapshotUnusable::Offset { offset, low: range.start, end: range.end }.into());
        }
        self.insist(request, || reader.open(partition, offset))?;
        self.read(reader, request, offset..range.end, started, &mut reading)?;
        if reading.position.is_none() {
            return Err(SnapshotUnusable::NoNote.into());
        }
        self.finish(request, reading, started).map(Some)
    }

    fn finish(
        &self,
        request: &RestoreRequest,
        reading: ChangelogReading,
        started: Instant,
    ) -> Result<RestoredState, RestoreInterruption> {
        let partition = request.partition;
        failpoint::pass(Failpoint::RestoreEnd);
        reading.check().map_err(|(offset, error)| RestoreError::Record {
            topic: self.topic(partition),
            partition: partition.number,
            offset,
            error,
        })?;
        let ChangelogReading { restoring, position: noted, sources, bytes, snapshot_bytes, foreign, .. } = reading;
        let position = noted.as_ref().map_or_else(Checkpoint::default, |noted| noted.position.clone());
        let (catalog, is_first) = (position.catalog, position.clock.is_none());
        let RestoredPartition { partition: mut state, change: catalog_change } =
            restoring.finish(position).map_err(|error| RestoreError::Whole {
                topic: self.topic(partition),
                partition: partition.number,
                error,
            })?;
        let end = noted.as_ref().map(|noted| noted.next_offset).filter(|next| Some(*next) == request.committed);
        let is_rebuilt = match end {
            Some(end) => self.rebuild(request, &mut state, end, catalog_change.as_ref())?,
            None => false,
        };
        if request.cancel.is_given() {
            return Err(RestoreInterruption::Cancelled);
        }
        let is_other_catalog = catalog != state.program().catalog.fingerprint && !is_first;
        let reevaluated = match (is_other_catalog, is_rebuilt) {
            (true, _) => Reevaluated::ForCatalog,
            (false, true) => Reevaluated::ForHistory,
            (false, false) => Reevaluated::No,
        };
        let rollout = self.apply_rollout(partition, &mut state, noted.as_ref(), reevaluated);
        // An earlier restart has reported it already.
        let catalog_change = catalog_change.filter(|_| is_other_catalog);
        let took = self.clients.now().duration_since(started);
        let cleared = Vec::new();
        Ok(RestoredState {
            state,
            position: noted,
            sources,
            cleared,
            catalog_change,
            rollout,
            took,
            bytes,
            foreign,
            snapshot_bytes,
        })
    }

    /// Holds and releases tags as the rollout says. Returns the note of the partition.
    pub(super) fn apply_rollout(
        &self,
        partition: PartitionId,
        state: &mut Partition,
        noted: Option<&ChangelogPosition>,
        reevaluated: Reevaluated,
    ) -> RestoredNote {
        let rollout = &self.context.rollout;
        let catalog = state.program().catalog.fingerprint;
        let committed = noted.and_then(|noted| noted.facts.rollout.clone()).filter(|note| note.catalog == catalog);
        let mut note = committed.clone().unwrap_or_else(|| RolloutNote::of(catalog));
        let held: TagNames = state.held_tags().map(Box::from).collect();
        match reevaluated {
            Reevaluated::ForCatalog => note = rollout.count(catalog, || ImpactPreview::whole(state)),
            Reevaluated::ForHistory => rollout.hold_here(&mut note, &ImpactPreview::whole(state)),
            // A version that kept no notes has left tags on hold.
            Reevaluated::No if committed.is_none() && !held.is_empty() => {
                let impact = ImpactPreview::whole(state);
                let of = |name: Box<str>| (impact.tags.get(&name).copied().unwrap_or_default(), name);
                note.held_here = held.into_iter().map(of).map(|(impact, name)| (name, impact)).collect();
            }
            Reevaluated::No => {}
        }
        let view = rollout.view();
        let note = view.update(partition, &note);
        state.hold_only(view.held(&note));
        let was_under = noted.is_none_or(|noted| noted.position.catalog == catalog);
        let is_committed = was_under && note == committed.unwrap_or_else(|| RolloutNote::of(catalog));
        RestoredNote { note, is_committed }
    }

    /// Waits until everything before `end` is committed or aborted. Returns where the partition begins.
    fn await_stable(
        &self,
        reader: &W::Changelog,
        request: &RestoreRequest,
        end: i64,
    ) -> Result<i64, RestoreInterruption> {
        let mut tell_at = self.clients.now() + PROGRESS;
        loop {
            let OffsetBounds { low, high } =
                self.insist(request, || reader.stable(request.partition, CALL_PATIENCE))?;
            if high >= end {
                return Ok(low);
            }
            if self.clients.now() >= tell_at {
                tell_at = self.clients.now() + PROGRESS;
                let why = format!(
                    "a transaction is open in {}, partition {}, from offset {high} on; waiting for its end",
                    self.topic(request.partition),
                    request.partition.number
                );
                self.trouble(why);
            }
            self.clients.sleep(STABLE_PAUSE);
        }
    }

    pub(super) fn read(
        &self,
        reader: &W::Changelog,
        request: &RestoreRequest,
        range: Range<i64>,
        started: Instant,
        reading: &mut ChangelogReading,
    ) -> Result<(), RestoreInterruption> {
        let partition = request.partition;
        let mut tell_at = self.clients.now() + PROGRESS;
        loop {
            if request.cancel.is_given() {
                return Err(RestoreInterruption::Cancelled);
            }
            match reader.poll(POLL) {
                Some(Ok(record)) => {
                    let offset = record.offset();
                    if offset >= range.end {
                        // It is of a later transaction: half of that would not be a state.
                        return Ok(());
                    }
                    reading.take(offset, record.key().unwrap_or_default(), record.payload()).map_err(|error| {
                        RestoreError::Record {
                            topic: self.topic(partition),
                            partition: partition.number,
                            offset,
                            error,
                        }
                    })?;
                    failpoint::pass(Failpoint::RestoreRecord);
                    if offset + 1 < range.end {
                        continue;
                    }
                }
                Some(Err(error)) => self.trouble(error.text),
                None => {}
            }
            let position = self.insist(request, || reader.position(partition))?.unwrap_or(range.start);
            if position >= range.end {
                return Ok(());
            }
            let now = self.clients.now();
            if now >= tell_at {
                tell_at = now + PROGRESS;
                let read = (position - range.start) as f64 / (range.end - range.start) as f64;
                let took = now.duration_since(started).as_secs_f64();
                (self.context.listener)(
                    Occurrence::Restoring {
                        partition: self.context.topology.name(partition),
                        entities: reading.restoring.entities(),
                        bytes: reading.bytes,
                        left: (read > 0.0).then(|| Duration::from_secs_f64(took * (1.0 - read) / read)),
                    }
                    .of(self.context.worker),
                );
            }
        }
    }

    pub(super) fn program(&self, partition: PartitionId) -> &Arc<Program> {
        self.context.topology.plan(partition.topic).role.program(&self.context.compiled)
    }

    /// The name of the changelog.
    fn topic(&self, partition: PartitionId) -> String {
        self.context.topology.plan(partition.topic).changelog.clone()
    }

    /// Repeats a call until it succeeds.
    pub(super) fn insist<T>(
        &self,
        request: &RestoreRequest,
        mut call: impl FnMut() -> Result<T, BrokerError>,
    ) -> Result<T, RestoreInterruption> {
        loop {
            if request.cancel.is_given() {
                return Err(RestoreInterruption::Cancelled);
            }
            match call() {
                Ok(answer) => return Ok(answer),
                Err(error) => self.trouble(error.text),
            }
            self.clients.sleep(RETRY);
        }
    }

    pub(super) fn trouble(&self, why: String) {
        (self.context.listener)(Occurrence::Failed { action: Action::Restore, why }.of(self.context.worker));
    }
}
