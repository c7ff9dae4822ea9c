//! The metrics of `tagstream push`: every name, label and help text.
//!
//! The table of `deploy/docs/operations.md` says what each is for; a test checks that the two agree.

use super::registry::{Counter, CounterFamily, Gauge, GaugeFamily, Histogram, MetricDescription, MetricRegistry};

/// Upper bounds in seconds: from a receiver on the same machine to the longest time-out.
const REQUEST_SECONDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0, 60.0];

/// The metrics of `tagstream push`.
#[derive(Debug)]
pub struct PushMetrics {
    registry: MetricRegistry,
    pub ready: Gauge,
    /// By outcome.
    pub requests: CounterFamily,
    pub request_duration: Histogram,
    /// By outcome.
    pub changes: CounterFamily,
    /// By partition, like the next one.
    pub lag: GaugeFamily,
    pub stalled: GaugeFamily,
    /// Offsets of changes that the topic no longer had.
    pub gap_offsets: Counter,
    /// By version.
    pub build: GaugeFamily,
}

impl PushMetrics {
    pub fn new() -> Self {
        let mut registry = MetricRegistry::new();
        PushMetrics {
            ready: registry.gauge("tagstream_push_ready", "1 when /readyz answers 200"),
            requests: registry.counters(
                "tagstream_push_requests_total",
                &["outcome"],
                "Requests to the receiver: accepted, refused, or postponed to be sent again",
            ),
            request_duration: registry.histogram(
                "tagstream_push_request_duration_seconds",
                &REQUEST_SECONDS,
                "From the beginning of a request until its answer, or until none has come",
            ),
            changes: registry.counters(
                "tagstream_push_changes_total",
                &["outcome"],
                "Tag changes that are done with: accepted by the receiver, or a dead letter, by its reason",
            ),
            lag: registry.gauges(
                "tagstream_push_lag_records",
                &["partition"],
                "Committed records of the tag changes that are not done with",
            ),
            stalled: registry.gauges(
                "tagstream_push_stalled_seconds",
                &["partition"],
                "For how long the receiver has not taken the next changes of the partition, after a first failed request",
            ),
            gap_offsets: registry.counter(
                "tagstream_push_gap_offsets_total",
                "Offsets whose records the topic no longer had when they were to be read",
            ),
            build: registry.gauges("tagstream_push_build_info", &["version"], "The running version"),
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

impl Default for PushMetrics {
    fn default() -> Self {
        PushMetrics::new()
    }
}
