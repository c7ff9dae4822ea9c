//! Instances that a seed kills, suspends, stops and starts again.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::service::{Service, Setup};

/// What can be done to an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// `kill -9`, and started again after this.
    Kill(Duration),
    /// SIGSTOP, and SIGCONT after this.
    Freeze(Duration),
    /// SIGTERM, and started again within one and a half sessions.
    Leave,
}

enum State {
    Running(Service),
    Frozen(Service, Instant),
    Leaving(Service, Instant),
    Down(Instant),
}

struct Member {
    name: &'static str,
    state: State,
}

/// How often what was done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub kills: usize,
    /// Of them: back only when the group had given the partitions to others.
    pub kills_past_session: usize,
    pub freezes: usize,
    /// Of them: longer than the session.
    pub freezes_past_session: usize,
    pub leaves: usize,
    pub starts: usize,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { kills, kills_past_session, freezes, freezes_past_session, leaves, starts } = self;
        write!(f, "{kills} kills ({kills_past_session} longer than the session), ")?;
        write!(
            f,
            "{freezes} freezes ({freezes_past_session} longer than the session), {leaves} leaves, {starts} starts"
        )
    }
}

/// The instances of one application.
pub struct Instances<'a> {
    setup: &'a Setup,
    session: Duration,
    members: Vec<Member>,
    dice: fastrand::Rng,
    /// What is to be done next, the last first.
    deck: Vec<Fault>,
    pub tally: Tally,
}

