//! A transactional producer, as a worker calls it: requests that are lost, repeated, late, or refused.

use std::time::Duration;

use rdkafka::message::Headers;
use rdkafka::types::RDKafkaErrorCode;
use tagstream::kafka::broker::{
    BrokerError, ErrorClass, KafkaClients, OutgoingRecord, PartitionOffset, RefusedRecord, TransactionalProducer,
};

use super::consumer::SimConsumer;
use super::producer_state::{ProducerId, Producing, wire_error};
use super::sim_clients::{SimClients, gone, micros, timed_out};
use crate::simulation::brokers::cluster::Event;
use crate::simulation::brokers::log::Content;
use crate::simulation::brokers::topics::Topic;
use crate::simulation::brokers::transactions::Refusal;
use crate::simulation::planted::Planted;
use crate::simulation::scheduler::{Held, State};

/// The pause before a request is sent again that the coordinator was not ready for.
const RETRY_US: u64 = 5_000;

pub struct SimProducer {
    pub clients: SimClients,
    pub id: ProducerId,
}

/// Where a record goes: to the partition that it names, or to its key's.
pub fn addressed(record: &OutgoingRecord<'_>, partitions: i32) -> (Topic, i32, Content) {
    let key = record.key.map(<[u8]>::to_vec);
    let by_key = || {
        let sum = key.iter().flatten().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)));
        (sum % partitions.unsigned_abs()).cast_signed()
    };
    let partition = record.partition.unwrap_or_else(by_key);
    let headers = record.headers.as_ref().map(|headers| {
        let header = |header: rdkafka::message::Header<'_, &[u8]>| {
            (header.key.to_owned(), header.value.unwrap_or_default().to_vec())
        };
        headers.iter().map(header).collect()
    });
    let content = Content { key, value: record.payload.map(<[u8]>::to_vec), headers: headers.unwrap_or_default() };
    (Topic::named(record.topic), partition, content)
}

/// What becomes of a request.
enum Step {
    Done,
    /// The same again after so long.
    Again(u64),
    Failed(BrokerError),
}

impl SimProducer {
    fn local<T>(&self, work: impl FnOnce(&mut State) -> T) -> Option<T> {
        let mut held = self.clients.world.enter()?;
        Some(work(&mut held))
    }

    fn own<T>(&self, work: impl FnOnce(&mut Producing, u64) -> T) -> Option<T> {
        self.local(|state| {
            let now_us = state.now_us;
            work(state.producer(self.id), now_us)
        })
    }

    /// Sends a request until it is answered, or the patience is at an end. `act` is what the broker does each time it
    /// arrives.
    fn request(&self, patience: Duration, mut act: impl FnMut(&mut State) -> Step) -> Result<(), BrokerError> {
        let world = &*self.clients.world;
        let Some(mut held) = world.enter() else { return Err(gone()) };
        let deadline = held.now_us + micros(patience);
        loop {
            if let Some(error) = held.producer(self.id).fatal.clone() {
                return Err(error);
            }
            let (back, arrives) = self.clients.travel(world, held, deadline);
            held = back;
            if !arrives {
                self.repeated(&mut held);
                return Err(timed_out());
            }
            if held.strikes(|faults| faults.lost_requests) {
                self.repeated(&mut held);
                held = self.rest(held, deadline)?;
                continue;
            }
            if held.strikes(|faults| faults.busy) {
                // COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR: no fault of the connection.
                if held.dice.bool() {
                    return Err(wire_error(ErrorClass::Retriable, RDKafkaErrorCode::CoordinatorLoadInProgress));
                }
                held = self.rest(held, deadline)?;
                continue;
            }
            match act(&mut held) {
                Step::Done => {}
                Step::Failed(error) => return Err(error),
                Step::Again(us) => {
                    if held.now_us + us > deadline {
                        let left = deadline.saturating_sub(held.now_us);
                        drop(world.pass(held, left));
                        return Err(timed_out());
                    }
                    held = world.pass(held, us);
                    continue;
                }
            }
            if held.strikes(|faults| faults.lost_answers) {
                held.note(format_args!("the answer to producer {} is lost", self.id));
                self.repeated(&mut held);
                held = self.rest(held, deadline)?;
                continue;
            }
            let (back, arrives) = self.clients.travel(world, held, deadline);
            held = back;
            if arrives {
                return Ok(());
            }
            self.repeated(&mut held);
            return Err(timed_out());
        }
    }

