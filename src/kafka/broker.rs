//! What a worker needs of Kafka, as traits. In the service librdkafka stands behind them
//! ([`client`](crate::kafka::client)), in tests a simulated cluster.
//!
//! Everything that decides something is above these traits: what follows from a class of errors, the end of a
//! transaction, the answers to the group, what a restored state must agree with. Topics are numbers here
//! ([`TopicId`](crate::kafka::TopicId)); the implementation knows their names. Time passes through the traits too, so
//! that a simulation can control it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::{Duration, Instant};

use rdkafka::message::Message;
use rdkafka::producer::BaseRecord;
use rdkafka::types::RDKafkaErrorCode;

use crate::kafka::topology::PartitionId;

/// A client could not be created. The text holds no value of a property.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot create a Kafka client: {0}")]
pub struct ClientError(pub(crate) String);

/// What an error requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// The same call has to be repeated, and goes on with it.
    Retriable,
    /// The transaction has to be aborted.
    Abortable,
    /// The client cannot be used any more; what it was doing is in doubt.
    Fatal,
}

/// An error of a client call.
#[derive(Clone, Debug)]
pub struct BrokerError {
    pub class: ErrorClass,
    pub code: Option<RDKafkaErrorCode>,
    pub text: String,
}

impl BrokerError {
    /// Whether the call used all its time. Other calls that are to be repeated return at once, and need a pause.
    pub fn timed_out(&self) -> bool {
        self.code == Some(RDKafkaErrorCode::OperationTimedOut)
    }
}

impl std::error::Error for BrokerError {}

impl fmt::Display for BrokerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What the group requests of a consumer.
#[derive(Clone, Debug)]
pub enum Rebalance {
    Assign(Vec<PartitionId>),
    /// `lost`: the partitions may already be assigned to another member.
    Revoke {
        partitions: Vec<PartitionId>,
        lost: bool,
    },
    Failed(String),
}

/// What the group has committed for a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommittedOffset {
    /// `None`: none yet.
    pub offset: Option<i64>,
    /// The text that was committed with it.
    pub metadata: String,
}

/// The first offset of a partition, and its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffsetBounds {
    pub low: i64,
    pub high: i64,
}

/// A topic as the brokers know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicState {
    pub partitions: i32,
    /// `None`: the brokers do not tell it.
    pub id: Option<TopicUuid>,
}

/// The id that a topic gets when it is created. One that is created again under the same name has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicUuid(pub u128);

/// Records that were taken from the client and are not applied yet, in the order in which they came.
#[derive(Debug)]
pub struct RecordBatch<R> {
    records: VecDeque<(PartitionId, R)>,
}

impl<R> Default for RecordBatch<R> {
    fn default() -> Self {
        RecordBatch { records: VecDeque::new() }
    }
}

impl<R> RecordBatch<R> {
    pub fn push(&mut self, partition: PartitionId, record: R) {
        self.records.push_back((partition, record));
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The next record.
    pub fn first(&self) -> Option<(PartitionId, &R)> {
        self.records.front().map(|(partition, record)| (*partition, record))
    }

    /// The next record, if it is of this partition.
    pub fn first_of(&self, partition: PartitionId) -> Option<&R> {
        self.first().and_then(|(of, record)| (of == partition).then_some(record))
    }

    /// The next records as long as they are of this partition.
    pub fn run_of(&self, partition: PartitionId) -> impl Iterator<Item = &R> {
        self.records.iter().take_while(move |(of, _)| *of == partition).map(|(_, record)| record)
    }

    /// Drops the next record: it was applied, or nobody wants it.
    pub fn pass(&mut self) {
        self.records.pop_front();
    }

    /// Drops the next records as long as they are of this partition.
    pub fn pass_all_of(&mut self, partition: PartitionId) {
        while self.first_of(partition).is_some() {
            self.pass();
        }
    }

    /// Drops the records of these partitions.
    pub fn give_up(&mut self, partitions: &[PartitionId]) {
        self.records.retain(|(partition, _)| !partitions.contains(partition));
    }
}

/// The clients of one worker, and its time.
pub trait KafkaClients: Clone + Send + 'static {
    type Consumer: GroupConsumer + Send + Sync + 'static;
    type Producer: TransactionalProducer<Self::Consumer> + Send + 'static;
    type NonTransactionalProducer: NonTransactionalProducer;
    type Changelog: ChangelogReader;
    type Inquirer: TopicInquirer;

