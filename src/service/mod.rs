//! The thin shell: starts the workers, hears the signals, ends everything. The only place that reads the wall clock.
//!
//! ```text
//!             brokers and topics are there        signal, or a worker failed
//!   Waiting ───────────────────────────▶ Working ─────────────────────────▶ Stopping ──▶ (all left)
//!      │ signal, not as it should be        │ a worker panicked               │ a second signal, too long
//!      ▼                                    ▼                                 ▼
//!    (end)                                (end)                             (end at once)
//! ```

mod notices;
mod reload;
mod wall_clock;
mod worker_pool;

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::engine::Programs;
use crate::http::{CatalogErrors, Controls, HttpError, Monitor, Server};
use crate::kafka::{
    Backfill, Breaker, Clock, ClusterError, Counts, Notices, StopSignal, Streams, WorkerError, WorkerId,
};
use crate::settings::Settings;
use worker_pool::WorkerPool;

pub use notices::to_log;
pub use reload::CatalogSource;
use reload::Reloader;
pub use wall_clock::wall_clock;

/// A worker that has not left by then hangs. Leaving it is safe: what is not committed is done again.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// What the service is given of the world outside.
#[derive(Clone)]
pub struct ServiceContext {
    pub clock: Clock,
    pub notices: Notices,
    /// Whoever else may tell it to stop, beside the signals.
    pub stop: StopSignal,
    /// Where the catalog can be read anew; `None`: it is what it is.
    pub catalog: Option<CatalogSource>,
    /// Whether what follows from the catalog at the start is approved, however many it concerns.
    pub approve_changes: bool,
    /// What new counters begin with.
    pub backfill: Backfill,
}

impl ServiceContext {
    /// The wall clock, and nobody but the signals to stop it.
    pub fn new(notices: Notices) -> Self {
        ServiceContext {
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
        "workers did not leave within {STOP_TIMEOUT:?}; what they had not committed is done again at the next start"
    )]
    Hung,
    #[error("told to stop a second time: left at once; what was not committed is done again at the next start")]
    Forced(TerminationSignal),
}

impl ServiceError {
    /// Whether it is for somebody who configures: the settings and the cluster do not fit.
    pub fn is_configuration(&self) -> bool {
        matches!(self, ServiceError::Cluster(ClusterError::Unfit(_)))
    }
}

/// The signal by which somebody told the service to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TerminationSignal {
    Interrupt,
    Terminate,
}

/// What a thread has to say to the loop.
enum ThreadReport {
    Cluster(Result<Streams, ClusterError>),
    WorkerStopped(WorkerId, Result<Counts, WorkerError>),
    /// The thread of this name.
    Panicked(String),
}

/// What the loop wakes up for.
enum Wakeup {
    Signal(TerminationSignal),
    /// SIGHUP.
    Reload,
    ThreadReport(ThreadReport),
    StopTimedOut,
}

/// Runs the service until it is told to stop, or something only a person can mend.
///
/// # Errors
/// Why it ended, if not by a signal.
pub fn run(settings: Settings, programs: Arc<Programs>, context: ServiceContext) -> Result<(), ServiceError> {
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
        let (threshold, approve) = (settings.service.max_change, context.approve_changes);
        let notices = Arc::clone(&context.notices);
        let breaker = Arc::new(Breaker::new(programs, workers, threshold, approve, notices));
        let nothing = || CatalogErrors { report: "there is no file to read it from".to_owned(), problems: Vec::new() };
        let no_source: CatalogSource = Arc::new(move || Err(nothing()));
        let source = context.catalog.clone().unwrap_or(no_source);
        let reloader = Reloader { source, settings: Arc::clone(&settings), breaker: Arc::clone(&breaker) };
        let (context, _server) = start_http(&settings, &reloader, context)?;
        let workers = WorkerPool::new(settings, breaker, context, sender);
        Supervisor { workers, signals, reloader, reports, deadline: None, failure: None }.run().await
    })
}

