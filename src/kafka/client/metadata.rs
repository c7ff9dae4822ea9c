//! Asks the brokers about topics and groups, and about this client's rights on them.
//!
//! Brokers tell a client its own rights (KIP-430), so a missing right is found without a trial that leaves traces.
//! rdkafka does not wrap these two calls; this file holds the unsafe code for them.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use rdkafka::bindings as rd;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::metadata::MetadataBroker;
use rdkafka::types::RDKafkaRespErr;

use super::acls::AclOperation;
use super::client_config;
use super::client_config::ClientCallbacks;
use crate::kafka::broker::{BrokerError, ClientError, ErrorClass, TopicInquirer, TopicState, TopicUuid};
use crate::kafka::events::EventListener;
use crate::settings::Settings;

/// How long an answer may come after its own time-out.
const GRACE: Duration = Duration::from_secs(1);
/// The pause between two looks whether the brokers refuse the connection: then no answer will come.
const LOOK: Duration = Duration::from_millis(100);
const METADATA_SLICE: Duration = Duration::from_secs(1);
/// A broker that is listed and lives answers in this time.
const BROKER_PATIENCE_MIN: Duration = Duration::from_secs(1);
/// How many events may have come between two looks.
const EVENTS_MAX: usize = 16;

/// What a broker has answered.
#[derive(Clone, Debug)]
pub(crate) enum Answer<T> {
    Given(T),
    /// The broker refuses the question, for this reason.
    Refused(RDKafkaErrorCode),
}

/// A topic, and what this client may do with it.
#[derive(Clone, Debug)]
pub(crate) struct TopicDescription {
    pub partitions: usize,
    /// The number of copies of the partition that has the fewest.
    pub copies: usize,
    /// `None`: the brokers do not tell it.
    pub id: Option<TopicUuid>,
    pub allowed: AllowedOperations,
}

/// The operations that are allowed; `None`: the brokers do not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AllowedOperations(Option<u32>);

impl AllowedOperations {
    /// Whether an operation is allowed. If the brokers do not tell, it counts as allowed.
    pub(crate) fn has(self, operation: AclOperation) -> bool {
        let bit = match operation {
            AclOperation::Read => rd::rd_kafka_AclOperation_t::RD_KAFKA_ACL_OPERATION_READ,
            AclOperation::Write => rd::rd_kafka_AclOperation_t::RD_KAFKA_ACL_OPERATION_WRITE,
        };
        self.0.is_none_or(|bits| bits & (1 << bit as u32) != 0)
    }

    /// # Safety
    /// `operations` must be null or point to `count` numbers.
    unsafe fn read(operations: *const rd::rd_kafka_AclOperation_t, count: usize) -> Self {
        if operations.is_null() {
            return AllowedOperations(None);
        }
        // As numbers: a later broker may know operations that the enum does not.
        // SAFETY: the enum is `repr(u32)`; the caller vouches for the rest.
        let operations = unsafe { std::slice::from_raw_parts(operations.cast::<u32>(), count) };
        AllowedOperations(Some(
            operations.iter().filter(|number| **number < 32).fold(0, |bits, number| bits | 1 << number),
        ))
    }
}

/// A client that only asks. It never creates a topic.
pub struct MetadataClient {
    consumer: BaseConsumer<ClientCallbacks>,
    /// The broker that has answered last; 0 may be one that has not.
    answering: AtomicI32,
}

impl MetadataClient {
    pub(crate) fn new(settings: &Settings, listener: EventListener) -> Result<Self, ClientError> {
        let consumer = client_config::metadata_client(settings, listener)?;
        Ok(MetadataClient { consumer, answering: AtomicI32::new(0) })
    }

    /// Lets the callbacks of the client run.
    pub(crate) fn poll_events(&self) {
        for _ in 0..EVENTS_MAX {
            // Each poll takes one event; no records come, since no topics are subscribed.
            drop(self.consumer.poll(Duration::ZERO));
        }
    }

    /// Why there is no connection, if that is known.
    pub(crate) fn refusal(&self) -> Option<String> {
        self.poll_events();
        self.consumer.context().refusal()
    }

    /// A topic, or why it cannot be seen.
    ///
    /// # Errors
    /// No broker has answered.
    pub(crate) fn topic(&self, name: &str, patience: Duration) -> Result<Answer<TopicDescription>, RDKafkaErrorCode> {
        let mut found = self.describe_somewhere(&[name], patience)?;
        found.remove(name).ok_or(RDKafkaErrorCode::BadMessage)
    }

