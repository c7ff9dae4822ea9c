//! The rollout in this process: the active catalog, the pending one, and the tags that are held; shared by its workers.
//!
//! Workers look at the revision between two turns of their loops, and do what follows from it themselves.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::board::{Board, HeldImpacts, exceeding_here};
use crate::codec::RolloutNote;
use crate::engine::{ChangeImpact, CompiledCatalog, TagImpact};
use crate::kafka::events::{CatalogEvent, EventListener, Occurrence, TagNames, WorkerId};
use crate::kafka::topology::{PartitionId, PartitionName, Role, Topology};
use crate::settings::MaxChange;

/// Shared by the workers of a process and by those who operate it.
pub struct CatalogRollout {
    /// Grows with each change of the rollout.
    revision: AtomicU64,
    workers: usize,
    threshold: MaxChange,
    listener: EventListener,
    state: Mutex<RolloutState>,
}

struct RolloutState {
    active: CatalogVersion,
    pending: Option<PendingVersion>,
    /// How many catalogs were submitted; the number of the last one.
    submitted: u64,
    /// `None` until the brokers have told the topics.
    topology: Option<Arc<Topology>>,
    board: Board,
    /// The notes of the partitions that run in this process, committed or not.
    own: BTreeMap<PartitionId, OwnNote>,
    /// What was approved, in this process or as the board says.
    approved: Approved,
    /// The held tags that were reported.
    reported: TagNames,
}

/// The note of a partition that runs in this process.
struct OwnNote {
    /// The worker that runs the partition. Its last one may give it up later than this one takes it.
    worker: WorkerId,
    note: RolloutNote,
}

/// A catalog in a process, from when it becomes active.
#[derive(Clone, Debug)]
pub struct CatalogVersion {
    pub number: u64,
    pub compiled: Arc<CompiledCatalog>,
    /// What it changes in the partitions of this process, as far as it was measured before.
    pub impacts: Arc<BTreeMap<PartitionId, ChangeImpact>>,
}

impl CatalogVersion {
    pub fn fingerprint(&self) -> u64 {
        self.compiled.catalog.fingerprint
    }
}

struct PendingVersion {
    number: u64,
    compiled: Arc<CompiledCatalog>,
    impacts: HashMap<WorkerId, BTreeMap<PartitionId, ChangeImpact>>,
}

/// The tags whose changes need not wait.
#[derive(Clone, Debug, Default)]
struct Approved {
    all: bool,
    names: TagNames,
}

impl Approved {
    fn has(&self, name: &str) -> bool {
        self.all || self.names.contains(name)
    }

    /// Adds what a partition has noted. Returns what is new.
    fn add(&mut self, note: &RolloutNote) -> TagNames {
        self.all |= note.approves_all;
        let new: TagNames = note.approved.difference(&self.names).cloned().collect();
        self.names.extend(new.iter().cloned());
        new
    }
}

/// How a committed note came to the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NoteSource {
    /// It was read back with its partition: an earlier process has reported what it says.
    ReadBack,
    Committed,
}

/// Why the notes of other processes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadingReason {
    WaitsHere,
    /// This process decides, and others may have counted something.
    OthersMayWait,
}

/// What a worker has to know of the rollout.
#[derive(Clone)]
pub struct RolloutView {
    pub revision: u64,
    pub active: CatalogVersion,
    /// A catalog whose impact has to be measured, with its number.
    pub pending: Option<(u64, Arc<CompiledCatalog>)>,
    /// The tags that are held, once that is decided and committed.
    decided: Option<Arc<HeldImpacts>>,
    /// What the owner of this partition has to note as decided.
    decision: Option<(PartitionId, HeldImpacts)>,
    approved: Approved,
}

impl RolloutView {
    /// The note of a partition after what is known now. One of another catalog stays as it is.
    pub fn update(&self, partition: PartitionId, note: &RolloutNote) -> RolloutNote {
        let mut note = note.clone();
        if note.catalog != self.active.fingerprint() {
            return note;
        }
        match (&self.decided, &self.decision) {
            (Some(held), _) if note.counts.is_some() || !held.is_empty() => {
                (note.decided, note.counts) = (Some(HeldImpacts::clone(held)), None);
            }
            // It counts when it is committed: until then the counts are needed.
            (None, Some((decider, held))) if *decider == partition => note.decided = Some(held.clone()),
            _ => {}
        }
        note.approves_all |= self.approved.all;
        note.approved.extend(self.approved.names.iter().cloned());
        note
    }

