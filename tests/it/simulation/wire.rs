//! The simulated wire: what a worker calls, in steps between which anything can happen.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::Timestamp;
use rdkafka::message::OwnedMessage;
use rdkafka::types::RDKafkaErrorCode;
use tagstream::kafka::broker::{
    BrokerError, ChangelogReader, CommittedOffset, ErrorClass, GroupConsumer, KafkaClients, NonTransactionalProducer,
    OffsetBounds, OutgoingRecord, Rebalance, RefusedRecord,
};
use tagstream::kafka::{ClientError, PartitionId};

use super::cluster::Event;
use super::group::ConsumerId;
use super::membership::{Fetched, Membership};
use super::planted::Planted;
use super::producer::SimProducer;
use super::producing::{Producing, wire_error};
use super::scheduler::{Held, ProcessId, State, World};

/// A worker's way to the simulated cluster.
#[derive(Clone)]
pub struct SimWire {
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

impl SimWire {
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
    fn ask<T>(&self, patience: Duration, mut answer: impl FnMut(&mut State) -> Option<T>) -> Result<T, BrokerError> {
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

impl KafkaClients for SimWire {
    type Consumer = SimConsumer;
    type Producer = SimProducer;
    type NonTransactionalProducer = NoPlain;
    type Changelog = SimChangelog;

    fn consumer(&self) -> Result<SimConsumer, ClientError> {
        let id = self.world.enter().map_or(0, |mut held| {
            held.cluster.consumers.push(Membership::new(self.process, self.name.clone()));
            held.cluster.consumers.len() - 1
        });
        Ok(SimConsumer { wire: self.clone(), id })
    }

    fn producer(&self) -> Result<SimProducer, ClientError> {
        let id = self.world.enter().map_or(0, |mut held| {
            let (pid, now_us) = (held.cluster.pid(&self.name), held.now_us);
            held.cluster.producers.push(Producing::new(self.process, pid, now_us));
            held.cluster.producers.len() - 1
        });
        Ok(SimProducer { wire: self.clone(), id })
    }

    fn non_transactional_producer(&self) -> Result<NoPlain, ClientError> {
        panic!("changes leave in transactions only")
    }

    fn changelog(&self) -> Result<SimChangelog, ClientError> {
        Ok(SimChangelog { wire: self.clone(), reading: std::cell::Cell::new(None) })
    }

    fn history(&self) -> Result<SimChangelog, ClientError> {
        panic!("nothing is counted again")
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
        self.world.spawn(self.process, job);
    }
}

/// Deliveries outside of transactions are not simulated.
pub enum NoPlain {}

impl NonTransactionalProducer for NoPlain {
    fn send<'a>(&self, _: OutgoingRecord<'a>) -> Result<(), (BrokerError, OutgoingRecord<'a>)> {
        match *self {}
    }

    fn in_flight(&self) -> usize {
        match *self {}
    }

    fn take_refused(&self) -> Option<RefusedRecord> {
        match *self {}
    }
}

/// A member of the simulated group.
pub struct SimConsumer {
    pub wire: SimWire,
    pub id: ConsumerId,
}

impl SimConsumer {
    fn local<T>(&self, work: impl FnOnce(&mut State, ConsumerId) -> T) -> Result<T, BrokerError> {
        let Some(mut held) = self.wire.world.enter() else { return Err(gone()) };
        Ok(work(&mut held, self.id))
    }

    fn membership<T>(&self, work: impl FnOnce(&mut Membership) -> T) -> Result<T, BrokerError> {
        self.local(|state, id| work(&mut state.cluster.consumers[id]))
    }
}

impl GroupConsumer for SimConsumer {
    type Record<'a> = OwnedMessage;

    fn join(&self) -> Result<(), BrokerError> {
        self.local(|state, id| {
            let us = state.dice.u64(1_000..50_000);
            state.after(us, Event::Beat(id));
        })
    }

