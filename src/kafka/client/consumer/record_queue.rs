//! The queue through which a consumer's records come, and a record that was taken from it. All unsafe code of the way from
//! librdkafka to the worker is here.
//!
//! Its safety rests on this:
//! - A [`RecordQueue`] keeps its client: the client's native handle lives at least as long as the queue's. The queue's
//!   handle is given back before the client can go, since librdkafka would wait for it without end.
//! - librdkafka calls the callback of a queue only while it holds the queue's lock, which is also taken to remove the
//!   callback: after the removal nothing uses the [`Arrival`] that it was given.
//! - A message belongs to whom it was given, is not changed by anybody else, and is destroyed once, by [`TakenRecord`].
//!   Until then its bytes, its headers and the handle of its topic stay where they are. Everything may be called from any
//!   thread.

use std::ffi::{CStr, CString, c_void};
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::Arc;

use rdkafka::Timestamp;
use rdkafka::bindings::{
    rd_kafka_consume_batch_queue, rd_kafka_header_cnt, rd_kafka_header_get_all, rd_kafka_headers_t,
    rd_kafka_message_destroy, rd_kafka_message_headers, rd_kafka_message_t, rd_kafka_message_timestamp,
    rd_kafka_queue_cb_event_enable, rd_kafka_queue_destroy, rd_kafka_queue_forward, rd_kafka_queue_get_partition,
    rd_kafka_queue_new, rd_kafka_queue_t, rd_kafka_s, rd_kafka_timestamp_type_t, rd_kafka_topic_name, rd_kafka_topic_s,
};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{Header, Headers, Message};
use rdkafka::types::RDKafkaRespErr;

use super::arrival::Arrival;

/// How many records are taken at a time.
const BATCH: usize = 1_024;

/// The queue to which the queues of partitions are forwarded. Not the client's own, which has also what the group requests.
pub(super) struct RecordQueue<C: ConsumerContext + 'static> {
    queue: NonNull<rd_kafka_queue_t>,
    /// Given to the queue's callback.
    _arrival: Arc<Arrival>,
    client: Arc<BaseConsumer<C>>,
}

// SAFETY: librdkafka's queues may be used from any thread; nothing else in it is not `Send`.
unsafe impl<C: ConsumerContext + 'static> Send for RecordQueue<C> {}
// SAFETY: likewise; the calls lock.
unsafe impl<C: ConsumerContext + 'static> Sync for RecordQueue<C> {}

unsafe extern "C" fn has_come(_: *mut rd_kafka_s, arrival: *mut c_void) {
    // SAFETY: it is the queue's `Arrival`, which lives as long as the callback is set.
    unsafe { &*arrival.cast::<Arrival>() }.give();
}

impl<C: ConsumerContext + 'static> RecordQueue<C> {
    /// `arrival` is told when the queue is not empty any more. `None`: there is no memory.
    pub(super) fn new(client: Arc<BaseConsumer<C>>, arrival: Arc<Arrival>) -> Option<Self> {
        // SAFETY: the client lives; the queue lives, and so does the `Arrival`, which is given away as shared.
        let queue = unsafe {
            let queue = NonNull::new(rd_kafka_queue_new(client.client().native_ptr()))?;
            let opaque = Arc::as_ptr(&arrival).cast_mut().cast();
            rd_kafka_queue_cb_event_enable(queue.as_ptr(), Some(has_come), opaque);
            queue
        };
        Some(RecordQueue { queue, _arrival: arrival, client })
    }

    /// From now on the records of a partition come here. librdkafka ends that when the partition is not fetched any more.
    pub(super) fn forward(&self, topic: &str, partition: i32) {
        let Ok(topic) = CString::new(topic) else { return };
        // SAFETY: client and queue live; the handle of the partition's queue is given back once.
        unsafe {
            let client = self.client.client().native_ptr();
            let of_partition = rd_kafka_queue_get_partition(client, topic.as_ptr(), partition);
            if !of_partition.is_null() {
                rd_kafka_queue_forward(of_partition, self.queue.as_ptr());
                rd_kafka_queue_destroy(of_partition);
            }
        }
    }

    /// Takes what is there, without waiting for more.
    pub(super) fn take(&self, mut each: impl FnMut(Taken)) {
        let mut messages = [ptr::null_mut(); BATCH];
        // SAFETY: the queue lives, and the array has room for as many messages as are asked for.
        let count = unsafe { rd_kafka_consume_batch_queue(self.queue.as_ptr(), 0, messages.as_mut_ptr(), BATCH) };
        for message in &messages[..usize::try_from(count).unwrap_or_default()] {
            if let Some(message) = NonNull::new(*message) {
                each(Taken::of(TakenRecord { message }));
            }
        }
    }
}