    fn repeated(&self, held: &mut Held<'_>) {
        held.fault(self.id);
    }

    /// Waits before the next try.
    fn rest<'a>(&'a self, mut held: Held<'a>, deadline: u64) -> Result<Held<'a>, BrokerError> {
        let us = if held.dice.u32(..10) == 0 { held.dice.u64(50_000..3_000_000) } else { held.dice.u64(1_000..20_000) };
        let left = deadline.saturating_sub(held.now_us);
        let held = self.clients.world.pass(held, us.min(left));
        if us < left { Ok(held) } else { Err(timed_out()) }
    }

    /// EndTxn, which may be held up on a broken connection while the client sends it again.
    fn end(&self, commit: bool, patience: Duration) -> Result<(), BrokerError> {
        let id = self.id;
        self.request(patience, |state| {
            let producer = state.producer(id);
            let (pid, epoch) = (producer.pid, producer.epoch.unwrap_or(-1));
            producer.ending = true;
            if state.strikes(|faults| faults.late_ends) {
                state.fault(id);
                let us =
                    if state.dice.bool() { state.dice.u64(1_000..150_000) } else { state.dice.u64(1_000..3_000_000) };
                state.note(format_args!("an end of a transaction of pid {pid} is held up for {us} us"));
                state.after(us, Event::LateEnd { pid, epoch, commit });
                return Step::Again(state.dice.u64(1_000..10_000));
            }
            let fails = state.strikes(|faults| faults.fatal_ends);
            if fails && state.dice.bool() {
                return Step::Failed(state.fail(id, RDKafkaErrorCode::Fatal));
            }
            let ended = state.end_transaction(pid, epoch, commit);
            state.note(format_args!("producer {id} (pid {pid}, epoch {epoch}) ends, commit {commit}: {ended:?}"));
            match ended {
                Ok(()) if fails => Step::Failed(state.fail(id, RDKafkaErrorCode::Fatal)),
                Ok(()) => Step::Done,
                Err(Refusal::Concurrent) => Step::Again(RETRY_US),
                Err(Refusal::Fenced) => Step::Failed(state.fail(id, RDKafkaErrorCode::Fenced)),
                Err(Refusal::WrongState) if commit => {
                    let error = wire_error(ErrorClass::Abortable, RDKafkaErrorCode::InvalidTransactionalState);
                    state.producer(id).doomed = Some(error.clone());
                    Step::Failed(error)
                }
                Err(Refusal::WrongState) => Step::Failed(state.fail(id, RDKafkaErrorCode::InvalidTransactionalState)),
            }
        })?;
        self.own(|producer, _| producer.over()).ok_or_else(gone)
    }

    /// Whether the brokers know nothing of the transaction.
    fn is_unknown(&self) -> bool {
        self.own(|producer, _| producer.registered.is_empty()).unwrap_or(true)
    }
}

impl TransactionalProducer<SimConsumer> for SimProducer {
    fn init(&self, patience: Duration) -> Result<(), BrokerError> {
        self.request(patience, |state| match state.init_producer(self.id) {
            Ok(()) => {
                let (pid, epoch) = (state.producer(self.id).pid, state.producer(self.id).epoch);
                state.note(format_args!("producer {} has pid {pid}, epoch {epoch:?}", self.id));
                Step::Done
            }
            Err(_) => Step::Again(100_000),
        })
    }

    fn begin(&self) -> Result<(), BrokerError> {
        self.own(|producer, _| match producer.fatal.clone() {
            Some(error) => Err(error),
            None => {
                producer.begin();
                Ok(())
            }
        })
        .unwrap_or_else(|| Err(gone()))
    }

