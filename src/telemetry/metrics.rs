//! The metrics: every name, label and help text. Whoever counts something sets them here by name.
//!
//! The table of `deploy/docs/operations.md` says what each is for; a test checks that the two agree.

use super::instruments::{Described, Durations, Instruments, Level, Levels, Total, Totals};

/// From a commit on a quiet broker to one that a transaction's time-out ends.
const COMMIT_SECONDS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// From an empty state to one that takes long to read back.
const RESTORE_SECONDS: [f64; 11] = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0];

/// The metrics of a service. Labels are bounded: tags and counters by the catalog, partitions by the topic, the others
/// by the code.
#[derive(Debug)]
pub struct Metrics {
    instruments: Instruments,
    pub events: Total,
    pub duplicates: Total,
    pub tombstones: Total,
    /// By reason.
    pub rejected: Totals,
    /// By counter.
    pub skipped: Totals,
    /// By attribute.
    pub misfits: Totals,
    /// By tag and change.
    pub changes: Totals,
    pub timers: Total,
    /// By tag and outcome.
    pub scores: Totals,
    /// By tag.
    pub slow_scores: Totals,
    /// Of merged partitions: records that are none of ours.
    pub unmerged: Total,
    /// By partition, as the five after it.
    pub lag: Levels,
    pub clock_delay: Levels,
    pub committed_offset: Levels,
    pub entities: Levels,
    pub state_bytes: Levels,
    pub waiting_bytes: Levels,
    /// By state.
    pub partitions: Levels,
    pub restore_duration: Durations,
    pub restored_entities: Total,
    pub restored_bytes: Total,
    pub commit_duration: Durations,
    /// By outcome.
    pub transactions: Totals,
    /// By reason.
    pub recycled: Totals,
    /// By kind.
    pub rebalances: Totals,
    pub ready: Level,
    pub outage: Level,
    pub held_tags: Level,
    /// By fingerprint.
    pub catalog: Levels,
    /// By version.
    pub build: Levels,
}

impl Metrics {
    pub fn new() -> Self {
        let mut all = Instruments::new();
        Metrics {
            events: all.total("tagstream_events_total", "Events that were accepted and committed"),
            duplicates: all.total("tagstream_duplicates_total", "Accepted events that had come before, by their id"),
            tombstones: all.total("tagstream_tombstones_total", "Null records of the input, which are skipped"),
            rejected: all.totals(
                "tagstream_records_rejected_total",
                &["reason"],
                "Records that are no events and went to the dead letters",
            ),
            skipped: all.totals(
                "tagstream_skipped_values_total",
                &["counter"],
                "Events that a counter could not count for want of a value that it takes",
            ),
            misfits: all.totals(
                "tagstream_misfit_values_total",
                &["attribute"],
                "Events whose value for an attribute was of a type that it does not take",
            ),
            changes: all.totals("tagstream_tag_changes_total", &["tag", "change"], "Tag changes that were committed"),
            timers: all
                .total("tagstream_timers_fired_total", "Timers that were due, whether or not they brought a change"),
            scores: all.totals(
                "tagstream_scores_total",
                &["tag", "outcome"],
                "Scores that a model was asked for: scored, failed, or skipped while it had a rest",
            ),
            slow_scores: all.totals("tagstream_slow_scores_total", &["tag"], "Calls of a model that took too long"),
            unmerged: all.total(
                "tagstream_unmerged_records_total",
                "Records of the topics by which events are passed on that were no events",
            ),
            lag: all.levels(
                "tagstream_consumer_lag_records",
                &["partition"],
                "Records of the input that are not applied yet",
            ),
            clock_delay: all.levels(
                "tagstream_clock_delay_seconds",
                &["partition"],
                "How far the clock of a partition is behind the wall clock",
            ),
            committed_offset: all.levels(
                "tagstream_committed_offset",
                &["partition"],
                "The offset of the input that is committed",
            ),
            entities: all.levels("tagstream_entities", &["partition"], "Entities that have state"),
            state_bytes: all.levels("tagstream_state_bytes", &["partition"], "Memory for entities and their timers"),
            waiting_bytes: all.levels(
                "tagstream_waiting_bytes",
                &["partition"],
                "Events that wait until no other input can have an earlier one",
            ),
            partitions: all.levels(
                "tagstream_partitions",
                &["state"],
                "Partitions that this process has, by what they are at",
            ),
            restore_duration: all.durations(
                "tagstream_restore_duration_seconds",
                &RESTORE_SECONDS,
                "From a partition's committed offset until its state was read back from the changelog",
            ),
            restored_entities: all.total("tagstream_restored_entities_total", "Entities whose state was read back"),
            restored_bytes: all.total("tagstream_restored_bytes_total", "Bytes of the changelog that were read for it"),
            commit_duration: all.durations(
                "tagstream_commit_duration_seconds",
                &COMMIT_SECONDS,
                "From the begin of a transaction until it is committed",
            ),
            transactions: all.totals("tagstream_transactions_total", &["outcome"], "Transactions by how they ended"),
            recycled: all.totals("tagstream_producers_recycled_total", &["reason"], "Producers that were made anew"),
            rebalances: all.totals("tagstream_rebalances_total", &["kind"], "Times that partitions came or went"),
            ready: all.level("tagstream_ready", "1 when /readyz answers 200"),
            outage: all.level("tagstream_outage", "1 while the clocks stand, since no event comes at all"),
            held_tags: all.level("tagstream_held_tags", "Tags whose changes under a changed catalog wait for approval"),
            catalog: all.levels(
                "tagstream_catalog_info",
                &["fingerprint"],
                "The catalog that runs, as changes bear it",
            ),
            build: all.levels("tagstream_build_info", &["version"], "The version that runs"),
            instruments: all,
        }
    }

    /// Every metric there is.
    pub fn described(&self) -> &[Described] {
        self.instruments.described()
    }

    /// All of them as Prometheus reads them, in [`TEXT_FORMAT`](super::TEXT_FORMAT).
    pub fn text(&self) -> String {
        self.instruments.text()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics::new()
    }
}
