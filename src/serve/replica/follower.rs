//! Follows the changelog of one partition: first up to its end, then transaction by transaction.
//!
//! ```text
//!               position has reached the end that was asked for at the start
//!   Restoring ────────────────────────────────────────────────────────────▶ Live
//!       │                                                                     │ a segment is missing, the log is another one
//!       └─────────────── a new follower begins at the first record ◀──────────┘
//! ```
//!
//! A follower that resumes has its states from a file, and applies transactions as a live one does; it is live at the same
//! point. The first record that it is given is the one with which the file ends, where that is still there: another one
//! in its place is of another changelog.
//!
//! Records wait until the meta record that ends their transaction has come, and are applied then. So a transaction of which
//! only a part can be read, since another open one begins within it, is not seen.

use std::sync::Arc;

use super::entity_table::{EntityNumber, EntityTable};
use super::state_file::SavedPartition;
use super::tag_index::TagIndex;
use super::view::{EntityNumbers, HeldImpacts, PartitionView};
use crate::catalog::TagId;
use crate::codec::{ChangelogDecodeError, ChangelogKey, ChangelogRecord, Meta};
use crate::engine::{
    ChangelogError, ChangelogFollower, Checkpoint, FollowedEntry, PartitionStanding, Program, StateReader,
    StateRestorer,
};
use crate::kafka::PartitionName;
use crate::model::Timestamp;

