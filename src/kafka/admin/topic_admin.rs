//! Creates topics and reads their settings: the calls for which rdkafka returns a future, awaited on this thread.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, NewTopic, ResourceSpecifier};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::kafka::broker::ClientError;
use crate::kafka::client::ClientCallbacks;
use crate::kafka::client::client_config;
use crate::kafka::events::EventListener;
use crate::settings::Settings;

pub(super) struct TopicAdmin {
    client: AdminClient<ClientCallbacks>,
}

impl TopicAdmin {
    pub(super) fn new(settings: &Settings, listener: EventListener) -> Result<Self, ClientError> {
        let (config, callbacks) = client_config::admin(settings, listener);
        Ok(TopicAdmin { client: AdminClient::from_config_and_context(&config, callbacks)? })
    }

    /// The settings of a topic, from a broker. `None`: this client has no right to read them.
    ///
    /// # Errors
    /// There is no answer, or an error.
    pub(super) fn configs(
        &self,
        topic: &str,
        broker: i32,
        patience: Duration,
    ) -> Result<Option<ConfigResource>, RDKafkaErrorCode> {
        let options = AdminOptions::new().request_timeout(Some(patience)).broker_id(broker);
        match block_on(self.client.describe_configs([&ResourceSpecifier::Topic(topic)], &options)) {
            // rdkafka hides that the topic was refused: then the list of settings is empty.
            Ok(mut topics) => Ok(topics.pop().and_then(Result::ok).filter(|topic| !topic.entries.is_empty())),
            Err(KafkaError::AdminOp(code)) => Err(code),
            Err(_) => Err(RDKafkaErrorCode::Fail),
        }
    }

    /// Creates a topic, or only checks whether it could be created.
    ///
    /// # Errors
    /// Why it is not created.
    pub(super) fn create(
        &self,
        topic: &NewTopic<'_>,
        validate_only: bool,
        patience: Duration,
    ) -> Result<(), KafkaError> {
        let options = AdminOptions::new()
            .request_timeout(Some(patience))
            .operation_timeout(Some(patience))
            .validate_only(validate_only);
        match block_on(self.client.create_topics([topic], &options))?.pop() {
            Some(Ok(_)) => Ok(()),
            Some(Err((_, code))) => Err(KafkaError::AdminOp(code)),
            None => Err(KafkaError::AdminOp(RDKafkaErrorCode::BadMessage)),
        }
    }
}

/// Waits for a future on this thread.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(answer) => return answer,
            Poll::Pending => thread::park(),
        }
    }
}
