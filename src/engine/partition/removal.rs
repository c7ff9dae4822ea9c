//! The end of an entity: erased by a command, or forgotten after a long silence.

use super::Partition;
use crate::engine::entity::{EntityId, EntityState, Store};
use crate::engine::ports::Sink;
use crate::engine::program::Program;
use crate::model::{Cause, Scalar, TagChange, Timestamp};

/// Lives that have ended at the present instant: an entity that begins again at the same millisecond has a new life.
#[derive(Clone, Debug, Default)]
pub(super) struct EndedLives(Vec<u64>);

impl EndedLives {
    /// From the notes of the meta record.
    pub(super) fn noted(keys: Vec<u64>) -> Self {
        EndedLives(keys)
    }

    /// Hashes of keys, one per life that has ended.
    pub(super) fn keys(&self) -> &[u64] {
        &self.0
    }

    /// The clock has moved.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// How many lives of a key have ended.
    pub(super) fn lives(&self, key: &str) -> u32 {
        if self.0.is_empty() {
            return 0;
        }
        let hash = Store::hash(key);
        self.0.iter().filter(|ended| **ended == hash).count() as u32
    }
}

/// When and why tags are removed, whatever their verdicts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Removal {
    pub at: Timestamp,
    pub cause: Cause,
}

impl Removal {
    /// The tag change of a removal.
    pub(super) fn change<'a>(
        self,
        program: &'a Program,
        entity_state: &'a EntityState,
        life: u32,
        tag: &'a str,
        previous: Scalar<'a>,
    ) -> TagChange<'a> {
        TagChange {
            entity: program.entity(),
            key: entity_state.key(),
            tag,
            value: Scalar::Absent,
            previous,
            at: self.at,
            seq: entity_state.seq + 1,
            life,
            cause: self.cause,
            because: &[],
            catalog: &program.fingerprint,
        }
    }
}

impl Partition {
    /// The instant at which the unpacked entity has been silent for too long.
    pub(super) fn forget_at(&self) -> Timestamp {
        self.program.forget_at(self.scratch.entity_state.silent_since())
    }

    /// Ends the unpacked entity: removes every tag that it has, retired ones first, then drops its state.
    pub(super) fn end(&mut self, entity: EntityId, at: Timestamp, cause: Cause, sink: &mut impl Sink) {
        let removal = Removal { at, cause };
        self.remove_retired(removal, sink);
        let program = self.program.clone();
        let entity_state = &mut self.scratch.entity_state;
        let life = self.ended_lives.lives(entity_state.key());
        entity_state.load_tags();
        for plan in &program.tags {
            let tag = program.tag(plan.id);
            let previous = entity_state.shown(&tag.definition, entity_state.tag(plan.id));
            if previous.is_absent() {
                continue;
            }
            sink.change(&removal.change(&program, entity_state, life, &tag.name, previous));
            entity_state.seq += 1;
            self.stats.changes += 1;
        }
        let key = entity_state.key().to_owned();
        sink.ended(&key);
        let hash = Store::hash(&key);
        self.drop_state(entity, hash, &key);
        self.ended_lives.0.push(hash);
    }
}
