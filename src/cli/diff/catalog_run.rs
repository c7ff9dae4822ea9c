//! One of the two catalogs over the events. Both run at the same time, each on a thread of its own.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Scope;

use crate::cli::input::catalog_file;
use crate::cli::input::models::ModelAccess;
use crate::cli::output::audiences::Audiences;
use crate::cli::output::reject_counts::RejectCounts;
use crate::engine::{Partition, Sink};
use crate::model::{TagChange, Timestamp};
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

    /// Takes all lines that are sent.
    fn receive(&mut self, lines: &Receiver<Arc<Batch>>) {
        for batch in lines {
            batch.lines().for_each(|line| self.line(line));
        }
    }

    fn line(&mut self, line: &[u8]) {
        match self.replay.line(line, &mut self.changes) {
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
        let days = partitions.clock()?.since(first) as f64 / 86_400_000.0;
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

/// Consecutive lines in one buffer.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Batch {
    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }
}

/// Sends the same lines to both runs. They finish some time after it is dropped, at the latest with their scope.
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

    pub(crate) fn line(&mut self, line: &[u8]) {
        self.batch.bytes.extend_from_slice(line);
        self.batch.ends.push(self.batch.bytes.len());
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