/// Answers operators from now on, if the settings want it: a monitor then hears what is said, too.
fn start_http(
    settings: &Settings,
    reloader: &Reloader,
    context: ServiceContext,
) -> Result<(ServiceContext, Option<Server>), ServiceError> {
    let Some(listen) = settings.http.listen else { return Ok((context, None)) };
    let workers = settings.service.workers.get();
    let monitor = Arc::new(Monitor::new(Arc::clone(&reloader.breaker), workers, context.clock.clone()));
    let reload = reloader.clone();
    let controls =
        Controls { breaker: Arc::clone(&reloader.breaker), reload: Arc::new(move || reload.reload_and_log()) };
    let server = Server::start(listen, Arc::clone(&monitor), controls).map_err(ServiceError::Http)?;
    tracing::info!("metrics and probes at http://{}", server.address());
    let others = context.notices;
    let notices: Notices = Arc::new(move |notice| {
        monitor.observe(&notice);
        others(notice);
    });
    Ok((ServiceContext { notices, ..context }, Some(server)))
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

struct Supervisor {
    workers: WorkerPool,
    signals: Signals,
    reloader: Reloader,
    reports: mpsc::UnboundedReceiver<ThreadReport>,
    /// Set when everybody was told to stop.
    deadline: Option<Instant>,
    failure: Option<ServiceError>,
}

impl Supervisor {
    async fn run(mut self) -> Result<(), ServiceError> {
        self.workers.start_cluster_check().map_err(ServiceError::Thread)?;
        while !self.workers.is_empty() {
            let wakeup = self.select().await;
            self.apply(wakeup)?;
        }
        self.failure.map_or(Ok(()), Err)
    }

    async fn select(&mut self) -> Wakeup {
        let deadline = self.deadline.unwrap_or_else(|| Instant::now() + Duration::from_secs(3_600));
        tokio::select! {
            _ = self.signals.interrupt.recv() => Wakeup::Signal(TerminationSignal::Interrupt),
            _ = self.signals.terminate.recv() => Wakeup::Signal(TerminationSignal::Terminate),
            _ = self.signals.hangup.recv() => Wakeup::Reload,
            Some(report) = self.reports.recv() => Wakeup::ThreadReport(report),
            () = sleep_until(deadline), if self.deadline.is_some() => Wakeup::StopTimedOut,
        }
    }

    /// An error ends the process at once, whatever the workers do.
    fn apply(&mut self, wakeup: Wakeup) -> Result<(), ServiceError> {
        match wakeup {
            Wakeup::Signal(signal) if self.deadline.is_some() => return Err(ServiceError::Forced(signal)),
            Wakeup::Signal(_) => self.stop(),
            // The log tells what came of it.
            Wakeup::Reload => drop(self.reloader.reload_and_log()),
            Wakeup::StopTimedOut => return Err(self.failure.take().unwrap_or(ServiceError::Hung)),
            Wakeup::ThreadReport(ThreadReport::Panicked(thread)) => return Err(ServiceError::Panicked(thread)),
            Wakeup::ThreadReport(ThreadReport::Cluster(result)) => {
                self.workers.cluster_checked();
                match result {
                    Ok(streams) if self.deadline.is_none() => {
                        self.workers.start_workers(streams).map_err(ServiceError::Thread)?;
                    }
                    Ok(_) | Err(ClusterError::Stopped) => {}
                    Err(error) => self.failure = Some(ServiceError::Cluster(error)),
                }
            }
            Wakeup::ThreadReport(ThreadReport::WorkerStopped(worker, result)) => {
                self.workers.worker_stopped();
                if let Err(error) = result {
                    self.failure.get_or_insert(ServiceError::Worker { worker, error });
                    self.stop();
                }
            }
        }
        Ok(())
    }

    fn stop(&mut self) {
        self.workers.stop();
        self.deadline.get_or_insert_with(|| Instant::now() + STOP_TIMEOUT);
    }
}