/// Why a changelog cannot be followed from where it was read to. A new follower may succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    #[error("{0}")]
    Unreadable(#[from] ChangelogDecodeError),
    #[error("{0}")]
    Changelog(#[from] ChangelogError),
    #[error("the changelog was created again")]
    OtherLog,
}

/// A record of the changelog that waits for the end of its transaction.
#[derive(Debug)]
struct WaitingRecord {
    key: Vec<u8>,
    value: Option<Vec<u8>>,
}

/// Follows one partition.
#[derive(Debug)]
pub struct PartitionFollower {
    name: PartitionName,
    program: Arc<Program>,
    /// Of the transaction that has not ended yet.
    waiting: Vec<WaitingRecord>,
    /// Identifies the incarnation of the changelog.
    log: Option<u64>,
    /// Where the records that were applied end.
    offset: i64,
    /// The first offset of the partition itself that was not applied.
    next_input: i64,
    /// The meta record that was applied last: key and value.
    meta: (Vec<u8>, Vec<u8>),
    /// What that record says of the tags that wait for approval.
    held: Arc<HeldImpacts>,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Restoring {
        restorer: Box<StateRestorer>,
        checkpoint: Checkpoint,
        /// The first offset that need not be read before the state is shown.
        end: i64,
    },
    /// The states are from a file; the first offset that need not be read before they are shown.
    Resuming(Box<LiveState>, i64),
    Live(Box<LiveState>),
    /// After an error.
    Failed,
}

/// The state of a partition that has caught up.
#[derive(Debug)]
struct LiveState {
    changelog: ChangelogFollower,
    standing: PartitionStanding,
    writer: StateWriter,
    /// The keys of entities that were erased or forgotten in transactions that have ended, and have not been handed out.
    departed: Vec<(Box<str>, Option<EntityNumber>)>,
}

impl PartitionFollower {
    /// Begins to read a changelog that ends at `end`, transactions that are open now excluded.
    pub fn new(name: PartitionName, program: Arc<Program>, end: i64) -> Self {
        let restorer = Box::new(StateRestorer::new(Arc::clone(&program)));
        let phase = Phase::Restoring { restorer, checkpoint: Checkpoint::default(), end };
        PartitionFollower {
            name,
            program,
            waiting: Vec::new(),
            log: None,
            offset: 0,
            next_input: 0,
            meta: Default::default(),
            held: Arc::default(),
            phase,
        }
    }

    /// Goes on where a file ends, in a changelog that ends at `end`. The states of the file are [put](Self::put) afterwards,
    /// and the record before [`offset`](Self::offset) is read again.
    ///
    /// # Errors
    /// What the file says cannot be read.
    pub fn resume(
        name: PartitionName,
        program: Arc<Program>,
        saved: &SavedPartition,
        end: i64,
    ) -> Result<Self, FollowError> {
        let ChangelogRecord::Meta(meta) = ChangelogRecord::read(&saved.meta.0, Some(&saved.meta.1))? else {
            return Err(ChangelogDecodeError::Foreign.into());
        };
        let (changelog, standing) = ChangelogFollower::resume(&program, &saved.schemas, meta.checkpoint())?;
        let live = LiveState { changelog, standing, writer: StateWriter::new(&program), departed: Vec::new() };
        Ok(PartitionFollower {
            name,
            program,
            waiting: Vec::new(),
            log: Some(meta.log),
            offset: saved.offset,
            next_input: saved.next_input,
            meta: saved.meta.clone(),
            held: Arc::new(HeldImpacts::of(meta.facts)),
            phase: Phase::Resuming(Box::new(live), end),
        })
    }

    /// Takes a state of the file; the number that the entity has from now on.
    pub fn put(&mut self, state: &[u8], due: Timestamp) -> EntityNumber {
        match &mut self.phase {
            Phase::Resuming(live, _) | Phase::Live(live) => live.writer.put(state, due),
            Phase::Restoring { .. } | Phase::Failed => 0,
        }
    }

    /// Where the changelog goes on.
    pub fn offset(&self) -> i64 {
        self.offset
    }

    /// What a file has to say beside the states of [`view`](Self::view); `None`: there is nothing to be kept yet.
    pub fn saved(&self) -> Option<SavedPartition> {
        let Phase::Live(live) = &self.phase else { return None };
        self.log?;
        Some(SavedPartition {
            label: self.name.label(),
            offset: self.offset,
            next_input: self.next_input,
            schema: ChangelogFollower::schema_id(&self.program),
            schemas: live.changelog.schemas(),
            meta: self.meta.clone(),
        })
    }

    /// Takes the next committed record; whether a transaction has ended with it. After an error, further records change
    /// nothing.
    ///
    /// # Errors
    /// The changelog cannot be followed; a new follower has to begin.
    pub fn take(&mut self, offset: i64, key: &[u8], value: Option<&[u8]>) -> Result<bool, FollowError> {
        if self.has_failed() {
            return Ok(false);
        }
        let taken = self.follow(offset, key, value);
        if taken.is_err() {
            self.phase = Phase::Failed;
        }
        taken
    }

    fn follow(&mut self, offset: i64, key: &[u8], value: Option<&[u8]>) -> Result<bool, FollowError> {
        if offset < self.offset {
            // It has been applied already.
            let is_known = (self.meta.0.as_slice(), Some(self.meta.1.as_slice())) == (key, value);
            return if is_known { Ok(false) } else { Err(FollowError::OtherLog) };
        }
        let record = ChangelogRecord::read(key, value)?;
        let ChangelogRecord::Meta(meta) = record else {
            self.waiting.push(WaitingRecord { key: key.to_owned(), value: value.map(<[u8]>::to_owned) });
            return Ok(false);
        };
        if self.log.is_some_and(|log| log != meta.log) {
            return Err(FollowError::OtherLog);
        }
        self.log = Some(meta.log);
        self.apply(&meta)?;
        self.offset = offset + 1;
        self.next_input = meta.next_offset;
        let held = HeldImpacts::of(meta.facts);
        if *self.held != held {
            self.held = Arc::new(held);
        }
        self.meta = (key.to_owned(), value.unwrap_or_default().to_owned());
        Ok(true)
    }

    fn apply(&mut self, meta: &Meta<'_>) -> Result<(), FollowError> {
        let waiting = std::mem::take(&mut self.waiting);
        match &mut self.phase {
            Phase::Restoring { restorer, checkpoint, .. } => {
                for record in &waiting {
                    restore(restorer, ChangelogRecord::read(&record.key, record.value.as_deref())?)?;
                }
                *checkpoint = meta.checkpoint();
            }
            Phase::Resuming(live, _) | Phase::Live(live) => {
                for record in &waiting {
                    live.follow(ChangelogRecord::read(&record.key, record.value.as_deref())?)?;
                }
                live.standing = live.changelog.commit(meta.checkpoint())?;
            }
            Phase::Failed => {}
        }
        Ok(())
    }

    /// Everything before an offset has been read; whether the follower has caught up with that.
    ///
    /// # Errors
    /// Something is missing in the changelog.
    pub fn reach(&mut self, position: i64) -> Result<bool, FollowError> {
        if !matches!(self.phase, Phase::Restoring { end, .. } | Phase::Resuming(_, end) if position >= end) {
            return Ok(false);
        }
        let (restorer, checkpoint) = match std::mem::replace(&mut self.phase, Phase::Failed) {
            Phase::Restoring { restorer, checkpoint, .. } => (restorer, checkpoint),
            Phase::Resuming(live, _) => {
                self.phase = Phase::Live(live);
                return Ok(true);
            }
            Phase::Live(_) | Phase::Failed => return Ok(false),
        };
        let mut writer = StateWriter::new(&self.program);
        let (changelog, standing) = ChangelogFollower::after(*restorer, checkpoint, |state, due| {
            writer.put(state, due);
        })?;
        self.phase = Phase::Live(Box::new(LiveState { changelog, standing, writer, departed: Vec::new() }));
        Ok(true)
    }

    pub fn name(&self) -> &PartitionName {
        &self.name
    }

    /// The partition's clock at the last transaction; `None` also until it has caught up.
    pub fn clock(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Live(live) => live.standing.clock(),
            Phase::Restoring { .. } | Phase::Resuming(..) | Phase::Failed => None,
        }
    }

    /// Whether an error has ended it: a new follower has to begin.
    pub fn has_failed(&self) -> bool {
        matches!(self.phase, Phase::Failed)
    }

    /// Whether it has caught up.
    pub fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Live(_))
    }

    /// The keys of entities that have been erased or forgotten since the last call, each with the number that it had. Each
    /// may have come back since.
    pub fn take_departed(&mut self) -> Vec<(Box<str>, Option<EntityNumber>)> {
        match &mut self.phase {
            Phase::Live(live) | Phase::Resuming(live, _) => std::mem::take(&mut live.departed),
            Phase::Restoring { .. } | Phase::Failed => Vec::new(),
        }
    }

    /// The partition as of the last transaction; `None` until the follower has caught up.
    pub fn view(&self) -> Option<PartitionView> {
        let Phase::Live(live) = &self.phase else { return None };
        let StateWriter { entities, index, numbers, .. } = &live.writer;
        Some(PartitionView {
            name: self.name.clone(),
            standing: live.standing.clone(),
            offset: self.offset,
            next_input: self.next_input,
            log: self.log,
            held: Arc::clone(&self.held),
            entities: entities.clone(),
            index: index.clone(),
            numbers: Arc::clone(numbers),
        })
    }
}

