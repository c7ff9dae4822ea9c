//! The demo: the service on an embedded broker, with the events of a gym that does not exist.
//!
//! ```text
//!   gym ─▶ feeder ─▶ events ─▶ service ─▶ tag-changes ─▶ viewer ─▶ screen or pipe
//!             │       (embedded broker)   (embedded broker)
//!             └──── time ───────▲
//! ```
//!
//! The service is the one of `tagstream run`. It differs in its clock alone: the demo's time, in which weeks pass in a
//! minute.

pub mod board;
mod feeder;
pub mod frame;
pub mod gym;
mod stage;
mod terminal;
mod time;
mod viewer;

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use crate::catalog;
use crate::engine::CompiledCatalog;
use crate::kafka::{EmbeddedBroker, EmbeddedError, StopSignal};
use crate::model::Timestamp;
use crate::service::{self, ServiceError};
use board::Board;
use feeder::{FeedError, Feeder, Progress};
use frame::{Moment, State};
use gym::{Gym, GymPlan};
use viewer::{ViewError, Viewer};

pub use time::Speed;

/// The catalog of the gym.
pub const CATALOG: &str = include_str!("../../deploy/examples/gym/catalog.yaml");

/// What the user may choose.
#[derive(Clone, Debug)]
pub struct Options {
    pub members: u32,
    pub days: u32,
    pub seed: u64,
    pub speed: Speed,
    /// Where the events go as well, one a line.
    pub save: Option<PathBuf>,
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
    #[error("{0} panicked: this is a bug in tagstream")]
    Panicked(&'static str),
}

/// Runs the demo to its end, or until somebody interrupts it; the weeks that it shows end at `now`.
///
/// # Errors
/// Why it could not be shown to its end.
pub fn run(options: &Options, now: Timestamp) -> Result<(), DemoError> {
    let Some(catalog) = catalog::load("catalog.yaml", CATALOG).catalog else {
        return Err(DemoError::Catalog);
    };
    let Options { members, days, seed, speed, .. } = *options;
    let plan = GymPlan { members, days, seed, end: now, zone: catalog.timezone.clone() };
    let save = options.save.as_ref().map(File::create).transpose().map_err(FeedError::Save)?;
    let broker = EmbeddedBroker::start(&stage::TOPICS)?;
    let progress = Arc::new(Progress::new(plan.start()));
    let board = Board::new(&catalog);
    let feeder = Feeder::new(Gym::new(plan.clone()), broker.feed(stage::EVENTS)?, save, speed, Arc::clone(&progress));
    let tail = broker.tail(stage::CHANGES, stage::PARTITIONS)?;

    let settings = stage::settings(&broker, speed);
    let surroundings = stage::surroundings(&progress);
    let serving = spawn("service", move || service::run(settings, CompiledCatalog::new(catalog), surroundings))?;
    let mut viewer = Viewer::new(tail, board).map_err(ViewError::Output)?;
    let stop = progress.stop.clone();
    let feeding = spawn("feeder", move || {
        let _stops_the_service = StopAtEnd(stop);
        feeder.run(now)
    })?;

    let mut seen = Ok(());
    while seen.is_ok() && !serving.is_finished() {
        seen = viewer.look(&moment(&progress, &plan));
    }
    progress.stop.give();
    let served = serving.join().map_err(|_| DemoError::Panicked("the service"))?;
    let fed = feeding.join().map_err(|_| DemoError::Panicked("the feeder"))?;
    seen?;
    viewer.finish(&Moment { state: State::Over, ..moment(&progress, &plan) })?;
    served?;
    Ok(fed?)
}

/// When the feeder has nothing left to do, whatever the reason, the service may leave.
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

fn moment(progress: &Progress, plan: &GymPlan) -> Moment {
    let now = progress.time.now().min(plan.end);
    let read = progress.read();
    Moment {
        now,
        day: (now.since(plan.start()) / gym::DAY_MS) as u32,
        days: plan.days,
        members: plan.members,
        events: read,
        events_a_second: 0.0,
        state: if read == 0 { State::Starting } else { State::Running },
    }
}
