//! What a worker needs of Kafka, as traits: librdkafka stands behind them in the service ([`crate::kafka::client::producer`]), a
//! simulated cluster in tests.
//!
//! The cut lies below everything that decides something: the classes of errors, the end of a transaction, the answers
//! to the group, what a restored state must agree with are all above it. Topics are numbers here ([`super::Stream`]); their
//! names are known to whoever made the wire. Time passes through it too, so that a simulation can own it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use rdkafka::message::{BorrowedMessage, Message, OwnedMessage};
use rdkafka::producer::BaseRecord;
use rdkafka::types::RDKafkaErrorCode;

use crate::kafka::topology::PartitionId;

/// A client could not be made. The words hold no value of a property.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot make a Kafka client: {0}")]
pub struct ClientError(pub(crate) String);

/// What an error asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// The same call again goes on with it.
    Retriable,
    /// The transaction has to be aborted, and can be.
    Abortable,
    /// The client is of no use any more; what it was doing is in doubt.
    Fatal,
}

/// An error of a client, in the words that matter here.
#[derive(Clone, Debug)]
pub struct BrokerError {
    pub class: ErrorClass,
    pub code: Option<RDKafkaErrorCode>,
    pub text: String,
}

impl BrokerError {
    /// Whether a call used its time up: others that are to be repeated came back at once, and need a pause.
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

/// What the group wants of a consumer.
#[derive(Clone, Debug)]
pub enum Rebalance {
    Assign(Vec<PartitionId>),
    /// `lost`: the partitions may already be somebody else's.
    Revoke {
        partitions: Vec<PartitionId>,
        lost: bool,
    },
    Failed(String),
}

/// What the group has committed for a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommittedOffset {
    /// `None`: nothing yet.
    pub offset: Option<i64>,
    /// What was written beside it.
    pub metadata: String,
}

/// Where a partition begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffsetBounds {
    pub low: i64,
    pub high: i64,
}

/// A record as it was polled, which may be borrowed from the client.
pub trait PolledRecord: Message {
    /// A copy that can wait.
    fn detach(&self) -> OwnedMessage;
}

impl PolledRecord for BorrowedMessage<'_> {
    fn detach(&self) -> OwnedMessage {
        BorrowedMessage::detach(self)
    }
}

impl PolledRecord for OwnedMessage {
    fn detach(&self) -> OwnedMessage {
        self.clone()
    }
}

/// The clients of one worker, and its time.
pub trait KafkaClients: Clone + Send + 'static {
    type Consumer: GroupConsumer;
    type Producer: TransactionalProducer<Self::Consumer>;
    type NonTransactionalProducer: NonTransactionalProducer;
    type Changelog: ChangelogReader;

    fn consumer(&self) -> Result<Self::Consumer, ClientError>;
    /// A producer that has yet to get its transactional id.
    fn producer(&self) -> Result<Self::Producer, ClientError>;
    fn non_transactional_producer(&self) -> Result<Self::NonTransactionalProducer, ClientError>;
    fn changelog(&self) -> Result<Self::Changelog, ClientError>;
    /// A reader of what the partitions themselves hold, where the other reads what their changelogs do.
    fn history(&self) -> Result<Self::Changelog, ClientError>;

    fn now(&self) -> Instant;
    fn sleep(&self, time: Duration);
    /// Runs something beside the worker. It ends by itself.
    fn spawn(&self, name: &str, job: Box<dyn FnOnce() + Send>);
}

/// A member of the group that reads the input, read_committed. Nothing is fetched but what [`GroupConsumer::fetch`]
/// says.
pub trait GroupConsumer {
    type Record<'a>: PolledRecord
    where
        Self: 'a;

