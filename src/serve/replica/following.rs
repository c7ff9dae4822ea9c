//! All partitions followed under one catalog, by one client.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::entity_table::EntityNumber;
use super::follower::{FollowError, PartitionFollower};
use super::shown::{PartitionProgress, Replica};
use super::state_files::StateFiles;
use super::view::PartitionView;
use crate::engine::CompiledCatalog;
use crate::kafka::{BrokerError, ChangelogTail, PartitionId};

/// How long a call to the brokers may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest wait for a record.
const POLL: Duration = Duration::from_millis(20);
/// After this long, what was read is shown, also if more can be read.
const TURN: Duration = Duration::from_millis(100);
/// The pause before a changelog that cannot be followed is read again.
const RESTART_PAUSE: Duration = Duration::from_millis(500);
/// How often it is asked where the changelogs end.
const LOOK: Duration = Duration::from_secs(2);

/// A client, and a follower for each partition that it reads.
pub(super) struct Following {
    pub(super) compiled: Arc<CompiledCatalog>,
    tail: ChangelogTail,
    followers: BTreeMap<PartitionId, Followed>,
    /// Whether the client reads every partition from where its follower stands.
    is_assigned: bool,
    looked: Instant,
    /// Since the last report.
    restarts: u64,
    /// `None`: states are not kept in files.
    pub(super) files: Option<StateFiles>,
}

struct Followed {
    follower: PartitionFollower,
    progress: PartitionProgress,
    /// The view that was shown last.
    view: Option<Arc<PartitionView>>,
    /// Whether a transaction has ended since.
    is_changed: bool,
}

/// An entity that was erased or forgotten; it may have come back since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DepartedEntity {
    pub kind: Box<str>,
    pub key: Box<str>,
}

/// Why nothing can be followed yet.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    #[error("{}", .0.text)]
    Broker(BrokerError),
    #[error("{0}")]
    Client(String),
    #[error("the changelog {0} does not exist; is kafka.application that of the workers?")]
    Missing(String),
    #[error("serve.partitions names no partition of the changelog")]
    NoPartition,
}

impl From<BrokerError> for StartError {
    fn from(error: BrokerError) -> Self {
        StartError::Broker(error)
    }
}

impl Followed {
    fn warn(&self, error: &FollowError) {
        let name = self.follower.name();
        tracing::warn!("partition {name} is read again from the beginning of its changelog: {error}");
    }
}

impl Following {
    /// Begins where a partition's file ends, or at its first record.
    pub(super) fn start(
        mut tail: ChangelogTail,
        compiled: Arc<CompiledCatalog>,
        wanted: Option<&BTreeSet<i32>>,
        files: Option<StateFiles>,
    ) -> Result<Self, StartError> {
        let partitions = tail.partitions(wanted, PATIENCE)?;
        if let Some(missing) = tail.missing().into_iter().next() {
            return Err(StartError::Missing(missing));
        }
        if partitions.is_empty() {
            return Err(StartError::NoPartition);
        }
        let mut following = Following {
            compiled,
            tail,
            followers: BTreeMap::new(),
            is_assigned: false,
            looked: Instant::now(),
            restarts: 0,
            files,
        };
        for partition in partitions {
            following.begin(partition)?;
        }
        if let Some(files) = &following.files {
            files.remove_others();
        }
        following.assign()?;
        Ok(following)
    }

    /// Begins a partition; what was shown of it stays until the new follower has caught up.
    fn begin(&mut self, partition: PartitionId) -> Result<(), BrokerError> {
        let bounds = self.tail.bounds(partition, PATIENCE)?;
        let program = Arc::clone(self.tail.role(partition).program(&self.compiled));
        let (name, before) = (self.tail.name(partition), self.followers.remove(&partition));
        let files = self.files.as_mut();
        let resumed = match &before {
            // It was followed, and cannot be followed on.
            Some(_) => {
                files.into_iter().for_each(|files| files.void(partition));
                None
            }
            None => files.and_then(|files| files.resume(partition, &name, &program, bounds)),
        };
        let position = resumed.as_ref().map_or(bounds.low, |follower| follower.offset() - 1);
        let follower = resumed.unwrap_or_else(|| PartitionFollower::new(name, program, bounds.high));
        let progress = PartitionProgress { position, end: bounds.high, is_live: false };
        let view = before.and_then(|followed| followed.view);
        self.followers.insert(partition, Followed { follower, progress, view, is_changed: false });
        self.is_assigned = false;
        Ok(())
    }

    fn assign(&mut self) -> Result<(), BrokerError> {
        let positions = self.followers.iter().map(|(partition, followed)| (*partition, followed.progress.position));
        self.tail.assign(&positions.collect())?;
        self.is_assigned = true;
        Ok(())
    }

