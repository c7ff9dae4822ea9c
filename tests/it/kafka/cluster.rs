//! Three brokers that tests stop one at a time: whom to stop, and when all copies are there again.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

use super::broker::{Bootstrap, Broker};

const BROKERS: usize = 3;
const PATIENCE: Duration = Duration::from_secs(90);

/// A cluster in which every partition has three copies and two must be in step.
pub struct Cluster {
    brokers: Vec<Broker>,
}

impl Bootstrap for Cluster {
    fn bootstrap(&self) -> String {
        self.brokers.iter().map(Broker::address).collect::<Vec<_>>().join(",")
    }
}

/// The one cluster that the tests of this process share, for one of them at a time.
pub fn exclusive() -> MutexGuard<'static, Cluster> {
    static SHARED: OnceLock<Mutex<Cluster>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| Mutex::new(Cluster::start()));
    let mut cluster = shared.lock().unwrap_or_else(PoisonError::into_inner);
    if shared.is_poisoned() {
        // A test has failed, and who knows what it had stopped.
        *cluster = Cluster::start();
        shared.clear_poison();
    }
    cluster
}

/// What a broker is responsible for.
#[derive(Clone, Copy, Debug)]
pub enum Duty<'a> {
    Leads(&'a str, i32),
    CoordinatesGroup(&'a str),
    CoordinatesTransactions(&'a str),
}

impl Cluster {
    fn start() -> Cluster {
        let cluster = Cluster { brokers: Broker::start_cluster(BROKERS) };
        cluster.await_copies();
        cluster
    }

    pub fn broker(&mut self, index: usize) -> &mut Broker {
        &mut self.brokers[index]
    }

    /// Which of the brokers does it now; `None`: nobody, at the moment.
    pub fn who(&self, duty: Duty<'_>) -> Option<usize> {
        let (topic, partition) = match duty {
            Duty::Leads(topic, partition) => (topic, partition),
            Duty::CoordinatesGroup(group) => ("__consumer_offsets", self.place("__consumer_offsets", group)?),
            Duty::CoordinatesTransactions(id) => ("__transaction_state", self.place("__transaction_state", id)?),
        };
        let metadata = self.client().fetch_metadata(Some(topic), PATIENCE).ok()?;
        let partition = metadata.topics()[0].partitions().iter().find(|found| found.id() == partition)?;
        usize::try_from(partition.leader() - 1).ok()
    }

    /// Where a coordinator keeps what it knows of a name: Java's `hashCode` decides.
    fn place(&self, topic: &str, name: &str) -> Option<i32> {
        let metadata = self.client().fetch_metadata(Some(topic), PATIENCE).ok()?;
        let partitions = metadata.topics()[0].partitions().len() as i32;
        let hash = name.bytes().fold(0_i32, |hash, byte| hash.wrapping_mul(31).wrapping_add(i32::from(byte)));
        (partitions > 0).then(|| (hash & i32::MAX) % partitions)
    }

    /// Waits until every partition of every topic has all its copies in step: then one broker may go.
    pub fn await_copies(&self) {
        let deadline = Instant::now() + PATIENCE;
        let client = self.client();
        loop {
            let behind = match client.fetch_metadata(None, Duration::from_secs(5)) {
                Err(error) => vec![error.to_string()],
                Ok(metadata) if metadata.brokers().len() < BROKERS => vec!["a broker is missing".to_owned()],
                Ok(metadata) => metadata
                    .topics()
                    .iter()
                    .flat_map(|topic| topic.partitions().iter().map(move |partition| (topic.name(), partition)))
                    .filter(|(_, partition)| partition.isr().len() < partition.replicas().len())
                    .map(|(topic, partition)| format!("{topic} {}", partition.id()))
                    .collect(),
            };
            if behind.is_empty() {
                return;
            }
            assert!(Instant::now() < deadline, "copies are missing: {behind:?}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn client(&self) -> BaseConsumer {
        ClientConfig::new().set("bootstrap.servers", self.bootstrap()).create().expect("a client")
    }
}
