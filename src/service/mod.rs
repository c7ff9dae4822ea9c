//! The thin shell: starts the workers, hears the signals, ends everything. The only place that reads the wall clock.
//!
//! ```text
//!             brokers and topics are there        signal, or a worker failed
//!   Waiting ───────────────────────────▶ Working ─────────────────────────▶ Stopping ──▶ (all left)
//!      │ signal, not as it should be        │ a worker panicked               │ a second signal, too long
//!      ▼                                    ▼                                 ▼
//!    (end)                                (end)                             (end at once)
//! ```

mod crew;
mod notices;
mod reload;
mod wall_clock;

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::engine::Programs;
use crate::http::{Controls, HttpError, Monitor, Server};
use crate::kafka::{
    Backfill, CatalogRollout, Clock, ClusterError, EventListener, StopSignal, Topology, WorkerError, WorkerId,
    WorkerStats,
};
use crate::settings::Settings;
use crew::Crew;

pub use notices::to_log;
use reload::Reloader;
pub use reload::{CatalogFaults, CatalogSource, ReloadError, Reloaded};
pub use wall_clock::wall_clock;

/// A worker that has not left by then hangs. Leaving it is safe: what is not committed is done again.
const STOP_PATIENCE: Duration = Duration::from_secs(20);

/// What the service is given of the world outside.
#[derive(Clone)]
pub struct Surroundings {
    pub clock: Clock,
    pub notices: EventListener,
    /// Whoever else may tell it to stop, beside the signals.
    pub stop: StopSignal,
    /// Where the catalog can be read anew; `None`: it is what it is.
    pub catalog: Option<CatalogSource>,
    /// Whether what follows from the catalog at the start is approved, however many it concerns.
    pub approve_changes: bool,
    /// What new counters begin with.
    pub backfill: Backfill,
}

impl Surroundings {
    /// The wall clock, and nobody but the signals to stop it.
    pub fn usual(notices: EventListener) -> Self {
        Surroundings {
            clock: wall_clock(),
            notices,
            stop: StopSignal::default(),
            catalog: None,
            approve_changes: false,
            backfill: Backfill::Off,
        }
    }
}

/// Why the service ended otherwise than by a signal.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    #[error("cannot hear signals: {0}")]
    Signals(std::io::Error),
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
    #[error(transparent)]
    Http(HttpError),
    #[error(transparent)]
    Cluster(ClusterError),
    #[error("{worker}: {error}")]
    Worker { worker: WorkerId, error: WorkerError },
    #[error("thread {0} panicked: this is a bug in tagstream")]
    Panicked(String),
    #[error(
        "workers did not leave within {STOP_PATIENCE:?}; what they had not committed is done again at the next start"
    )]
    Hung,
    #[error("told to stop a second time: left at once; what was not committed is done again at the next start")]
    Impatient(Told),
}

impl ServiceError {
    /// Whether it is for somebody who configures: the settings and the cluster do not fit.
    pub fn is_configuration(&self) -> bool {
        matches!(self, ServiceError::Cluster(ClusterError::Unfit(_)))
    }
}

/// The signal by which somebody told the service to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Interrupt,
    Terminate,
}

/// What a thread has to say to the loop.
enum Report {
    Cluster(Result<Topology, ClusterError>),
    Left(WorkerId, Result<WorkerStats, WorkerError>),
    /// The thread of this name.
    Panicked(String),
}

/// What the loop wakes up for.
enum Step {
    Signal(Told),
    /// SIGHUP.
    Reload,
    Report(Report),
    TooLong,
}

/// Runs the service until it is told to stop, or something only a person can mend.
///
/// # Errors
/// Why it ended, if not by a signal.
pub fn run(settings: Settings, programs: Arc<Programs>, surroundings: Surroundings) -> Result<(), ServiceError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ServiceError::Signals)?;
    runtime.block_on(async {
        let (sender, reports) = mpsc::unbounded_channel();
        let signals = Signals {
            interrupt: signal(SignalKind::interrupt()).map_err(ServiceError::Signals)?,
            terminate: signal(SignalKind::terminate()).map_err(ServiceError::Signals)?,
            hangup: signal(SignalKind::hangup()).map_err(ServiceError::Signals)?,
        };
        let settings = Arc::new(settings);
        let workers = settings.service.workers.get();
        let (threshold, approve) = (settings.service.max_change, surroundings.approve_changes);
        let notices = Arc::clone(&surroundings.notices);
        let breaker = Arc::new(CatalogRollout::new(programs, workers, threshold, approve, notices));
        let nothing = || CatalogFaults { report: "there is no file to read it from".to_owned(), problems: Vec::new() };
        let no_source: CatalogSource = Arc::new(move || Err(nothing()));
        let source = surroundings.catalog.clone().unwrap_or(no_source);
        let reloader = Reloader { source, settings: Arc::clone(&settings), breaker: Arc::clone(&breaker) };
        let (surroundings, _server) = be_seen(&settings, &reloader, surroundings)?;
        let crew = Crew::new(settings, breaker, surroundings, sender);
        Shell { crew, signals, reloader, reports, deadline: None, failure: None }.run().await
    })
}

