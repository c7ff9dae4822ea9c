//! One thread runs at a time, and chance decides which: threads hand a baton on whenever they pass time.
//!
//! What happens next is what comes first in virtual time; of equals a seeded draw decides. A thread that waits does so
//! for its turn alone, so a history depends on nothing but its seed.

use std::any::Any;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::faults::Faults;
use super::trace::Trace;
use crate::simulation::brokers::cluster::{Cluster, Event};

/// The thread that runs the history itself.
const DIRECTOR: TaskId = 0;
/// A history of more steps never ends.
const STEPS_MAX: u64 = 3_000_000;

pub type TaskId = usize;
pub type ProcessId = usize;
/// When, and who goes first of those who come at the same time.
type Key = (u64, u64);

thread_local! {
    static TASK: Cell<TaskId> = const { Cell::new(DIRECTOR) };
}

/// Unwinds a thread whose process was killed.
struct Killed;

#[derive(Debug)]
struct Task {
    process: Option<ProcessId>,
    turn: Arc<Condvar>,
    key: Option<Key>,
    over: bool,
}

#[derive(Debug)]
enum Entry {
    Task(TaskId),
    Event(Event),
}

/// A process: its threads live and die together.
#[derive(Debug, Default)]
pub struct Process {
    pub name: String,
    pub dead: bool,
    /// Stopped until then, as by a signal.
    pub frozen_until_us: u64,
    /// Nothing passes between it and the brokers until then.
    pub cut_until_us: u64,
    /// What happens to it, by the number of calls that it has made.
    pub fates: BTreeMap<u64, Stroke>,
    calls: u64,
}

impl Process {
    pub fn new(name: String, fates: BTreeMap<u64, Stroke>) -> Process {
        Process { name, fates, ..Process::default() }
    }
}

/// What befalls a process in the middle of a call.
#[derive(Clone, Copy, Debug)]
pub enum Stroke {
    Kill,
    Freeze {
        us: u64,
    },
    /// Nothing passes between it and the brokers.
    Cut {
        us: u64,
    },
}

pub struct State {
    pub now_us: u64,
    clock: Arc<AtomicU64>,
    pub dice: fastrand::Rng,
    tasks: Vec<Task>,
    queue: BTreeMap<Key, Entry>,
    running: TaskId,
    steps: u64,
    pub processes: Vec<Process>,
    pub cluster: Cluster,
    pub faults: Faults,
    pub trace: Trace,
    /// Records that were taken while a transaction of the same worker was open.
    pub overlaps: u64,
    /// What must not happen and did, outside of what is written.
    pub mishap: Option<String>,
}

pub type Held<'a> = MutexGuard<'a, State>;

/// A simulated world.
pub struct World {
    state: Mutex<State>,
    clock: Arc<AtomicU64>,
    base: Instant,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl World {
    /// The calling thread is the one that directs the history.
    pub fn new(seed: u64, cluster: Cluster, faults: Faults) -> Arc<World> {
        TASK.set(DIRECTOR);
        let clock = Arc::new(AtomicU64::new(0));
        let director = Task { process: None, turn: Arc::default(), key: None, over: false };
        let state = State {
            now_us: 0,
            clock: Arc::clone(&clock),
            dice: fastrand::Rng::with_seed(seed),
            tasks: vec![director],
            queue: BTreeMap::new(),
            running: DIRECTOR,
            steps: 0,
            processes: Vec::new(),
            cluster,
            faults,
            trace: Trace::default(),
            overlaps: 0,
            mishap: None,
        };
        Arc::new(World { state: Mutex::new(state), clock, base: Instant::now(), threads: Mutex::default() })
    }

    pub fn hold(&self) -> Held<'_> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn now(&self) -> Instant {
        self.base + Duration::from_micros(self.now_us())
    }

    pub fn now_us(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
    }

    /// Enters a call of the running thread, in the middle of which its process may be struck. `None`: it is dead, and
    /// only unwinds.
    pub fn enter(&self) -> Option<Held<'_>> {
        if thread::panicking() {
            return None;
        }
        let mut held = self.hold();
        let Some(process) = held.own_process() else { return Some(held) };
        held.processes[process].calls += 1;
        let calls = held.processes[process].calls;
        match held.processes[process].fates.remove(&calls) {
            None => Some(held),
            Some(Stroke::Kill) => {
                held.kill(process);
                drop(held);
                resume_unwind(Box::new(Killed))
            }
            Some(Stroke::Freeze { us }) => {
                held.freeze(process, us);
                Some(self.pass(held, 0))
            }
            Some(Stroke::Cut { us }) => {
                held.cut(process, us);
                Some(held)
            }
        }
    }

    /// Lets virtual time pass for the running thread, and everybody else have their turn.
    pub fn pass<'a>(&'a self, mut held: Held<'a>, us: u64) -> Held<'a> {
        let own = TASK.get();
        let at = held.now_us + us;
        held.schedule(own, at);
        held.advance();
        if held.running != own {
            held.hand_over();
            let turn = Arc::clone(&held.tasks[own].turn);
            held = turn.wait_while(held, |state| state.running != own).unwrap_or_else(PoisonError::into_inner);
        }
        if held.own_process().is_some_and(|process| held.processes[process].dead) {
            drop(held);
            resume_unwind(Box::new(Killed));
        }
        held
    }

    /// Starts a thread of a process, which waits for its turn.
    pub fn spawn(self: &Arc<Self>, process: ProcessId, job: impl FnOnce() + Send + 'static) {
        let mut held = self.hold();
        let own = held.tasks.len();
        let turn: Arc<Condvar> = Arc::default();
        held.tasks.push(Task { process: Some(process), turn: Arc::clone(&turn), key: None, over: false });
        let at = held.now_us;
        held.schedule(own, at);
        drop(held);
        let world = Arc::clone(self);
        let body = move || {
            TASK.set(own);
            drop(turn.wait_while(world.hold(), |state| state.running != own).unwrap_or_else(PoisonError::into_inner));
            let is_dead = world.hold().processes[process].dead;
            let outcome = catch_unwind(AssertUnwindSafe(|| if is_dead { drop(job) } else { job() }));
            let mut held = world.hold();
            if let Err(payload) = outcome
                && !payload.is::<Killed>()
            {
                held.mishap(format!("a thread panicked: {}", text(&*payload)));
                held.kill(process);
            }
            held.tasks[own].over = true;
            held.advance();
            held.hand_over();
        };
        let thread = thread::Builder::new().stack_size(1 << 20).spawn(body).expect("a thread");
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
    }

    /// Waits for all threads, which must have ended in virtual time.
    pub fn join(&self) {
        for thread in self.threads.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // What it panicked with was caught.
            let _ = thread.join();
        }
    }
}

