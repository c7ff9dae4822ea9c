//! A transactional producer as its client library runs it, and the requests that it makes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rdkafka::types::RDKafkaErrorCode;
use tagstream::kafka::broker::{BrokerError, CommittedOffset, ErrorClass, PartitionOffset, RefusedRecord};

use crate::simulation::brokers::cluster::Event;
use crate::simulation::brokers::group::GroupMetadata;
use crate::simulation::brokers::log::{Content, Pid};
use crate::simulation::brokers::topics::Topic;
use crate::simulation::brokers::transactions::{Place, Refusal};
use crate::simulation::scheduler::{ProcessId, State};

pub type ProducerId = usize;

/// Statistics come at this interval, each a little after the instant that it tells of.
const REPORT_US: u64 = 20_000;
const REPORT_LATE_US: u64 = 7_000;

#[derive(Debug)]
pub struct Producing {
    pub process: ProcessId,
    pub pid: Pid,
    pub epoch: Option<i16>,
    /// Counts transactions: an acknowledgement is for one of them.
    pub transaction: u64,
    pub is_open: bool,
    /// Where the coordinator knows that this transaction leaves something.
    pub registered: BTreeSet<Place>,
    queues: BTreeMap<(Topic, i32), VecDeque<Content>>,
    pub in_flight: usize,
    pub refused: Option<RefusedRecord>,
    pub fatal: Option<BrokerError>,
    /// Why this transaction can only be aborted.
    pub doomed: Option<BrokerError>,
    /// Whether the end of this transaction was asked for.
    pub ending: bool,
    /// When something had to be repeated.
    faults: Vec<u64>,
    born_us: u64,
    pub closed: bool,
}

pub fn wire_error(class: ErrorClass, code: RDKafkaErrorCode) -> BrokerError {
    BrokerError { class, code: Some(code), text: code.to_string() }
}

impl Producing {
    pub fn new(process: ProcessId, pid: Pid, born_us: u64) -> Producing {
        Producing {
            process,
            pid,
            epoch: None,
            transaction: 0,
            is_open: false,
            registered: BTreeSet::new(),
            queues: BTreeMap::new(),
            in_flight: 0,
            refused: None,
            fatal: None,
            doomed: None,
            ending: false,
            faults: Vec::new(),
            born_us,
            closed: false,
        }
    }

    pub fn begin(&mut self) {
        self.transaction += 1;
        self.is_open = true;
        self.ending = false;
        self.registered.clear();
        (self.refused, self.doomed) = (None, None);
    }

    /// The transaction is over.
    pub fn over(&mut self) {
        self.is_open = false;
        self.purge();
    }

    /// Nothing that waits is sent any more.
    pub fn purge(&mut self) {
        self.queues.clear();
        self.in_flight = 0;
        self.transaction += 1;
    }

    /// Statistics that have come.
    pub fn reports(&self, now_us: u64) -> u64 {
        now_us.saturating_sub(self.born_us + REPORT_LATE_US) / REPORT_US
    }

    /// Faults, as the last statistics tell them.
    pub fn told_faults(&self, now_us: u64) -> u64 {
        let told_at = self.born_us + self.reports(now_us) * REPORT_US;
        self.faults.iter().filter(|at| **at <= told_at).count() as u64
    }
}

impl State {
    /// Whether a transaction of this id is open for its newest producer.
    pub fn has_open_transaction(&mut self, name: &str) -> bool {
        let pid = self.cluster.pid(name);
        self.cluster
            .producers
            .iter()
            .rev()
            .find(|producer| producer.pid == pid)
            .is_some_and(|producer| producer.is_open)
    }

    pub fn producer(&mut self, id: ProducerId) -> &mut Producing {
        &mut self.cluster.producers[id]
    }

    /// A request was sent again or a connection broke.
    pub fn fault(&mut self, id: ProducerId) {
        let now_us = self.now_us;
        self.producer(id).faults.push(now_us);
    }