/// Answers operators from now on, if the settings want it: a monitor then hears what is said, too.
fn be_seen(
    settings: &Settings,
    reloader: &Reloader,
    surroundings: Surroundings,
) -> Result<(Surroundings, Option<Server>), ServiceError> {
    let Some(listen) = settings.http.listen else { return Ok((surroundings, None)) };
    let workers = settings.service.workers.get();
    let monitor = Arc::new(Monitor::new(Arc::clone(&reloader.breaker), workers, surroundings.clock.clone()));
    let reload = reloader.clone();
    let controls = Controls { breaker: Arc::clone(&reloader.breaker), reload: Arc::new(move || reload.answer()) };
    let server = Server::start(listen, Arc::clone(&monitor), controls).map_err(ServiceError::Http)?;
    tracing::info!("metrics and probes at http://{}", server.address());
    let others = surroundings.notices;
    let notices: EventListener = Arc::new(move |notice| {
        monitor.hear(&notice);
        others(notice);
    });
    Ok((Surroundings { notices, ..surroundings }, Some(server)))
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

struct Shell {
    crew: Crew,
    signals: Signals,
    reloader: Reloader,
    reports: mpsc::UnboundedReceiver<Report>,
    /// Set when everybody was told to stop.
    deadline: Option<Instant>,
    failure: Option<ServiceError>,
}

impl Shell {
    async fn run(mut self) -> Result<(), ServiceError> {
        self.crew.look_for_cluster().map_err(ServiceError::Thread)?;
        while !self.crew.is_gone() {
            let step = self.select().await;
            self.apply(step)?;
        }
        self.failure.map_or(Ok(()), Err)
    }

    async fn select(&mut self) -> Step {
        let deadline = self.deadline.unwrap_or_else(|| Instant::now() + Duration::from_secs(3_600));
        tokio::select! {
            _ = self.signals.interrupt.recv() => Step::Signal(Told::Interrupt),
            _ = self.signals.terminate.recv() => Step::Signal(Told::Terminate),
            _ = self.signals.hangup.recv() => Step::Reload,
            Some(report) = self.reports.recv() => Step::Report(report),
            () = sleep_until(deadline), if self.deadline.is_some() => Step::TooLong,
        }
    }

    /// An error ends the process at once, whatever the workers do.
    fn apply(&mut self, step: Step) -> Result<(), ServiceError> {
        match step {
            Step::Signal(told) if self.deadline.is_some() => return Err(ServiceError::Impatient(told)),
            Step::Signal(_) => self.stop(),
            // The log tells what came of it.
            Step::Reload => drop(self.reloader.reload_and_log()),
            Step::TooLong => return Err(self.failure.take().unwrap_or(ServiceError::Hung)),
            Step::Report(Report::Panicked(thread)) => return Err(ServiceError::Panicked(thread)),
            Step::Report(Report::Cluster(looked)) => {
                self.crew.has_looked();
                match looked {
                    Ok(streams) if self.deadline.is_none() => {
                        self.crew.start_workers(streams).map_err(ServiceError::Thread)?;
                    }
                    Ok(_) | Err(ClusterError::Stopped) => {}
                    Err(error) => self.failure = Some(ServiceError::Cluster(error)),
                }
            }
            Step::Report(Report::Left(worker, result)) => {
                self.crew.has_left();
                if let Err(error) = result {
                    self.failure.get_or_insert(ServiceError::Worker { worker, error });
                    self.stop();
                }
            }
        }
        Ok(())
    }

    fn stop(&mut self) {
        self.crew.stop();
        self.deadline.get_or_insert_with(|| Instant::now() + STOP_PATIENCE);
    }
}