    /// Topics by name, or why they cannot be seen, from the first broker that answers: one of those that are listed may
    /// be dead.
    fn describe_somewhere(
        &self,
        names: &[&str],
        patience: Duration,
    ) -> Result<BTreeMap<String, Answer<TopicDescription>>, RDKafkaErrorCode> {
        let Some(first) = names.first() else { return Ok(BTreeMap::new()) };
        let mut brokers = self.brokers(first, patience)?;
        let answering = self.answering.load(Ordering::Relaxed);
        brokers.sort_by_key(|broker| *broker != answering);
        let share = (patience / u32::try_from(brokers.len()).unwrap_or(u32::MAX).max(1)).max(BROKER_PATIENCE_MIN);
        let mut refusal = RDKafkaErrorCode::BrokerNotAvailable;
        for broker in brokers {
            match self.describe(broker, names, share) {
                Ok(found) => {
                    self.answering.store(broker, Ordering::Relaxed);
                    return Ok(found);
                }
                Err(code) => refusal = code,
            }
        }
        Err(refusal)
    }

    /// Topics by name, or why they cannot be seen.
    fn describe(
        &self,
        broker: i32,
        names: &[&str],
        patience: Duration,
    ) -> Result<BTreeMap<String, Answer<TopicDescription>>, RDKafkaErrorCode> {
        let names: Vec<CString> = names.iter().map(|name| c_string(name)).collect();
        let mut pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
        // SAFETY: librdkafka copies the names; the collection outlives the call, which copies it, too. What is read of
        // the answer belongs to the event, which lives until the end of this function.
        unsafe {
            let topics = rd::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
            let topics = Owned::new(topics, rd::rd_kafka_TopicCollection_destroy);
            let answer = self.request(
                rd::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS,
                Some(broker),
                patience,
                |client, options, queue| rd::rd_kafka_DescribeTopics(client, topics.as_ptr(), options, queue),
            )?;
            let result = rd::rd_kafka_event_DescribeTopics_result(answer.as_ptr());
            let mut count = 0;
            let found = rd::rd_kafka_DescribeTopics_result_topics(result, &mut count);
            let described = |index| {
                let topic = *found.add(index);
                let name = CStr::from_ptr(rd::rd_kafka_TopicDescription_name(topic));
                (name.to_string_lossy().into_owned(), topic_of(topic))
            };
            Ok((0..count).map(described).collect())
        }
    }

    /// What this client may do as a member of a group, whether the group exists or not.
    ///
    /// # Errors
    /// No broker has answered.
    pub(crate) fn group(&self, name: &str, patience: Duration) -> Result<Answer<AllowedOperations>, RDKafkaErrorCode> {
        let name = c_string(name);
        let mut names = [name.as_ptr()];
        // SAFETY: as above.
        unsafe {
            let answer = self.request(
                rd::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS,
                None,
                patience,
                |client, options, queue| {
                    rd::rd_kafka_DescribeConsumerGroups(client, names.as_mut_ptr(), names.len(), options, queue);
                },
            )?;
            let result = rd::rd_kafka_event_DescribeConsumerGroups_result(answer.as_ptr());
            let mut count = 0;
            let found = rd::rd_kafka_DescribeConsumerGroups_result_groups(result, &mut count);
            if count == 0 {
                return Err(RDKafkaErrorCode::BadMessage);
            }
            if let Some(code) = code_of(rd::rd_kafka_ConsumerGroupDescription_error(*found)) {
                return Ok(Answer::Refused(code));
            }
            let mut operations = 0;
            let first = rd::rd_kafka_ConsumerGroupDescription_authorized_operations(*found, &mut operations);
            Ok(Answer::Given(AllowedOperations::read(first, operations)))
        }
    }

    /// The brokers, as one of them lists them. By itself librdkafka asks the controller, which an embedded broker does not
    /// name.
    fn brokers(&self, topic: &str, patience: Duration) -> Result<Vec<i32>, RDKafkaErrorCode> {
        let (deadline, refusals) = (Instant::now() + patience, self.consumer.context().refusals());
        loop {
            let error = match self.consumer.fetch_metadata(Some(topic), METADATA_SLICE.min(patience)) {
                Ok(found) => {
                    return Ok(found.brokers().iter().map(MetadataBroker::id).collect());
                }
                Err(error) => error,
            };
            self.poll_events();
            if self.consumer.context().refusals() != refusals || Instant::now() >= deadline {
                return Err(error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::OperationTimedOut));
            }
        }
    }

    /// The first of the brokers.
    pub(crate) fn broker(&self, topic: &str, patience: Duration) -> Result<i32, RDKafkaErrorCode> {
        self.brokers(topic, patience)?.first().copied().ok_or(RDKafkaErrorCode::BrokerNotAvailable)
    }

    /// Sends a question, to a certain broker or to the one that it is for, and waits for the answer.
    fn request(
        &self,
        operation: rd::rd_kafka_admin_op_t,
        broker: Option<i32>,
        patience: Duration,
        send: impl FnOnce(*mut rd::rd_kafka_t, *const rd::rd_kafka_AdminOptions_t, *mut rd::rd_kafka_queue_t),
    ) -> Result<Owned<rd::rd_kafka_event_t>, RDKafkaErrorCode> {
        let client = self.consumer.client().native_ptr();
        let patience_ms = |patience: Duration| i32::try_from(patience.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the client outlives this call, and what is made for it here; what is made is freed once, by its own
        // function; strings of errors are not asked for, so there may be no room for them.
        unsafe {
            let options =
                Owned::new(rd::rd_kafka_AdminOptions_new(client, operation), rd::rd_kafka_AdminOptions_destroy);
            rd::rd_kafka_AdminOptions_set_request_timeout(options.as_ptr(), patience_ms(patience), ptr::null_mut(), 0);
            if let Some(broker) = broker {
                rd::rd_kafka_AdminOptions_set_broker(options.as_ptr(), broker, ptr::null_mut(), 0);
            }
            let refused = rd::rd_kafka_AdminOptions_set_include_authorized_operations(options.as_ptr(), 1);
            if !refused.is_null() {
                rd::rd_kafka_error_destroy(refused);
            }
            let queue = Owned::new(rd::rd_kafka_queue_new(client), rd::rd_kafka_queue_destroy);
            send(client, options.as_ptr(), queue.as_ptr());
            let deadline = Instant::now() + patience + GRACE;
            let refusals = self.consumer.context().refusals();
            let event = loop {
                let event = rd::rd_kafka_queue_poll(queue.as_ptr(), patience_ms(LOOK));
                if !event.is_null() {
                    break event;
                }
                self.poll_events();
                if self.consumer.context().refusals() != refusals || Instant::now() >= deadline {
                    return Err(RDKafkaErrorCode::OperationTimedOut);
                }
            };
            let event = Owned::new(event, rd::rd_kafka_event_destroy);
            match rd::rd_kafka_event_error(event.as_ptr()) {
                RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(event),
                code => Err(code.into()),
            }
        }
    }
}

