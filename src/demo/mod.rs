//! The demo: the service on an embedded broker, with the generated events of a gym.
//!
//! ```text
//!   gym ─▶ feeder ─▶ events ─▶ service ─▶ tag-changes ─▶ viewer ─▶ screen or pipe
//!             │       (embedded broker)   (embedded broker)
//!             └──── time ───────▲
//! ```
//!
//! The service is the one of `tagstream run`. Only its clock differs: weeks of the demo's time pass in a minute. The read side
//! is the one of `tagstream serve`.
//!
//! - [`gym`]: generates the events; knows nothing of Kafka;
//! - `clock`: the demo's time and its speed;
//! - [`tag_counts`]: what the tag changes add up to;
//! - [`frame`]: the picture, a pure function; `terminal`: draws it;
//! - `feeder`: writes the events to the broker and advances the clock;
//! - `outside_feed`: writes the events to a Kafka of one's own, for a service that runs there;
//! - `viewer`: reads the tag changes and shows them;
//! - `environment`: the service's settings and its context.

pub mod gym;
mod clock;
pub mod tag_counts;
pub mod frame;
mod terminal;
mod feeder;
mod outside_feed;
mod viewer;
mod environment;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use tokio::signal::unix::{SignalKind, signal};

use crate::catalog;
use crate::engine::CompiledCatalog;
use crate::kafka::{EmbeddedBroker, EmbeddedError, StopSignal};
use crate::model::{DAY_MS, Timestamp};
use crate::serve::ServeError;
use crate::service::{self, ServiceError};
use feeder::{FeedError, Feeder, Progress};
use frame::{DemoStatus, Phase};
use gym::{Gym, GymPlan};
use tag_counts::TagCounts;
use terminal::Terminal;
use viewer::{ViewError, Viewer};

pub use clock::Speed;
pub use outside_feed::{OutsideFeed, Period};

/// The catalog of the gym.
pub const CATALOG: &str = include_str!("../../deploy/examples/gym/catalog.yaml");

/// The options of `tagstream demo`.
#[derive(Clone, Debug)]
pub struct DemoOptions {
    pub members: u32,
    pub days: u32,
    pub seed: u64,
    pub speed: Speed,
    /// A file that the events are also written to, one per line.
    pub save: Option<PathBuf>,
    /// Whether the page stays after the last day, until an interrupt.
    pub stay: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("the demo's own catalog is wrong: this is a bug in tagstream")]
    Catalog,
    #[error(transparent)]
    Broker(#[from] EmbeddedError),
    #[error(transparent)]
    Feed(#[from] FeedError),
    #[error(transparent)]
    View(#[from] ViewError),
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error("{0} panicked: this is a bug in tagstream")]
    Panicked(&'static str),
}

/// Runs the demo to its end, or until it is interrupted; the weeks that it shows end at `now`.
///
/// # Errors
/// Why the demo did not run to its end.
pub fn run(options: &DemoOptions, now: Timestamp) -> Result<(), DemoError> {
    let Some(catalog) = catalog::load(CATALOG).catalog else {
        return Err(DemoError::Catalog);
    };
    let DemoOptions { members, days, seed, speed, .. } = *options;
    let plan = GymPlan { members, days, seed, end: now, zone: catalog.timezone.clone() };
    let save = options.save.as_ref().map(File::create).transpose().map_err(FeedError::Save)?;
    let broker = EmbeddedBroker::start(&environment::TOPICS)?;
    let progress = Arc::new(Progress::new(plan.start()));
    let tag_counts = TagCounts::new(&catalog);
    let feeder =
        Feeder::new(Gym::new(plan.clone()), broker.feed(environment::EVENTS)?, save, speed, Arc::clone(&progress));
    let tail = broker.tail(environment::CHANGES, environment::PARTITIONS)?;

    let settings = environment::settings(&broker, speed);
    let context = environment::context(&progress);
    let compiled = CompiledCatalog::new(catalog);
    let scratch = HistoryFolder::new();
    let (read_side, read_stop) = (scratch.path(), StopSignal::default());
    let read_side = environment::read_side(&settings, &compiled, &progress, &read_stop, read_side)?;
    let page = Some(read_side.server.address());
    if !Terminal::is_there() {
        // The standard output has the changes.
        let _ = writeln!(io::stderr(), "tagstream: the page is at http://{}/", read_side.server.address());
    }
    let serving = spawn("service", move || service::run(settings, compiled, context))?;
    let mut viewer = Viewer::new(tail, tag_counts).map_err(ViewError::Output)?;
    let stop = progress.stop.clone();
    let feeding = spawn("feeder", move || {
        let _stops_the_service = StopAtEnd(stop);
        feeder.run(now)
    })?;

    let mut seen = Ok(());
    while seen.is_ok() && !serving.is_finished() {
        seen = viewer.look(&DemoStatus { page, ..status(&progress, &plan) });
    }
    progress.stop.give();
    let served = serving.join().map_err(|_| DemoError::Panicked("the service"))?;
    let fed = feeding.join().map_err(|_| DemoError::Panicked("the feeder"))?;
    seen?;
    let is_whole = progress.clock.now() >= plan.end;
    viewer.finish(&DemoStatus { phase: Phase::Over, ..status(&progress, &plan) })?;
    if options.stay && is_whole && served.is_ok() {
        let address = read_side.server.address();
        let _ = writeln!(io::stderr(), "tagstream: the page stays at http://{address}/ until Ctrl-C");
        wait_for_a_signal().map_err(DemoError::Thread)?;
    }
    read_stop.give();
    if read_side.join() {
        return Err(DemoError::Panicked("the read side"));
    }
    served?;
    Ok(fed?)
}

/// Waits until somebody ends the program.
fn wait_for_a_signal() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    })
}

/// The folder of the read side's history, which goes when the demo ends.
struct HistoryFolder(PathBuf);

impl HistoryFolder {
    fn new() -> Self {
        HistoryFolder(std::env::temp_dir().join(format!("tagstream-demo-{}", std::process::id())))
    }

    fn path(&self) -> PathBuf {
        self.0.clone()
    }
}

impl Drop for HistoryFolder {
    fn drop(&mut self) {
        // What stays is a few megabytes in a folder for what is temporary.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Stops the service when the feeder ends, for whatever reason.
struct StopAtEnd(StopSignal);

impl Drop for StopAtEnd {
    fn drop(&mut self) {
        self.0.give();
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<thread::JoinHandle<T>, DemoError> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map_err(DemoError::Thread)
}

fn status(progress: &Progress, plan: &GymPlan) -> DemoStatus {
    let now = progress.clock.now().min(plan.end);
    let read = progress.read();
    DemoStatus {
        now,
        day: (now.since(plan.start()) / DAY_MS) as u32,
        days: plan.days,
        members: plan.members,
        events: read,
        events_a_second: 0.0,
        phase: if read == 0 { Phase::Starting } else { Phase::Running },
        page: None,
    }
}
