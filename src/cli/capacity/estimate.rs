//! What an installation needs, from what a sample of its events needs here: pure arithmetic.
//!
//! The constants are measured by `benches/`; `deploy/docs/capacity.md` has the formulas in words, and holds them against
//! measured points.

/// What Kafka's client and the transactions cost beside decoding and counting: µs an event, and µs a tag change, which is
/// two records.
const CLIENT_US_AN_EVENT: f64 = 0.9;
const CLIENT_US_A_CHANGE: f64 = 2.0;

/// How busy a worker may be on average: the rest is for peaks, and for catching up after a stop.
const LOAD: f64 = 0.6;

/// Bytes of memory an entity takes beside its state: its entry, its part of the index, of the timers and of the list of
/// block owners, and what its block leaves unused.
const MEMORY_BESIDE_STATE: f64 = 20.0 + 14.0 + 5.0 + 5.0 + 8.0;
/// Bytes that the changelog has beside the state of an entity.
const LOG_BESIDE_STATE: f64 = 9.0;
/// The changelog's live segments hold at most this many times the state.
const LOG_SHARE: f64 = 2.0;
/// The broker keeps about as much again that it has not compacted yet.
const UNCOMPACTED: f64 = 2.0;
/// What each write of a state makes the changelog write: itself, and as much that is moved out of old segments.
const LOG_WRITES: f64 = 2.0;

/// Fetched input, unsent output and the client itself.
const WORKER_BYTES: f64 = 200.0 * MIB;
const MIB: f64 = 1_048_576.0;

/// Users that a worker restores in a second.
const RESTORED_A_SECOND: f64 = 800_000.0;

/// More state than this in one partition makes its restore long.
const PARTITION_BYTES_MAX: f64 = 1_024.0 * MIB;

/// What the sample was, and what it took here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    pub events: u64,
    pub entities: u64,
    pub changes: u64,
    /// Between the first and the last event.
    pub span_ms: i64,
    /// CPU time of decoding and counting.
    pub cpu_ns: u64,
    /// The states of all entities.
    pub state_bytes: u64,
    /// Of the records of all tag changes in the service's format, with their keys and headers.
    pub change_bytes: u64,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    pub users: f64,
    pub events_a_second: f64,
    pub replication: f64,
    /// Of the topic of tag changes.
    pub retention_ms: i64,
}

/// What an installation needs. Sizes are in bytes, disk with all replicas.
#[derive(Clone, Debug)]
pub(crate) struct Estimate {
    pub cpu_us_an_event: f64,
    pub cores: f64,
    pub workers: u64,
    pub partitions: u64,
    pub state_bytes_a_user: f64,
    pub memory: f64,
    pub changes_a_second: f64,
    pub bytes_a_change: f64,
    pub changes_bytes_a_second: f64,
    pub changelog_bytes_a_second: f64,
    pub changelog_disk: f64,
    pub changes_disk: f64,
    pub restore_seconds: f64,
}

impl Estimate {
    /// `None`: the sample has no event.
    pub(crate) fn of(sample: &Sample, load: &Load) -> Option<Self> {
        if sample.events == 0 || sample.entities == 0 {
            return None;
        }
        let changes_an_event = sample.changes as f64 / sample.events as f64;
        let state = sample.state_bytes as f64 / sample.entities as f64;
        let counting_us = sample.cpu_ns as f64 / sample.events as f64 / 1e3;
        let cpu_us_an_event = counting_us + CLIENT_US_AN_EVENT + changes_an_event * CLIENT_US_A_CHANGE;
        let cores = load.events_a_second * cpu_us_an_event / 1e6;
        let workers = (cores / LOAD).ceil().max(1.0);
        let states = load.users * (state + MEMORY_BESIDE_STATE);
        let by_size = (states / PARTITION_BYTES_MAX).ceil();
        let partitions = (2.0 * workers).max(by_size);
        let logged = state + LOG_BESIDE_STATE;
        let changes_a_second = load.events_a_second * changes_an_event;
        let bytes_a_change = if sample.changes == 0 { 0.0 } else { sample.change_bytes as f64 / sample.changes as f64 };
        let changes_bytes_a_second = changes_a_second * bytes_a_change;
        Some(Estimate {
            cpu_us_an_event,
            cores,
            workers: workers as u64,
            partitions: partitions as u64,
            state_bytes_a_user: state,
            memory: states + workers * WORKER_BYTES,
            changes_a_second,
            bytes_a_change,
            changes_bytes_a_second,
            changelog_bytes_a_second: load.events_a_second * logged * LOG_WRITES,
            changelog_disk: load.users * logged * LOG_SHARE * UNCOMPACTED * load.replication,
            changes_disk: changes_bytes_a_second * (load.retention_ms as f64 / 1e3) * load.replication,
            restore_seconds: load.users / (RESTORED_A_SECOND * workers),
        })
    }
}
