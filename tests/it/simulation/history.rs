//! A history: processes are started, struck and started again while the input comes in; then all come to rest.

use std::collections::BTreeMap;
use std::sync::Arc;

use tagstream::kafka::{
    Backfill, CatalogRollout, Clock, EventListener, InputLiveness, Occurrence, PartitionStatus, Recovery, StopSignal,
    Worker, WorkerError, WorkerId, WorkerPlan,
};
use tagstream::model::Timestamp;
use tagstream::settings::{Instance, MaxChange};

use super::check::{self, Expected, Flaw};
use super::planted::Planted;
use super::scheduler::{Process, ProcessId, World};
use super::script::{self, Catalog, Family, HORIZON_MS, INPUT_TRANSACTION_US_MAX, START_MS, Script, USERS_ONLY};
use crate::simulation::brokers::cluster::{Cluster, Event};
use crate::simulation::clients::sim_clients::SimClients;

/// How often the director looks around.
const LOOK_US: u64 = 100_000;
/// Without faults everything ends within this time after the last event, or it never does.
const REST_US: u64 = 90_000_000;
/// How long rest is watched: what comes twice may come late.
const WATCHED_US: u64 = 1_500_000;

/// What a history has shown.
#[derive(Debug)]
pub struct Account {
    pub flaw: Option<Flaw>,
    /// Of everything that happened.
    pub hash: u64,
    /// The last lines of it.
    pub trace: String,
    /// Records that were taken while a transaction of the same worker was open.
    pub overlaps: u64,
}

/// Where a process runs, or is to run.
#[derive(Default)]
pub(super) struct InstancePlace {
    pub process: Option<ProcessId>,
    pub stop: StopSignal,
    pub rollout: Option<Arc<CatalogRollout>>,
    /// The catalog that it was told, of all catalogs.
    pub catalog: usize,
    /// When it is started, if none runs.
    pub start_at_us: u64,
}

/// For what share of the entities a tag may change because of another catalog.
const MAX_CHANGE: f64 = 0.2;
/// No event of a history is larger.
const RECORD_BYTES_MAX: usize = 200;

fn waiting_bytes(standing: &PartitionStatus) -> usize {
    match standing {
        PartitionStatus::Running(figures) => figures.waiting_bytes.unwrap_or_default(),
        _ => 0,
    }
}

pub(super) struct History {
    pub world: Arc<World>,
    pub script: Script,
    planted: Option<Planted>,
    pub places: Vec<InstancePlace>,
    /// Distinguishes those who come later by name.
    first_name: usize,
    /// The catalog in force, of all catalogs.
    pub catalog: usize,
    /// What the input came to under the catalog before, if there was one.
    before: Option<Expected>,
    /// Whether changes under it were approved.
    has_approved: bool,
}

/// Runs the history of a seed.
pub fn run(seed: u64, family: Family, planted: Option<Planted>) -> Account {
    let mut script = Script::draw(seed, family);
    if let Some(planted) = planted {
        planted.favour(&mut script.faults);
    }
    let world = World::new(seed, Cluster::new(script.shape, Arc::clone(&script.streams)), script.faults.clone());
    let places = (0..script.processes).map(|_| InstancePlace::default()).collect();
    let catalog = script.catalog;
    let mut history =
        History { world, script, planted, places, first_name: 0, catalog, before: None, has_approved: false };
    let outcome = history.tell(seed);
    history.end();
    let held = history.world.hold();
    let flaw = held.mishap.clone().map(Flaw::Mishap).or(outcome.err());
    Account { flaw, hash: held.trace.hash(), trace: held.trace.text(), overlaps: held.overlaps }
}

impl History {
    fn tell(&mut self, seed: u64) -> Result<(), Flaw> {
        let mut held = self.world.hold();
        held.start_cluster();
        let script = format!("{:?} {:?} {:?}", self.script.shape, self.script.faults, self.script.settings.service);
        held.note(format_args!("{script}"));
        if self.script.family.moves() {
            for place in &mut self.places {
                place.start_at_us = held.dice.u64(..2_000_000);
            }
        }
        drop(held);
        self.feed();
        self.live();
        self.calm();
        self.come_to_rest(seed)?;
        match self.script.family {
            Family::Settled => {}
            Family::Rebuilding => self.grow(seed)?,
            _ => self.succeed(seed)?,
        }
        Ok(())
    }

    fn feed(&mut self) {
        let mut held = self.world.hold();
        for (at_us, batch) in std::mem::take(&mut self.script.input) {
            held.at(at_us, Event::Feed(batch));
        }
    }