impl<C: ConsumerContext + 'static> Drop for RecordQueue<C> {
    fn drop(&mut self) {
        // SAFETY: the queue lives until the second call; after the first the callback is not called any more.
        unsafe {
            rd_kafka_queue_cb_event_enable(self.queue.as_ptr(), None, ptr::null_mut());
            rd_kafka_queue_destroy(self.queue.as_ptr());
        }
    }
}

/// What was taken from the queue.
pub(super) enum Taken {
    Record(TakenRecord),
    /// An error of a partition, in the shape of a record: at its offset there is none.
    Error(RDKafkaErrorCode, TakenRecord),
}

impl Taken {
    fn of(record: TakenRecord) -> Self {
        match record.native().err {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => Taken::Record(record),
            error => Taken::Error(error.into(), record),
        }
    }
}

/// A record that belongs to its taker. It has to go before its client, which waits for it.
pub struct TakenRecord {
    message: NonNull<rd_kafka_message_t>,
}

// SAFETY: a message belongs to one owner, and librdkafka lets any thread read and destroy it.
unsafe impl Send for TakenRecord {}

impl TakenRecord {
    fn native(&self) -> &rd_kafka_message_t {
        // SAFETY: the message lives as long as this.
        unsafe { self.message.as_ref() }
    }

    /// The handle of its topic: equal for records of the same topic, as long as one of them lives. Null: an error that is
    /// not about a topic.
    pub(super) fn topic_handle(&self) -> *const rd_kafka_topic_s {
        self.native().rkt
    }
}

impl Drop for TakenRecord {
    fn drop(&mut self) {
        // SAFETY: it is destroyed once, and not used after this.
        unsafe { rd_kafka_message_destroy(self.message.as_ptr()) };
    }
}

impl Message for TakenRecord {
    type Headers = TakenHeaders;

    fn key(&self) -> Option<&[u8]> {
        let native = self.native();
        // SAFETY: unless null, it points to as many bytes, which live as long as the message.
        NonNull::new(native.key).map(|key| unsafe { slice::from_raw_parts(key.as_ptr().cast(), native.key_len) })
    }

    fn payload(&self) -> Option<&[u8]> {
        let native = self.native();
        // SAFETY: unless null, it points to as many bytes, which live as long as the message.
        NonNull::new(native.payload).map(|value| unsafe { slice::from_raw_parts(value.as_ptr().cast(), native.len) })
    }

    unsafe fn payload_mut(&mut self) -> Option<&mut [u8]> {
        // Nobody needs it, and other records may share the buffer.
        None
    }

    fn topic(&self) -> &str {
        if self.native().rkt.is_null() {
            return "";
        }
        // SAFETY: the name is a C string that lives as long as the topic's handle, which the message keeps.
        unsafe { CStr::from_ptr(rd_kafka_topic_name(self.native().rkt)) }.to_str().unwrap_or_default()
    }

    fn partition(&self) -> i32 {
        self.native().partition
    }

    fn offset(&self) -> i64 {
        self.native().offset
    }

    fn timestamp(&self) -> Timestamp {
        let mut time_type = rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message lives, and so does the variable.
        let at = unsafe { rd_kafka_message_timestamp(self.message.as_ptr(), &raw mut time_type) };
        match time_type {
            _ if at == -1 => Timestamp::NotAvailable,
            rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE => Timestamp::NotAvailable,
            rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_CREATE_TIME => Timestamp::CreateTime(at),
            rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME => Timestamp::LogAppendTime(at),
        }
    }

    fn headers(&self) -> Option<&TakenHeaders> {
        let mut headers = ptr::null_mut();
        // SAFETY: the message lives. librdkafka reads the headers at the first call, and keeps them as long as the message.
        unsafe {
            match rd_kafka_message_headers(self.message.as_ptr(), &raw mut headers) {
                RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => headers.cast::<TakenHeaders>().as_ref(),
                _ => None,
            }
        }
    }
}

/// The headers of a record: what librdkafka has read of them, by reference.
#[repr(transparent)]
pub struct TakenHeaders(rd_kafka_headers_t);

impl Headers for TakenHeaders {
    fn count(&self) -> usize {
        // SAFETY: the headers live as long as this is borrowed.
        unsafe { rd_kafka_header_cnt(&raw const self.0) }
    }

    fn try_get(&self, index: usize) -> Option<Header<'_, &[u8]>> {
        let (mut name, mut value, mut length) = (ptr::null(), ptr::null(), 0);
        // SAFETY: the headers live as long as this is borrowed, and with them name and value. A name is a C string; unless
        // null, a value has as many bytes.
        unsafe {
            let headers = &raw const self.0;
            match rd_kafka_header_get_all(headers, index, &raw mut name, &raw mut value, &raw mut length) {
                RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => Some(Header {
                    // A name that is not text is nobody's that we know.
                    key: CStr::from_ptr(name).to_str().unwrap_or_default(),
                    value: (!value.is_null()).then(|| slice::from_raw_parts(value.cast(), length)),
                }),
                _ => None,
            }
        }
    }
}