    /// No producer is of use any more after this.
    pub fn fail(&mut self, id: ProducerId, code: RDKafkaErrorCode) -> BrokerError {
        let error = wire_error(ErrorClass::Fatal, code);
        self.note(format_args!("producer {id} has failed for good: {code:?}"));
        // What waits is given up with it.
        self.producer(id).purge();
        self.producer(id).fatal.get_or_insert(error).clone()
    }

    pub fn is_cut(&self, process: ProcessId) -> bool {
        self.processes[process].cut_until_us > self.now_us
    }

    /// Queues a record.
    pub fn enqueue(&mut self, id: ProducerId, topic: Topic, partition: i32, content: Content) {
        let producer = self.producer(id);
        producer.in_flight += 1;
        let queue = producer.queues.entry((topic, partition)).or_default();
        queue.push_back(content);
        if queue.len() == 1 {
            let us = self.dice.u64(300..4_000);
            self.after(us, Event::Produce { producer: id, topic, partition });
        }
    }

    /// What a producer has for a partition is on its way.
    pub fn produce(&mut self, id: ProducerId, topic: Topic, partition: i32) {
        let producer = &self.cluster.producers[id];
        let (process, pid, place) = (producer.process, producer.pid, Place::Log(topic, partition));
        let is_idle = producer.queues.get(&(topic, partition)).is_none_or(VecDeque::is_empty);
        let Some(epoch) = producer.epoch else { return };
        if is_idle || producer.closed || producer.fatal.is_some() || self.processes[process].dead {
            return;
        }
        let again = Event::Produce { producer: id, topic, partition };
        if self.processes[process].frozen_until_us > self.now_us {
            return self.at(self.processes[process].frozen_until_us, again);
        }
        if self.is_cut(process) || self.strikes(|faults| faults.lost_requests) || self.strikes(|faults| faults.refusals)
        {
            self.fault(id);
            let us = self.dice.u64(5_000..60_000);
            return self.after(us, again);
        }
        if !self.cluster.producers[id].registered.contains(&place) {
            match self.cluster.transactions.add(pid, epoch, place, self.now_us) {
                Ok(()) => {
                    self.producer(id).registered.insert(place);
                    let us = self.dice.u64(100..2_000);
                    self.after(us, again);
                }
                Err(Refusal::Concurrent) => self.after(5_000, again),
                Err(_) => drop(self.fail(id, RDKafkaErrorCode::Fenced)),
            }
            return;
        }
        match self.admit(pid, epoch, topic, partition) {
            Ok(()) => self.write(id, epoch, topic, partition),
            Err(Refusal::Fenced) => drop(self.fail(id, RDKafkaErrorCode::Fenced)),
            Err(_) => self.refuse(id, topic, partition, RDKafkaErrorCode::InvalidTransactionalState),
        }
    }

    /// Whether a leader takes records of a producer: it knows the transaction, or asks its coordinator.
    fn admit(&self, pid: Pid, epoch: i16, topic: Topic, partition: i32) -> Result<(), Refusal> {
        match self.cluster.log(topic, partition).open_epoch(pid) {
            Some(open) if open == epoch => Ok(()),
            Some(_) => Err(Refusal::Fenced),
            None => self.cluster.transactions.verify(pid, epoch, Place::Log(topic, partition)),
        }
    }

    fn write(&mut self, id: ProducerId, epoch: i16, topic: Topic, partition: i32) {
        let letter_bytes_max = self.cluster.shape.letter_bytes_max;
        let batch = self.dice.usize(1..20);
        let answer_lost = self.strikes(|faults| faults.lost_answers);
        let expires = self.strikes(|faults| faults.expired_records);
        let producer = self.producer(id);
        let (pid, transaction) = (producer.pid, producer.transaction);
        let queue = producer.queues.get_mut(&(topic, partition)).expect("it has records");
        let count = batch.min(queue.len());
        if topic == Topic::Letters && queue.front().is_some_and(|content| content.bytes() > letter_bytes_max) {
            return self.refuse(id, topic, partition, RDKafkaErrorCode::MessageSizeTooLarge);
        }
        let contents: Vec<Content> = queue.drain(..count).collect();
        let more = !queue.is_empty();
        self.note(format_args!("producer {id} (pid {pid}, epoch {epoch}) writes {count} to {topic:?} {partition}"));
        for content in contents {
            self.cluster.log_mut(topic, partition).append_in_transaction(pid, epoch, content);
        }
        let mut us = self.dice.u64(100..2_000);
        if answer_lost {
            // It is sent again, and known again by its sequence number.
            self.fault(id);
            us += self.dice.u64(5_000..60_000);
        }
        if expires {
            let code = RDKafkaErrorCode::MessageTimedOut;
            let text = code.to_string();
            let topic = topic.name().to_owned();
            self.producer(id).refused.get_or_insert(RefusedRecord { topic, code: Some(code), text });
        }
        self.after(us, Event::Acknowledge { producer: id, transaction, count });
        if more {
            self.after(us, Event::Produce { producer: id, topic, partition });
        }
    }

