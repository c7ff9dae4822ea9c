//! The thread that reads the topic of tag changes into the store.
//!
//! ```text
//!             store and topic are there                 an error
//!   Opening ──────────────────────────────▶ Following ───────────┐
//!      ▲                                                         │
//!      └──────────────────── after a pause ◀─────────────────────┘
//! ```
//!
//! Whatever fails, the writer is opened again and goes on from the last transaction.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

use super::erasure::Erasure;
use super::reader::HistoryReader;
use super::segment::SegmentLimits;
use super::store::{HistoryError, Place};
use super::writer::{Added, HistoryWriter};
use crate::codec::ChangeRecord;
use crate::kafka::{BrokerError, ChangesTail, ClientError, Clock, EventListener};
use crate::model::Timestamp;
use crate::settings::Settings;
use crate::telemetry::{Log, Severity};

const PATIENCE: Duration = Duration::from_secs(5);
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// A transaction of the store while there is more to read.
const ROWS_A_TRANSACTION: usize = 100_000;
const TRANSACTION_MAX: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_millis(50);
/// How often it is looked whether something is to be erased, and whether something is too old.
const ERASE_EVERY: Duration = Duration::from_secs(1);
const TRIM_EVERY: Duration = Duration::from_secs(600);

/// What is asked of the thread.
enum Request {
    Erase(Vec<Erasure>, oneshot::Sender<()>),
    /// Answered with the greatest number of an entity that the state need not know.
    NoteChangelogs(BTreeMap<String, Option<u64>>, oneshot::Sender<i64>),
    /// Answered when everything that was committed when it was asked is stored.
    CatchUp(oneshot::Sender<()>),
}

/// How the history stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryStatus {
    /// The newest row that can be read.
    pub last_row: i64,
    /// Whether the end of the topic was reached since the start.
    pub is_live: bool,
    /// Why it does not go on, if it does not.
    pub trouble: Option<String>,
}

/// The running history. Dropping the last copy stops the thread.
#[derive(Clone)]
pub struct History {
    pub reader: HistoryReader,
    /// `None`: nothing is added to it any more.
    requests: Option<Sender<Request>>,
    status: watch::Receiver<HistoryStatus>,
}

impl History {
    /// Starts the thread. `None`: there is no directory for a history.
    ///
    /// # Errors
    /// The store cannot be used, or the thread cannot be started.
    pub fn start(settings: Arc<Settings>, clock: Clock, listener: EventListener) -> Result<Option<Self>, HistoryError> {
        let Some(directory) = settings.serve.directory.clone() else { return Ok(None) };
        // A store that is there but of no use is told at the start.
        let limits = SegmentLimits::of_history(settings.serve.history);
        drop(HistoryWriter::open(&directory, &settings.output.changes, limits)?);
        let (requests, received) = channel();
        let (sender, status) = watch::channel(HistoryStatus::default());
        let reader = HistoryReader::new(&directory);
        let follower =
            Follower { settings, directory: directory.clone(), limits, clock, listener, received, status: sender };
        let started = thread::Builder::new().name("history".to_owned()).spawn(move || follower.run());
        started.map_err(|error| HistoryError::Folder { path: directory.display().to_string(), error })?;
        Ok(Some(History { reader, requests: Some(requests), status }))
    }

    /// A history to which nothing is added any more: what the store has is all there is.
    pub fn at_rest(reader: HistoryReader, last_row: i64) -> Self {
        let status = HistoryStatus { last_row, is_live: true, trouble: None };
        History::written_elsewhere(reader, watch::channel(status).1)
    }

    /// A history whose store another writer fills, which tells here how it stands.
    pub fn written_elsewhere(reader: HistoryReader, status: watch::Receiver<HistoryStatus>) -> Self {
        History { reader, requests: None, status }
    }

    pub fn status(&self) -> HistoryStatus {
        self.status.borrow().clone()
    }

    /// Tells of every change of the status.
    pub fn watch(&self) -> watch::Receiver<HistoryStatus> {
        self.status.clone()
    }

    /// Waits until everything is stored that is committed now; whether it was in time.
    pub async fn catch_up(&self, patience: Duration) -> bool {
        let Some(requests) = &self.requests else { return true };
        let (done, is_done) = oneshot::channel();
        let is_sent = requests.send(Request::CatchUp(done)).is_ok();
        is_sent && matches!(tokio::time::timeout(patience, is_done).await, Ok(Ok(())))
    }