    /// The tags that stay as they are in a partition with this note.
    pub fn held(&self, note: &RolloutNote) -> TagNames {
        let mut held: TagNames = note.held_here.keys().cloned().collect();
        // While the workers switch, a partition may still be under the catalog before.
        let is_active = note.catalog == self.active.fingerprint();
        let decided = if is_active { self.decided.as_deref() } else { note.decided.as_ref() };
        match (decided, &note.counts) {
            (Some(decided), _) => held.extend(decided.keys().cloned()),
            (None, Some(counts)) => held.extend(counts.changed().cloned()),
            (None, None) => {}
        }
        let is_approved =
            |name: &str| note.approves_all || note.approved.contains(name) || is_active && self.approved.has(name);
        held.retain(|name| !is_approved(name));
        held
    }
}

/// What the operator is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolloutStatus {
    pub fingerprint: String,
    /// The fingerprint of the pending version.
    pub pending: Option<String>,
    /// The partitions that are not counted, where it cannot be decided before which tags are held.
    pub uncounted: Vec<PartitionName>,
    /// Whether changes wait for the decision which tags are held.
    pub is_undecided: bool,
    pub held: Vec<(Box<str>, TagImpact)>,
}

impl RolloutState {
    /// The tags that wait for approval, with the impact on them.
    fn held(&self) -> HeldImpacts {
        let mut held: HeldImpacts = self.board.decided().cloned().unwrap_or_default();
        for OwnNote { note, .. } in self.own.values() {
            for (name, impact) in &note.held_here {
                held.entry(name.clone()).or_default().add(*impact);
            }
        }
        held.retain(|name, _| !self.approved.has(name));
        held
    }

    /// The tags that can be approved: those that are held, and those that wait for a decision.
    fn waiting(&self) -> TagNames {
        let mut names: TagNames = self.held().into_keys().collect();
        if self.board.decided().is_none() {
            let counts = self.own.values().filter_map(|own| own.note.counts.as_ref());
            let undecided = counts.flat_map(ChangeImpact::changed).filter(|name| !self.approved.has(name));
            names.extend(undecided.cloned());
        }
        names
    }

    fn is_of_active(&self, note: &RolloutNote) -> bool {
        note.catalog == self.active.fingerprint()
    }

    /// What this process has to decide, with the partition whose note is to say it. `None` where another process decides.
    fn decision(&self, threshold: MaxChange) -> Option<(PartitionId, HeldImpacts)> {
        let decider = self.board.decider().filter(|decider| self.own.contains_key(decider))?;
        Some((decider, self.board.decision(threshold)?))
    }

    fn uncounted(&self) -> Vec<PartitionId> {
        if self.board.is_undecided() { self.board.uncounted().collect() } else { Vec::new() }
    }
}

impl CatalogRollout {
    /// `approve`: all changes that follow from the first catalog are approved.
    pub fn new(
        compiled: Arc<CompiledCatalog>,
        workers: usize,
        threshold: MaxChange,
        approve: bool,
        listener: EventListener,
    ) -> Self {
        let active = CatalogVersion { number: 0, compiled, impacts: Arc::default() };
        let state = RolloutState {
            active,
            pending: None,
            submitted: 0,
            topology: None,
            board: Board::default(),
            own: BTreeMap::new(),
            approved: Approved { all: approve, names: TagNames::new() },
            reported: TagNames::new(),
        };
        CatalogRollout { revision: AtomicU64::new(0), workers, threshold, listener, state: Mutex::new(state) }
    }

    /// The topics whose partitions are counted.
    pub fn know_topology(&self, topology: &Arc<Topology>) {
        let mut state = self.state();
        if state.topology.is_none() {
            let counts = |partition: &PartitionId| topology.plan(partition.topic).role != Role::Forwarded;
            state.board = Board::new(topology.partitions().into_iter().filter(counts).collect());
            state.topology = Some(Arc::clone(topology));
        }
    }

    pub fn revision(&self) -> u64 {
        self.revision.load(Ordering::Acquire)
    }

    pub fn view(&self) -> RolloutView {
        let state = self.state();
        RolloutView {
            revision: self.revision(),
            active: state.active.clone(),
            pending: state.pending.as_ref().map(|pending| (pending.number, Arc::clone(&pending.compiled))),
            decided: state.board.decided().cloned().map(Arc::new),
            decision: state.decision(self.threshold),
            approved: state.approved.clone(),
        }
    }