    fn poll(&self, wait: Duration) -> Option<Result<OwnedMessage, BrokerError>> {
        let world = &*self.wire.world;
        let mut held = world.enter()?;
        let us = held.dice.u64(5..50);
        held = world.pass(held, us);
        for wait_us in [micros(wait), 0] {
            if let Some(code) = held.cluster.consumers[self.id].fatal {
                return Some(Err(wire_error(ErrorClass::Fatal, code)));
            }
            if held.cluster.consumers[self.id].deliver() {
                return None;
            }
            if let Some(record) = held.take_record(self.id) {
                let (partition, offset) = (rdkafka::Message::partition(&record), rdkafka::Message::offset(&record));
                held.note(format_args!("consumer {} polls {partition}@{offset}", self.id));
                return Some(Ok(record));
            }
            if wait_us > 0 {
                held.cluster.consumers[self.id].waiting = Some(held.own_task());
                held = world.pass(held, wait_us);
                held.cluster.consumers[self.id].waiting = None;
            }
        }
        None
    }

    fn next_rebalance(&self) -> Option<Rebalance> {
        let early = self.wire.planted == Some(Planted::AnswersEarly);
        self.local(|state, id| {
            let rebalance = state.cluster.consumers[id].wanted.pop_front()?;
            state.note(format_args!("consumer {id} is asked: {rebalance:?}"));
            if early && let Rebalance::Revoke { .. } = rebalance {
                state.answer_revoke(id);
                state.answer_assign(id);
            }
            Some(rebalance)
        })
        .ok()?
    }

    fn member(&self) -> Option<String> {
        self.membership(|consumer| consumer.member.map(|member| member.to_string())).ok()?
    }

    fn accept(&self) -> Result<(), BrokerError> {
        self.local(State::answer_assign)
    }

    fn give_up(&self, fetched: &[PartitionId]) -> Result<(), BrokerError> {
        self.local(|state, id| {
            state.note(format_args!("consumer {id} gives up {fetched:?}"));
            let consumer = &mut state.cluster.consumers[id];
            consumer.fetched.retain(|partition, _| !fetched.contains(partition));
            state.answer_revoke(id);
        })
    }

    fn fetch(&self, starts: &[(PartitionId, i64)]) -> Result<(), BrokerError> {
        self.local(|state, id| {
            state.note(format_args!("consumer {id} fetches {starts:?}"));
            let start = |(partition, position): &(PartitionId, i64)| {
                (*partition, Fetched { position: *position, found: false, paused: false })
            };
            state.cluster.consumers[id].fetched.extend(starts.iter().map(start));
            state.answer_assign(id);
        })
    }

    fn pause(&self, partitions: &[PartitionId]) -> Result<(), BrokerError> {
        if self.wire.planted == Some(Planted::NeverRests) {
            return Ok(());
        }
        self.membership(|consumer| consumer.pause(partitions, true))
    }

    fn resume(&self, partitions: &[PartitionId]) -> Result<(), BrokerError> {
        self.membership(|consumer| consumer.pause(partitions, false))
    }

    fn committed(
        &self,
        partitions: &[PartitionId],
        patience: Duration,
    ) -> Result<BTreeMap<PartitionId, Result<CommittedOffset, BrokerError>>, BrokerError> {
        let unstable = self.wire.planted == Some(Planted::ReadsUnstableOffsets);
        let forgets = self.wire.planted == Some(Planted::ForgetsClocks);
        self.wire.ask(patience, |state| {
            let group = &state.cluster.group;
            if !unstable && partitions.iter().any(|partition| group.is_pending(*partition)) {
                return None;
            }
            let committed = |partition: &PartitionId| {
                let mut found = group.committed.get(partition).cloned().unwrap_or_default();
                if forgets && let Some(at) = found.metadata.find(" clock") {
                    found.metadata.truncate(at);
                }
                found
            };
            Some(partitions.iter().map(|partition| (*partition, Ok(committed(partition)))).collect())
        })
    }

    fn committed_unstable(
        &self,
        partitions: &[PartitionId],
        patience: Duration,
    ) -> Result<BTreeMap<PartitionId, CommittedOffset>, BrokerError> {
        self.wire.ask(patience, |state| {
            let committed = &state.cluster.group.committed;
            let noted = |partition: &PartitionId| (*partition, committed.get(partition).cloned().unwrap_or_default());
            Some(partitions.iter().map(noted).collect())
        })
    }

    fn bounds(&self, partition: PartitionId, patience: Duration) -> Result<OffsetBounds, BrokerError> {
        self.wire.ask(patience, |state| Some(OffsetBounds { low: 0, high: state.cluster.input(partition).stable() }))
    }

