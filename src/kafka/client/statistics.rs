//! Two numbers of a producer's statistics, which only grow.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;

#[derive(Debug, Default)]
pub(super) struct ConnectionStats {
    /// The number of statistics. They come at a fixed interval; each covers everything that happened before it.
    reports: AtomicU64,
    /// Requests that were repeated or timed out, and connections that broke.
    faults: AtomicU64,
}

#[derive(Deserialize)]
struct Statistics {
    brokers: HashMap<String, BrokerStatistics>,
}

#[derive(Deserialize)]
struct BrokerStatistics {
    txretries: u64,
    req_timeouts: u64,
    #[serde(default)]
    disconnects: u64,
}

impl ConnectionStats {
    pub(super) fn report_count(&self) -> u64 {
        self.reports.load(Ordering::Acquire)
    }

    pub(super) fn fault_count(&self) -> u64 {
        self.faults.load(Ordering::Acquire)
    }

    /// Takes statistics as librdkafka writes them.
    pub(super) fn record(&self, json: &[u8]) {
        let Ok(statistics) = serde_json::from_slice::<Statistics>(json) else {
            return;
        };
        let faults = statistics.brokers.values().map(|b| b.txretries + b.req_timeouts + b.disconnects).sum();
        self.faults.store(faults, Ordering::Release);
        self.reports.fetch_add(1, Ordering::Release);
    }
}