    fn wait(&self, us: u64) {
        drop(self.world.pass(self.world.hold(), us));
    }

    /// The time in which anything may happen.
    fn live(&mut self) {
        let until = self.script.input_ends_us + 1_000_000;
        while self.world.now_us() < until && self.world.hold().mishap.is_none() {
            self.change_catalog();
            self.start_due();
            if self.script.family.moves() {
                self.disturb();
            }
            self.wait(LOOK_US);
        }
    }

    /// Starts the processes that are due, and notices those that have ended.
    fn start_due(&mut self) {
        for index in 0..self.places.len() {
            let mut held = self.world.hold();
            let place = &mut self.places[index];
            if place.process.is_some_and(|process| held.is_over(process)) {
                place.process = None;
                place.start_at_us = held.now_us + held.dice.u64(..4_000_000);
            }
            let is_due = place.process.is_none() && place.start_at_us <= held.now_us;
            drop(held);
            if is_due {
                self.start(index);
            }
        }
    }

    fn start(&mut self, index: usize) {
        let instance = format!("i{}", self.first_name + index);
        let mut settings = self.script.settings.clone();
        settings.service.instance = Instance::Named(instance.clone());
        let settings = Arc::new(settings);
        let mut held = self.world.hold();
        let process = held.processes.len();
        let name = format!("process {process} ({instance})");
        held.note(format_args!("{name} starts"));
        let mut fates = BTreeMap::new();
        if !held.faults.over {
            let most = held.faults.strokes;
            for _ in 0..held.dice.u32(..=most) {
                let call = held.dice.u64(1..3_000);
                let stroke = self.stroke(&mut held);
                fates.insert(call, stroke);
            }
        }
        held.processes.push(Process::new(name, fates));
        drop(held);
        let stop = StopSignal::default();
        self.places[index] = InstancePlace {
            process: Some(process),
            stop: stop.clone(),
            catalog: self.catalog,
            ..InstancePlace::default()
        };
        let clock = {
            let (world, step) = (Arc::clone(&self.world), self.script.clock_step.clone());
            Clock::new(move || {
                let now_us = world.now_us();
                let behind_ms =
                    step.as_ref().filter(|step| step.during_us.contains(&now_us)).map_or(0, |step| step.by_ms);
                Timestamp::from_ms(START_MS + (now_us / 1_000) as i64 - behind_ms)
            })
        };
        let notices = self.notices(process);
        let pulse = InputLiveness::new(clock.now(), settings.service.outage_after, Arc::clone(&notices));
        let pulse = Arc::new(pulse);
        let compiled = Arc::clone(&self.catalog().compiled);
        let rollout = Arc::new(CatalogRollout::new(
            Arc::clone(&compiled),
            self.script.workers,
            // Under the other catalog, what concerns many waits for an operator.
            if self.before.is_some() || self.script.family.switches() {
                MaxChange::Share(MAX_CHANGE)
            } else {
                MaxChange::Off
            },
            false,
            Arc::clone(&notices),
        ));
        self.places[index].rollout = Some(Arc::clone(&rollout));
        for number in 0..self.script.workers {
            let plan = WorkerPlan {
                id: WorkerId(number),
                settings: Arc::clone(&settings),
                topology: Arc::clone(&self.script.streams),
                payloads: None,
                compiled: Arc::clone(&compiled),
                rollout: Arc::clone(&rollout),
                backfill: if self.before.is_some() { Backfill::On } else { Backfill::Off },
                recovery: Recovery::default(),
                listener: Arc::clone(&notices),
                clock: clock.clone(),
                liveness: Arc::clone(&pulse),
                stop: stop.clone(),
            };
            let world = Arc::clone(&self.world);
            let clients = SimClients { world, process, name: format!("{instance}-{number}"), planted: self.planted };
            let (world, stop) = (Arc::clone(&self.world), stop.clone());
            self.world.spawn(process, move || {
                let error = loop {
                    let worked = Worker::new(plan.clone(), clients.clone()).and_then(|mut worker| worker.run());
                    let Err(error) = worked else { return };
                    if !matches!(error, WorkerError::Expired { .. }) {
                        break error;
                    }
                    world.hold().note(format_args!("process {process} joins anew: {error}"));
                };
                let mut held = world.hold();
                held.note(format_args!("process {process} ends: {error}"));
                stop.give();
                // Who was replaced has to go. Nothing else that happens here is for a person to mend.
                if !matches!(error, WorkerError::Fenced { .. }) {
                    held.mishap(format!("a worker gives up: {error}"));
                }
            });
        }
    }