fn restore(restorer: &mut StateRestorer, record: ChangelogRecord<'_>) -> Result<(), ChangelogError> {
    match record {
        ChangelogRecord::Schema { id, meaning } => restorer.schema(id, meaning)?,
        ChangelogRecord::Segment(segment) => restorer.segment(segment)?,
        ChangelogRecord::Cleared(ChangelogKey::Segment(slot)) => restorer.clear(slot),
        ChangelogRecord::Cleared(ChangelogKey::Schema(id)) => restorer.clear_schema(id),
        ChangelogRecord::Cleared(ChangelogKey::Sources | ChangelogKey::Meta)
        | ChangelogRecord::Sources { .. }
        | ChangelogRecord::Meta(_) => {}
    }
    Ok(())
}

impl LiveState {
    fn follow(&mut self, record: ChangelogRecord<'_>) -> Result<(), ChangelogError> {
        match record {
            ChangelogRecord::Schema { id, meaning } => self.changelog.schema(id, meaning),
            ChangelogRecord::Segment(segment) => {
                let (writer, departed) = (&mut self.writer, &mut self.departed);
                self.changelog.segment(segment, &mut |entry| match entry {
                    FollowedEntry::State { packed, due, .. } => {
                        writer.put(packed, due);
                    }
                    FollowedEntry::Erased { key } => {
                        departed.push((key.into(), writer.erase(key)));
                    }
                })
            }
            // What is dead, and where sources stand, changes nothing that is shown.
            ChangelogRecord::Cleared(_) | ChangelogRecord::Sources { .. } | ChangelogRecord::Meta(_) => Ok(()),
        }
    }
}

/// Writes the next version of a partition's states and bitmaps. Views that were taken before stay as they are.
#[derive(Debug)]
struct StateWriter {
    entities: EntityTable,
    index: TagIndex,
    numbers: Arc<EntityNumbers>,
    reader: StateReader,
    /// The tags of the kind of entity.
    tags: Vec<TagId>,
}

impl StateWriter {
    fn new(program: &Arc<Program>) -> Self {
        StateWriter {
            entities: EntityTable::default(),
            index: TagIndex::new(program),
            numbers: Arc::default(),
            reader: StateReader::new(Arc::clone(program)),
            tags: program.tags.iter().map(|plan| plan.id).collect(),
        }
    }

    fn put(&mut self, state: &[u8], due: Timestamp) -> EntityNumber {
        let key = StateReader::key_of(state);
        let known = self.numbers.get(key).map(|number| *number);
        let number = known.unwrap_or_else(|| self.entities.allocate());
        self.entities.put(number, state, due);
        self.reader.open(state);
        self.index.put(number, &mut self.reader, &self.tags);
        if known.is_none() {
            self.numbers.insert(key.into(), number);
        }
        number
    }

    /// The number that it had, if it was known.
    fn erase(&mut self, key: &str) -> Option<EntityNumber> {
        let (_, number) = self.numbers.remove(key)?;
        self.entities.put(number, &[], Timestamp::FOREVER);
        self.index.remove(number);
        Some(number)
    }
}
