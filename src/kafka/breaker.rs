//! The catalog in force in this process, the one that is to follow it, and the tags that wait for approval (spec 8).
//!
//! ```text
//!              proposed          all workers have surveyed their partitions
//!   In force ────────────▶ Surveyed ──────────────────────────────────────▶ In force, some tags on hold
//!      ▲                                                                       │ approved
//!      └───────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! An edit of the catalog must not mail a million people by mistake. So before a catalog takes effect all entities of this
//! process are looked at under it, and a tag of which more than a share would change stays as it is until somebody
//! approves. After a restart the catalog is in force at once; each partition is looked at when its state has been read
//! back, and what was found so far decides.
//!
//! Workers look at the version between two turns of their loops, and do what follows from it themselves.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::news::CatalogNews;
use super::notice::{Notice, Notices, WorkerId};
use super::streams::PartitionId;
use crate::engine::{ChangeImpact, CompiledCatalog, TagImpact};
use crate::settings::MaxChange;

/// Names of tags.
pub type TagNames = BTreeSet<Box<str>>;

/// Shared by the workers of a process and those who operate it.
pub struct Breaker {
    /// Grows whenever there is something to look at.
    version: AtomicU64,
    workers: usize,
    threshold: MaxChange,
    notices: Notices,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    edition: Edition,
    candidate: Option<Candidate>,
    /// What partitions showed whose state was read back under a changed catalog.
    restored: BTreeMap<PartitionId, ChangeImpact>,
    /// What is on hold, and what would happen to it: by partition, as of when that was last looked at.
    held: BTreeMap<Box<str>, BTreeMap<PartitionId, TagImpact>>,
    approved: Approved,
}

/// A catalog that is in force.
#[derive(Clone, Debug)]
pub struct Edition {
    pub number: u64,
    pub programs: Arc<CompiledCatalog>,
    /// The tags that stay as they are when it takes effect.
    pub held: TagNames,
}

#[derive(Debug)]
struct Candidate {
    number: u64,
    programs: Arc<CompiledCatalog>,
    outlooks: HashMap<WorkerId, BTreeMap<PartitionId, ChangeImpact>>,
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

/// What a worker has to look at.
#[derive(Clone, Debug)]
pub struct View {
    pub version: u64,
    pub edition: Edition,
    /// A catalog to survey, by its number.
    pub candidate: Option<(u64, Arc<CompiledCatalog>)>,
    /// What is on hold in this process now.
    pub held: TagNames,
}

/// What the operator is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub fingerprint: String,
    /// The fingerprint of the one that is being surveyed.
    pub candidate: Option<String>,
    pub held: Vec<(Box<str>, TagImpact)>,
}

impl State {
    /// Tags of these names stay as they are in a partition, which shows this.
    fn hold<'a>(&mut self, partition: PartitionId, outlook: &ChangeImpact, names: impl Iterator<Item = &'a Box<str>>) {
        for name in names {
            let impact = outlook.tags.get(name).copied().unwrap_or_default();
            self.held.entry(name.clone()).or_default().insert(partition, impact);
        }
    }
}

fn sum(impacts: &BTreeMap<PartitionId, TagImpact>) -> TagImpact {
    let mut sum = TagImpact::default();
    impacts.values().for_each(|impact| sum.add(*impact));
    sum
}

impl Breaker {
    /// `approve`: whatever follows from the catalog that is in force at the start is approved.
    pub fn new(
        programs: Arc<CompiledCatalog>,
        workers: usize,
        threshold: MaxChange,
        approve: bool,
        notices: Notices,
    ) -> Self {
        let edition = Edition { number: 0, programs, held: TagNames::new() };
        let approved = if approve { Approved::All } else { Approved::These(TagNames::new()) };
        let state = State { edition, candidate: None, restored: BTreeMap::new(), held: BTreeMap::new(), approved };
        Breaker { version: AtomicU64::new(0), workers, threshold, notices, state: Mutex::new(state) }
    }

    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    pub fn look(&self) -> View {
        let state = self.state();
        View {
            version: self.version(),
            edition: state.edition.clone(),
            candidate: state.candidate.as_ref().map(|candidate| (candidate.number, Arc::clone(&candidate.programs))),
            held: state.held.keys().cloned().collect(),
        }
    }

    /// Has a catalog surveyed, in place of another that may be. It takes effect when all workers have done so.
    pub fn propose(&self, programs: Arc<CompiledCatalog>) {
        let (number, fingerprint) = (self.version() + 1, programs.fingerprint().to_owned());
        self.say(CatalogNews::Proposed { fingerprint });
        self.state().candidate = Some(Candidate { number, programs, outlooks: HashMap::new() });
        self.changed();
    }