    /// The first record of a partition's queue is given up, and with it the transaction.
    fn refuse(&mut self, id: ProducerId, topic: Topic, partition: i32, code: RDKafkaErrorCode) {
        self.note(format_args!("producer {id}: a record to {topic:?} {partition} is refused: {code:?}"));
        let producer = self.producer(id);
        let queue = producer.queues.get_mut(&(topic, partition)).expect("it has records");
        queue.pop_front();
        let more = !queue.is_empty();
        producer.in_flight -= 1;
        producer.doomed.get_or_insert(wire_error(ErrorClass::Abortable, code));
        let (topic_name, text) = (topic.name().to_owned(), code.to_string());
        producer.refused.get_or_insert(RefusedRecord { topic: topic_name, code: Some(code), text });
        if more {
            self.after(1_000, Event::Produce { producer: id, topic, partition });
        }
    }

    pub fn acknowledge(&mut self, id: ProducerId, transaction: u64, count: usize) {
        let producer = self.producer(id);
        if producer.transaction == transaction {
            producer.in_flight -= count;
        }
    }

    /// AddOffsetsToTxn.
    pub fn add_offsets(&mut self, id: ProducerId) -> Result<(), Refusal> {
        let producer = &self.cluster.producers[id];
        let epoch = producer.epoch.ok_or(Refusal::WrongState)?;
        self.cluster.transactions.add(producer.pid, epoch, Place::Offsets, self.now_us)?;
        self.producer(id).registered.insert(Place::Offsets);
        Ok(())
    }

    /// TxnOffsetCommit.
    pub fn commit_offsets(
        &mut self,
        id: ProducerId,
        group: &GroupMetadata,
        parts: &[PartitionOffset],
    ) -> Result<(), RDKafkaErrorCode> {
        let (pid, epoch) = (self.producer(id).pid, self.producer(id).epoch.unwrap_or(-1));
        match self.cluster.transactions.verify(pid, epoch, Place::Offsets) {
            Ok(()) => {}
            Err(Refusal::Fenced) => return Err(RDKafkaErrorCode::Fenced),
            Err(_) => return Err(RDKafkaErrorCode::InvalidTransactionalState),
        }
        let committed = |part: &PartitionOffset| CommittedOffset {
            offset: Some(part.next_offset),
            metadata: part.metadata.clone(),
        };
        let offsets = parts.iter().map(|part| (part.partition, committed(part))).collect();
        self.cluster.group.offer(pid, group, offsets)
    }

    /// EndTxn.
    pub fn end_transaction(&mut self, pid: Pid, epoch: i16, commit: bool) -> Result<(), Refusal> {
        if let Some(marks) = self.cluster.transactions.end(pid, epoch, commit)? {
            self.write_marks(marks);
        }
        Ok(())
    }

    /// InitProducerId.
    pub fn init_producer(&mut self, id: ProducerId) -> Result<(), Refusal> {
        let pid = self.producer(id).pid;
        match self.cluster.transactions.init(pid) {
            Ok(epoch) => {
                self.producer(id).epoch = Some(epoch);
                Ok(())
            }
            Err(marks) => {
                if let Some(marks) = marks {
                    self.write_marks(marks);
                }
                Err(Refusal::Concurrent)
            }
        }
    }
}