    fn join(&self) -> Result<(), BrokerError>;
    /// `None` says nothing about whether there is more to read.
    fn poll(&self, wait: Duration) -> Option<Result<Self::Record<'_>, BrokerError>>;
    /// What the group wants, in order. Until it is answered, by [`GroupConsumer::accept`] or
    /// [`GroupConsumer::give_up`], the group waits.
    fn next_rebalance(&self) -> Option<Rebalance>;
    /// Who the consumer is to the group; `None`: nobody now. A name that changes tells that a membership has ended and
    /// another has begun. librdkafka does not tell that of itself where it happens during a rebalance: it joins again
    /// as if what it had were still its own.
    fn member(&self) -> Option<String>;
    /// Takes what was assigned, of which nothing is fetched yet.
    fn accept(&self) -> Result<(), BrokerError>;
    /// Gives partitions up, of which these were fetched.
    fn give_up(&self, fetched: &[PartitionId]) -> Result<(), BrokerError>;
    /// Fetches partitions, each from an offset on.
    fn fetch(&self, starts: &[(PartitionId, i64)]) -> Result<(), BrokerError>;
    fn pause(&self, partitions: &[PartitionId]) -> Result<(), BrokerError>;
    fn resume(&self, partitions: &[PartitionId]) -> Result<(), BrokerError>;
    /// What the group has committed, by partition; an error while a transaction that may move it is open.
    fn committed(
        &self,
        partitions: &[PartitionId],
        patience: Duration,
    ) -> Result<BTreeMap<PartitionId, Result<CommittedOffset, BrokerError>>, BrokerError>;
    /// The same without waiting: what a transaction that is open may be about to move. Nothing can begin there.
    fn committed_unstable(
        &self,
        partitions: &[PartitionId],
        patience: Duration,
    ) -> Result<BTreeMap<PartitionId, CommittedOffset>, BrokerError>;
    fn bounds(&self, partition: PartitionId, patience: Duration) -> Result<OffsetBounds, BrokerError>;
    /// The ends of partitions, as they are after the call began; those that are not known now are left out.
    fn ends(&self, partitions: &[PartitionId], patience: Duration) -> Result<BTreeMap<PartitionId, i64>, BrokerError>;
    /// The ends of all partitions of the input together: it grows when a record comes to any of them, whoever reads it.
    fn input_end(&self, patience: Duration) -> Result<i64, BrokerError>;
    /// Where the consumer is about to read. It steps over what is no record.
    fn positions(&self) -> Result<BTreeMap<PartitionId, i64>, BrokerError>;
    /// From now on the group is answered without asking the worker, and gets everything back.
    fn leave(&self) -> Result<(), BrokerError>;
}

/// The part of a partition in a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionOffset {
    pub partition: PartitionId,
    /// The first record that is not behind it.
    pub next_offset: i64,
    /// What is to stand beside the offset.
    pub metadata: String,
}

/// A record to be sent, on its way borrowed from a body.
pub type OutgoingRecord<'a> = BaseRecord<'a, [u8], [u8]>;

/// A producer that says what became of each step of its transactions.
pub trait TransactionalProducer<C> {
    /// Gets the transactional id, which ends whatever its last owner has left open.
    fn init(&self, patience: Duration) -> Result<(), BrokerError>;
    /// Local: no broker hears of it yet.
    fn begin(&self) -> Result<(), BrokerError>;
    /// Takes a record; gives it back, with the reason, if it cannot.
    fn send<'a>(&self, record: OutgoingRecord<'a>) -> Result<(), (BrokerError, OutgoingRecord<'a>)>;
    /// Records that no broker has answered for yet.
    fn in_flight(&self) -> usize;
    /// The first record of this transaction that was refused.
    fn refused(&self) -> Option<RefusedRecord>;
    /// Sends the next offsets, each with its metadata, in the name of the consumer as the group knows it now, as long
    /// as it is this member.
    fn send_offsets(
        &self,
        offsets: &[PartitionOffset],
        consumer: &C,
        member: &str,
        patience: Duration,
    ) -> Result<(), BrokerError>;
    fn commit(&self, patience: Duration) -> Result<(), BrokerError>;
    fn abort(&self, patience: Duration) -> Result<(), BrokerError>;
    /// How many reports of [`TransactionalProducer::fault_count`] there have been: each tells all that happened before it.
    fn report_count(&self) -> u64;
    /// Requests that were sent again or timed out, connections that broke.
    fn fault_count(&self) -> u64;
}

/// A producer whose records are seen at once, in no transaction.
pub trait NonTransactionalProducer {
    /// Takes a record; gives it back, with the reason, if it cannot.
    fn send<'a>(&self, record: OutgoingRecord<'a>) -> Result<(), (BrokerError, OutgoingRecord<'a>)>;
    /// Records that no broker has answered for yet.
    fn in_flight(&self) -> usize;
    /// The first record that was refused since the last call.
    fn take_refused(&self) -> Option<RefusedRecord>;
}

/// A record that a broker, or the client, would not take.
#[derive(Clone, Debug)]
pub struct RefusedRecord {
    pub topic: String,
    pub code: Option<RDKafkaErrorCode>,
    pub text: String,
}

/// Reads changelog partitions, or those whose changelogs they are, one at a time, read_committed.
pub trait ChangelogReader {
    type Record<'a>: PolledRecord
    where
        Self: 'a;

    /// The end of a partition, with what is not committed yet.
    fn end(&self, partition: PartitionId, patience: Duration) -> Result<i64, BrokerError>;
    /// The first offset, and the end of what is decided: no open transaction begins before it.
    fn stable(&self, partition: PartitionId, patience: Duration) -> Result<OffsetBounds, BrokerError>;
    /// Reads a partition from an offset on, and no other.
    fn open(&self, partition: PartitionId, offset: i64) -> Result<(), BrokerError>;
    fn poll(&self, wait: Duration) -> Option<Result<Self::Record<'_>, BrokerError>>;
    /// Where the reader is about to read, behind what is no record; `None` until it has found something.
    fn position(&self, partition: PartitionId) -> Result<Option<i64>, BrokerError>;
}
