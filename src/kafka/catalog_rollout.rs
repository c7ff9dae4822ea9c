//! The rollout of a changed catalog in this process: the active version, the pending one, and the tags that wait for
//! approval.
//!
//! ```text
//!              submitted          all workers have measured the impact
//!   Active ────────────▶ Pending ──────────────────────────────────────▶ Active, some tags held
//!      ▲                                                                       │ approved
//!      └───────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! An edit of the catalog must not mail a million people by mistake. So before a catalog becomes active, all entities
//! of this process are evaluated under it, and a tag that would change for more than a certain share of them is held:
//! it stays as it is until the operator approves. After a restart the catalog is active at once; the impact on each
//! partition is measured when its state has been read back, and the sum so far decides.
//!
//! Workers look at the revision between two turns of their loops, and do what follows from it themselves.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::engine::{ChangeImpact, CompiledCatalog, TagImpact};
use crate::kafka::events::{CatalogEvent, EventListener, Occurrence, TagNames, WorkerId};
use crate::kafka::topology::PartitionId;
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

#[derive(Debug)]
struct RolloutState {
    active: CatalogVersion,
    pending: Option<PendingVersion>,
    /// The impact on partitions whose state was read back under a changed catalog.
    restored: BTreeMap<PartitionId, ChangeImpact>,
    /// The held tags: the impact by partition, as last measured.
    held: BTreeMap<Box<str>, BTreeMap<PartitionId, TagImpact>>,
    approved: Approved,
}

/// A catalog in a process, from when it becomes active.
#[derive(Clone, Debug)]
pub struct CatalogVersion {
    pub number: u64,
    pub compiled: Arc<CompiledCatalog>,
    /// The tags that stay as they are when it becomes active.
    pub held: TagNames,
}

#[derive(Debug)]
struct PendingVersion {
    number: u64,
    compiled: Arc<CompiledCatalog>,
    impacts: HashMap<WorkerId, BTreeMap<PartitionId, ChangeImpact>>,
}

/// The tags whose changes need not wait.
#[derive(Clone, Debug)]
enum Approved {
    All,
    These(TagNames),
}

impl Approved {
    fn has(&self, name: &str) -> bool {
        match self {
            Approved::All => true,
            Approved::These(names) => names.contains(name),
        }
    }
}

/// What a worker has to know of the rollout.
#[derive(Clone, Debug)]
pub struct RolloutView {
    pub revision: u64,
    pub active: CatalogVersion,
    /// A catalog whose impact has to be measured, with its number.
    pub pending: Option<(u64, Arc<CompiledCatalog>)>,
    /// The tags that are held in this process now.
    pub held: TagNames,
}

/// What the operator is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolloutStatus {
    pub fingerprint: String,
    /// The fingerprint of the pending version.
    pub pending: Option<String>,
    pub held: Vec<(Box<str>, TagImpact)>,
}

impl RolloutState {
    /// Holds tags of these names in a partition, on which they would have this impact.
    fn hold<'a>(&mut self, partition: PartitionId, impact: &ChangeImpact, names: impl Iterator<Item = &'a Box<str>>) {
        for name in names {
            let impact = impact.tags.get(name).copied().unwrap_or_default();
            self.held.entry(name.clone()).or_default().insert(partition, impact);
        }
    }
}

