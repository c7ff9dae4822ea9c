//! One of the two catalogs over the events. Both run at the same time, each on a thread of its own.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Scope;

use crate::cli::input::catalog_file;
use crate::cli::input::models::ModelAccess;
use crate::cli::output::audiences::Audiences;
use crate::cli::output::reject_counts::RejectCounts;
use crate::codec::{HeaderList, InputRecord, RecordHeaders};
use crate::engine::{Partition, Sink};
use crate::model::{DAY_MS, TagChange, Timestamp};
use crate::replay::{LineOutcome, Replay};

/// A replay of the events with one catalog.
pub(crate) struct CatalogRun {
    pub replay: Replay,
    pub audiences: Audiences,
    pub changes: ChangeCounts,
    pub rejects: RejectCounts,
    events: Option<(Timestamp, Timestamp)>,
}

/// The number of changes, by tag.
#[derive(Default)]
pub(crate) struct ChangeCounts(HashMap<Box<str>, u64>);

impl Sink for ChangeCounts {
    fn change(&mut self, change: &TagChange<'_>) {
        match self.0.get_mut(change.tag) {
            Some(flips) => *flips += 1,
            None => drop(self.0.insert(change.tag.into(), 1)),
        }
    }
}

impl CatalogRun {
    pub(crate) fn open(catalog: &Path, access: &ModelAccess, now: Timestamp, until: Option<Timestamp>) -> Option<Self> {
        let compiled = catalog_file::require(catalog, access)?.compile();
        Some(CatalogRun {
            audiences: Audiences::new(&compiled.catalog),
            replay: Replay::new(&compiled, now, until),
            changes: ChangeCounts::default(),
            rejects: RejectCounts::default(),
            events: None,
        })
    }

    /// Takes all records that are sent.
    fn receive(&mut self, lines: &Receiver<Arc<Batch>>) {
        for batch in lines {
            batch.records().for_each(|record| self.record(record));
        }
    }

    fn record(&mut self, record: InputRecord<'_>) {
        match self.replay.record(record, &mut self.changes) {
            LineOutcome::Rejected(reject) => self.rejects.count(reject),
            LineOutcome::LeftOut => {}
            LineOutcome::Applied => {
                if let Some(clock) = self.replay.partition_set().clock() {
                    self.events = Some((self.events.map_or(clock, |(first, _)| first), clock));
                }
            }
        }
    }

    /// Changes of a tag per entity and day; `None` where the events span no time.
    pub(crate) fn flip_rate(&self, tag: &str) -> Option<f64> {
        let (first, _) = self.events?;
        let partitions = self.replay.partition_set();
        let days = partitions.clock()?.since(first) as f64 / DAY_MS as f64;
        let known = self.audiences.list().iter().any(|audience| *audience.tag == *tag);
        let of_tag = partitions.partitions().iter().find(|partition| partition.has_tag(tag));
        let entities = of_tag.map_or(0, Partition::entities) as f64;
        let flips = self.changes.0.get(tag).copied().unwrap_or(0) as f64;
        (known && days > 0.0 && entities > 0.0).then(|| flips / entities / days)
    }
}

/// At most this many batches wait for a run: while one run is slower, the other need not stop at once.
const BATCHES_WAITING: usize = 8;

const BATCH_BYTES: usize = 1 << 17;

/// Consecutive lines or records, their bytes in one buffer.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    records: Vec<BatchRecord>,
}

/// Where a record stands in its batch.
struct BatchRecord {
    value: Range<usize>,
    key: Option<Range<usize>>,
    timestamp: Option<Timestamp>,
    headers: HeaderList,
}

impl Batch {
    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    fn push(&mut self, record: InputRecord<'_>) {
        let (value, key) = (self.keep(record.value), record.key.map(|key| self.keep(key)));
        let headers = HeaderList::of(record.headers);
        self.records.push(BatchRecord { value, key, timestamp: record.timestamp, headers });
    }

    fn records(&self) -> impl Iterator<Item = InputRecord<'_>> {
        self.records.iter().map(|BatchRecord { value, key, timestamp, headers }| InputRecord {
            value: &self.bytes[value.clone()],
            key: key.clone().map(|key| &self.bytes[key]),
            timestamp: *timestamp,
            headers: RecordHeaders::of(headers),
        })
    }
}

/// Sends the same records to both runs. They finish some time after it is dropped, at the latest with their scope.
pub(crate) struct BatchSender {
    runs: [SyncSender<Arc<Batch>>; 2],
    batch: Batch,
}

impl BatchSender {
    pub(crate) fn start<'s>(runs: [&'s mut CatalogRun; 2], scope: &'s Scope<'s, '_>) -> Self {
        let runs = runs.map(|run| {
            let (sender, receiver) = sync_channel(BATCHES_WAITING);
            scope.spawn(move || run.receive(&receiver));
            sender
        });
        BatchSender { runs, batch: Batch::default() }
    }

    pub(crate) fn record(&mut self, record: InputRecord<'_>) {
        self.batch.push(record);
        if self.batch.bytes.len() >= BATCH_BYTES {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let batch = Arc::new(std::mem::take(&mut self.batch));
        for run in &self.runs {
            // A run without a receiver has panicked, and its scope will panic too.
            let _ = run.send(Arc::clone(&batch));
        }
    }
}

impl Drop for BatchSender {
    fn drop(&mut self) {
        self.flush();
    }
}