    /// Reads what there is, for a moment. Returns how many transactions have ended.
    ///
    /// # Errors
    /// The brokers do not answer. What was to be done is done in the next turn.
    pub(super) fn turn(&mut self) -> Result<u64, BrokerError> {
        self.begin_again()?;
        let (until, mut transactions) = (Instant::now() + TURN, 0);
        let followers = &mut self.followers;
        while Instant::now() < until {
            let found = self.tail.poll(POLL, |record| {
                let Some(followed) = followers.get_mut(&record.partition) else { return };
                followed.progress.position = record.offset + 1;
                match followed.follower.take(record.offset, record.key, record.value) {
                    Ok(ended) => {
                        followed.is_changed |= ended;
                        transactions += u64::from(ended);
                    }
                    Err(error) => followed.warn(&error),
                }
            })?;
            if !found {
                break;
            }
        }
        for (partition, position) in self.tail.positions()? {
            let Some(followed) = self.followers.get_mut(&partition) else { continue };
            followed.progress.position = followed.progress.position.max(position);
            followed.progress.end = followed.progress.end.max(followed.progress.position);
        }
        // Also those that have no position: an empty changelog has been read as soon as it is begun.
        for followed in self.followers.values_mut() {
            match followed.follower.reach(followed.progress.position) {
                Ok(reached) => followed.is_changed |= reached,
                Err(error) => followed.warn(&error),
            }
            followed.progress.is_live = followed.follower.is_live();
        }
        Ok(transactions)
    }

    /// Begins again where a follower has failed, in this turn or in one whose call to the brokers has failed.
    fn begin_again(&mut self) -> Result<(), BrokerError> {
        let has_failed =
            |(partition, followed): (&PartitionId, &Followed)| followed.follower.has_failed().then_some(*partition);
        let failed: Vec<PartitionId> = self.followers.iter().filter_map(has_failed).collect();
        if !failed.is_empty() {
            thread::sleep(RESTART_PAUSE);
        }
        for partition in failed {
            self.begin(partition)?;
            self.restarts += 1;
        }
        if self.is_assigned { Ok(()) } else { self.assign() }
    }

    /// Asks from time to time where the changelogs end.
    pub(super) fn look(&mut self) -> Result<(), BrokerError> {
        if self.looked.elapsed() < LOOK {
            return Ok(());
        }
        for (partition, followed) in &mut self.followers {
            followed.progress.end = self.tail.bounds(*partition, PATIENCE)?.high.max(followed.progress.position);
        }
        self.looked = Instant::now();
        Ok(())
    }

    /// About how many records another topic has; `None`: there is no such topic.
    pub(super) fn count(&self, topic: &str) -> Result<Option<u64>, BrokerError> {
        self.tail.count(topic, PATIENCE)
    }

    /// Whether every partition has caught up, now or before.
    pub(super) fn is_complete(&self) -> bool {
        self.followers.values().all(|followed| followed.view.is_some() || followed.follower.is_live())
    }

    /// Whether no partition would go back, were this shown in the place of what is shown now.
    pub(super) fn is_as_far_as(&self, replica: &Replica) -> bool {
        let Some(shown) = replica.view() else { return true };
        self.followers.values().all(|followed| {
            let before = shown.partitions.iter().find(|partition| partition.name == *followed.follower.name());
            before.is_none_or(|before| before.standing.clock() <= followed.follower.clock())
        })
    }

    /// Shows what has changed, if every partition has something to show. Returns the entities that are no longer known.
    pub(super) fn show(&mut self, replica: &Replica) -> Vec<DepartedEntity> {
        if !self.is_complete() || !self.followers.values().any(|followed| followed.is_changed) {
            return Vec::new();
        }
        for followed in self.followers.values_mut().filter(|followed| followed.is_changed) {
            if let Some(view) = followed.follower.view() {
                followed.view = Some(Arc::new(view));
                followed.is_changed = false;
            }
        }
        let views = self.followers.values().filter_map(|followed| followed.view.clone()).collect();
        replica.show(&self.compiled, views);
        let mut departed = Vec::new();
        for (partition, followed) in &mut self.followers {
            let kind = self.tail.role(*partition).program(&self.compiled).kind;
            let kind = &self.compiled.catalog.entity(kind).name;
            let (keys, numbers): (Vec<_>, Vec<_>) = followed.follower.take_departed().into_iter().unzip();
            departed.extend(keys.into_iter().map(|key| DepartedEntity { kind: kind.clone(), key }));
            let numbers: Vec<EntityNumber> = numbers.into_iter().flatten().collect();
            self.files.iter_mut().for_each(|files| files.erase(*partition, &numbers));
        }
        departed
    }

    /// Writes a partition's file, where it is time.
    pub(super) fn keep(&mut self) {
        if let Some(files) = &mut self.files {
            files.turn(self.followers.iter().map(|(partition, followed)| (*partition, &followed.follower)));
        }
    }

    /// Reports how far everything has been read.
    pub(super) fn report(&mut self, replica: &Replica, transactions: u64) {
        let mut status = replica.status();
        let progress =
            |(partition, followed): (&PartitionId, &Followed)| (self.tail.name(*partition), followed.progress);
        status.partitions = self.followers.iter().map(progress).collect();
        status.transactions += transactions;
        status.restarts += std::mem::take(&mut self.restarts);
        status.failure = None;
    }
}
