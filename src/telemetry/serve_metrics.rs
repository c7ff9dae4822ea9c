//! The metrics of the read side: every name, label and help text.
//!
//! The table of `deploy/docs/operations.md` says what each is for; a test checks that the two agree.

use super::registry::{Counter, Gauge, GaugeFamily, MetricDescription, MetricRegistry};

/// The metrics of `tagstream serve`.
#[derive(Debug)]
pub struct ServeMetrics {
    registry: MetricRegistry,
    pub ready: Gauge,
    pub other_catalog: Gauge,
    pub transactions: Counter,
    pub restarts: Counter,
    /// By partition, like the next two.
    pub lag: GaugeFamily,
    pub entities: GaugeFamily,
    pub state_bytes: GaugeFamily,
    pub history_live: Gauge,
    pub history_changes: Counter,
}

impl ServeMetrics {
    pub fn new() -> Self {
        let mut registry = MetricRegistry::new();
        ServeMetrics {
            ready: registry.gauge("tagstream_serve_ready", "1 when /readyz answers 200"),
            other_catalog: registry.gauge(
                "tagstream_serve_other_catalog",
                "1 while the workers run another catalog than the one with which the state is read",
            ),
            transactions: registry
                .counter("tagstream_serve_transactions_total", "Transactions of the changelogs that were applied"),
            restarts: registry.counter(
                "tagstream_serve_restarts_total",
                "How many times the changelog of a partition had to be read again from its beginning",
            ),
            lag: registry.gauges(
                "tagstream_serve_lag_records",
                &["partition"],
                "Committed records of the changelog that have not been read",
            ),
            entities: registry.gauges("tagstream_serve_entities", &["partition"], "Entities that are shown"),
            state_bytes: registry.gauges(
                "tagstream_serve_state_bytes",
                &["partition"],
                "Memory for the states and bitmaps that are shown",
            ),
            history_live: registry.gauge(
                "tagstream_serve_history_live",
                "1 when the history has read the tag changes to their end and goes on; 0 also without a history",
            ),
            history_changes: registry.counter(
                "tagstream_serve_history_changes_total",
                "Tag changes that the history has taken since it was made",
            ),
            registry,
        }
    }

    /// Every metric there is.
    pub fn descriptions(&self) -> &[MetricDescription] {
        self.registry.descriptions()
    }

    /// All of them as Prometheus reads them, in [`TEXT_FORMAT`](super::TEXT_FORMAT).
    pub fn text(&self) -> String {
        self.registry.text()
    }
}

impl Default for ServeMetrics {
    fn default() -> Self {
        ServeMetrics::new()
    }
}
