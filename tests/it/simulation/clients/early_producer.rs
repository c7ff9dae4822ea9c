//! A producer without transactions as its client library runs it: idempotent, so what it sends again stands once and in
//! order; what it gives up is reported, and what was behind that goes on.

use std::collections::{BTreeMap, VecDeque};

use rdkafka::types::RDKafkaErrorCode;
use tagstream::kafka::broker::{BrokerError, ErrorClass, NonTransactionalProducer, OutgoingRecord, RefusedRecord};

use super::producer::addressed;
use super::producer_state::wire_error;
use super::sim_clients::{SimClients, gone};
use crate::simulation::brokers::cluster::Event;
use crate::simulation::brokers::log::Content;
use crate::simulation::brokers::topics::Topic;
use crate::simulation::planted::Planted;
use crate::simulation::scheduler::{ProcessId, State};

pub type DelivererId = usize;

/// What such a producer has taken and has no answer for.
#[derive(Debug)]
pub struct Delivering {
    process: ProcessId,
    queues: BTreeMap<(Topic, i32), VecDeque<Content>>,
    in_flight: usize,
    refused: Option<RefusedRecord>,
    closed: bool,
    /// What is sent again comes behind what was sent meanwhile.
    overtakes: bool,
}

impl Delivering {
    pub fn new(process: ProcessId, planted: Option<Planted>) -> Delivering {
        let overtakes = planted == Some(Planted::OvertakesItself);
        Delivering { process, queues: BTreeMap::new(), in_flight: 0, refused: None, closed: false, overtakes }
    }
}

impl State {
    fn deliverer(&mut self, id: DelivererId) -> &mut Delivering {
        &mut self.cluster.deliverers[id]
    }

    /// What a producer has for a partition is on its way.
    pub fn deliver(&mut self, id: DelivererId, topic: Topic, partition: i32) {
        let Delivering { process, closed, overtakes, .. } = self.cluster.deliverers[id];
        let again = Event::Deliver { deliverer: id, topic, partition };
        if closed || self.processes[process].dead {
            return;
        }
        if self.processes[process].frozen_until_us > self.now_us {
            return self.at(self.processes[process].frozen_until_us, again);
        }
        let is_late = self.strikes(|faults| faults.lost_requests) || self.strikes(|faults| faults.refusals);
        if self.is_cut(process) || is_late {
            let queue = self.deliverer(id).queues.get_mut(&(topic, partition)).expect("it has records");
            if overtakes && queue.len() > 1 {
                queue.rotate_left(1);
            }
            let us = self.dice.u64(5_000..60_000);
            return self.after(us, again);
        }
        let batch = self.dice.usize(1..20);
        let expires = self.strikes(|faults| faults.expired_records);
        // Its answer was lost: it may stand or not.
        let is_written = !expires || self.dice.bool();
        let answer_lost = self.strikes(|faults| faults.lost_answers);
        let queue = self.deliverer(id).queues.get_mut(&(topic, partition)).expect("it has records");
        let count = batch.min(queue.len());
        let contents: Vec<Content> = queue.drain(..count).collect();
        let more = !queue.is_empty();
        self.note(format_args!(
            "deliverer {id} sends {count} to {topic:?} {partition}, written: {is_written}, expired: {expires}"
        ));
        if is_written {
            contents.into_iter().for_each(|content| self.cluster.log_mut(topic, partition).append(content));
        } else {
            self.cluster.gave_up = true;
        }
        let mut us = self.dice.u64(100..2_000);
        if answer_lost {
            us += self.dice.u64(5_000..60_000);
        }
        if expires {
            let code = RDKafkaErrorCode::MessageTimedOut;
            let refused = RefusedRecord { topic: topic.name().to_owned(), code: Some(code), text: code.to_string() };
            self.deliverer(id).refused.get_or_insert(refused);
        }
        self.after(us, Event::Delivered { deliverer: id, count });
        if more {
            self.after(us, again);
        }
    }

    pub fn delivered(&mut self, id: DelivererId, count: usize) {
        self.deliverer(id).in_flight -= count;
    }
}

/// Such a producer, as a worker calls it.
pub struct SimDeliverer {
    pub clients: SimClients,
    pub id: DelivererId,
}

impl SimDeliverer {
    fn own<T>(&self, work: impl FnOnce(&mut Delivering) -> T) -> Option<T> {
        let mut held = self.clients.world.enter()?;
        Some(work(held.deliverer(self.id)))
    }
}

impl NonTransactionalProducer for SimDeliverer {
    fn send<'a>(&self, record: OutgoingRecord<'a>) -> Result<(), (BrokerError, OutgoingRecord<'a>)> {
        let Some(mut held) = self.clients.world.enter() else { return Err((gone(), record)) };
        if held.strikes(|faults| faults.full_queues) {
            return Err((wire_error(ErrorClass::Retriable, RDKafkaErrorCode::QueueFull), record));
        }
        let (topic, partition, mut content) = addressed(&record, held.cluster.shape.partitions);
        if self.clients.planted == Some(Planted::NamesAnew) {
            let name = held.dice.u64(..).to_string().into_bytes();
            content.headers.iter_mut().filter(|(key, _)| key == "ce_id").for_each(|(_, id)| id.clone_from(&name));
        }
        let deliverer = held.deliverer(self.id);
        deliverer.in_flight += 1;
        let queue = deliverer.queues.entry((topic, partition)).or_default();
        queue.push_back(content);
        if queue.len() == 1 {
            let us = held.dice.u64(300..4_000);
            held.after(us, Event::Deliver { deliverer: self.id, topic, partition });
        }
        Ok(())
    }

    fn in_flight(&self) -> usize {
        if self.clients.planted == Some(Planted::AwaitsNothing) {
            return 0;
        }
        self.own(|deliverer| deliverer.in_flight).unwrap_or(0)
    }

    fn take_refused(&self) -> Option<RefusedRecord> {
        let refused = self.own(|deliverer| deliverer.refused.take())?;
        refused.filter(|_| self.clients.planted != Some(Planted::HidesRefusals))
    }
}

impl Drop for SimDeliverer {
    fn drop(&mut self) {
        self.own(|deliverer| deliverer.closed = true);
    }
}
