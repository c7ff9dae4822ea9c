//! What an event does: it moves an entity's attributes and series, and makes tags dirty, which are then evaluated.
//!
//! | file | holds |
//! | --- | --- |
//! | [`event_reading`] | what an event says of an attribute or a series |
//! | [`event_counter`] | the counting of one event, and which tags it makes dirty |
//! | [`packed_counter`] | the counting of one event that can change no tag, in the bytes of its entity |

mod event_reading;
mod event_counter;
mod packed_counter;

use super::evaluate::EvalContext;
use super::{Partition, Scratch};
use crate::catalog::{InputMapping, TagDefinition};
use crate::engine::aggregate::Now;
use crate::engine::entity::{Acceptance, DedupRule, EntityId, FETCHED, IdTally, SeenId, Store};
use crate::engine::expr::scalar;
use crate::engine::ports::Sink;
use crate::engine::tags::TagCommand;
use crate::model::{Cause, Command, Event, Scalar, TagId, Timestamp};
use event_counter::EventCounter;
use packed_counter::PackedCounter;

impl Partition {
    /// How many events are fetched together.
    pub const FETCHED: usize = FETCHED;

    /// Reads what applying these events will read, for all of them at once; at most [`Partition::FETCHED`].
    pub fn fetch<'a>(&self, events: impl Iterator<Item = &'a Event>) {
        let mut hashes = [0; FETCHED];
        let keys = events.filter_map(|event| event.key_of(self.program.kind));
        hashes.iter_mut().zip(keys).for_each(|(hash, key)| *hash = Store::hash(key));
        self.store.fetch(&hashes);
    }

    /// Takes an accepted event, if it concerns an entity of this kind: first everything that is due up to its time,
    /// then the event, then the verdicts of its entity.
    pub fn apply(&mut self, event: &Event, sink: &mut impl Sink) {
        self.advance(event.time, sink);
        let (Some(now), Some(key)) = (self.now, event.key_of(self.program.kind)) else {
            return;
        };
        let context = self.context(event, now);
        if event.command.is_some() && context.command.is_none() {
            return self.erase_by_command(event, now, sink);
        }
        if context.command.is_some_and(|command| self.program.tag(command.tag).entity != self.program.kind) {
            return;
        }
        self.stats.events += 1;
        let hash = Store::hash(key);
        let entity = self.store.find(hash, key);
        if entity.is_some_and(|entity| self.count_packed(event, entity, now)) {
            return;
        }
        match entity {
            Some(entity) => self.scratch.entity_state.unpack(self.store.packed(entity)),
            None => self.scratch.entity_state.begin(key),
        }
        if self.is_duplicate(event, entity, now) {
            self.stats.duplicates += 1;
            return;
        }
        if entity.is_some_and(|entity| self.store.set_reevaluated(entity)) {
            self.prepare_reevaluation(now.at, sink);
            self.evaluate(EvalContext { now, cause: Cause::Catalog, command: None }, sink);
        }
        self.count(event, context);
        if self.forget_at() <= now.at {
            // The entity is new, or had only commands: the event is so old that nothing is kept.
            self.scratch.dirty.clear();
            return entity.into_iter().for_each(|entity| self.end(entity, now.at, Cause::Forgotten, sink));
        }
        if entity.is_none() {
            self.scratch.dirty.fill(self.program.tags.len());
        }
        let until = self.evaluate(context, sink).min(self.forget_at());
        match entity {
            Some(entity) => {
                self.put_back(entity);
                self.due_groups.lower(entity, &self.scratch.group_dues);
                self.rearm(entity, until.min(self.store.due(entity)), now.at);
            }
            None => {
                let entity = self.store.insert(hash, self.scratch.pack());
                self.due_groups.set(entity, &self.scratch.group_dues);
                self.rearm(entity, until, now.at);
            }
        }
    }

    /// Counts an event in the bytes of its entity; whether that was possible. If not, nothing has changed.
    fn count_packed(&mut self, event: &Event, entity: EntityId, now: Now) -> bool {
        let Partition { program, store, scratch, coverage, held_tags, stats, .. } = self;
        let may_need_more = event.command.is_some()
            || !program.can_count_packed(event.event_type)
            || program.catalog.input.dedup_ms.is_some()
            || store.is_pending_reevaluation(entity);
        if may_need_more {
            return false;
        }
        scratch.text.clear();
        let Scratch { dirty, text, packed, .. } = scratch;
        let counter = PackedCounter { program, now, coverage, held_tags, dirty, text };
        let count = counter.count(event, store.packed(entity), packed);
        let count = count.map(|count| (count, program.forget_at(count.silent_since)));
        let Some((count, forget_at)) = count.filter(|(_, forget_at)| *forget_at > now.at) else {
            dirty.clear();
            return false;
        };
        stats.items_left_out += event.items_left_out;
        count.note(event, program, stats);
        #[cfg(debug_assertions)]
        self.check_packed(event, entity, now);
        self.store.write(entity, &self.scratch.packed);
        self.rearm(entity, forget_at.min(self.store.due(entity)), now.at);
        true
    }

    /// Panics unless the entity, unpacked, has the same bytes once the event is counted, and no tags that may change.
    #[cfg(debug_assertions)]
    fn check_packed(&mut self, event: &Event, entity: EntityId, now: Now) {
        let counted = std::mem::take(&mut self.scratch.packed);
        self.scratch.entity_state.unpack(self.store.packed(entity));
        // The event is in the statistics.
        std::mem::swap(&mut self.stats, &mut self.scratch.checked);
        self.count(event, EvalContext { now, cause: Cause::Event, command: None });
        std::mem::swap(&mut self.stats, &mut self.scratch.checked);
        self.scratch.entity_state.load_tags();
        while let Some(dirty_tag) = self.scratch.dirty.pop_first() {
            let state = self.scratch.entity_state.tag(self.program.tags[dirty_tag.place].id);
            let is_kept = self.held_tags.has_place(dirty_tag.place) || state.is_settled(dirty_tag);
            assert!(is_kept, "an event that is counted in bytes changes no tag");
        }
        self.scratch.packed = std::mem::take(&mut self.scratch.repacked);
        assert_eq!(self.scratch.pack(), counted, "an event leaves the same bytes, however it is counted");
        self.scratch.repacked = std::mem::replace(&mut self.scratch.packed, counted);
    }

    /// Why and with what an event has its entity evaluated. An erasure is not evaluated.
    fn context<'a>(&self, event: &'a Event, now: Now) -> EvalContext<'a> {
        let ends = |tag: TagId, valid_for_ms: Option<i64>| {
            let default = match self.program.tag(tag).definition {
                TagDefinition::Manual { valid_for_ms } => valid_for_ms,
                _ => None,
            };
            valid_for_ms.or(default).map_or(Timestamp::FOREVER, |ms| now.at.plus(ms))
        };
        let command = match event.command {
            Some(Command::Set { tag, value, valid_for_ms }) => {
                // A value that is too long counts as missing, and a command without a value sets the tag to true.
                let value = match self.program.catalog.input.keepable(scalar(value, event)) {
                    Scalar::Absent => Scalar::Bool(true),
                    value => value,
                };
                Some(TagCommand { tag, value, ends: ends(tag, valid_for_ms) })
            }
            Some(Command::Unset { tag }) => Some(TagCommand { tag, value: Scalar::Absent, ends: Timestamp::FOREVER }),
            Some(Command::Erase) | None => None,
        };
        let cause = if event.command.is_some() { Cause::Command } else { Cause::Event };
        EvalContext { now, cause, command }
    }

    /// Takes a behaviour event or a command into the unpacked entity.
    fn count(&mut self, event: &Event, context: EvalContext<'_>) {
        let EvalContext { now, command, .. } = context;
        let Some(command) = command else {
            let Partition { program, scratch, stats, coverage, .. } = self;
            stats.items_left_out += event.items_left_out;
            let mut counter = EventCounter { program, now, dirty: &mut scratch.dirty, coverage, stats };
            return counter.count(event, &mut scratch.entity_state);
        };
        self.scratch.entity_state.see_command(now.at);
        if let Some(place) = self.program.tags.iter().position(|plan| plan.id == command.tag) {
            self.scratch.dirty.insert(place);
        }
    }

    fn erase_by_command(&mut self, event: &Event, now: Now, sink: &mut impl Sink) {
        let Some(key) = event.key_of(self.program.kind) else { return };
        self.stats.events += 1;
        let Some(entity) = self.store.find(Store::hash(key), key) else { return };
        self.scratch.entity_state.unpack(self.store.packed(entity));
        if self.is_duplicate(event, Some(entity), now) {
            self.stats.duplicates += 1;
            return;
        }
        self.end(entity, now.at, Cause::Erased, sink);
    }

    /// Whether an event for the unpacked entity repeats one; if not, its id is remembered.
    fn is_duplicate(&mut self, event: &Event, entity: Option<EntityId>, now: Now) -> bool {
        let InputMapping { dedup_ms, dedup_limit, .. } = self.program.catalog.input;
        let (Some(window_ms), Some(id)) = (dedup_ms, event.id()) else { return false };
        let (id, rule) = (SeenId { hash: Store::hash(id), at: now.at }, DedupRule { window_ms, limit: dedup_limit });
        let mut tally = IdTally::default();
        let acceptance = self.store.accept_id(entity, &mut self.scratch.entity_state, id, rule, &mut tally);
        self.stats.ids_read += tally.read;
        self.stats.ids_crowded_out += tally.crowded_out;
        acceptance == Acceptance::Duplicate
    }
}
