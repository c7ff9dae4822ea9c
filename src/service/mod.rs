//! The thin shell: starts the workers, handles signals, stops everything. The only place that reads the wall clock.
//!
//! ```text
//!             brokers and topics are there        signal, or a worker failed
//!   Waiting ───────────────────────────▶ Working ─────────────────────────▶ Stopping ──▶ (all stopped)
//!      │ signal, cluster does not fit       │ a worker panicked               │ a second signal, time-out
//!      ▼                                    ▼                                 ▼
//!    (end)                                (end)                             (end at once)
//! ```
//!
//! - `wall_clock`: the only clock of the whole program;
//! - `instance_lock`: one process per instance on a machine;
//! - `event_log`: writes what the workers report to the log;
//! - `reload`: reads a changed catalog file and proposes it to the workers;
//! - `catalog_watch`: notices that the file has changed;
//! - `worker_pool`: the threads, one per worker.

mod wall_clock;
mod instance_lock;
mod event_log;
mod reload;
mod catalog_watch;
mod worker_pool;

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::codec::PayloadFormat;
use crate::engine::CompiledCatalog;
use crate::http::{CatalogErrors, Controls, HttpError, Monitor, Server};
use crate::kafka::{
    Backfill, CatalogRollout, Clock, ClusterError, EventListener, Recovery, StopSignal, Topology, WorkerError, WorkerId,
};
use crate::settings::Settings;
use crate::telemetry::{DroppedLines, system_limit};
use worker_pool::WorkerPool;

use catalog_watch::CatalogWatch;
pub use event_log::to_log;
use instance_lock::InstanceLock;
pub use instance_lock::InstanceTaken;
pub use reload::CatalogSource;
use reload::Reloader;
pub use wall_clock::wall_clock;

/// A worker that has not stopped by then hangs. To end without it is safe: what it has not committed is done again.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// What the service is given from outside: its clock, its listeners, its catalog.
#[derive(Clone)]
pub struct ServiceContext {
    pub clock: Clock,
    pub listener: EventListener,
    /// Stops the service, as a signal does.
    pub stop: StopSignal,
    /// Reads the catalog again for a reload; `None`: there is no file to reload.
    pub catalog: Option<CatalogSource>,
    /// Whether the changes that follow from the catalog at the start are approved, however many entities they concern.
    pub approve_changes: bool,
    /// Whether new counters are filled from the input's history.
    pub backfill: Backfill,
    /// What the operator allows for partitions that cannot go on by themselves.
    pub recovery: Recovery,
    /// Log lines that could not be written, for the metrics.
    pub dropped_log_lines: DroppedLines,
    /// The format of the input's values; `None`: JSON.
    pub payloads: Option<Arc<dyn PayloadFormat>>,
}

impl ServiceContext {
    /// The wall clock, stopped by signals only, without a catalog to reload.
    pub fn new(listener: EventListener) -> Self {
        ServiceContext {
            clock: wall_clock(),
            listener,
            stop: StopSignal::default(),
            catalog: None,
            approve_changes: false,
            backfill: Backfill::Off,
            recovery: Recovery::default(),
            dropped_log_lines: DroppedLines::default(),
            payloads: None,
        }
    }
}

/// Why the service ended, if not by one signal.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    #[error("cannot listen to signals: {0}")]
    Signals(std::io::Error),
    #[error("{}", no_thread(.0))]
    Thread(std::io::Error),
    #[error(transparent)]
    Instance(InstanceTaken),
    #[error(transparent)]
    Http(HttpError),
    #[error(transparent)]
    Cluster(ClusterError),
    #[error("{worker}: {error}")]
    Worker { worker: WorkerId, error: WorkerError },
    #[error("thread {0} has ended with an error that it did not expect: the log says above what it was")]
    Panicked(String),
    #[error(
        "workers did not stop within {STOP_TIMEOUT:?}; what they had not committed is done again at the next start"
    )]
    Hung,
    #[error("second stop signal: stopped at once; what was not committed is done again at the next start")]
    Forced(TerminationSignal),
}

fn no_thread(error: &std::io::Error) -> String {
    match system_limit(&error.to_string()) {
        Some(advice) => format!("cannot start a thread: {advice} ({error})"),
        None => format!("cannot start a thread: {error}"),
    }
}

impl ServiceError {
    /// Whether the operator has to change the configuration: the settings and the cluster do not fit.
    pub fn is_configuration(&self) -> bool {
        matches!(self, ServiceError::Cluster(ClusterError::Unfit(_)) | ServiceError::Instance(_))
    }
}

/// The signal that stopped the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TerminationSignal {
    Interrupt,
    Terminate,
}

/// What a thread reports to the supervisor's loop.
enum ThreadReport {
    Cluster(Result<Topology, ClusterError>),
    WorkerStopped(WorkerId, Result<(), WorkerError>),
    /// The name of the thread.
    Panicked(String),
}

