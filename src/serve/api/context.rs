//! What the routes have: the replica, the views that readers hold for a while, and the feed's orders.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use super::problem::ApiError;
use crate::kafka::{Clock, CommandSender};
use crate::model::Timestamp;
use crate::serve::access::{Access, AuditEntry, AuditLog, Caller};
use crate::serve::approval::Approver;
use crate::serve::history::History;
use crate::serve::replica::{FeedOrders, Replica, ReplicaView};
use crate::service::CatalogSource;
use crate::telemetry::ServeMetrics;

/// How many views are kept for readers, and for how long after the last question.
const PINNED_MAX: usize = 32;
const PINNED_FOR: Duration = Duration::from_secs(60);
/// How many questions are computed at a time that read many states.
const SCANS_MAX: usize = 2;
/// How many readers may follow the changes.
const READERS_MAX: usize = 64;
/// How many lists of members are streamed at a time.
const STREAMS_MAX: usize = 8;

/// What a context is made of.
pub struct ApiParts {
    pub replica: Arc<Replica>,
    pub orders: FeedOrders,
    /// Reads the catalog's file.
    pub source: CatalogSource,
    pub access: Access,
    pub audit: AuditLog,
    /// `None`: tag changes are not kept.
    pub history: Option<History>,
    pub records: RecordParts,
    pub approver: Approver,
}

/// What writes commands.
pub struct RecordParts {
    pub sender: CommandSender,
    pub clock: Clock,
}

/// What the routes share.
#[derive(Clone)]
pub struct ApiContext(Arc<Shared>);

struct Shared {
    parts: ApiParts,
    metrics: ServeMetrics,
    pinned: Mutex<VecDeque<PinnedView>>,
    scans: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    readers: Arc<Semaphore>,
}

struct PinnedView {
    view: Arc<ReplicaView>,
    asked: Instant,
}

impl ApiContext {
    pub fn new(parts: ApiParts) -> Self {
        let (scans, streams) = (Arc::new(Semaphore::new(SCANS_MAX)), Arc::new(Semaphore::new(STREAMS_MAX)));
        let (metrics, readers) = (ServeMetrics::new(), Arc::new(Semaphore::new(READERS_MAX)));
        ApiContext(Arc::new(Shared { parts, metrics, pinned: Mutex::default(), scans, streams, readers }))
    }

    pub fn replica(&self) -> &Replica {
        &self.0.parts.replica
    }

    pub(in crate::serve) fn orders(&self) -> &FeedOrders {
        &self.0.parts.orders
    }

    pub(in crate::serve) fn source(&self) -> &CatalogSource {
        &self.0.parts.source
    }

    pub(in crate::serve) fn access(&self) -> &Access {
        &self.0.parts.access
    }

    pub(in crate::serve) fn history(&self) -> Option<&History> {
        self.0.parts.history.as_ref()
    }

    pub(in crate::serve) fn records(&self) -> &RecordParts {
        &self.0.parts.records
    }

    pub(in crate::serve) fn approver(&self) -> &Approver {
        &self.0.parts.approver
    }

    /// Places for those who follow the changes.
    pub(in crate::serve) fn readers(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.readers)
    }

    /// Notes that somebody looks at an entity. What cannot be noted is not shown.
    pub(in crate::serve) fn note(
        &self,
        caller: &Caller,
        action: &str,
        entity: &str,
        key: &str,
    ) -> Result<(), ApiError> {
        self.record(&AuditEntry { caller: &caller.name, action, entity, key, ..AuditEntry::default() })
    }

    /// Notes that somebody looks at keys of an audience, with its expression.
    pub(in crate::serve) fn note_members(
        &self,
        caller: &Caller,
        entity: &str,
        condition: Option<&str>,
    ) -> Result<(), ApiError> {
        self.note_keys(caller, "members", entity, condition.unwrap_or("true"))
    }

    /// Notes that somebody looks at keys. `entity`: their kind, or nothing for all kinds; `detail`: which they are.
    pub(in crate::serve) fn note_keys(
        &self,
        caller: &Caller,
        action: &str,
        entity: &str,
        detail: &str,
    ) -> Result<(), ApiError> {
        self.record(&AuditEntry { caller: &caller.name, action, entity, detail, ..AuditEntry::default() })
    }

    /// Writes a line into the audit log. What cannot be recorded does not happen.
    pub(in crate::serve) fn record(&self, entry: &AuditEntry<'_>) -> Result<(), ApiError> {
        let noted = self.0.parts.audit.record(entry);
        noted.map_err(|error| ApiError::Failed(format!("the audit log cannot be written: {error}")))
    }

    pub(in crate::serve) fn metrics(&self) -> &ServeMetrics {
        &self.0.metrics
    }

    pub(in crate::serve) fn scans(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.scans)
    }

    pub(in crate::serve) fn streams(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.streams)
    }

    /// The present view, or the pinned one with this number.
    pub fn view(&self, wanted: Option<u64>) -> Result<Arc<ReplicaView>, ApiError> {
        let present = self.replica().view().ok_or_else(|| ApiError::NotReady(self.replica().not_ready()))?;
        let Some(wanted) = wanted else { return Ok(present) };
        if present.number == wanted {
            return Ok(present);
        }
        let mut pinned = self.0.pinned.lock().unwrap_or_else(PoisonError::into_inner);
        pinned.retain(|pinned| pinned.asked.elapsed() < PINNED_FOR);
        let found = pinned.iter_mut().find(|pinned| pinned.view.number == wanted).ok_or(ApiError::ViewGone)?;
        found.asked = Instant::now();
        Ok(Arc::clone(&found.view))
    }

    /// Keeps a view for a while.
    pub fn pin(&self, view: &Arc<ReplicaView>) {
        let mut pinned = self.0.pinned.lock().unwrap_or_else(PoisonError::into_inner);
        pinned.retain(|pinned| pinned.asked.elapsed() < PINNED_FOR && pinned.view.number != view.number);
        if pinned.len() >= PINNED_MAX {
            pinned.pop_front();
        }
        pinned.push_back(PinnedView { view: Arc::clone(view), asked: Instant::now() });
    }
}

/// The instant of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AsOf {
    /// The view that the answer was made from; with `?view=` another question is answered from the same one, as long as it
    /// is pinned.
    pub view: u64,
    /// The least of the partitions' clocks; null before the first event.
    pub clock: Option<String>,
    /// The clock of each partition.
    pub partitions: BTreeMap<String, Option<String>>,
    /// The fingerprint of the catalog with which the state is read.
    pub catalog: String,
    /// The past instant that was asked for, as of which the answer is; null: the answer is as of the clocks.
    pub instant: Option<String>,
}

impl AsOf {
    pub fn of(view: &ReplicaView) -> Self {
        Self::at(view, None)
    }

    /// Of an answer as of a past instant, if there is one.
    pub fn at(view: &ReplicaView, instant: Option<Timestamp>) -> Self {
        let clock = |clock: Option<Timestamp>| clock.map(|clock| clock.to_string());
        let partitions = view.clocks().into_iter().map(|(name, at)| (name.label(), clock(at)));
        AsOf {
            view: view.number,
            clock: clock(view.clock()),
            partitions: partitions.collect(),
            catalog: view.compiled.fingerprint().to_owned(),
            instant: clock(instant),
        }
    }
}