    fn consumer(&self) -> Result<Self::Consumer, ClientError>;
    /// A producer that has not got its transactional id.
    fn producer(&self) -> Result<Self::Producer, ClientError>;
    fn non_transactional_producer(&self) -> Result<Self::NonTransactionalProducer, ClientError>;
    fn changelog(&self) -> Result<Self::Changelog, ClientError>;
    /// A reader of the partitions themselves, not of their changelogs.
    fn history(&self) -> Result<Self::Changelog, ClientError>;

    fn inquirer(&self) -> Result<Self::Inquirer, ClientError>;

    fn now(&self) -> Instant;
    fn sleep(&self, time: Duration);
    /// Runs a job on a thread of its own. Where there can be no other thread, the job is dropped, and that is reported.
    fn spawn(&self, name: &str, job: Box<dyn FnOnce() + Send>);
}

/// A member of the group, with `read_committed`. It fetches only what [`GroupConsumer::fetch`] says.
pub trait GroupConsumer {
    /// It has to be dropped before its consumer.
    type Record: Message;

    fn join(&self) -> Result<(), BrokerError>;
    /// Lets the group's requests and the client's errors come, and takes no record.
    fn poll_group(&self, wait: Duration) -> Result<(), BrokerError>;
    /// The same, and takes the records that are there. Waits only if there is nothing, and also then no record may come.
    fn poll(&self, wait: Duration, batch: &mut RecordBatch<Self::Record>) -> Result<(), BrokerError>;
    /// Ends the wait of the poll that is under way, or that of the next one: something else has happened.
    fn waker(&self) -> Box<dyn Fn() + Send>;
    /// The next request of the group, in order. The group waits for its answer: [`GroupConsumer::accept`] or
    /// [`GroupConsumer::give_up`].
    fn next_rebalance(&self) -> Option<Rebalance>;
    /// The member id of the consumer; `None`: it is not a member now. A new id means that one membership has ended and
    /// another has begun. librdkafka does not tell when this happens during a rebalance: it joins again as if its
    /// partitions were still its own.
    fn member(&self) -> Option<String>;
    /// Accepts an assignment. Nothing of it is fetched yet.
    fn accept(&self) -> Result<(), BrokerError>;
    /// Gives partitions up, of which these were fetched.
    fn give_up(&self, fetched: &[PartitionId]) -> Result<(), BrokerError>;
    /// Fetches partitions, each from this offset on.
    fn fetch(&self, starts: &[(PartitionId, i64)]) -> Result<(), BrokerError>;
    fn pause(&self, partitions: &[PartitionId]) -> Result<(), BrokerError>;
    /// Fetches paused partitions again, each from this offset on.
    fn resume(&self, starts: &[(PartitionId, i64)]) -> Result<(), BrokerError>;
    /// The offsets that the group has committed; an error for partitions whose offset an open transaction may move.
    fn committed(
        &self,
        partitions: &[PartitionId],
        patience: Duration,
    ) -> Result<BTreeMap<PartitionId, Result<CommittedOffset, BrokerError>>, BrokerError>;
    /// The same without waiting for open transactions: the offsets may be about to move, so nothing can start from
    /// them.
    fn committed_unstable(
        &self,
        partitions: &[PartitionId],
        patience: Duration,
    ) -> Result<BTreeMap<PartitionId, CommittedOffset>, BrokerError>;
    fn bounds(&self, partition: PartitionId, patience: Duration) -> Result<OffsetBounds, BrokerError>;
    /// The ends of partitions, read after the call began: behind everything that was written, also in transactions that
    /// are open. Partitions whose end is not known now are left out.
    fn ends(&self, partitions: &[PartitionId], patience: Duration) -> Result<BTreeMap<PartitionId, i64>, BrokerError>;
    /// The last stable offsets of partitions: no open transaction begins before them, and no record behind them can be
    /// read.
    fn stable_ends(
        &self,
        partitions: &[PartitionId],
        patience: Duration,
    ) -> Result<BTreeMap<PartitionId, i64>, BrokerError>;
    /// The sum of the ends of all input partitions. It grows with every record, whichever process reads it, and also
    /// while no process can read it yet.
    fn input_end(&self, patience: Duration) -> Result<i64, BrokerError>;
    /// The next offset that the consumer reads. It skips transaction markers.
    fn positions(&self) -> Result<BTreeMap<PartitionId, i64>, BrokerError>;
    /// From now on the group is answered without asking the worker: everything is given back.
    fn leave(&self) -> Result<(), BrokerError>;
}

