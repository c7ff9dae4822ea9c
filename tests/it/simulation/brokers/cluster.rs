//! The brokers: all logs, the two coordinators, and what happens by itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use tagstream::kafka::{PartitionId, Topology};

use super::group::{ConsumerId, Group, Sync};
use super::log::{Content, Log, Pid};
use super::topics::Topic;
use super::transactions::{Marks, Place, Transactions};
use crate::simulation::clients::early_producer::{DelivererId, Delivering};
use crate::simulation::clients::membership::Membership;
use crate::simulation::clients::producer_state::{ProducerId, Producing};
use crate::simulation::scheduler::{State, TaskId};

/// How often the coordinators look for what has been open or silent for too long.
const SCAN_US: u64 = 250_000;

/// What a cluster is made of, and for how long it waits.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub partitions: i32,
    pub session_us: u64,
    pub heartbeat_us: u64,
    pub rebalance_us: u64,
    pub transaction_us: u64,
    /// The most bytes of a dead letter.
    pub letter_bytes_max: usize,
}

/// A batch of the input.
#[derive(Clone, Debug)]
pub struct Batch {
    pub topic: Topic,
    pub partition: i32,
    pub contents: Vec<Content>,
    /// Written in a transaction that ends like this, so long after.
    pub transaction: Option<(bool, u64)>,
}

#[derive(Debug)]
pub struct Cluster {
    pub shape: Shape,
    /// What the group reads.
    pub streams: Arc<Topology>,
    pub logs: BTreeMap<(Topic, i32), Log>,
    pub transactions: Transactions,
    /// Transactional ids by name.
    pub names: BTreeMap<String, Pid>,
    pub group: Group,
    pub consumers: Vec<Membership>,
    pub producers: Vec<Producing>,
    pub deliverers: Vec<Delivering>,
    /// Whether one of them has given up a record that stands nowhere: what was behind it has overtaken it then.
    pub gave_up: bool,
    pub input_producers: usize,
}

/// What happens without a thread that does it.
#[derive(Debug)]
pub enum Event {
    Feed(Batch),
    Produce {
        producer: ProducerId,
        topic: Topic,
        partition: i32,
    },
    Acknowledge {
        producer: ProducerId,
        transaction: u64,
        count: usize,
    },
    Deliver {
        deliverer: DelivererId,
        topic: Topic,
        partition: i32,
    },
    Delivered {
        deliverer: DelivererId,
        count: usize,
    },
    /// An EndTxn that was on its way for long.
    LateEnd {
        pid: Pid,
        epoch: i16,
        commit: bool,
    },
    Mark {
        pid: Pid,
        place: Place,
        commit: bool,
    },
    Beat(ConsumerId),
    Sync(Sync),
    Scan,
}

impl Cluster {
    pub fn new(shape: Shape, streams: Arc<Topology>) -> Cluster {
        let places = Topic::ALL.into_iter().flat_map(|topic| (0..shape.partitions).map(move |number| (topic, number)));
        Cluster {
            shape,
            group: Group::new(streams.partitions()),
            streams,
            logs: places.map(|place| (place, Log::default())).collect(),
            transactions: Transactions::default(),
            names: BTreeMap::new(),
            consumers: Vec::new(),
            producers: Vec::new(),
            deliverers: Vec::new(),
            gave_up: false,
            input_producers: 0,
        }
    }

    pub fn log(&self, topic: Topic, partition: i32) -> &Log {
        &self.logs[&(topic, partition)]
    }

    /// Where the records of a partition are that the group reads.
    pub fn place(&self, partition: PartitionId) -> (Topic, i32) {
        (Topic::named(self.streams.topic(partition.topic)), partition.number)
    }

    pub fn input(&self, partition: PartitionId) -> &Log {
        &self.logs[&self.place(partition)]
    }

    pub fn changelog(&self, partition: PartitionId) -> &Log {
        self.log(Topic::named(&self.streams.plan(partition.topic).changelog), partition.number)
    }

    pub fn log_mut(&mut self, topic: Topic, partition: i32) -> &mut Log {
        self.logs.get_mut(&(topic, partition)).expect("a partition of the topic")
    }

    /// The producer id behind a transactional id.
    pub fn pid(&mut self, name: &str) -> Pid {
        if let Some(pid) = self.names.get(name) {
            return *pid;
        }
        let pid = self.transactions.register();
        self.names.insert(name.to_owned(), pid);
        pid
    }