    /// Makes a catalog the pending version, in place of another one. It becomes active when all workers have measured
    /// its impact.
    pub fn submit(&self, compiled: Arc<CompiledCatalog>) {
        self.report(CatalogEvent::Submitted { fingerprint: compiled.fingerprint().to_owned() });
        let mut state = self.state();
        state.submitted += 1;
        state.pending = Some(PendingVersion { number: state.submitted, compiled, impacts: HashMap::new() });
        self.changed();
    }

    /// Withdraws the pending version: the active catalog stays in force.
    pub fn withdraw(&self) {
        if self.state().pending.take().is_some() {
            self.changed();
        }
    }

    /// Takes the impact of the pending version on a worker's partitions.
    pub fn report_impact(&self, worker: WorkerId, number: u64, impacts: BTreeMap<PartitionId, ChangeImpact>) {
        let mut state = self.state();
        let Some(pending) = state.pending.as_mut().filter(|pending| pending.number == number) else { return };
        pending.impacts.insert(worker, impacts);
        if pending.impacts.len() < self.workers {
            return;
        }
        let Some(pending) = state.pending.take() else { return };
        let fingerprint = pending.compiled.fingerprint().to_owned();
        state.active = CatalogVersion {
            number: state.active.number + 1,
            compiled: pending.compiled,
            impacts: Arc::new(pending.impacts.into_values().flatten().collect()),
        };
        state.approved = Approved::default();
        state.board.forget_all();
        state.own.clear();
        state.reported.clear();
        drop(state);
        self.report(CatalogEvent::Activated { fingerprint });
        self.changed();
    }

    /// The note of a partition that was read back under another catalog, with what this one changes in it.
    pub fn count(&self, catalog: u64, count: impl FnOnce() -> ChangeImpact) -> RolloutNote {
        let state = self.state();
        // What is decided already needs no counts.
        let is_open = catalog != state.active.fingerprint() || state.board.decided().is_none();
        drop(state);
        let counts = (is_open && self.threshold != MaxChange::Off).then(count);
        RolloutNote { counts, ..RolloutNote::of(catalog) }
    }

    /// Holds tags in a partition alone: its history was counted again, so more of them would change than is allowed.
    pub fn hold_here(&self, note: &mut RolloutNote, counts: &ChangeImpact) {
        note.held_here.extend(exceeding_here(counts, self.threshold));
    }

    /// A worker runs a partition from now on. `is_committed`: whether its note is committed.
    pub fn run_partition(&self, worker: WorkerId, partition: PartitionId, note: &RolloutNote, is_committed: bool) {
        let mut state = self.state();
        if !state.is_of_active(note) {
            return;
        }
        let could_decide = state.decision(self.threshold).is_some();
        state.own.insert(partition, OwnNote { worker, note: note.clone() });
        // The board may be complete already, by notes of this partition and others that were read while nobody ran it here.
        let can_decide = state.decision(self.threshold).is_some();
        if is_committed {
            self.put(state, partition, note, NoteSource::ReadBack);
        }
        if can_decide && !could_decide {
            self.changed();
        }
    }

    /// The note of a partition that runs here has changed, and is not committed yet.
    pub fn note_changed(&self, partition: PartitionId, note: &RolloutNote) {
        let mut state = self.state();
        if state.is_of_active(note)
            && let Some(own) = state.own.get_mut(&partition)
        {
            own.note = note.clone();
        }
    }

    /// The note of a partition that runs here is committed.
    pub fn note_committed(&self, partition: PartitionId, note: &RolloutNote) {
        let state = self.state();
        if state.is_of_active(note) {
            self.put(state, partition, note, NoteSource::Committed);
        }
    }

    /// The note of a partition of another process, as its changelog has it. Where the partition has come here since, the
    /// note may be older than what is known.
    pub fn note_read(&self, partition: PartitionId, note: &RolloutNote) {
        let state = self.state();
        if state.is_of_active(note) && !state.own.contains_key(&partition) {
            self.put(state, partition, note, NoteSource::Committed);
        }
    }

    /// A partition of another process is under another catalog.
    pub fn not_counted(&self, partition: PartitionId) {
        let mut state = self.state();
        if !state.own.contains_key(&partition) {
            state.board.forget(partition);
        }
    }

    /// A worker does not run a partition any more: it was given up, or is read back again. Nothing is forgotten of one
    /// that another worker has taken meanwhile.
    pub fn forget_partition(&self, worker: WorkerId, partition: PartitionId) {
        let mut state = self.state();
        if state.own.get(&partition).is_some_and(|own| own.worker != worker) {
            return;
        }
        state.own.remove(&partition);
        state.board.forget(partition);
    }