/// The offset that a transaction commits for a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionOffset {
    pub partition: PartitionId,
    /// The offset behind the last record.
    pub next_offset: i64,
    /// The text beside the offset.
    pub metadata: String,
}

/// A record to send, borrowed from a buffer.
pub type OutgoingRecord<'a> = BaseRecord<'a, [u8], [u8]>;

/// A producer that reports how each step of its transactions ends.
pub trait TransactionalProducer<C> {
    /// Gets the transactional id, which ends the transaction that its last owner has left open.
    fn init(&self, patience: Duration) -> Result<(), BrokerError>;
    /// Sends no request.
    fn begin(&self) -> Result<(), BrokerError>;
    /// Takes a record, or gives it back with the reason.
    fn send<'a>(&self, record: OutgoingRecord<'a>) -> Result<(), (BrokerError, OutgoingRecord<'a>)>;
    /// Records that no broker has acknowledged or refused yet.
    fn in_flight(&self) -> usize;
    /// The first record of this transaction that was refused.
    fn refused(&self) -> Option<RefusedRecord>;
    /// Sends the offsets, each with its metadata, under the consumer's present membership, if that is `member`.
    fn send_offsets(
        &self,
        offsets: &[PartitionOffset],
        consumer: &C,
        member: &str,
        patience: Duration,
    ) -> Result<(), BrokerError>;
    fn commit(&self, patience: Duration) -> Result<(), BrokerError>;
    fn abort(&self, patience: Duration) -> Result<(), BrokerError>;
    /// How many statistics have come; each covers everything that happened before it: see
    /// [`TransactionalProducer::fault_count`].
    fn report_count(&self) -> u64;
    /// Waits until so many statistics have come; whether they have, in time.
    fn await_reports(&self, count: u64, patience: Duration) -> bool;
    /// Requests that were repeated or timed out, and connections that broke.
    fn fault_count(&self) -> u64;
}

/// A producer whose records are visible at once, outside of transactions.
pub trait NonTransactionalProducer {
    /// Takes a record, or gives it back with the reason.
    fn send<'a>(&self, record: OutgoingRecord<'a>) -> Result<(), (BrokerError, OutgoingRecord<'a>)>;
    /// Records that no broker has acknowledged or refused yet.
    fn in_flight(&self) -> usize;
    /// The first record that was refused since the last call.
    fn take_refused(&self) -> Option<RefusedRecord>;
}

/// A record that a broker, or the client, has refused.
#[derive(Clone, Debug)]
pub struct RefusedRecord {
    pub topic: String,
    pub code: Option<RDKafkaErrorCode>,
    pub text: String,
}

/// Reads changelog partitions, or the partitions that they belong to, one at a time, with `read_committed`.
pub trait ChangelogReader {
    type Record<'a>: Message
    where
        Self: 'a;

    /// The end of a partition, including what is not committed.
    fn end(&self, partition: PartitionId, patience: Duration) -> Result<i64, BrokerError>;
    /// The first offset, and the last stable offset: no open transaction begins before it.
    fn stable(&self, partition: PartitionId, patience: Duration) -> Result<OffsetBounds, BrokerError>;
    /// Reads a partition from an offset on, instead of the one before.
    fn open(&self, partition: PartitionId, offset: i64) -> Result<(), BrokerError>;
    fn poll(&self, wait: Duration) -> Option<Result<Self::Record<'_>, BrokerError>>;
    /// The next offset that is read, behind transaction markers; `None` until a record was found.
    fn position(&self, partition: PartitionId) -> Result<Option<i64>, BrokerError>;
}

/// Asks what the brokers know of topics; on a thread of its own, since it may wait.
pub trait TopicInquirer: Send + Sync + 'static {
    /// The topics of these names. One that is missing, or that cannot be seen, is left out.
    fn topics(&self, names: &[&str], patience: Duration) -> Result<BTreeMap<String, TopicState>, BrokerError>;
}
