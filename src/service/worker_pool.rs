//! The threads of the service: one that waits for the cluster, then one per worker. Each reports how it ended.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;

use super::{ServiceContext, ThreadReport};
use crate::kafka::{
    self, Action, CatalogRollout, InputLiveness, Occurrence, RdkafkaClients, Topology, Worker, WorkerError, WorkerId,
    WorkerPlan, WorkerStats,
};
use crate::settings::Settings;

/// Starts and stops the threads, and counts them.
pub(crate) struct WorkerPool {
    settings: Arc<Settings>,
    rollout: Arc<CatalogRollout>,
    context: ServiceContext,
    reports: UnboundedSender<ThreadReport>,
    /// The number of threads that have not reported their end.
    running: usize,
}

impl WorkerPool {
    pub(crate) fn new(
        settings: Arc<Settings>,
        rollout: Arc<CatalogRollout>,
        context: ServiceContext,
        reports: UnboundedSender<ThreadReport>,
    ) -> Self {
        WorkerPool { settings, rollout, context, reports, running: 0 }
    }

    pub(crate) fn start_cluster_check(&mut self) -> io::Result<()> {
        let (settings, reports) = (Arc::clone(&self.settings), self.reports.clone());
        let compiled = self.rollout.view().active.compiled;
        let ServiceContext { listener, stop, .. } = self.context.clone();
        thread::Builder::new().name("cluster".to_owned()).spawn(move || {
            let _guard = PanicGuard { reports: &reports };
            let result = kafka::await_cluster(&settings, &compiled.catalog, &listener, &stop);
            // The receiver is gone when the process is ending: then the result does not matter.
            let _ = reports.send(ThreadReport::Cluster(result));
        })?;
        self.running += 1;
        Ok(())
    }

    pub(crate) fn start_workers(&mut self, streams: Topology) -> io::Result<()> {
        let ServiceContext { clock, listener, stop, backfill, recovery, payloads, .. } = &self.context;
        let liveness = InputLiveness::new(clock.now(), self.settings.service.outage_after, Arc::clone(listener));
        let liveness = Arc::new(liveness);
        let streams = Arc::new(streams);
        for number in 0..self.settings.service.workers.get() {
            let plan = WorkerPlan {
                id: WorkerId(number),
                settings: Arc::clone(&self.settings),
                topology: Arc::clone(&streams),
                payloads: payloads.clone(),
                compiled: self.rollout.view().active.compiled,
                rollout: Arc::clone(&self.rollout),
                backfill: *backfill,
                recovery: recovery.clone(),
                listener: Arc::clone(listener),
                clock: clock.clone(),
                liveness: Arc::clone(&liveness),
                stop: stop.clone(),
            };
            let reports = self.reports.clone();
            thread::Builder::new().name(format!("worker-{number}")).spawn(move || run_worker(plan, &reports))?;
            self.running += 1;
        }
        Ok(())
    }

    /// Tells all threads to finish.
    pub(crate) fn stop(&self) {
        self.context.stop.give();
    }

    pub(crate) fn cluster_checked(&mut self) {
        self.running -= 1;
    }

    pub(crate) fn worker_stopped(&mut self) {
        self.running -= 1;
    }

    /// Whether every thread has ended.
    pub(crate) fn is_empty(&self) -> bool {
        self.running == 0
    }
}

/// Reports a panic of its thread, which ends the process: a service that lacks a worker must not go on.
struct PanicGuard<'a> {
    reports: &'a UnboundedSender<ThreadReport>,
}

impl Drop for PanicGuard<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let name = thread::current().name().unwrap_or_default().to_owned();
            let _ = self.reports.send(ThreadReport::Panicked(name));
        }
    }
}

/// A worker whose consumer was fenced joins again, since there may be no other process: a coordinator that fails while
/// a member joins may know the instance by its earlier member id. If two processes really have one name, the older one
/// is fenced again within this time, and ends.
const REFENCED_WITHIN: Duration = Duration::from_secs(60);

fn run_worker(plan: WorkerPlan, reports: &UnboundedSender<ThreadReport>) {
    let id = plan.id;
    let mut fenced_at: Option<Instant> = None;
    let result = loop {
        let result = run_once(plan.clone(), reports);
        let why = match &result {
            _ if plan.stop.is_given() => break result,
            Err(error @ WorkerError::Expired { .. }) => format!("{error}; joining again"),
            Err(WorkerError::Fenced { code, .. }) if fenced_at.is_none_or(|at| at.elapsed() >= REFENCED_WITHIN) => {
                fenced_at = Some(Instant::now());
                format!("{code}; joining again, which ends another process of this name if there is one")
            }
            _ => break result,
        };
        (plan.listener)(Occurrence::Failed { action: Action::JoinGroup, why }.of(id));
    };
    let _ = reports.send(ThreadReport::WorkerStopped(id, result.map(drop)));
}

/// Runs a worker until it is stopped or fails.
fn run_once(plan: WorkerPlan, reports: &UnboundedSender<ThreadReport>) -> Result<WorkerStats, WorkerError> {
    let native = RdkafkaClients::new(
        Arc::clone(&plan.settings),
        Arc::clone(&plan.topology),
        plan.id,
        Arc::clone(&plan.listener),
    );
    let mut worker = Worker::new(plan, native)?;
    // Declared after the worker, so dropped before it: the report does not wait for a consumer to close.
    let _guard = PanicGuard { reports };
    worker.run()
}