    /// Erases what is stored of these entities; whether it was done in time. It is done later, if not.
    pub async fn erase(&self, erasures: Vec<Erasure>, patience: Duration) -> bool {
        let Some(requests) = &self.requests else { return false };
        let (done, is_done) = oneshot::channel();
        let is_sent = requests.send(Request::Erase(erasures, done)).is_ok();
        is_sent && matches!(tokio::time::timeout(patience, is_done).await, Ok(Ok(())))
    }

    /// Notes which incarnations of the changelogs the state comes from, by partition. Returns the greatest number of an
    /// entity that came while one of them was another; `None`: it was not noted in time.
    pub async fn note_changelogs(&self, logs: BTreeMap<String, Option<u64>>, patience: Duration) -> Option<i64> {
        let (done, is_done) = oneshot::channel();
        self.requests.as_ref()?.send(Request::NoteChangelogs(logs, done)).ok()?;
        tokio::time::timeout(patience, is_done).await.ok()?.ok()
    }
}

/// Why the thread has to begin anew.
#[derive(Debug, thiserror::Error)]
enum FollowHistoryError {
    #[error(transparent)]
    Store(#[from] HistoryError),
    #[error("the topic {topic} cannot be read: {error}")]
    Topic { topic: String, error: BrokerError },
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the topic {0} does not exist; check output.changes")]
    NoTopic(String),
}

struct Follower {
    settings: Arc<Settings>,
    directory: PathBuf,
    limits: SegmentLimits,
    clock: Clock,
    listener: EventListener,
    received: Receiver<Request>,
    status: watch::Sender<HistoryStatus>,
}

/// The work between two errors.
struct Session<'a> {
    follower: &'a Follower,
    tail: ChangesTail,
    writer: HistoryWriter,
    places: BTreeMap<i32, Place>,
    /// Partitions of which the first record tells how far the history reaches.
    gaps: Vec<i32>,
    waiting: Vec<(BTreeMap<i32, i64>, oneshot::Sender<()>)>,
    /// An erasure whose traces are still in the store's log.
    is_purge_due: bool,
}

