//! The schemas that are known in this process, and the thread that requests the others.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::client::{FetchedSchema, RegistryClient};
use super::registry_error::RegistryError;
use super::schema::PayloadSchema;
use crate::codec::SchemaKey;
use crate::settings::SchemaRegistrySettings;

/// How long the asker waits for a schema that is not known yet. Most answers come within a few milliseconds.
const PATIENCE: Duration = Duration::from_millis(500);
/// How soon a registry that has not answered is asked again, at first and at last.
const RETRY_FIRST: Duration = Duration::from_millis(250);
const RETRY_LAST: Duration = Duration::from_secs(5);
/// How long it is believed that there is no schema with an id or GUID: it may be registered later.
const UNKNOWN_FOR: Duration = Duration::from_secs(30);
/// Beyond this many, all are forgotten and requested again: a sender that makes schemas without end.
const SCHEMAS_MAX: usize = 10_000;

/// What the registry has said of a schema.
#[derive(Clone, Debug)]
pub(super) enum KnownSchema {
    Schema(Arc<PayloadSchema>),
    /// There is none, as far as was known at this time.
    Unknown(Instant),
    /// There is one that cannot be used, for this reason.
    Unusable(Arc<str>),
}

/// What is known of a schema.
pub(super) enum SchemaLookup {
    Known(KnownSchema),
    /// The registry has not answered yet, for this reason.
    Waits(Arc<str>),
}

/// The schemas of a registry. The thread ends when this is dropped.
#[derive(Debug)]
pub(super) struct SchemaRegistry {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    requests: Mutex<Requests>,
    /// Something was wanted, or answered.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Requests {
    known: HashMap<SchemaKey, KnownSchema>,
    wanted: VecDeque<SchemaKey>,
    /// Why the registry has not answered the last request.
    trouble: Option<Arc<str>>,
    is_closed: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SchemaRegistry {
    pub(super) fn start(settings: &SchemaRegistrySettings) -> Result<Self, RegistryError> {
        let mut client = RegistryClient::new(settings)?;
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        thread::Builder::new().name("schemas".to_owned()).spawn(move || request_all(&of_thread, &mut client))?;
        Ok(SchemaRegistry { shared })
    }

    /// The schema that a record names. One that is not known is requested, and waited for a moment, unless the registry has not
    /// answered the last request.
    pub(super) fn look_up(&self, key: SchemaKey) -> SchemaLookup {
        let until = Instant::now() + PATIENCE;
        let mut requests = self.shared.lock();
        loop {
            if let Some(known) = requests.settled(key) {
                return SchemaLookup::Known(known);
            }
            requests.want(key);
            self.shared.changed.notify_all();
            let left = until.saturating_duration_since(Instant::now());
            if let Some(why) = &requests.trouble {
                return SchemaLookup::Waits(Arc::clone(why));
            }
            if left.is_zero() {
                return SchemaLookup::Waits("it has not answered yet".into());
            }
            let waited = self.shared.changed.wait_timeout(requests, left);
            requests = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Why the answer about a schema is still waited for; `None`: it is there.
    pub(super) fn waits_for(&self, key: SchemaKey) -> Option<Arc<str>> {
        let mut requests = self.shared.lock();
        if requests.settled(key).is_some() {
            return None;
        }
        requests.want(key);
        self.shared.changed.notify_all();
        Some(requests.trouble.clone().unwrap_or_else(|| "it has not answered yet".into()))
    }
}

impl Drop for SchemaRegistry {
    fn drop(&mut self) {
        self.shared.lock().is_closed = true;
        self.shared.changed.notify_all();
    }
}

impl Requests {
    /// What the registry has said of a schema, if that can still be believed.
    fn settled(&self, key: SchemaKey) -> Option<KnownSchema> {
        let known = self.known.get(&key)?;
        let is_old = matches!(known, KnownSchema::Unknown(at) if at.elapsed() >= UNKNOWN_FOR);
        (!is_old).then(|| known.clone())
    }

    fn want(&mut self, key: SchemaKey) {
        if !self.wanted.contains(&key) {
            self.wanted.push_back(key);
        }
    }
}

/// Requests what is wanted, one after the other, until the registry is dropped.
fn request_all(shared: &Shared, client: &mut RegistryClient) {
    let mut retry = RETRY_FIRST;
    let mut requests = shared.lock();
    while !requests.is_closed {
        let Some(key) = requests.wanted.front().copied() else {
            requests = shared.changed.wait(requests).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        drop(requests);
        let fetched = client.fetch(key);
        requests = shared.lock();
        match fetched {
            Ok(fetched) => {
                if requests.known.len() >= SCHEMAS_MAX {
                    requests.known.clear();
                }
                let known = match fetched {
                    FetchedSchema::Schema(schema) => KnownSchema::Schema(Arc::new(schema)),
                    FetchedSchema::Unknown => KnownSchema::Unknown(Instant::now()),
                    FetchedSchema::Unusable(why) => KnownSchema::Unusable(why.into()),
                };
                requests.known.insert(key, known);
                requests.wanted.pop_front();
                requests.trouble = None;
                retry = RETRY_FIRST;
                shared.changed.notify_all();
            }
            Err(why) => {
                requests.trouble = Some(why.into());
                shared.changed.notify_all();
                let until = Instant::now() + retry;
                // Who asks meanwhile wakes it up, and has its answer already.
                while !requests.is_closed && Instant::now() < until {
                    let left = until.saturating_duration_since(Instant::now());
                    let waited = shared.changed.wait_timeout(requests, left);
                    requests = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
                retry = (retry * 2).min(RETRY_LAST);
            }
        }
    }
}
