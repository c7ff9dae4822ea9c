//! What is shown now, and how far it is behind.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::view::{PartitionView, ReplicaView};
use crate::engine::CompiledCatalog;
use crate::kafka::PartitionName;

/// The state that answers are made from. The feed writes it, everything else reads it.
#[derive(Debug, Default)]
pub struct Replica {
    /// `None` until all partitions have caught up for the first time.
    shown: RwLock<Option<Arc<ReplicaView>>>,
    status: Mutex<ReplicaStatus>,
}

/// How the replica stands to the changelogs.
#[derive(Clone, Debug, Default)]
pub struct ReplicaStatus {
    pub partitions: BTreeMap<PartitionName, PartitionProgress>,
    /// Why nothing can be read at present.
    pub failure: Option<String>,
    /// Set while the changelog comes from another catalog than the one with which it is read.
    pub other_catalog: Option<OtherCatalog>,
    /// Transactions that were applied.
    pub transactions: u64,
    /// About how many records the topic of dead letters has; `None`: that is not known.
    pub dead_letters: Option<u64>,
    /// How many times the changelog of a partition had to be read again from its beginning.
    pub restarts: u64,
}

/// How far a partition has been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartitionProgress {
    pub position: i64,
    /// Where the committed records end, as far as it is known.
    pub end: i64,
    /// Whether its state is shown.
    pub is_live: bool,
}

impl PartitionProgress {
    /// The committed records that have not been read.
    pub fn lag(&self) -> u64 {
        u64::try_from(self.end - self.position).unwrap_or(0)
    }
}

/// The catalog of the workers, where it is not the one of the read side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherCatalog {
    /// The fingerprint of the workers' catalog, as tag changes carry it.
    pub running: String,
    /// The fingerprint of the file that was read here.
    pub read: String,
}

impl Replica {
    /// What is shown now; it stays as it is for as long as the caller holds it. `None`: not everything has been read yet.
    pub fn view(&self) -> Option<Arc<ReplicaView>> {
        self.shown.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Shows these partitions from now on, all at once. One whose clock would go back stays as it was, unless its changelog
    /// was created again.
    pub fn show(&self, compiled: &Arc<CompiledCatalog>, partitions: Vec<Arc<PartitionView>>) {
        let before = self.view();
        let is_same_catalog =
            before.as_ref().is_some_and(|before| before.compiled.catalog.fingerprint == compiled.catalog.fingerprint);
        let kept = |new: Arc<PartitionView>| {
            let old = before.iter().filter(|_| is_same_catalog).flat_map(|before| &before.partitions);
            let mut old = old.filter(|old| old.name == new.name && old.log == new.log);
            let later = old.find(|old| old.standing.clock() > new.standing.clock());
            later.map_or(new, Arc::clone)
        };
        let partitions: Vec<Arc<PartitionView>> = partitions.into_iter().map(kept).collect();
        let number = before.map_or(1, |before| before.number + 1);
        let view = Arc::new(ReplicaView { number, compiled: Arc::clone(compiled), partitions });
        let other = view.partitions.iter().find(|partition| !partition.standing.is_of_its_catalog());
        self.status().other_catalog = other.map(|partition| OtherCatalog {
            running: format!("{:08x}", (partition.standing.catalog() >> 32) as u32),
            read: compiled.fingerprint().to_owned(),
        });
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Some(view);
    }

    /// A copy of the status.
    pub fn status_now(&self) -> ReplicaStatus {
        self.status().clone()
    }

    pub(super) fn status(&self) -> MutexGuard<'_, ReplicaStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the replica still waits for before it can answer, one line each.
    pub fn not_ready(&self) -> Vec<String> {
        if self.view().is_some() {
            return Vec::new();
        }
        let status = self.status();
        let behind = status.partitions.iter().filter(|(_, progress)| !progress.is_live);
        let lines = behind.map(|(name, progress)| {
            format!("partition {name}: {} records of the changelog are to be read", progress.lag())
        });
        let mut lines: Vec<String> = status.failure.iter().cloned().chain(lines).collect();
        if lines.is_empty() {
            lines.push("no changelog has been read yet".to_owned());
        }
        lines
    }
}