    /// The partitions of other processes whose notes may matter, and why. While something waits here, there may be a
    /// decision or an approval among them; and other processes may wait for this one to decide.
    pub fn partitions_to_read(&self) -> (Vec<PartitionId>, ReadingReason) {
        let state = self.state();
        let reason = if state.board.is_undecided() || !state.waiting().is_empty() {
            ReadingReason::WaitsHere
        } else {
            ReadingReason::OthersMayWait
        };
        let decides = state.board.decider().is_some_and(|decider| state.own.contains_key(&decider));
        if reason == ReadingReason::OthersMayWait && !decides {
            return (Vec::new(), reason);
        }
        let is_foreign = |partition: &PartitionId| !state.own.contains_key(partition);
        (state.board.partitions().iter().copied().filter(is_foreign).collect(), reason)
    }

    /// The partitions for which the decision waits, by name, with the fingerprint of the catalog.
    pub fn uncounted(&self) -> Option<(String, Vec<PartitionName>)> {
        let state = self.state();
        let (uncounted, topology) = (state.uncounted(), state.topology.as_ref()?);
        (!uncounted.is_empty()).then(|| (state.active.compiled.fingerprint().to_owned(), topology.names(&uncounted)))
    }

    /// Approves the changes of tags that wait: of the one with this name, or of all. Returns which. They are released at
    /// once, and approved for good when [`CatalogRollout::is_approval_committed`] says so.
    pub fn approve(&self, tag: Option<&str>) -> TagNames {
        let mut state = self.state();
        let wanted: TagNames =
            state.waiting().into_iter().filter(|name| tag.is_none_or(|tag| tag == &**name)).collect();
        state.approved.names.extend(wanted.iter().cloned());
        drop(state);
        if !wanted.is_empty() {
            self.report(CatalogEvent::Approved { tags: wanted.clone() });
            self.changed();
        }
        wanted
    }

    /// Whether a tag waits, or was approved.
    pub fn is_known(&self, tag: &str) -> bool {
        let state = self.state();
        state.waiting().contains(tag) || state.approved.names.contains(tag)
    }

    /// Whether no crash can make these tags wait again.
    pub fn is_approval_committed(&self, tags: &TagNames) -> bool {
        let state = self.state();
        let has_it = |partition: &PartitionId| {
            state.board.note(*partition).is_some_and(|note| note.approves_all || note.approved.is_superset(tags))
        };
        tags.is_empty() || !state.own.is_empty() && state.own.keys().all(has_it)
    }

    pub fn status(&self) -> RolloutStatus {
        let state = self.state();
        let uncounted = state.uncounted();
        RolloutStatus {
            fingerprint: state.active.compiled.fingerprint().to_owned(),
            pending: state.pending.as_ref().map(|pending| pending.compiled.fingerprint().to_owned()),
            uncounted: state.topology.as_ref().map(|topology| topology.names(&uncounted)).unwrap_or_default(),
            is_undecided: state.board.is_undecided(),
            held: state.held().into_iter().collect(),
        }
    }

    /// Puts a committed note on the board, and reports what follows from it.
    fn put(
        &self,
        mut state: MutexGuard<'_, RolloutState>,
        partition: PartitionId,
        note: &RolloutNote,
        source: NoteSource,
    ) {
        let (was_decided, was_waiting) = (state.board.decided().is_some(), state.waiting());
        let could_decide = state.decision(self.threshold).is_some();
        let had_all = state.approved.all;
        let approved: TagNames = state.approved.add(note).intersection(&was_waiting).cloned().collect();
        state.board.put(partition, note.clone());
        let mut held = state.held();
        held.retain(|name, _| !state.reported.contains(name));
        state.reported.extend(held.keys().cloned());
        let is_news = state.board.decided().is_some() != was_decided
            || state.decision(self.threshold).is_some() != could_decide
            || state.approved.all != had_all
            || !approved.is_empty();
        drop(state);
        for (tag, impact) in held {
            match self.threshold {
                MaxChange::Share(share) if source == NoteSource::Committed => {
                    self.report(CatalogEvent::TagHeld { tag, impact, share })
                }
                _ => self.report(CatalogEvent::TagStillHeld { tag }),
            }
        }
        if !approved.is_empty() {
            self.report(CatalogEvent::Approved { tags: approved });
        }
        if is_news {
            self.changed();
        }
    }

    fn report(&self, event: CatalogEvent) {
        (self.listener)(Occurrence::Catalog(event).of_process());
    }

    fn changed(&self) {
        self.revision.fetch_add(1, Ordering::AcqRel);
    }

    fn state(&self) -> MutexGuard<'_, RolloutState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