/// # Safety
/// `topic` must be a description that lives.
unsafe fn topic_of(topic: *const rd::rd_kafka_TopicDescription_t) -> Answer<TopicDescription> {
    // SAFETY: the caller vouches for the description, to which everything that is read belongs.
    unsafe {
        if let Some(code) = code_of(rd::rd_kafka_TopicDescription_error(topic)) {
            return Answer::Refused(code);
        }
        let mut partitions = 0;
        let first = rd::rd_kafka_TopicDescription_partitions(topic, &mut partitions);
        let copies = (0..partitions).map(|index| {
            let mut copies = 0;
            rd::rd_kafka_TopicPartitionInfo_replicas(*first.add(index), &mut copies);
            copies
        });
        let copies = copies.min().unwrap_or_default();
        let mut operations = 0;
        let first = rd::rd_kafka_TopicDescription_authorized_operations(topic, &mut operations);
        let id = rd::rd_kafka_TopicDescription_topic_id(topic);
        let half = |bits: i64| u128::from(bits.cast_unsigned());
        let id = half(rd::rd_kafka_Uuid_most_significant_bits(id)) << 64
            | half(rd::rd_kafka_Uuid_least_significant_bits(id));
        // Brokers before Kafka 2.8 give topics no ids.
        let id = (id != 0).then_some(TopicUuid(id));
        Answer::Given(TopicDescription { partitions, copies, id, allowed: AllowedOperations::read(first, operations) })
    }
}

/// # Safety
/// `error` must be null or an error that lives.
unsafe fn code_of(error: *const rd::rd_kafka_error_t) -> Option<RDKafkaErrorCode> {
    // SAFETY: the caller vouches for it; null is no error to librdkafka.
    match unsafe { rd::rd_kafka_error_code(error) } {
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => None,
        code => Some(code.into()),
    }
}

/// Names of topics and groups hold no zero byte: the settings were checked.
fn c_string(name: &str) -> CString {
    CString::new(name).unwrap_or_default()
}

impl TopicInquirer for MetadataClient {
    fn topics(&self, names: &[&str], patience: Duration) -> Result<BTreeMap<String, TopicState>, BrokerError> {
        let found = self.describe_somewhere(names, patience).map_err(|code| BrokerError {
            class: ErrorClass::Retriable,
            code: Some(code),
            text: code.to_string(),
        })?;
        let state = |(name, answer): (String, Answer<TopicDescription>)| match answer {
            Answer::Given(topic) => {
                Some((name, TopicState { partitions: i32::try_from(topic.partitions).ok()?, id: topic.id }))
            }
            Answer::Refused(_) => None,
        };
        Ok(found.into_iter().filter_map(state).collect())
    }
}

/// An object of librdkafka that has to be freed.
struct Owned<T> {
    pointer: NonNull<T>,
    free: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    /// # Safety
    /// `free` must be what frees `pointer`, and nobody else may.
    unsafe fn new(pointer: *mut T, free: unsafe extern "C" fn(*mut T)) -> Self {
        let pointer = NonNull::new(pointer).expect("librdkafka ends the process if it has no memory");
        Owned { pointer, free }
    }

    fn as_ptr(&self) -> *mut T {
        self.pointer.as_ptr()
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: promised to `new`.
        unsafe { (self.free)(self.pointer.as_ptr()) };
    }
}
