//! Erases from the history what the state no longer knows, whoever erased it and whenever that was.
//!
//! The state tells of each entity that a `$erase` or `forget_after` removes ([`DepartedEntity`]). What left while this process
//! did not follow is found by a comparison: after the start, whenever a changelog had to be read anew, and every hour, each
//! entity of the history is looked up in the state.
//!
//! # Why nothing else is erased
//! History and state are read side by side, and either may be ahead. A tag change is never older than the partition's clock
//! at its transaction. So the state of a partition whose clock is T has all changes before T: an entity that it does not
//! know has ended, and what the history has of it from before T belongs to the life that ended. An entity that is known,
//! but has had fewer changes than the number of one before T, has come back; that change and all before it are of the life
//! that ended.
//!
//! Only a state that began anew (its changelog was created again) does not know entities that nobody has erased. What the
//! history had of them before stays.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::history::{Erasure, History, HistoryError, LatestChange};
use super::replica::{DepartedEntity, Replica, ReplicaView};
use crate::kafka::StopSignal;

/// How often it is looked whether there is something to do.
const LOOK: Duration = Duration::from_millis(500);
const COMPARE_EVERY: Duration = Duration::from_secs(3600);
/// How long the history may take for one step before it is asked again.
const PATIENCE: Duration = Duration::from_secs(30);
/// Entities that are read from the history, or erased, in one step.
const STEP: usize = 1_000;
/// Departures that are taken at once. A log of more is worked off in turns.
const DEPARTED_MAX: usize = 10_000;

/// What the history has to erase of an entity whose latest change there is this one.
pub fn erasure(view: &ReplicaView, latest: &LatestChange) -> Option<Erasure> {
    let kind = view.kind(&latest.kind)?;
    // The partition of an entity that is not known is not known either. One without a clock has never had an event.
    let clock = view.of(kind).filter_map(|partition| partition.standing.clock()).min()?;
    let until = match view.find(kind, &latest.key) {
        None => clock.plus(-1),
        Some((partition, number)) => {
            let (state, _) = partition.state(number)?;
            let mut reader = partition.reader();
            reader.open(state);
            if latest.at >= clock || latest.seq <= reader.changes() {
                return None;
            }
            latest.at
        }
    };
    Some(Erasure { kind: latest.kind.clone(), key: latest.key.clone(), until })
}

/// The thread that compares and erases. It ends with the stop signal.
pub struct HistoryErasure {
    history: History,
    replica: Arc<Replica>,
    /// Whether the state has all entities, so that one that it does not know has ended.
    is_complete: bool,
    stop: StopSignal,
    received: Receiver<DepartedEntity>,
    runtime: tokio::runtime::Runtime,
}

/// The history cannot be read, or does not answer. It is asked again.
#[derive(Debug, thiserror::Error)]
enum ErasureError {
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error("the history does not answer in time")]
    TooLate,
}

impl HistoryErasure {
    /// Starts the thread. What is sent is looked up, and erased if it has ended.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(
        history: History,
        replica: Arc<Replica>,
        is_complete: bool,
        stop: StopSignal,
    ) -> io::Result<Sender<DepartedEntity>> {
        let (departed, received) = channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let erasure = HistoryErasure { history, replica, is_complete, stop, received, runtime };
        thread::Builder::new().name("erasure".to_owned()).spawn(move || erasure.run())?;
        Ok(departed)
    }

    fn run(self) {
        let (mut waiting, mut compared, mut said) = (Vec::new(), None, String::new());
        while !self.stop.is_given() {
            match self.received.recv_timeout(LOOK) {
                Ok(departed) => waiting.push(departed),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            waiting.extend(self.received.try_iter().take(DEPARTED_MAX));
            let restarts = self.replica.status_now().restarts;
            let is_compared =
                compared.is_some_and(|(of, at): (u64, Instant)| of == restarts && at.elapsed() < COMPARE_EVERY);
            if (waiting.is_empty() && is_compared) || !self.history.status().is_live {
                continue;
            }
            let Some(view) = self.replica.view() else { continue };
            let done = self.erase_departed(&view, &waiting).and_then(|()| {
                waiting.clear();
                if !is_compared && self.is_complete {
                    self.compare(&view)?;
                }
                compared = Some((restarts, Instant::now()));
                Ok(())
            });
            let why = done.err().map(|error| error.to_string()).unwrap_or_default();
            if !why.is_empty() && why != said {
                tracing::warn!("what was erased is still in the history, and is tried again: {why}");
            }
            said = why;
        }
    }

    /// Erases those that have ended, when the history has all that they brought.
    fn erase_departed(&self, view: &ReplicaView, departed: &[DepartedEntity]) -> Result<(), ErasureError> {
        if departed.is_empty() {
            return Ok(());
        }
        self.catch_up()?;
        for departed in departed.chunks(STEP) {
            let latest = self.history.reader.read(Instant::now() + PATIENCE, |history| {
                let latest = departed.iter().map(|DepartedEntity { kind, key }| history.latest_change(kind, key));
                latest.collect::<Result<Vec<_>, _>>()
            })?;
            self.erase(latest.iter().flatten().filter_map(|latest| erasure(view, latest)).collect())?;
        }
        Ok(())
    }

    /// Looks up every entity of the history in the state.
    fn compare(&self, view: &ReplicaView) -> Result<(), ErasureError> {
        self.catch_up()?;
        let logs = view.partitions.iter().map(|partition| (partition.name.label(), partition.log)).collect();
        let noted = self.runtime.block_on(self.history.note_changelogs(logs, PATIENCE));
        let mut number = noted.ok_or(ErasureError::TooLate)?;
        while !self.stop.is_given() {
            let deadline = Instant::now() + PATIENCE;
            let latest = self.history.reader.read(deadline, |history| history.latest_changes(number, STEP))?;
            let Some(last) = latest.last() else { break };
            number = last.number;
            let ended: Vec<Erasure> = latest.iter().filter_map(|latest| erasure(view, latest)).collect();
            self.erase(ended)?;
        }
        Ok(())
    }

    fn catch_up(&self) -> Result<(), ErasureError> {
        let has_caught_up = self.runtime.block_on(self.history.catch_up(PATIENCE));
        if has_caught_up { Ok(()) } else { Err(ErasureError::TooLate) }
    }

    fn erase(&self, erasures: Vec<Erasure>) -> Result<(), ErasureError> {
        if erasures.is_empty() {
            return Ok(());
        }
        let number = erasures.len();
        if !self.runtime.block_on(self.history.erase(erasures, PATIENCE)) {
            return Err(ErasureError::TooLate);
        }
        tracing::info!("{number} entities that the state no longer knows were erased from the history");
        Ok(())
    }
}