impl Follower {
    fn run(self) {
        let log = Log::default();
        loop {
            let error = match self.open().and_then(|mut session| session.follow()) {
                Ok(()) => return,
                Err(error) => error,
            };
            log.write(Severity::Warn, Some("history".to_owned()), &format!("the history waits: {error}"));
            self.status.send_modify(|status| status.trouble = Some(error.to_string()));
            // Requests are refused by dropping them.
            match self.received.recv_timeout(RETRY_AFTER) {
                Err(RecvTimeoutError::Disconnected) => return,
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn open(&self) -> Result<Session<'_>, FollowHistoryError> {
        let topic = &self.settings.output.changes;
        let failed = |error| FollowHistoryError::Topic { topic: topic.clone(), error };
        let writer = HistoryWriter::open(&self.directory, topic, self.limits)?;
        let tail = ChangesTail::new(&self.settings, Arc::clone(&self.listener))?;
        let count = tail.partitions(PATIENCE).map_err(failed)?;
        if count == 0 {
            return Err(FollowHistoryError::NoTopic(topic.clone()));
        }
        let wanted = self.settings.serve.partitions.as_ref();
        let (mut places, mut gaps) = (writer.places().clone(), Vec::new());
        for partition in (0..count).filter(|partition| wanted.is_none_or(|wanted| wanted.contains(partition))) {
            let bounds = tail.bounds(partition, PATIENCE).map_err(failed)?;
            let is_whole = |place: &Place| (bounds.low..=bounds.high).contains(&place.next_offset);
            if places.get(&partition).is_none_or(|place| !is_whole(place)) {
                let is_from_start = bounds.low == 0 && !places.contains_key(&partition);
                if !is_from_start {
                    gaps.push(partition);
                }
                // Until a record comes, nothing before now is known.
                let reaches = (!is_from_start).then(|| self.clock.now());
                places.insert(partition, Place { next_offset: bounds.low, reaches });
            }
        }
        places.retain(|partition, _| *partition < count);
        tail.assign(&places.iter().map(|(partition, place)| (*partition, place.next_offset)).collect())
            .map_err(failed)?;
        self.status.send_modify(|status| {
            status.trouble = None;
            status.last_row = writer.last_row();
        });
        Ok(Session { follower: self, tail, writer, places, gaps, waiting: Vec::new(), is_purge_due: true })
    }
}

impl Session<'_> {
    /// Follows the topic until nobody asks any more.
    fn follow(&mut self) -> Result<(), FollowHistoryError> {
        let (mut erased_at, mut trimmed_at) = (None, None);
        let is_due = |at: Option<Instant>, every| at.is_none_or(|at: Instant| at.elapsed() >= every);
        loop {
            self.read_transaction()?;
            loop {
                match self.follower.received.recv_timeout(Duration::ZERO) {
                    Ok(request) => self.answer(request)?,
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => return Ok(()),
                }
            }
            self.answer_waiting();
            if is_due(erased_at, ERASE_EVERY) {
                erased_at = Some(Instant::now());
                self.is_purge_due |= !self.writer.erase_due(self.follower.clock.now())?;
                if self.is_purge_due {
                    self.is_purge_due = !self.writer.purge()?;
                }
            }
            if is_due(trimmed_at, TRIM_EVERY) {
                trimmed_at = Some(Instant::now());
                let kept_ms = i64::try_from(self.follower.settings.serve.history.as_millis()).unwrap_or(i64::MAX);
                self.writer.trim(self.follower.clock.now().plus(-kept_ms))?;
                for (partition, place) in self.writer.places() {
                    self.places.insert(*partition, *place);
                }
            }
        }
    }

    /// Reads what there is, for a while, and stores it.
    fn read_transaction(&mut self) -> Result<(), FollowHistoryError> {
        let (began, mut rows) = (Instant::now(), 0);
        while rows < ROWS_A_TRANSACTION && began.elapsed() < TRANSACTION_MAX {
            let wait = if rows == 0 { POLL } else { Duration::ZERO };
            let Session { writer, places, gaps, .. } = self;
            let polled = self.tail.poll(wait, |record| -> Result<(), HistoryError> {
                if let Some(index) = gaps.iter().position(|partition| *partition == record.partition)
                    && let Some(at) = time_of(record.value)
                {
                    gaps.swap_remove(index);
                    places.entry(record.partition).and_modify(|place| place.reaches = Some(at));
                }
                if writer.add(record.value)? == Added::NotAChange {
                    let (partition, offset) = (record.partition, record.offset);
                    tracing::warn!(partition, offset, "the history passes over a record that is not a tag change");
                }
                places.entry(record.partition).and_modify(|place| place.next_offset = record.offset + 1);
                Ok(())
            });
            match polled.map_err(|error| self.failed(error))? {
                Some(added) => added?,
                None => break,
            }
            rows += 1;
        }
        for (partition, position) in self.tail.positions().map_err(|error| self.failed(error))? {
            if let Some(place) = self.places.get_mut(&partition) {
                place.next_offset = place.next_offset.max(position);
            }
        }
        if rows > 0 || self.places != *self.writer.places() {
            self.writer.commit(&self.places)?;
            let last_row = self.writer.last_row();
            self.follower
                .status
                .send_if_modified(|status| std::mem::replace(&mut status.last_row, last_row) != last_row);
        }
        if rows == 0 && !self.follower.status.borrow().is_live {
            let is_live = self.ends().is_ok_and(|ends| self.has_reached(&ends));
            self.follower.status.send_if_modified(|status| std::mem::replace(&mut status.is_live, is_live) != is_live);
        }
        Ok(())
    }

    fn answer(&mut self, request: Request) -> Result<(), FollowHistoryError> {
        match request {
            Request::Erase(erasures, done) => {
                self.is_purge_due |= !self.writer.erase(&erasures)?;
                if !self.is_purge_due {
                    let _ = done.send(());
                }
            }
            Request::NoteChangelogs(logs, done) => {
                let _ = done.send(self.writer.note_changelogs(&logs)?);
            }
            Request::CatchUp(done) => {
                let ends = self.ends()?;
                self.waiting.push((ends, done));
            }
        }
        Ok(())
    }

    fn answer_waiting(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        for (ends, done) in waiting {
            if self.has_reached(&ends) {
                let _ = done.send(());
            } else if !done.is_closed() {
                self.waiting.push((ends, done));
            }
        }
    }

    /// Where the committed records end now.
    fn ends(&self) -> Result<BTreeMap<i32, i64>, FollowHistoryError> {
        let end = |partition: &i32| {
            let bounds = self.tail.bounds(*partition, PATIENCE).map_err(|error| self.failed(error))?;
            Ok((*partition, bounds.high))
        };
        self.places.keys().map(end).collect()
    }

    fn has_reached(&self, ends: &BTreeMap<i32, i64>) -> bool {
        ends.iter().all(|(partition, end)| self.places.get(partition).is_none_or(|place| place.next_offset >= *end))
    }

    fn failed(&self, error: BrokerError) -> FollowHistoryError {
        FollowHistoryError::Topic { topic: self.tail.topic().to_owned(), error }
    }
}

fn time_of(record: &[u8]) -> Option<Timestamp> {
    Timestamp::parse(&ChangeRecord::parse(record).ok()?.at).ok()
}