    /// What a worker's partitions show of a candidate.
    pub fn report(&self, worker: WorkerId, number: u64, outlooks: BTreeMap<PartitionId, ChangeImpact>) {
        let mut state = self.state();
        let Some(candidate) = state.candidate.as_mut().filter(|candidate| candidate.number == number) else { return };
        candidate.outlooks.insert(worker, outlooks);
        if candidate.outlooks.len() < self.workers {
            return;
        }
        let Some(candidate) = state.candidate.take() else { return };
        let outlooks: Vec<(PartitionId, ChangeImpact)> = candidate.outlooks.into_values().flatten().collect();
        state.approved = Approved::These(TagNames::new());
        state.restored.clear();
        state.held.clear();
        let exceeding = self.exceeding(outlooks.iter().map(|(_, outlook)| outlook), &state.approved);
        for (partition, outlook) in &outlooks {
            state.hold(*partition, outlook, exceeding.keys());
        }
        let (number, held) = (state.edition.number + 1, exceeding.keys().cloned().collect());
        let fingerprint = candidate.programs.fingerprint().to_owned();
        state.edition = Edition { number, programs: candidate.programs, held };
        drop(state);
        self.say(CatalogNews::InForce { fingerprint });
        self.say_that_they_wait(exceeding);
        self.changed();
    }

    /// What a partition shows whose state was read back under a changed catalog; the tags that have to wait.
    pub fn restored(&self, partition: PartitionId, outlook: &ChangeImpact) -> TagNames {
        let mut state = self.state();
        state.restored.insert(partition, outlook.clone());
        let exceeding = self.exceeding(state.restored.values(), &state.approved);
        let names: TagNames = exceeding.keys().cloned().collect();
        let news = exceeding.into_iter().filter(|(name, _)| !state.held.contains_key(name)).collect();
        state.hold(partition, outlook, names.iter());
        drop(state);
        self.say_that_they_wait(news);
        names
    }

    /// A partition was read back with tags on hold, and shows this; those that are approved meanwhile.
    pub fn noted(&self, partition: PartitionId, held: TagNames, outlook: &ChangeImpact) -> TagNames {
        let mut state = self.state();
        let (approved, waiting): (TagNames, TagNames) = held.into_iter().partition(|name| state.approved.has(name));
        let news: TagNames = waiting.iter().filter(|name| !state.held.contains_key(*name)).cloned().collect();
        state.hold(partition, outlook, waiting.iter());
        drop(state);
        news.into_iter().for_each(|tag| self.say(CatalogNews::StillWaits { tag }));
        approved
    }

    /// What a partition has shown does not count here any more: it is somebody else's, or is read back anew.
    pub fn gave_up(&self, partition: PartitionId) {
        let mut state = self.state();
        state.restored.remove(&partition);
        for impacts in state.held.values_mut() {
            impacts.remove(&partition);
        }
    }

    /// Lets tags change that wait: the one of this name, or all. Returns which.
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
            self.say(CatalogNews::Approved { tags: wanted.clone() });
            self.changed();
        }
        wanted
    }

    pub fn status(&self) -> Status {
        let state = self.state();
        Status {
            fingerprint: state.edition.programs.fingerprint().to_owned(),
            candidate: state.candidate.as_ref().map(|candidate| candidate.programs.fingerprint().to_owned()),
            held: state.held.iter().map(|(name, impacts)| (name.clone(), sum(impacts))).collect(),
        }
    }

    /// The tags that have to wait, of all that partitions show.
    fn exceeding<'a>(
        &self,
        outlooks: impl Iterator<Item = &'a ChangeImpact>,
        approved: &Approved,
    ) -> BTreeMap<Box<str>, TagImpact> {
        let MaxChange::Share(share) = self.threshold else { return BTreeMap::new() };
        let mut all = ChangeImpact::default();
        outlooks.for_each(|outlook| all.add(outlook));
        let exceeding = all.exceeding(share).filter(|(name, _)| !approved.has(name));
        exceeding.map(|(name, impact)| (name.into(), impact)).collect()
    }

    fn say_that_they_wait(&self, tags: BTreeMap<Box<str>, TagImpact>) {
        let MaxChange::Share(share) = self.threshold else { return };
        for (tag, impact) in tags {
            self.say(CatalogNews::Waits { tag, impact, share });
        }
    }

    fn say(&self, news: CatalogNews) {
        (self.notices)(Notice::Catalog(news));
    }

    fn changed(&self) {
        self.version.fetch_add(1, Ordering::AcqRel);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
