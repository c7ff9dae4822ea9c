//! What the simulated brokers tell of topics.

use std::collections::BTreeMap;
use std::time::Duration;

use tagstream::kafka::broker::{BrokerError, TopicInquirer, TopicState, TopicUuid};

use super::sim_clients::SimClients;

/// Asks about topics.
pub struct SimInquirer(pub SimClients);

impl TopicInquirer for SimInquirer {
    fn topics(&self, names: &[&str], patience: Duration) -> Result<BTreeMap<String, TopicState>, BrokerError> {
        self.0.ask(patience, |state| {
            let cluster = &state.cluster;
            let partitions = |name: &str| {
                let mut plans = cluster.streams.iter().map(|(_, plan)| plan);
                plans.find(|plan| *plan.topic == *name).map_or(cluster.shape.partitions, |plan| plan.partitions)
            };
            let id = |name: &str| Some(TopicUuid(name.len() as u128));
            let topic = |name: &&str| ((*name).to_owned(), TopicState { partitions: partitions(name), id: id(name) });
            Some(names.iter().map(topic).collect())
        })
    }
}