    fn ends(&self, partitions: &[PartitionId], patience: Duration) -> Result<BTreeMap<PartitionId, i64>, BrokerError> {
        self.wire.ask(patience, |state| {
            let end = |partition: &PartitionId| (*partition, state.cluster.input(*partition).stable());
            Some(partitions.iter().map(end).collect())
        })
    }

    fn input_end(&self, patience: Duration) -> Result<i64, BrokerError> {
        self.wire.ask(patience, |state| {
            let cluster = &state.cluster;
            let inputs = cluster.streams.input_partitions();
            Some(inputs.into_iter().map(|partition| cluster.input(partition).stable()).sum())
        })
    }

    fn positions(&self) -> Result<BTreeMap<PartitionId, i64>, BrokerError> {
        self.membership(|consumer| {
            let found = consumer.fetched.iter().filter(|(_, fetched)| fetched.found);
            found.map(|(partition, fetched)| (*partition, fetched.position)).collect()
        })
    }

    fn leave(&self) -> Result<(), BrokerError> {
        self.local(|state, id| {
            let consumer = &mut state.cluster.consumers[id];
            consumer.leaving = true;
            consumer.fetched.clear();
            state.answer_assign(id);
            state.answer_revoke(id);
        })
    }
}

impl Drop for SimConsumer {
    fn drop(&mut self) {
        // A static member does not say that it leaves.
        if let Some(mut held) = self.wire.world.enter() {
            held.cluster.consumers[self.id].closed = true;
        }
    }
}

/// Who reads the changelog.
pub struct SimChangelog {
    wire: SimWire,
    reading: std::cell::Cell<Option<(PartitionId, Fetched)>>,
}

impl ChangelogReader for SimChangelog {
    type Record<'a> = OwnedMessage;

    fn end(&self, partition: PartitionId, patience: Duration) -> Result<i64, BrokerError> {
        let stable = self.wire.planted == Some(Planted::RestoresToStableEnd);
        self.wire.ask(patience, |state| {
            let log = state.cluster.changelog(partition);
            Some(if stable { log.stable() } else { log.end() })
        })
    }

    fn stable(&self, partition: PartitionId, patience: Duration) -> Result<OffsetBounds, BrokerError> {
        self.wire
            .ask(patience, |state| Some(OffsetBounds { low: 0, high: state.cluster.changelog(partition).stable() }))
    }

    fn open(&self, partition: PartitionId, offset: i64) -> Result<(), BrokerError> {
        self.reading.set(Some((partition, Fetched { position: offset, found: false, paused: false })));
        Ok(())
    }

    fn poll(&self, wait: Duration) -> Option<Result<OwnedMessage, BrokerError>> {
        let world = &*self.wire.world;
        let mut held = world.enter()?;
        let us = held.dice.u64(5..50);
        held = world.pass(held, us);
        let (partition, mut fetched) = self.reading.get()?;
        for wait_us in [micros(wait).min(10_000), 0] {
            if !held.is_cut(self.wire.process) {
                let log = held.cluster.changelog(partition);
                if let Some((offset, content)) = log.next_visible(fetched.position) {
                    let (key, mut value) = (content.key.clone(), content.value.clone());
                    // Where sources stand, which is a record of its own.
                    if self.wire.planted == Some(Planted::ForgetsSources) && key.as_deref() == Some(&[3]) {
                        value = None;
                    }
                    (fetched.position, fetched.found) = (offset + 1, true);
                    self.reading.set(Some((partition, fetched)));
                    let topic = held.cluster.streams.plan(partition.topic).changelog.clone();
                    let (number, at) = (partition.number, Timestamp::NotAvailable);
                    let record = OwnedMessage::new(value, key, topic, at, number, offset, None);
                    return Some(Ok(record));
                }
                let behind = log.skip(fetched.position);
                if behind > fetched.position {
                    (fetched.position, fetched.found) = (behind, true);
                    self.reading.set(Some((partition, fetched)));
                }
            }
            if wait_us > 0 {
                held = world.pass(held, wait_us);
            }
        }
        None
    }

    fn position(&self, partition: PartitionId) -> Result<Option<i64>, BrokerError> {
        let reading = self.reading.get().filter(|(number, fetched)| *number == partition && fetched.found);
        Ok(reading.map(|(_, fetched)| fetched.position))
    }
}