/// What wakes the supervisor's loop.
enum Wakeup {
    Signal(TerminationSignal),
    /// SIGHUP.
    Reload,
    /// It is time to look at the catalog's file.
    LookAtCatalog,
    ThreadReport(ThreadReport),
    StopTimedOut,
}

/// Runs the service until a signal stops it, or until an error that only an operator can correct.
///
/// # Errors
/// Why it ended, if not by a signal.
pub fn run(settings: Settings, compiled: Arc<CompiledCatalog>, context: ServiceContext) -> Result<(), ServiceError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ServiceError::Signals)?;
    let _lock = InstanceLock::take(&settings).map_err(ServiceError::Instance)?;
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
        let listener = Arc::clone(&context.listener);
        let rollout = Arc::new(CatalogRollout::new(compiled, workers, threshold, approve, listener));
        let no_file =
            || CatalogErrors { report: "there is no catalog file to reload".to_owned(), problems: Vec::new() };
        let no_source: CatalogSource = Arc::new(move || Err(no_file()));
        let source = context.catalog.clone().unwrap_or(no_source);
        let reloader = Reloader { source, settings: Arc::clone(&settings), rollout: Arc::clone(&rollout) };
        let (context, _server) = start_http(&settings, &reloader, context)?;
        let watch = settings.catalog.clone().zip(settings.service.watch_catalog);
        let watch = watch.map(|(path, interval)| CatalogWatch::new(path, interval));
        let next_look = watch.as_ref().map(|watch| Instant::now() + watch.interval);
        let workers = WorkerPool::new(settings, rollout, context, sender);
        Supervisor { workers, signals, reloader, watch, next_look, reports, deadline: None, failure: None }.run().await
    })
}

/// Starts the HTTP server, where the settings have one: a monitor then observes the workers too.
fn start_http(
    settings: &Settings,
    reloader: &Reloader,
    context: ServiceContext,
) -> Result<(ServiceContext, Option<Server>), ServiceError> {
    let Some(listen) = settings.http.listen else { return Ok((context, None)) };
    let workers = settings.service.workers.get();
    let (clock, dropped_log_lines) = (context.clock.clone(), context.dropped_log_lines.clone());
    let monitor = Arc::new(Monitor::new(Arc::clone(&reloader.rollout), workers, clock, dropped_log_lines));
    let reload = reloader.clone();
    let controls =
        Controls { rollout: Arc::clone(&reloader.rollout), reload: Arc::new(move || reload.reload_and_log()) };
    let server = Server::start(listen, Arc::clone(&monitor), controls).map_err(ServiceError::Http)?;
    tracing::info!("metrics and probes at http://{}", server.address());
    let others = context.listener;
    let listener: EventListener = Arc::new(move |event| {
        monitor.observe(&event);
        others(event);
    });
    Ok((ServiceContext { listener, ..context }, Some(server)))
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
    /// `None`: the catalog is read again on request alone.
    watch: Option<CatalogWatch>,
    next_look: Option<Instant>,
    reports: mpsc::UnboundedReceiver<ThreadReport>,
    /// When stopping times out; set as soon as the workers are stopped.
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
        let never = Instant::now() + Duration::from_secs(3_600);
        let (deadline, next_look) = (self.deadline.unwrap_or(never), self.next_look.unwrap_or(never));
        tokio::select! {
            _ = self.signals.interrupt.recv() => Wakeup::Signal(TerminationSignal::Interrupt),
            _ = self.signals.terminate.recv() => Wakeup::Signal(TerminationSignal::Terminate),
            _ = self.signals.hangup.recv() => Wakeup::Reload,
            Some(report) = self.reports.recv() => Wakeup::ThreadReport(report),
            () = sleep_until(deadline), if self.deadline.is_some() => Wakeup::StopTimedOut,
            () = sleep_until(next_look), if self.next_look.is_some() => Wakeup::LookAtCatalog,
        }
    }

    /// An error ends the process at once, whatever the workers do.
    fn apply(&mut self, wakeup: Wakeup) -> Result<(), ServiceError> {
        match wakeup {
            Wakeup::Signal(signal) if self.deadline.is_some() => return Err(ServiceError::Forced(signal)),
            Wakeup::Signal(_) => self.stop(),
            // The outcome is in the log.
            Wakeup::Reload => drop(self.reloader.reload_and_log()),
            Wakeup::LookAtCatalog => self.look_at_catalog(),
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

    fn look_at_catalog(&mut self) {
        if let Some(watch) = &mut self.watch {
            self.next_look = Some(Instant::now() + watch.interval);
            if watch.has_changed() {
                // The outcome is in the log.
                drop(self.reloader.reload_and_log());
            }
        }
    }

    fn stop(&mut self) {
        self.workers.stop();
        self.deadline.get_or_insert_with(|| Instant::now() + STOP_TIMEOUT);
    }
}