    fn send<'a>(&self, record: OutgoingRecord<'a>) -> Result<(), (BrokerError, OutgoingRecord<'a>)> {
        let Some(mut held) = self.clients.world.enter() else { return Err((gone(), record)) };
        if let Some(error) = held.producer(self.id).fatal.clone() {
            return Err((error, record));
        }
        if held.strikes(|faults| faults.full_queues) {
            return Err((wire_error(ErrorClass::Retriable, RDKafkaErrorCode::QueueFull), record));
        }
        let (topic, partition, content) = addressed(&record, held.cluster.shape.partitions);
        held.enqueue(self.id, topic, partition, content);
        Ok(())
    }

    fn in_flight(&self) -> usize {
        self.own(|producer, _| producer.in_flight).unwrap_or(0)
    }

    fn refused(&self) -> Option<RefusedRecord> {
        self.own(|producer, _| producer.refused.clone())?
    }

    fn send_offsets(
        &self,
        parts: &[PartitionOffset],
        consumer: &SimConsumer,
        member: &str,
        patience: Duration,
    ) -> Result<(), BrokerError> {
        let asked = self
            .local(|state| (state.producer(self.id).doomed.clone(), state.cluster.consumers[consumer.id].metadata()));
        let Some((doomed, group)) = asked else {
            return Err(gone());
        };
        if let Some(error) = doomed {
            return Err(error);
        }
        if group.member.is_none_or(|id| id.to_string() != member) {
            return Err(wire_error(ErrorClass::Abortable, RDKafkaErrorCode::UnknownMemberId));
        }
        let mut kept = parts.to_vec();
        if self.clients.planted == Some(Planted::LeavesTimersOut) {
            let moves = |state: &mut State, part: &PartitionOffset| {
                let committed = state.cluster.group.committed.get(&part.partition);
                committed.and_then(|committed| committed.offset) != Some(part.next_offset)
            };
            kept.retain(|part| self.local(|state| moves(state, part)).unwrap_or(true));
        }
        if self.clients.planted == Some(Planted::CommitsAhead) {
            for part in &mut kept {
                let position = |state: &mut State| {
                    state.cluster.consumers[consumer.id].fetched.get(&part.partition).map(|fetched| fetched.position)
                };
                let applied = self.local(position).flatten().unwrap_or_default();
                part.next_offset = part.next_offset.max(applied);
            }
        }
        if kept.is_empty() {
            return Ok(());
        }
        let id = self.id;
        let refused = |state: &mut State, refusal| match refusal {
            Refusal::Concurrent => Step::Again(RETRY_US),
            Refusal::Fenced => Step::Failed(state.fail(id, RDKafkaErrorCode::Fenced)),
            Refusal::WrongState => Step::Failed(state.fail(id, RDKafkaErrorCode::InvalidTransactionalState)),
        };
        self.request(patience, |state| match state.add_offsets(id) {
            Ok(()) => Step::Done,
            Err(refusal) => refused(state, refusal),
        })?;
        self.request(patience, |state| {
            let answer = state.commit_offsets(id, &group, &kept);
            // The name of the transaction is drawn at random.
            let offers: Vec<_> = kept.iter().map(|part| (part.partition, part.next_offset)).collect();
            state.note(format_args!("producer {id} offers {offers:?} of generation {}: {answer:?}", group.generation));
            match answer {
                Ok(()) => Step::Done,
                Err(RDKafkaErrorCode::Fenced) => Step::Failed(state.fail(id, RDKafkaErrorCode::Fenced)),
                Err(RDKafkaErrorCode::InvalidTransactionalState) => {
                    Step::Failed(state.fail(id, RDKafkaErrorCode::InvalidTransactionalState))
                }
                Err(code) => {
                    let error = wire_error(ErrorClass::Abortable, code);
                    state.producer(id).doomed = Some(error.clone());
                    Step::Failed(error)
                }
            }
        })
    }

    fn commit(&self, patience: Duration) -> Result<(), BrokerError> {
        if let Some(doomed) = self.own(|producer, _| producer.doomed.clone()).flatten() {
            return Err(doomed);
        }
        if self.is_unknown() {
            return self.own(|producer, _| producer.over()).ok_or_else(gone);
        }
        self.end(true, patience)
    }

    fn abort(&self, patience: Duration) -> Result<(), BrokerError> {
        self.own(|producer, _| producer.purge());
        if self.is_unknown() {
            return self.own(|producer, _| producer.over()).ok_or_else(gone);
        }
        self.end(false, patience)
    }

    fn report_count(&self) -> u64 {
        self.own(|producer, now_us| producer.reports(now_us)).unwrap_or(0)
    }

    fn await_reports(&self, count: u64, patience: Duration) -> bool {
        let until = self.clients.now() + patience;
        while self.report_count() < count && self.clients.now() < until {
            self.clients.sleep(Duration::from_millis(1));
        }
        self.report_count() >= count
    }

    fn fault_count(&self) -> u64 {
        if self.clients.planted == Some(Planted::HidesFaults) {
            return 0;
        }
        self.own(|producer, now_us| producer.told_faults(now_us)).unwrap_or(0)
    }
}

impl Drop for SimProducer {
    fn drop(&mut self) {
        if let Some(mut held) = self.clients.world.enter() {
            held.producer(self.id).closed = true;
        }
    }
}