fn text(payload: &(dyn Any + Send)) -> &str {
    let string = payload.downcast_ref::<String>().map(String::as_str);
    string.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("something")
}

impl State {
    /// Has a task run at some time, in place of the time it was to run at.
    fn schedule(&mut self, task: TaskId, at_us: u64) {
        if let Some(key) = self.tasks[task].key.take() {
            self.queue.remove(&key);
        }
        let key = self.key(at_us);
        self.tasks[task].key = Some(key);
        self.queue.insert(key, Entry::Task(task));
    }

    pub fn at(&mut self, at_us: u64, event: Event) {
        let key = self.key(at_us);
        self.queue.insert(key, Entry::Event(event));
    }

    pub fn after(&mut self, us: u64, event: Event) {
        self.at(self.now_us + us, event);
    }

    fn key(&mut self, at_us: u64) -> Key {
        let mut key = (at_us, self.dice.u64(..));
        while self.queue.contains_key(&key) {
            key.1 = self.dice.u64(..);
        }
        key
    }

    /// Lets everything happen up to the next turn of a thread.
    fn advance(&mut self) {
        loop {
            let ((at, _), entry) = self.queue.pop_first().expect("the director always waits for something");
            self.now_us = self.now_us.max(at);
            self.clock.store(self.now_us, Ordering::Relaxed);
            self.steps += 1;
            let task = match entry {
                Entry::Event(event) => {
                    self.happen(event);
                    continue;
                }
                Entry::Task(task) => task,
            };
            self.tasks[task].key = None;
            if self.steps > STEPS_MAX && task != DIRECTOR {
                self.mishap("the history does not end".to_owned());
                self.processes.iter_mut().for_each(|process| process.dead = true);
            }
            if let Some(process) = self.tasks[task].process.map(|process| &self.processes[process])
                && !process.dead
                && process.frozen_until_us > self.now_us
            {
                self.schedule(task, process.frozen_until_us);
                continue;
            }
            self.running = task;
            return;
        }
    }

    fn hand_over(&self) {
        self.tasks[self.running].turn.notify_one();
    }

    /// Wakes a task earlier than it meant to.
    pub fn wake(&mut self, task: TaskId, at_us: u64) {
        if self.tasks[task].key.is_some_and(|(at, _)| at > at_us) {
            self.schedule(task, at_us);
        }
    }

    pub fn own_task(&self) -> TaskId {
        TASK.get()
    }

    /// The process of the running thread.
    pub fn own_process(&self) -> Option<ProcessId> {
        self.tasks[TASK.get()].process
    }

    pub fn kill(&mut self, process: ProcessId) {
        if std::mem::replace(&mut self.processes[process].dead, true) {
            return;
        }
        let name = self.processes[process].name.clone();
        self.note(format_args!("{name} is killed"));
        let doomed = |(id, task): (usize, &Task)| (task.process == Some(process) && task.key.is_some()).then_some(id);
        let doomed: Vec<TaskId> = self.tasks.iter().enumerate().filter_map(doomed).collect();
        for task in doomed {
            self.schedule(task, self.now_us);
        }
    }

    pub fn freeze(&mut self, process: ProcessId, us: u64) {
        let until = self.now_us + us;
        self.processes[process].frozen_until_us = until;
        let name = self.processes[process].name.clone();
        self.note(format_args!("{name} is stopped for {} ms", us / 1000));
    }

    pub fn cut(&mut self, process: ProcessId, us: u64) {
        let until = self.now_us + us;
        self.processes[process].cut_until_us = until;
        let name = self.processes[process].name.clone();
        self.note(format_args!("{name} is cut off for {} ms", us / 1000));
    }

    pub fn is_over(&self, process: ProcessId) -> bool {
        self.tasks.iter().all(|task| task.process != Some(process) || task.over)
    }

    pub fn mishap(&mut self, what: String) {
        self.note(format_args!("{what}"));
        self.mishap.get_or_insert(what);
    }

    pub fn note(&mut self, what: std::fmt::Arguments<'_>) {
        self.trace.note(self.now_us, what);
    }

    /// A throw that succeeds at a rate in a thousand, while anything may go wrong at all.
    pub fn strikes(&mut self, per_mille: impl Fn(&Faults) -> u32) -> bool {
        let per_mille = per_mille(&self.faults);
        per_mille > 0 && !self.faults.over && self.dice.u32(..1000) < per_mille
    }
}