fn sum(impacts: &BTreeMap<PartitionId, TagImpact>) -> TagImpact {
    let mut sum = TagImpact::default();
    impacts.values().for_each(|impact| sum.add(*impact));
    sum
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
        let active = CatalogVersion { number: 0, compiled, held: TagNames::new() };
        let approved = if approve { Approved::All } else { Approved::These(TagNames::new()) };
        let state = RolloutState { active, pending: None, restored: BTreeMap::new(), held: BTreeMap::new(), approved };
        CatalogRollout { revision: AtomicU64::new(0), workers, threshold, listener, state: Mutex::new(state) }
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
            held: state.held.keys().cloned().collect(),
        }
    }

    /// Makes a catalog the pending version, in place of another one. It becomes active when all workers have measured
    /// its impact.
    pub fn submit(&self, compiled: Arc<CompiledCatalog>) {
        let (number, fingerprint) = (self.revision() + 1, compiled.fingerprint().to_owned());
        self.report(CatalogEvent::Submitted { fingerprint });
        self.state().pending = Some(PendingVersion { number, compiled, impacts: HashMap::new() });
        self.changed();
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
        let impacts: Vec<(PartitionId, ChangeImpact)> = pending.impacts.into_values().flatten().collect();
        state.approved = Approved::These(TagNames::new());
        state.restored.clear();
        state.held.clear();
        let exceeding = self.exceeding(impacts.iter().map(|(_, impact)| impact), &state.approved);
        for (partition, impact) in &impacts {
            state.hold(*partition, impact, exceeding.keys());
        }
        let (number, held) = (state.active.number + 1, exceeding.keys().cloned().collect());
        let fingerprint = pending.compiled.fingerprint().to_owned();
        state.active = CatalogVersion { number, compiled: pending.compiled, held };
        drop(state);
        self.report(CatalogEvent::Activated { fingerprint });
        self.report_held(exceeding);
        self.changed();
    }

    /// Takes the impact on a partition whose state was read back under a changed catalog. Returns the tags that are
    /// held.
    pub fn assess_restored(&self, partition: PartitionId, impact: &ChangeImpact) -> TagNames {
        let mut state = self.state();
        state.restored.insert(partition, impact.clone());
        let exceeding = self.exceeding(state.restored.values(), &state.approved);
        let names: TagNames = exceeding.keys().cloned().collect();
        let newly_held = exceeding.into_iter().filter(|(name, _)| !state.held.contains_key(name)).collect();
        state.hold(partition, impact, names.iter());
        drop(state);
        self.report_held(newly_held);
        names
    }

    /// Takes the impact on a partition that was read back with tags on hold. Returns those that were approved
    /// meanwhile.
    pub fn approved_of_held(&self, partition: PartitionId, held: TagNames, impact: &ChangeImpact) -> TagNames {
        let mut state = self.state();
        let (approved, waiting): (TagNames, TagNames) = held.into_iter().partition(|name| state.approved.has(name));
        let newly_held: TagNames = waiting.iter().filter(|name| !state.held.contains_key(*name)).cloned().collect();
        state.hold(partition, impact, waiting.iter());
        drop(state);
        newly_held.into_iter().for_each(|tag| self.report(CatalogEvent::TagStillHeld { tag }));
        approved
    }

    /// Forgets the impact on a partition: it was given up, or is read back again.
    pub fn forget_partition(&self, partition: PartitionId) {
        let mut state = self.state();
        state.restored.remove(&partition);
        for impacts in state.held.values_mut() {
            impacts.remove(&partition);
        }
    }

    /// Releases held tags: the one of this name, or all. Returns which.
    pub fn approve(&self, tag: Option<&str>) -> TagNames {
        let mut state = self.state();
        let wanted: TagNames =
            state.held.keys().filter(|name| tag.is_none_or(|tag| tag == &***name)).cloned().collect();
        state.held.retain(|name, _| !wanted.contains(name));
        if let Approved::These(names) = &mut state.approved {
            names.extend(wanted.iter().cloned());
        }
        drop(state);
        if !wanted.is_empty() {
            self.report(CatalogEvent::Approved { tags: wanted.clone() });
            self.changed();
        }
        wanted
    }

    pub fn status(&self) -> RolloutStatus {
        let state = self.state();
        RolloutStatus {
            fingerprint: state.active.compiled.fingerprint().to_owned(),
            pending: state.pending.as_ref().map(|pending| pending.compiled.fingerprint().to_owned()),
            held: state.held.iter().map(|(name, impacts)| (name.clone(), sum(impacts))).collect(),
        }
    }

    /// The tags that have to be held, given the impact on all partitions.
    fn exceeding<'a>(
        &self,
        impacts: impl Iterator<Item = &'a ChangeImpact>,
        approved: &Approved,
    ) -> BTreeMap<Box<str>, TagImpact> {
        let MaxChange::Share(share) = self.threshold else { return BTreeMap::new() };
        let mut all = ChangeImpact::default();
        impacts.for_each(|impact| all.add(impact));
        let exceeding = all.exceeding(share).filter(|(name, _)| !approved.has(name));
        exceeding.map(|(name, impact)| (name.into(), impact)).collect()
    }

    fn report_held(&self, tags: BTreeMap<Box<str>, TagImpact>) {
        let MaxChange::Share(share) = self.threshold else { return };
        for (tag, impact) in tags {
            self.report(CatalogEvent::TagHeld { tag, impact, share });
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
