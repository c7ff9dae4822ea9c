//! Reads the transactions of a changelog one after another, as long as none is missing.

use std::collections::HashMap;
use std::sync::Arc;

use super::standing::PartitionStanding;
use crate::engine::aggregate::Now;
use crate::engine::changelog::{ChangelogEntry, ChangelogError, Checkpoint, Migration, Notes, Segment};
use crate::engine::expr::Coverage;
use crate::engine::partition::{Partition, RestoredPartition, StateRestorer, inherited_in_notes};
use crate::engine::program::{Program, Schema};
use crate::model::Timestamp;

/// What a segment says of one entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FollowedEntry<'a> {
    /// Its state from now on, in the schema of the follower's program.
    State { key: &'a str, packed: &'a [u8], due: Timestamp },
    /// It is no longer known.
    Erased { key: &'a str },
}

/// Follows a changelog that has been read up to a transaction.
///
/// The numbers of segments have no gaps. So a segment that compaction has removed before it was read is noticed, and the
/// follower has to begin again.
#[derive(Debug)]
pub struct ChangelogFollower {
    program: Arc<Program>,
    /// How states of each schema are read; `None` for the program's own.
    migrations: HashMap<u64, Option<Migration>>,
    schemas: HashMap<u64, Schema>,
    /// The number of the segment that comes next.
    next: u64,
    /// A buffer for a state in the program's schema.
    migrated: Vec<u8>,
}

impl ChangelogFollower {
    /// Goes on where a restorer has come to: at the end of the transaction with this checkpoint. Hands out the state of every
    /// entity, with the instant at which it is due.
    ///
    /// # Errors
    /// A changelog in which something is missing.
    pub fn after(
        restorer: StateRestorer,
        checkpoint: Checkpoint,
        mut each: impl FnMut(&[u8], Timestamp),
    ) -> Result<(Self, PartitionStanding), ChangelogError> {
        let (program, schemas) = (Arc::clone(restorer.program()), restorer.schemas().clone());
        let mut follower = Self::at(program, checkpoint.extent.next);
        for (id, schema) in schemas {
            follower.learn(id, schema);
        }
        let RestoredPartition { partition, .. } = restorer.finish(checkpoint.clone())?;
        let standing = follower.standing(checkpoint, Some(&partition))?;
        partition.each_state(&mut each);
        Ok((follower, standing))
    }

    /// Goes on at the end of the transaction with this checkpoint, where all states of then are known, in the schema of the
    /// program. `schemas`: those that the changelog had until then, as [`ChangelogFollower::schemas`] gave them.
    ///
    /// # Errors
    /// Schemas or notes that cannot be read.
    pub fn resume(
        program: &Arc<Program>,
        schemas: &[(u64, Vec<u8>)],
        checkpoint: Checkpoint,
    ) -> Result<(Self, PartitionStanding), ChangelogError> {
        let mut follower = Self::at(Arc::clone(program), checkpoint.extent.next);
        for (id, meaning) in schemas {
            follower.schema(*id, meaning)?;
        }
        let standing = follower.standing(checkpoint, None)?;
        Ok((follower, standing))
    }

    /// The id of the schema in which states are handed out.
    pub fn schema_id(program: &Program) -> u64 {
        program.schema.id()
    }

    /// A follower that knows the schema of its program alone.
    fn at(program: Arc<Program>, next: u64) -> Self {
        ChangelogFollower {
            migrations: HashMap::from([(program.schema.id(), None)]),
            schemas: HashMap::from([(program.schema.id(), program.schema.clone())]),
            next,
            migrated: Vec::new(),
            program,
        }
    }

    /// The schemas that the changelog has had: the id and the meaning of each, in the order of the ids.
    pub fn schemas(&self) -> Vec<(u64, Vec<u8>)> {
        let mut schemas: Vec<_> = self.schemas.iter().map(|(id, schema)| (*id, schema.meaning().to_vec())).collect();
        schemas.sort_unstable();
        schemas
    }

    /// The record of a schema.
    ///
    /// # Errors
    /// Bytes that cannot be read.
    pub fn schema(&mut self, id: u64, meaning: &[u8]) -> Result<(), ChangelogError> {
        if !self.schemas.contains_key(&id) {
            self.learn(id, Schema::read(id, meaning)?);
        }
        Ok(())
    }

    fn learn(&mut self, id: u64, schema: Schema) {
        self.migrations.entry(id).or_insert_with(|| Some(Migration::new(&schema, &self.program)));
        self.schemas.entry(id).or_insert(schema);
    }

    /// The next segment.
    ///
    /// # Errors
    /// It is not the next one, or its entries cannot be read.
    pub fn segment(
        &mut self,
        segment: Segment<'_>,
        each: &mut impl FnMut(FollowedEntry<'_>),
    ) -> Result<(), ChangelogError> {
        let Segment { number, schema, mut entries, .. } = segment;
        if number != self.next {
            return Err(ChangelogError::Missing { number: self.next });
        }
        let migration = self.migrations.get(&schema).ok_or(ChangelogError::NoSchema { number, schema })?;
        while let Some(entry) = ChangelogEntry::take(&mut entries)? {
            each(match entry {
                ChangelogEntry::State { key, due, packed } => {
                    let packed = match migration {
                        Some(migration) => {
                            self.migrated.clear();
                            migration.state(packed, &mut self.migrated);
                            &self.migrated
                        }
                        None => packed,
                    };
                    FollowedEntry::State { key, packed, due }
                }
                ChangelogEntry::Erased { key } => FollowedEntry::Erased { key },
            });
        }
        self.next += 1;
        Ok(())
    }

    /// The end of a transaction: how the partition stands now.
    ///
    /// # Errors
    /// A segment of the transaction is missing, or its notes cannot be read.
    pub fn commit(&mut self, checkpoint: Checkpoint) -> Result<PartitionStanding, ChangelogError> {
        if checkpoint.extent.next != self.next {
            return Err(ChangelogError::Missing { number: self.next });
        }
        self.standing(checkpoint, None)
    }

    /// What a restored partition has found out of its coverage is as good as what the notes say.
    fn standing(
        &self,
        checkpoint: Checkpoint,
        restored: Option<&Partition>,
    ) -> Result<PartitionStanding, ChangelogError> {
        let Checkpoint { clock, catalog, schema, notes, .. } = checkpoint;
        let (notes, program) = (Notes::read(&notes)?, Arc::clone(&self.program));
        let before = self.schemas.get(&schema);
        let coverage = match (restored, clock) {
            (Some(restored), _) => restored.coverage().clone(),
            (None, Some(clock)) => {
                Coverage::carried(&program, clock, |meaning| inherited_in_notes(meaning, &notes.coverage, before))
            }
            (None, None) => Coverage::complete(&program),
        };
        let now = clock.map(|clock| Now::new(clock, &program.zone));
        Ok(PartitionStanding { now, coverage, held: notes.held.into_iter().collect(), catalog, program })
    }
}