    /// Whether no transaction is open anywhere.
    pub fn is_quiet(&self) -> bool {
        self.transactions.is_quiet()
            && self.group.pending.is_empty()
            && self.group.is_stable()
            && !self.logs.values().any(Log::has_open)
    }
}

impl State {
    pub fn start_cluster(&mut self) {
        self.after(SCAN_US, Event::Scan);
    }

    pub fn happen(&mut self, event: Event) {
        match event {
            Event::Feed(batch) => self.feed(batch),
            Event::Produce { producer, topic, partition } => self.produce(producer, topic, partition),
            Event::Acknowledge { producer, transaction, count } => self.acknowledge(producer, transaction, count),
            Event::Deliver { deliverer, topic, partition } => self.deliver(deliverer, topic, partition),
            Event::Delivered { deliverer, count } => self.delivered(deliverer, count),
            Event::LateEnd { pid, epoch, commit } => {
                let ended = self.end_transaction(pid, epoch, commit);
                self.note(format_args!("late end of a transaction: pid {pid} commit {commit}: {ended:?}"));
            }
            Event::Mark { pid, place, commit } => self.mark(pid, place, commit),
            Event::Beat(consumer) => self.beat(consumer),
            Event::Sync(sync) => self.sync(sync),
            Event::Scan => self.scan(),
        }
    }

    fn feed(&mut self, batch: Batch) {
        let Batch { topic, partition, contents, transaction } = batch;
        self.note(format_args!("{topic:?} {partition}: {} records, transaction {transaction:?}", contents.len()));
        // The input has producers of its own, whose ids no worker has.
        let pid = usize::MAX - self.cluster.input_producers;
        self.cluster.input_producers += 1;
        let log = self.cluster.log_mut(topic, partition);
        for content in contents {
            match transaction {
                Some(_) => log.append_in_transaction(pid, 0, content),
                None => log.append(content),
            }
        }
        match transaction {
            Some((commit, us)) => self.after(us, Event::Mark { pid, place: Place::Log(topic, partition), commit }),
            None => self.wake_readers(topic, partition),
        }
    }

    /// Consumers that wait for records of a partition find some.
    fn wake_readers(&mut self, topic: Topic, number: i32) {
        let Some(partition) = self.cluster.streams.partition(topic.name(), number) else { return };
        let reads = |consumer: &&Membership| consumer.reads(partition);
        let waiting: Vec<TaskId> =
            self.cluster.consumers.iter().filter(reads).filter_map(|consumer| consumer.waiting).collect();
        for task in waiting {
            let at = self.now_us + self.dice.u64(200..20_000);
            self.wake(task, at);
        }
    }

    fn mark(&mut self, pid: Pid, place: Place, commit: bool) {
        self.note(format_args!("mark: pid {pid} {place:?} commit {commit}"));
        match place {
            Place::Log(topic, partition) => {
                self.cluster.log_mut(topic, partition).mark(pid, commit);
                self.wake_readers(topic, partition);
            }
            Place::Offsets => self.cluster.group.mark(pid, commit),
        }
        self.cluster.transactions.marked(pid, place);
    }

    /// Has marks written, each in its own time.
    pub fn write_marks(&mut self, marks: Marks) {
        let Marks { pid, commit, places } = marks;
        for place in places {
            let us = if self.strikes(|faults| faults.slow_marks) {
                self.dice.u64(10_000..2_000_000)
            } else {
                self.dice.u64(300..3_000)
            };
            self.after(us, Event::Mark { pid, place, commit });
        }
    }

    fn scan(&mut self) {
        self.after(SCAN_US, Event::Scan);
        for marks in self.cluster.transactions.expire(self.now_us, self.cluster.shape.transaction_us) {
            self.note(format_args!("the transaction of pid {} has timed out", marks.pid));
            self.write_marks(marks);
        }
        let gone = self.cluster.group.expire(self.now_us, self.cluster.shape.rebalance_us);
        if gone > 0 {
            self.note(format_args!("{gone} members have left the group"));
            self.complete_rebalance();
        }
    }

    /// Ends a rebalance that everybody has come to, and tells them.
    pub fn complete_rebalance(&mut self) {
        for sync in self.cluster.group.complete() {
            self.note(format_args!(
                "generation {}: consumer {} is assigned {:?}",
                sync.generation, sync.consumer, sync.assigned
            ));
            let us = self.dice.u64(500..20_000);
            self.after(us, Event::Sync(sync));
        }
    }
}
