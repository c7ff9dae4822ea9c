//! The threads of the service: one that looks for the cluster, then one a worker. Each reports how it ended.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;

use super::{Report, Surroundings};
use crate::kafka::{
    self, Action, CatalogRollout, InputLiveness, Occurrence, RdkafkaClients, Topology, Worker, WorkerError, WorkerId,
    WorkerPlan, WorkerStats,
};
use crate::settings::Settings;

pub struct Crew {
    settings: Arc<Settings>,
    breaker: Arc<CatalogRollout>,
    surroundings: Surroundings,
    reports: UnboundedSender<Report>,
    /// Threads that have not reported their end.
    busy: usize,
}

impl Crew {
    pub fn new(
        settings: Arc<Settings>,
        breaker: Arc<CatalogRollout>,
        surroundings: Surroundings,
        reports: UnboundedSender<Report>,
    ) -> Self {
        Crew { settings, breaker, surroundings, reports, busy: 0 }
    }

    pub fn look_for_cluster(&mut self) -> io::Result<()> {
        let (settings, reports) = (Arc::clone(&self.settings), self.reports.clone());
        let programs = self.breaker.view().active.programs;
        let Surroundings { notices, stop, .. } = self.surroundings.clone();
        thread::Builder::new().name("cluster".to_owned()).spawn(move || {
            let _guard = PanicGuard { reports: &reports };
            let looked = kafka::await_cluster(&settings, &programs.catalog, &notices, &stop);
            // Nobody listens any more when the process is ending: then nobody needs to know.
            let _ = reports.send(Report::Cluster(looked));
        })?;
        self.busy += 1;
        Ok(())
    }

    pub fn start_workers(&mut self, streams: Topology) -> io::Result<()> {
        let Surroundings { clock, notices, stop, backfill, .. } = &self.surroundings;
        let pulse = InputLiveness::new(clock.now(), self.settings.service.outage_after, Arc::clone(notices));
        let pulse = Arc::new(pulse);
        let streams = Arc::new(streams);
        for number in 0..self.settings.service.workers.get() {
            let plan = WorkerPlan {
                id: WorkerId(number),
                settings: Arc::clone(&self.settings),
                topology: Arc::clone(&streams),
                programs: self.breaker.view().active.programs,
                rollout: Arc::clone(&self.breaker),
                backfill: *backfill,
                listener: Arc::clone(notices),
                clock: clock.clone(),
                liveness: Arc::clone(&pulse),
                stop: stop.clone(),
            };
            let reports = self.reports.clone();
            thread::Builder::new().name(format!("worker-{number}")).spawn(move || work(plan, &reports))?;
            self.busy += 1;
        }
        Ok(())
    }

    /// Tells everybody to finish and leave.
    pub fn stop(&self) {
        self.surroundings.stop.give();
    }

    pub fn has_looked(&mut self) {
        self.busy -= 1;
    }

    pub fn has_left(&mut self) {
        self.busy -= 1;
    }

    /// Whether every thread has ended.
    pub fn is_gone(&self) -> bool {
        self.busy == 0
    }
}

/// Reports a panic of the thread that holds it: a service without one of its workers is worse than none.
struct PanicGuard<'a> {
    reports: &'a UnboundedSender<Report>,
}

impl Drop for PanicGuard<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let name = thread::current().name().unwrap_or_default().to_owned();
            let _ = self.reports.send(Report::Panicked(name));
        }
    }
}

/// A worker whose consumer was fenced joins anew. It may have been by nobody: a coordinator that dies between a joining
/// and its end knows the instance by the member id of before. Of two processes that really bear one name the elder is
/// fenced again within this time, and ends.
const FENCED_AGAIN: Duration = Duration::from_secs(60);

fn work(plan: WorkerPlan, reports: &UnboundedSender<Report>) {
    let id = plan.id;
    let mut fenced_at: Option<Instant> = None;
    let result = loop {
        let result = work_once(plan.clone(), reports);
        let why = match &result {
            _ if plan.stop.is_given() => break result,
            Err(error @ WorkerError::Expired { .. }) => format!("{error}; joining anew"),
            Err(WorkerError::Fenced { code, .. }) if fenced_at.is_none_or(|at| at.elapsed() >= FENCED_AGAIN) => {
                fenced_at = Some(Instant::now());
                format!("{code}; joining anew, which ends another process of this name if there is one")
            }
            _ => break result,
        };
        (plan.listener)(Occurrence::Failed { action: Action::JoinGroup, why }.of(id));
    };
    let _ = reports.send(Report::Left(id, result));
}

/// Works until it is told to stop or cannot go on.
fn work_once(plan: WorkerPlan, reports: &UnboundedSender<Report>) -> Result<WorkerStats, WorkerError> {
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
