//! The thread that keeps a replica up to date: it follows the changelogs, and reads the catalog again when it has changed.

use std::io;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::following::{DepartedEntity, Following, StartError};
use super::shown::Replica;
use super::state_files::StateFiles;
use crate::engine::CompiledCatalog;
use crate::kafka::{ChangelogTail, EventListener, StopSignal};
use crate::service::CatalogSource;
use crate::settings::Settings;

/// The pause after a failure.
const RETRY: Duration = Duration::from_millis(500);
/// How often the dead letters are counted.
const COUNT: Duration = Duration::from_secs(30);
/// How often the file is read again while the workers run another catalog.
const REREAD: Duration = Duration::from_secs(5);

/// What the feed needs.
#[derive(Clone)]
pub struct FeedContext {
    pub settings: Arc<Settings>,
    pub replica: Arc<Replica>,
    /// Reads the catalog's file.
    pub source: CatalogSource,
    pub listener: EventListener,
    pub stop: StopSignal,
    /// Hears of the entities that are no longer known, once that is shown.
    pub departed: Option<Sender<DepartedEntity>>,
}

/// A running feed. It ends with the stop signal.
pub struct ReplicaFeed {
    thread: JoinHandle<()>,
}

/// Tells a feed to take another catalog. A copy tells the same feed.
#[derive(Clone, Debug, Default)]
pub struct FeedOrders {
    catalog: Arc<Mutex<Option<Arc<CompiledCatalog>>>>,
}

impl FeedOrders {
    /// Reads the states under another catalog from now on. What is shown stays until all of them have been read.
    pub fn take_catalog(&self, compiled: Arc<CompiledCatalog>) {
        *self.catalog.lock().unwrap_or_else(PoisonError::into_inner) = Some(compiled);
    }

    fn next_catalog(&self) -> Option<Arc<CompiledCatalog>> {
        self.catalog.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl ReplicaFeed {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(context: FeedContext, compiled: Arc<CompiledCatalog>, orders: FeedOrders) -> io::Result<Self> {
        let feed = Feed { context, orders, counted: None, reread: Instant::now() };
        let thread = thread::Builder::new().name("replica".to_owned()).spawn(move || feed.run(compiled))?;
        Ok(ReplicaFeed { thread })
    }

    /// Waits for its end; whether it has panicked.
    pub fn join(self) -> bool {
        self.thread.join().is_err()
    }

    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }
}

struct Feed {
    context: FeedContext,
    orders: FeedOrders,
    /// When the dead letters were last counted.
    counted: Option<Instant>,
    /// When the file was last read.
    reread: Instant,
}

impl Feed {
    fn run(mut self, compiled: Arc<CompiledCatalog>) {
        let Some(mut current) = self.insist(&compiled) else { return };
        let mut next: Option<Following> = None;
        while !self.context.stop.is_given() {
            self.turn(&mut current);
            self.count_dead_letters(&current);
            current.keep();
            if let Some(following) = &mut next
                && self.turn_unseen(following)
                && let Some(following) = next.take()
            {
                tracing::info!(catalog = following.compiled.fingerprint(), "the states are read under this catalog");
                let mut files = current.files.take();
                files.iter_mut().for_each(StateFiles::void_all);
                current = following;
                current.files = files;
                self.show(&mut current);
            }
            if let Some(compiled) = self.orders.next_catalog().or_else(|| self.changed_file(&current, next.as_ref())) {
                tracing::info!(catalog = compiled.fingerprint(), "reading the states under another catalog");
                next = self.start(compiled, None).map_err(|error| self.not_started(&error)).ok();
            }
        }
    }

    fn start(&self, compiled: Arc<CompiledCatalog>, files: Option<StateFiles>) -> Result<Following, StartError> {
        let FeedContext { settings, listener, .. } = &self.context;
        let tail = ChangelogTail::new(settings, &compiled.catalog, Arc::clone(listener));
        let tail = tail.map_err(|error| StartError::Client(error.to_string()))?;
        Following::start(tail, compiled, settings.serve.partitions.as_ref(), files)
    }

    /// The files of states; `None`: there are none, or they cannot be used.
    fn files(&self) -> Option<StateFiles> {
        let directory = self.context.settings.serve.directory.as_deref()?;
        let failed = |error| tracing::warn!("states are not kept in {}: {error}", directory.display());
        StateFiles::open(directory).map_err(failed).ok()
    }

    /// Tries until the changelogs can be read; `None`: it was stopped before.
    fn insist(&self, compiled: &Arc<CompiledCatalog>) -> Option<Following> {
        let mut said = String::new();
        while !self.context.stop.is_given() {
            match self.start(Arc::clone(compiled), self.files()) {
                Ok(following) => return Some(following),
                Err(error) => {
                    let why = error.to_string();
                    if why != said {
                        tracing::warn!("the changelogs cannot be read: {why}");
                        said.clone_from(&why);
                    }
                    self.failed(why);
                }
            }
        }
        None
    }

    fn not_started(&self, error: &StartError) {
        tracing::warn!("the states stay as they were read before: {error}");
    }

    fn failed(&self, why: String) {
        self.context.replica.status().failure = Some(why);
        thread::sleep(RETRY);
    }

    fn turn(&self, following: &mut Following) {
        match following.turn().and_then(|transactions| following.look().map(|()| transactions)) {
            Ok(transactions) => following.report(&self.context.replica, transactions),
            Err(error) => self.failed(error.text),
        }
        self.show(following);
    }

    /// Counts the dead letters from time to time. Where that is not possible, the number is not known.
    fn count_dead_letters(&mut self, following: &Following) {
        if self.counted.is_some_and(|counted| counted.elapsed() < COUNT) {
            return;
        }
        self.counted = Some(Instant::now());
        let count = following.count(&self.context.settings.dead_letter_topic());
        self.context.replica.status().dead_letters = count.ok().flatten();
    }

    fn show(&self, following: &mut Following) {
        let departed = following.show(&self.context.replica);
        let Some(sender) = &self.context.departed else { return };
        for entity in departed {
            // Nobody hears it any more when the process ends.
            let _ = sender.send(entity);
        }
    }

    /// As [`Feed::turn`], but nothing is shown; whether everything could be.
    fn turn_unseen(&self, following: &mut Following) -> bool {
        if let Err(error) = following.turn() {
            self.failed(error.text);
        }
        following.is_complete() && following.is_as_far_as(&self.context.replica)
    }

    /// The catalog of the file, where the workers run another one than is shown and the file has changed.
    fn changed_file(&mut self, current: &Following, next: Option<&Following>) -> Option<Arc<CompiledCatalog>> {
        let differs = self.context.replica.status().other_catalog.is_some();
        if !differs || self.reread.elapsed() < REREAD {
            return None;
        }
        self.reread = Instant::now();
        let compiled = (self.context.source)().ok()?;
        let is_known = |following: &Following| following.compiled.catalog.fingerprint == compiled.catalog.fingerprint;
        (!is_known(current) && !next.is_some_and(is_known)).then_some(compiled)
    }
}