impl<'a> Instances<'a> {
    /// The first member starts now, the others join soon.
    pub fn start(setup: &'a Setup, names: &[&'static str], session: Duration, seed: u64) -> Instances<'a> {
        let now = Instant::now();
        let back = |index: usize| State::Down(now + Duration::from_millis(700) * index as u32);
        let members = names.iter().enumerate().map(|(index, name)| Member { name, state: back(index) }).collect();
        let dice = fastrand::Rng::with_seed(seed);
        let mut instances = Instances { setup, session, members, dice, deck: Vec::new(), tally: Tally::default() };
        instances.bring_back();
        instances
    }

    /// Starts the instances that are due. None may have ended by itself.
    pub fn bring_back(&mut self) {
        let now = Instant::now();
        for Member { name, state } in &mut self.members {
            if let State::Running(service) | State::Frozen(service, _) = state {
                assert!(service.is_running(), "instance {name} ended\n{}", service.log());
            }
            *state = match std::mem::replace(state, State::Down(now)) {
                State::Down(at) if at <= now => {
                    self.tally.starts += 1;
                    State::Running(self.setup.start_as(name))
                }
                State::Frozen(service, at) if at <= now => {
                    service.signal(libc::SIGCONT);
                    State::Running(service)
                }
                State::Leaving(mut service, at) => {
                    if service.is_running() {
                        assert!(now < at, "instance {name} does not leave\n{}", service.log());
                        State::Leaving(service, at)
                    } else {
                        let status = service.ended();
                        // Told in the first instants of its life it has not heard it.
                        let unheard = status.signal() == Some(libc::SIGTERM) && service.log().is_empty();
                        assert!(status.success() || unheard, "instance {name}: {status}\n{}", service.log());
                        State::Down(now + self.session.mul_f64(self.dice.f64() * 1.5))
                    }
                }
                other => other,
            };
        }
    }

    /// Does the next thing in the deck to one of those that run, if any does.
    pub fn break_something(&mut self) {
        self.bring_back();
        let running = |(index, member): (usize, &Member)| matches!(member.state, State::Running(_)).then_some(index);
        let running: Vec<usize> = self.members.iter().enumerate().filter_map(running).collect();
        if running.is_empty() {
            return;
        }
        let index = running[self.dice.usize(0..running.len())];
        if self.deck.is_empty() {
            self.deck = self.shuffled();
        }
        let fault = self.deck.pop().expect("a full deck");
        self.strike(index, fault);
    }

    fn strike(&mut self, index: usize, fault: Fault) {
        const LEAVE_PATIENCE: Duration = Duration::from_secs(40);
        let now = Instant::now();
        let member = &mut self.members[index];
        let State::Running(mut service) = std::mem::replace(&mut member.state, State::Down(now)) else {
            unreachable!("only what runs is broken");
        };
        let tally = &mut self.tally;
        member.state = match fault {
            Fault::Kill(away) => {
                service.signal(libc::SIGKILL);
                service.ended();
                tally.kills += 1;
                tally.kills_past_session += usize::from(away > self.session);
                State::Down(now + away)
            }
            Fault::Freeze(away) => {
                service.signal(libc::SIGSTOP);
                tally.freezes += 1;
                tally.freezes_past_session += usize::from(away > self.session);
                State::Frozen(service, now + away)
            }
            Fault::Leave => {
                service.signal(libc::SIGTERM);
                tally.leaves += 1;
                State::Leaving(service, now + LEAVE_PATIENCE)
            }
        };
    }

    /// Of eight faults five are kills.
    fn shuffled(&mut self) -> Vec<Fault> {
        let (none, part, past) = (Duration::ZERO, self.session / 3, self.session.mul_f64(1.6));
        let mut deck = [
            Fault::Kill(none),
            Fault::Kill(none),
            Fault::Kill(none),
            Fault::Kill(part),
            Fault::Kill(past),
            Fault::Freeze(part),
            Fault::Freeze(past),
            Fault::Leave,
        ];
        self.dice.shuffle(&mut deck);
        deck.to_vec()
    }

    /// Kills the first that runs, when one does; it comes back at once.
    pub fn kill_one(&mut self) {
        let index = loop {
            match self.members.iter().position(|member| matches!(member.state, State::Running(_))) {
                Some(index) => break index,
                None => thread::sleep(Duration::from_millis(100)),
            }
            self.bring_back();
        };
        self.strike(index, Fault::Kill(Duration::ZERO));
    }

    /// Has all that run read their catalog again. The signal would end one that has only just begun: it begins again.
    pub fn reload(&mut self) {
        for member in &mut self.members {
            let (State::Running(service) | State::Frozen(service, _)) = &mut member.state else { continue };
            if service.log().contains("brokers reached") {
                service.signal(libc::SIGHUP);
            } else {
                service.signal(libc::SIGKILL);
                service.ended();
                member.state = State::Down(Instant::now());
            }
        }
    }

    /// Disturbs instances until `kills` of them were killed, with pauses between.
    pub fn kill(&mut self, kills: usize) {
        while self.tally.kills < kills {
            thread::sleep(Duration::from_millis(self.dice.u64(300..2_500)));
            self.break_something();
        }
    }

    /// Has everybody run again, for as long as it takes until something is so.
    pub fn rest_until(&mut self, what: &str, patience: Duration, mut so: impl FnMut() -> bool) {
        let deadline = Instant::now() + patience;
        loop {
            self.bring_back();
            if so() {
                return;
            }
            assert!(Instant::now() < deadline, "waiting for {what}\n{}", self.logs());
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// Waits until one of those that run says something.
    pub fn says(&mut self, words: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.logs().contains(words) {
            assert!(Instant::now() < deadline, "waiting for {words:?}\n{}", self.logs());
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn logs(&self) -> String {
        let log = |member: &Member| match &member.state {
            State::Running(service) | State::Frozen(service, _) | State::Leaving(service, _) => {
                format!("--- {}\n{}", member.name, service.log())
            }
            State::Down(_) => format!("--- {} is down\n", member.name),
        };
        self.members.iter().map(log).collect()
    }

    /// A figure of memory of those that run, added up: see [`Service::memory`].
    pub fn memory(&self, name: &str) -> u64 {
        let of = |member: &Member| match &member.state {
            State::Running(service) => service.memory(name),
            _ => 0,
        };
        self.members.iter().map(of).sum()
    }

    /// Ends everybody as an operator does.
    pub fn stop(mut self) -> Tally {
        for member in self.members.drain(..) {
            match member.state {
                State::Running(mut service) => {
                    // One that has just been started listens to signals from then on.
                    service.says("brokers reached");
                    service.stop();
                }
                State::Frozen(service, _) => {
                    service.signal(libc::SIGCONT);
                    service.stop();
                }
                State::Leaving(mut service, _) => {
                    service.ended();
                }
                State::Down(_) => {}
            }
        }
        self.tally
    }
}
