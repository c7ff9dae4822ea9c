//! Rights given and taken through librdkafka's own calls, which rdkafka does not wrap.

use std::ffi::CString;
use std::ptr;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::admin::AdminClient;
use rdkafka::bindings as rd;
use rdkafka::client::DefaultClientContext;

use super::broker::Broker;
use super::client::config;
use super::service::Setup;

pub use rd::rd_kafka_AclOperation_t::{
    RD_KAFKA_ACL_OPERATION_CREATE as CREATE, RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS as DESCRIBE_CONFIGS,
    RD_KAFKA_ACL_OPERATION_READ as READ, RD_KAFKA_ACL_OPERATION_WRITE as WRITE,
};
use rd::rd_kafka_AclPermissionType_t::RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW as ALLOW;
use rd::rd_kafka_ResourcePatternType_t::{
    RD_KAFKA_RESOURCE_PATTERN_LITERAL as LITERAL, RD_KAFKA_RESOURCE_PATTERN_PREFIXED as PREFIXED,
};
use rd::rd_kafka_ResourceType_t::{
    RD_KAFKA_RESOURCE_GROUP as GROUP, RD_KAFKA_RESOURCE_TOPIC as TOPIC, RD_KAFKA_RESOURCE_TRANSACTIONAL_ID as ID,
};

const PATIENCE_MS: i32 = 30_000;

/// One line of the access control list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acl {
    kind: rd::rd_kafka_ResourceType_t,
    pub name: String,
    pattern: rd::rd_kafka_ResourcePatternType_t,
    operation: rd::rd_kafka_AclOperation_t,
}

impl Acl {
    pub fn topic(name: String, operation: rd::rd_kafka_AclOperation_t) -> Acl {
        Acl { kind: TOPIC, name, pattern: LITERAL, operation }
    }

    pub fn groups(prefix: String) -> Acl {
        Acl { kind: GROUP, name: prefix, pattern: PREFIXED, operation: READ }
    }

    pub fn transactional_ids(prefix: String) -> Acl {
        Acl { kind: ID, name: prefix, pattern: PREFIXED, operation: WRITE }
    }
}

/// What the service needs, and nothing else: the table of operations.md.
pub fn minimal(setup: &Setup) -> Vec<Acl> {
    vec![
        Acl::topic(setup.topic("events"), READ),
        Acl::topic(setup.topic("changes"), WRITE),
        Acl::topic(setup.topic("tags"), WRITE),
        Acl::topic(setup.topic("changelog"), READ),
        Acl::topic(setup.topic("changelog"), WRITE),
        Acl::topic(setup.topic("dead-letter"), WRITE),
        Acl::groups(setup.application.clone()),
        Acl::transactional_ids(format!("{}-", setup.application)),
    ]
}

/// Gives rights to a user, and waits until the broker knows of them.
pub fn give(broker: &Broker, user: &str, acls: &[Acl]) {
    let clerk = Clerk::new(broker, user);
    clerk.create(acls);
    acls.iter().for_each(|acl| clerk.await_count(acl, 1));
}

/// Takes rights away, and waits until the broker knows of it.
pub fn take(broker: &Broker, user: &str, acls: &[Acl]) {
    let clerk = Clerk::new(broker, user);
    clerk.delete(acls);
    acls.iter().for_each(|acl| clerk.await_count(acl, 0));
}

struct Clerk {
    admin: AdminClient<DefaultClientContext>,
    principal: CString,
}

impl Clerk {
    fn new(broker: &Broker, user: &str) -> Clerk {
        let principal = CString::new(format!("User:{user}")).expect("a name");
        Clerk { admin: config(broker).create().expect("an admin client"), principal }
    }

    fn create(&self, acls: &[Acl]) {
        let mut bindings: Vec<_> = acls.iter().map(|acl| self.native(acl, rd::rd_kafka_AclBinding_new)).collect();
        self.ask(|client, queue| {
            // SAFETY: the bindings are live, and the call copies them.
            unsafe { rd::rd_kafka_CreateAcls(client, bindings.as_mut_ptr(), bindings.len(), ptr::null(), queue) };
        });
        // SAFETY: made above, and nobody has them any more.
        bindings.into_iter().for_each(|binding| unsafe { rd::rd_kafka_AclBinding_destroy(binding) });
    }

    fn delete(&self, acls: &[Acl]) {
        let mut filters: Vec<_> = acls.iter().map(|acl| self.native(acl, rd::rd_kafka_AclBindingFilter_new)).collect();
        self.ask(|client, queue| {
            // SAFETY: as in `create`.
            unsafe { rd::rd_kafka_DeleteAcls(client, filters.as_mut_ptr(), filters.len(), ptr::null(), queue) };
        });
        // SAFETY: as in `create`.
        filters.into_iter().for_each(|filter| unsafe { rd::rd_kafka_AclBinding_destroy(filter) });
    }

    fn await_count(&self, acl: &Acl, wanted: usize) {
        let deadline = Instant::now() + Duration::from_millis(PATIENCE_MS as u64);
        loop {
            let filter = self.native(acl, rd::rd_kafka_AclBindingFilter_new);
            let event = self.ask(|client, queue| {
                // SAFETY: the filter is live, and the call copies it.
                unsafe { rd::rd_kafka_DescribeAcls(client, filter, ptr::null(), queue) };
            });
            let mut count = 0;
            // SAFETY: the event is of the call above; the filter was made here.
            unsafe {
                rd::rd_kafka_DescribeAcls_result_acls(rd::rd_kafka_event_DescribeAcls_result(event.0), &mut count);
                rd::rd_kafka_AclBinding_destroy(filter);
            }
            if count == wanted {
                return;
            }
            assert!(Instant::now() < deadline, "{acl:?} is there {count} times, not {wanted}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn native<T>(
        &self,
        acl: &Acl,
        make: unsafe extern "C" fn(
            rd::rd_kafka_ResourceType_t,
            *const std::ffi::c_char,
            rd::rd_kafka_ResourcePatternType_t,
            *const std::ffi::c_char,
            *const std::ffi::c_char,
            rd::rd_kafka_AclOperation_t,
            rd::rd_kafka_AclPermissionType_t,
            *mut std::ffi::c_char,
            usize,
        ) -> *mut T,
    ) -> *mut T {
        let name = CString::new(acl.name.as_str()).expect("a name");
        let (principal, host) = (self.principal.as_ptr(), c"*".as_ptr());
        // SAFETY: the strings are live, and copied; there is no room for the words of an error.
        let made = unsafe {
            make(acl.kind, name.as_ptr(), acl.pattern, principal, host, acl.operation, ALLOW, ptr::null_mut(), 0)
        };
        assert!(!made.is_null(), "{acl:?} is refused");
        made
    }

    fn ask(&self, send: impl FnOnce(*mut rd::rd_kafka_t, *mut rd::rd_kafka_queue_t)) -> Event {
        let client = self.admin.inner().native_ptr();
        // SAFETY: the client outlives the queue, which is freed once.
        unsafe {
            let queue = rd::rd_kafka_queue_new(client);
            send(client, queue);
            let event = rd::rd_kafka_queue_poll(queue, PATIENCE_MS);
            rd::rd_kafka_queue_destroy(queue);
            assert!(!event.is_null(), "no answer about rights");
            let event = Event(event);
            assert_eq!(rd::rd_kafka_event_error(event.0), rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR);
            event
        }
    }
}

struct Event(*mut rd::rd_kafka_event_t);

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: it was polled, and nobody else has it.
        unsafe { rd::rd_kafka_event_destroy(self.0) };
    }
}