    fn notices(&self, process: ProcessId) -> EventListener {
        let world = Arc::clone(&self.world);
        let (room, sources) = (self.script.streams.room(), self.script.streams.input_partitions().len());
        let waiting_bytes_max = sources * (room + RECORD_BYTES_MAX);
        Arc::new(move |notice| {
            if let Occurrence::Status { partitions, .. } = &notice.what {
                let waiting: usize = partitions.iter().map(|(_, standing)| waiting_bytes(standing)).sum();
                if waiting > waiting_bytes_max {
                    world.hold().mishap(format!("{waiting} bytes wait, {waiting_bytes_max} may"));
                }
            }
            // The names that are drawn at random make records, and so what is restored, a byte longer or shorter.
            let varies = matches!(notice.what, Occurrence::Restored { .. } | Occurrence::Restoring { .. });
            if !varies
                && !matches!(
                    notice.what,
                    Occurrence::Committed { .. } | Occurrence::Status { .. } | Occurrence::Progress(..)
                )
            {
                world.hold().note(format_args!("process {process}: {notice}"));
            }
        })
    }

    pub(super) fn catalog(&self) -> &'static Catalog {
        &script::catalogs()[self.catalog]
    }

    /// From now on nothing goes wrong any more.
    fn calm(&mut self) {
        let mut held = self.world.hold();
        held.note(format_args!("calm"));
        held.faults.over = true;
        let now_us = held.now_us;
        for process in &mut held.processes {
            process.fates.clear();
            process.frozen_until_us = process.frozen_until_us.min(now_us);
            process.cut_until_us = process.cut_until_us.min(now_us);
        }
        for place in &mut self.places {
            place.start_at_us = now_us;
        }
        drop(held);
        if let Some((_, last)) = self.script.switches.last() {
            self.catalog = *last;
        }
        (0..self.places.len()).for_each(|place| self.tell_catalog(place));
    }

    /// Waits until everything that is expected is there, watches that it stays so, and checks it.
    fn come_to_rest(&mut self, seed: u64) -> Result<(), Flaw> {
        let last_event_ms = START_MS + (self.script.input_ends_us / 1_000) as i64;
        let grace_us = self.script.settings.service.idle_grace.map_or(0, |grace| grace.as_micros() as u64);
        let settled_us = self.script.input_ends_us + HORIZON_MS as u64 * 1_000 + grace_us + WATCHED_US;
        // Transactions of the input may still be open: what they come to is not known before.
        while self.world.now_us() < self.script.input_ends_us + INPUT_TRANSACTION_US_MAX {
            self.start_due();
            self.wait(LOOK_US);
        }
        let expected = Expected::of(&self.world.hold().cluster, self.catalog(), last_event_ms);
        let limit_us = self.world.now_us() + REST_US;
        let mut rest_since = None;
        loop {
            self.start_due();
            self.wait(LOOK_US);
            let is_approved = self.approve()?;
            let held = self.world.hold();
            if held.mishap.is_some() {
                return Ok(());
            }
            let count = if self.script.family.is_early() {
                check::distinct_count(&held.cluster)
            } else {
                check::change_count(&held.cluster)
            };
            // Where the way is not known, so many changes are as good as others.
            let is_counted = self.before.is_none() && !self.script.family.switches();
            let is_too_much = is_counted && count > expected.change_count();
            let is_complete = || match self.script.family {
                family if family.switches() => expected.check_led_to(&held.cluster).is_ok(),
                _ => !is_counted || count == expected.change_count(),
            };
            // Where clocks are passed on there is always a transaction.
            let is_quiet =
                if self.script.family.merges() { held.cluster.group.is_stable() } else { held.cluster.is_quiet() };
            let is_done = held.now_us >= settled_us
                && is_quiet
                && is_approved
                && expected.is_read(&held.cluster)
                && is_complete();
            match (is_done, rest_since) {
                (false, _) => rest_since = None,
                (true, None) => rest_since = Some(held.now_us),
                (true, Some(since)) if since + WATCHED_US <= held.now_us => break,
                _ => {}
            }
            if held.now_us > limit_us || is_too_much {
                let mut held = held;
                let rollouts = self.places.iter().filter_map(|place| place.rollout.as_ref());
                let rollouts: Vec<_> = rollouts.map(|rollout| rollout.status()).collect();
                held.note(format_args!("{rollouts:?}"));
                self.check(&expected, &held.cluster)?;
                return Err(Flaw::Unrest(format!(
                    "{count} of {} changes; all read: {}; quiet: {is_quiet}; approved: {is_approved}",
                    expected.change_count(),
                    expected.is_read(&held.cluster),
                )));
            }
        }
        let held = self.world.hold();
        self.check(&expected, &held.cluster)?;
        // The model knows users alone.
        if seed.is_multiple_of(16) && self.script.catalog < USERS_ONLY {
            check::check_reference(&expected, &held.cluster, self.catalog(), last_event_ms)?;
        }
        Ok(())
    }

    /// Approves what waits after it is decided, and checks that nothing of it went out before. Returns whether nothing
    /// waits.
    ///
    /// # Errors
    /// A change of a tag that waits.
    fn approve(&mut self) -> Result<bool, Flaw> {
        let mut is_approved = true;
        for place in &self.places {
            let Some(rollout) = place.rollout.as_ref().filter(|_| place.process.is_some()) else { continue };
            let status = rollout.status();
            is_approved &= !status.is_undecided && status.held.is_empty();
            if status.held.is_empty() {
                continue;
            }
            let mut held = self.world.hold();
            if !self.has_approved && self.before.is_some() {
                check::check_held(&held.cluster, &status.held)?;
            }
            held.note(format_args!("approved: {:?}", status.held));
            drop(held);
            self.has_approved = true;
            rollout.approve(None);
        }
        Ok(is_approved)
    }

    fn check(&self, expected: &Expected, cluster: &Cluster) -> Result<(), Flaw> {
        match &self.before {
            Some(before) => expected.check_rebuilt(cluster, before),
            None if self.script.family.is_early() => expected.check_at_least_once(cluster),
            None if self.script.family.switches() => expected.check_led_to(cluster),
            None => expected.check(cluster),
        }
    }

    /// All stop, and one who never was here continues from what they left.
    fn succeed(&mut self, seed: u64) -> Result<(), Flaw> {
        self.stop_all()?;
        // The others' sessions have to end first, since static members do not say that they leave.
        self.places = vec![InstancePlace::default()];
        if self.script.family.merges() {
            // There is a backlog by then.
            let mut held = self.world.hold();
            self.places[0].start_at_us = held.now_us + held.dice.u64(..30_000_000);
        }
        self.first_name = self.first_name.wrapping_add(100);
        self.script.draw_more(seed, self.world.now_us());
        self.feed();
        self.world.hold().note(format_args!("succession"));
        self.come_to_rest(seed)
    }

    /// All stop, and others continue with a catalog that has more counters. While they count the history, anything may
    /// happen again.
    fn grow(&mut self, seed: u64) -> Result<(), Flaw> {
        self.stop_all()?;
        let last_event_ms = START_MS + (self.script.input_ends_us / 1_000) as i64;
        let mut held = self.world.hold();
        self.before = Some(Expected::of(&held.cluster, self.catalog(), last_event_ms));
        self.catalog += 1;
        // Some were stopped all the time, and would go on under the catalog that they know.
        (0..held.processes.len()).for_each(|process| held.kill(process));
        held.note(format_args!("another catalog"));
        held.faults.over = false;
        self.places = (0..self.script.processes).map(|_| InstancePlace::default()).collect();
        drop(held);
        self.first_name = self.first_name.wrapping_add(100);
        self.script.draw_more(seed, self.world.now_us());
        self.feed();
        self.live();
        self.calm();
        self.come_to_rest(seed)
    }

    fn stop_all(&mut self) -> Result<(), Flaw> {
        for place in &mut self.places {
            place.stop.give();
        }
        let stopping = |history: &History| {
            let held = history.world.hold();
            let mut running = history.places.iter().filter_map(|place| place.process);
            running.any(|process| !held.is_over(process))
        };
        let limit_us = self.world.now_us() + REST_US;
        while stopping(self) {
            self.wait(LOOK_US);
            if self.world.now_us() > limit_us {
                return Err(Flaw::Unrest("a process does not stop".to_owned()));
            }
        }
        Ok(())
    }

    /// Ends all processes.
    fn end(&mut self) {
        let mut held = self.world.hold();
        for process in 0..held.processes.len() {
            held.kill(process);
        }
        drop(held);
        while {
            let held = self.world.hold();
            (0..held.processes.len()).any(|process| !held.is_over(process))
        } {
            self.wait(1_000);
        }
        self.world.join();
    }
}
