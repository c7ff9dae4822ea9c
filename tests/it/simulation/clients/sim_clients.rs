//! The simulated clients: what a worker calls, in steps between which anything can happen.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::types::RDKafkaErrorCode;
use tagstream::kafka::ClientError;
use tagstream::kafka::broker::{BrokerError, ErrorClass, KafkaClients};

use super::changelog_reader::SimChangelog;
use super::consumer::SimConsumer;
use super::early_producer::{Delivering, SimDeliverer};
use super::membership::Membership;
use super::producer::SimProducer;
use super::producer_state::{Producing, wire_error};
use super::topic_inquirer::SimInquirer;
use crate::simulation::planted::Planted;
use crate::simulation::scheduler::{Held, ProcessId, State, World};

/// A worker's way to the simulated cluster.
#[derive(Clone)]
pub struct SimClients {
    pub world: Arc<World>,
    pub process: ProcessId,
    /// The static member and transactional id of the worker.
    pub name: String,
    pub planted: Option<Planted>,
}

/// What is said to who calls while its process is dying.
pub fn gone() -> BrokerError {
    wire_error(ErrorClass::Fatal, RDKafkaErrorCode::Fail)
}

pub fn timed_out() -> BrokerError {
    wire_error(ErrorClass::Retriable, RDKafkaErrorCode::OperationTimedOut)
}

pub fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX / 4)
}

impl SimClients {
    /// A request on its way: it has arrived when this returns, unless `None`, when there was no time left for it.
    pub fn travel<'a>(&self, world: &'a World, mut held: Held<'a>, deadline_us: u64) -> (Held<'a>, bool) {
        let mut us = held.dice.u64(100..1_500);
        if held.strikes(|faults| faults.slow) {
            us += held.dice.u64(10_000..1_500_000);
        }
        let cut_until = held.processes[self.process].cut_until_us;
        if cut_until > held.now_us {
            us += cut_until - held.now_us;
        }
        let left = deadline_us.saturating_sub(held.now_us);
        let arrives = us <= left;
        (world.pass(held, us.min(left)), arrives)
    }

    /// A question that changes nothing: its answer, or that there was none in time.
    pub fn ask<T>(
        &self,
        patience: Duration,
        mut answer: impl FnMut(&mut State) -> Option<T>,
    ) -> Result<T, BrokerError> {
        let world = &*self.world;
        let Some(mut held) = world.enter() else { return Err(gone()) };
        let deadline = held.now_us + micros(patience);
        loop {
            let arrives;
            (held, arrives) = self.travel(world, held, deadline);
            if !arrives || held.strikes(|faults| faults.failed_lookups) {
                let left = deadline.saturating_sub(held.now_us);
                drop(world.pass(held, left));
                return Err(timed_out());
            }
            if let Some(answer) = answer(&mut held) {
                // The way back takes time too: by then it may not be true any more.
                (held, _) = self.travel(world, held, deadline);
                drop(held);
                return Ok(answer);
            }
            held = world.pass(held, 20_000.min(deadline.saturating_sub(self.world.now_us()).max(1)));
        }
    }
}

impl KafkaClients for SimClients {
    type Consumer = SimConsumer;
    type Producer = SimProducer;
    type NonTransactionalProducer = SimDeliverer;
    type Changelog = SimChangelog;
    type Inquirer = SimInquirer;

    fn consumer(&self) -> Result<SimConsumer, ClientError> {
        let id = self.world.enter().map_or(0, |mut held| {
            held.cluster.consumers.push(Membership::new(self.process, self.name.clone()));
            held.cluster.consumers.len() - 1
        });
        Ok(SimConsumer { clients: self.clone(), id })
    }

    fn producer(&self) -> Result<SimProducer, ClientError> {
        let id = self.world.enter().map_or(0, |mut held| {
            let (pid, now_us) = (held.cluster.pid(&self.name), held.now_us);
            held.cluster.producers.push(Producing::new(self.process, pid, now_us));
            held.cluster.producers.len() - 1
        });
        Ok(SimProducer { clients: self.clone(), id })
    }

    fn non_transactional_producer(&self) -> Result<SimDeliverer, ClientError> {
        let id = self.world.enter().map_or(0, |mut held| {
            held.cluster.deliverers.push(Delivering::new(self.process, self.planted));
            held.cluster.deliverers.len() - 1
        });
        Ok(SimDeliverer { clients: self.clone(), id })
    }

    fn changelog(&self) -> Result<SimChangelog, ClientError> {
        Ok(SimChangelog::new(self.clone()))
    }

    fn history(&self) -> Result<SimChangelog, ClientError> {
        Ok(SimChangelog::of_input(self.clone()))
    }

    fn inquirer(&self) -> Result<SimInquirer, ClientError> {
        Ok(SimInquirer(self.clone()))
    }

    fn now(&self) -> Instant {
        self.world.now()
    }

    fn sleep(&self, time: Duration) {
        if let Some(held) = self.world.enter() {
            drop(self.world.pass(held, micros(time)));
        }
    }

    fn spawn(&self, _: &str, job: Box<dyn FnOnce() + Send>) {
        let is_lost = self.world.enter().is_some_and(|mut held| held.strikes(|faults| faults.lost_threads));
        match self.planted {
            _ if !is_lost => self.world.spawn(self.process, job),
            Some(Planted::HidesLostThreads) => std::mem::forget(job),
            _ => {}
        }
    }
}
