//! The metrics of the service: every name, label and help text.
//!
//! The table of `deploy/docs/operations.md` says what each is for; a test checks that the two agree.

use super::registry::{Counter, CounterFamily, Gauge, GaugeFamily, Histogram, MetricDescription, MetricRegistry};

/// Upper bounds in seconds: from a commit on an idle broker to one that a transaction's time-out ends.
const COMMIT_SECONDS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Upper bounds in seconds: from an empty state to one that takes long to restore.
const RESTORE_SECONDS: [f64; 11] = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0];

/// The metrics of a service. Labels are bounded: tags and counters by the catalog, partitions by the topic, the others
/// by the code.
#[derive(Debug)]
pub struct Metrics {
    registry: MetricRegistry,
    pub events: Counter,
    pub duplicates: Counter,
    pub ids_crowded_out: Counter,
    pub items_left_out: Counter,
    pub tombstones: Counter,
    /// By reason.
    pub rejected: CounterFamily,
    /// By counter.
    pub heard: CounterFamily,
    /// By counter.
    pub passed: CounterFamily,
    /// By counter.
    pub skipped: CounterFamily,
    /// By attribute.
    pub misfits: CounterFamily,
    /// By tag and change.
    pub changes: CounterFamily,
    pub timers: Counter,
    /// By tag and outcome.
    pub scores: CounterFamily,
    /// By tag.
    pub slow_scores: CounterFamily,
    /// Of merged partitions: records that tagstream did not write.
    pub unmerged: Counter,
    /// Offsets in gaps that the operator has accepted.
    pub gap_offsets: Counter,
    /// By partition, like the next six.
    pub lag: GaugeFamily,
    pub clock_delay: GaugeFamily,
    pub committed_offset: GaugeFamily,
    pub entities: GaugeFamily,
    pub state_bytes: GaugeFamily,
    pub waiting_bytes: GaugeFamily,
    pub open_transaction: GaugeFamily,
    pub schema_wait: GaugeFamily,
    /// By state.
    pub partitions: GaugeFamily,
    pub restore_duration: Histogram,
    pub restored_entities: Counter,
    /// Records of changelogs that tagstream has not written.
    pub foreign_records: Counter,
    pub restored_bytes: Counter,
    pub commit_duration: Histogram,
    /// By outcome.
    pub transactions: CounterFamily,
    /// By reason.
    pub recycled: CounterFamily,
    /// By type; the label is named `kind`.
    pub rebalances: CounterFamily,
    pub ready: Gauge,
    pub outage: Gauge,
    /// By direction.
    pub clock_steps: CounterFamily,
    pub held_tags: Gauge,
    pub uncounted_partitions: Gauge,
    pub dropped_log_lines: Counter,
    /// By fingerprint.
    pub catalog: GaugeFamily,
    /// By version.
    pub build: GaugeFamily,
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = MetricRegistry::new();
        Metrics {
            events: registry.counter("tagstream_events_total", "Events that were accepted and committed"),
            duplicates: registry
                .counter("tagstream_duplicates_total", "Accepted events that were duplicates, by their id"),
            ids_crowded_out: registry.counter(
                "tagstream_ids_crowded_out_total",
                "Event ids that were forgotten before their time, since an entity had more than dedup_limit",
            ),
            items_left_out: registry.counter(
                "tagstream_items_left_out_total",
                "Elements of arrays that did not count, since an event had more than 1,000 of them",
            ),
            tombstones: registry.counter("tagstream_tombstones_total", "Null records of the input, which are skipped"),
            rejected: registry.counters(
                "tagstream_records_rejected_total",
                &["reason"],
                "Records that are not events and went to the dead-letter topic",
            ),
            heard: registry.counters("tagstream_counter_events_total", &["counter"], "Events of a counter's types"),
            passed: registry.counters(
                "tagstream_counter_passed_total",
                &["counter"],
                "Events of a counter's types that its where lets through",
            ),
            skipped: registry.counters(
                "tagstream_skipped_values_total",
                &["counter"],
                "Events that a counter could not count, since they had no value that it takes",
            ),
            misfits: registry.counters(
                "tagstream_misfit_values_total",
                &["attribute"],
                "Events whose value for an attribute was of a type that it does not take",
            ),
            changes: registry.counters(
                "tagstream_tag_changes_total",
                &["tag", "change"],
                "Tag changes that were committed",
            ),
            timers: registry.counter("tagstream_timers_fired_total", "Timers that fired, with or without a tag change"),
            scores: registry.counters(
                "tagstream_scores_total",
                &["tag", "outcome"],
                "Scores that were wanted of a model: scored, failed, or skipped while the model was paused",
            ),
            slow_scores: registry.counters(
                "tagstream_slow_scores_total",
                &["tag"],
                "Calls of a model that took too long",
            ),
            unmerged: registry
                .counter("tagstream_unmerged_records_total", "Records of the repartition topics that were not events"),
            gap_offsets: registry.counter(
                "tagstream_accepted_gap_offsets_total",
                "Offsets whose records were gone before they were read, in gaps that --accept-gap has accepted",
            ),
            lag: registry.gauges(
                "tagstream_consumer_lag_records",
                &["partition"],
                "Records of the input that are not yet applied",
            ),
            clock_delay: registry.gauges(
                "tagstream_clock_delay_seconds",
                &["partition"],
                "How far the clock of a partition is behind the wall clock",
            ),
            committed_offset: registry.gauges(
                "tagstream_committed_offset",
                &["partition"],
                "The committed offset of the input",
            ),
            entities: registry.gauges("tagstream_entities", &["partition"], "Entities with state"),
            state_bytes: registry.gauges(
                "tagstream_state_bytes",
                &["partition"],
                "Memory for entities and their timers",
            ),
            waiting_bytes: registry.gauges(
                "tagstream_waiting_bytes",
                &["partition"],
                "Events that wait until no other input can have an earlier one",
            ),
            open_transaction: registry.gauges(
                "tagstream_open_transaction_seconds",
                &["partition"],
                "For how long a sender's open transaction has held back events that were written",
            ),
            schema_wait: registry.gauges(
                "tagstream_schema_wait_seconds",
                &["partition"],
                "For how long the partition has waited for a schema that the registry has not given",
            ),
            partitions: registry.gauges("tagstream_partitions", &["state"], "Partitions of this process, by state"),
            restore_duration: registry.histogram(
                "tagstream_restore_duration_seconds",
                &RESTORE_SECONDS,
                "How long the restore of a partition's state from the changelog took",
            ),
            foreign_records: registry.counter(
                "tagstream_foreign_changelog_records_total",
                "Records of changelogs that another program has written, passed over while state was restored",
            ),
            restored_entities: registry
                .counter("tagstream_restored_entities_total", "Entities whose state was restored"),
            restored_bytes: registry
                .counter("tagstream_restored_bytes_total", "Bytes of the changelog that were read to restore state"),
            commit_duration: registry.histogram(
                "tagstream_commit_duration_seconds",
                &COMMIT_SECONDS,
                "From the beginning of a transaction until it is committed",
            ),
            transactions: registry.counters("tagstream_transactions_total", &["outcome"], "Transactions, by outcome"),
            recycled: registry.counters(
                "tagstream_producers_recycled_total",
                &["reason"],
                "Producers that were replaced",
            ),
            rebalances: registry.counters("tagstream_rebalances_total", &["kind"], "Rebalances, by type"),
            ready: registry.gauge("tagstream_ready", "1 when /readyz answers 200"),
            outage: registry.gauge("tagstream_outage", "1 while the clocks are stopped, since no input has events"),
            clock_steps: registry.counters(
                "tagstream_clock_steps_total",
                &["direction"],
                "Steps of the wall clock of at least 2 s, against the monotonic clock",
            ),
            held_tags: registry
                .gauge("tagstream_held_tags", "Tags whose changes under a changed catalog wait for approval"),
            uncounted_partitions: registry.gauge(
                "tagstream_uncounted_partitions",
                "Partitions that have yet to be counted under the catalog before it is decided which tags are held",
            ),
            dropped_log_lines: registry.counter(
                "tagstream_log_lines_dropped_total",
                "Log lines that could not be written to the standard error",
            ),
            catalog: registry.gauges(
                "tagstream_catalog_info",
                &["fingerprint"],
                "The running catalog, as in tag changes",
            ),
            build: registry.gauges("tagstream_build_info", &["version"], "The running version"),
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

impl Default for Metrics {
    fn default() -> Self {
        Metrics::new()
    }
}
