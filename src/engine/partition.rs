//! One partition: its clock, its entities and their timers, in one value that nobody else touches.
//!
//! The clock moves through [`Partition::apply`] and [`Partition::advance`] only, so whoever drives it (a service, a
//! replay, a test) gets the same changes from the same events.

use std::sync::Arc;

use super::adoption::Judging;
use super::agenda::{Agenda, Dues};
use super::counting::{Counting, Heard};
use super::ending::Ended;
use super::eval::{Lines, Present};
use super::filling::Filling;
use super::filter::scalar;
use super::hold::Hold;
use super::journal::Journal;
use super::judging::Occasion;
use super::program::Program;
use super::record::Record;
use super::scores::Answers;
use super::stale::Stale;
use super::store::{EntityId, Store};
use super::tags::Order;
use super::timers::Timers;
use crate::catalog::{History, TagDefinition};
use crate::model::{Cause, Command, CurrentTag, Event, Scalar, TagChange, TagId, Timestamp};

/// Takes the changes, in the order in which they become true.
pub trait Sink {
    fn change(&mut self, change: &TagChange<'_>);

    /// Nothing is left of the entity of this key.
    fn ended(&mut self, _key: &str) {}
}

/// Hears nothing, where what happens is not to be told.
pub(super) struct Silence;

impl Sink for Silence {
    fn change(&mut self, _: &TagChange<'_>) {}
}

/// What a partition has done.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    pub events: u64,
    pub duplicates: u64,
    pub changes: u64,
    /// Timers that were due, whether or not they brought a change.
    pub timers: u64,
    /// By series: events that it could not count for want of a value that it takes.
    pub skipped: Vec<u64>,
    /// By attribute of the catalog.
    pub heard: Vec<Heard>,
}

impl Stats {
    pub(super) fn new(program: &Program) -> Self {
        let heard = vec![Heard::default(); program.catalog.attributes.len()];
        Stats { skipped: vec![0; program.series.len()], heard, ..Stats::default() }
    }
}

#[derive(Debug)]
pub struct Partition {
    pub(super) program: Arc<Program>,
    pub(super) present: Option<Present>,
    pub(super) store: Store,
    pub(super) timers: Timers,
    pub(super) agenda: Agenda,
    pub(super) journal: Journal,
    pub(super) filling: Filling,
    /// What the log has to say of it until all entities that were counted again have been evaluated.
    pub(super) unwritten_filling: Option<Filling>,
    /// The turns under a changed catalog, over or not.
    pub(super) judging: Option<Judging>,
    pub(super) ended: Ended,
    pub(super) hold: Hold,
    pub(super) desk: Desk,
    pub(super) stats: Stats,
}

/// Room to work on one entity, kept from one to the next so that nothing is allocated for an event.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) record: Record,
    pub(super) lines: Lines,
    pub(super) answers: Answers,
    packed: Vec<u8>,
    /// A string on its way from the record back into it.
    pub(super) text: String,
    due: Vec<EntityId>,
    pub(super) because: Vec<(&'static str, Scalar<'static>)>,
    /// Empty between one evaluation and the next.
    pub(super) stale: Stale,
    /// Until when the tags hold that were evaluated last.
    pub(super) dues: Dues,
}

impl Desk {
    pub(super) fn new(program: &Program) -> Self {
        Desk {
            record: Record::new(program),
            lines: Lines::default(),
            answers: Answers::default(),
            packed: Vec::new(),
            text: String::new(),
            due: Vec::new(),
            because: Vec::new(),
            stale: Stale::empty(program.tags.len()),
            dues: Dues::none(program.tags.len()),
        }
    }

    /// The bytes of the entity on the desk.
    fn pack(&mut self) -> &[u8] {
        self.packed.clear();
        self.record.pack(&mut self.packed);
        &self.packed
    }
}

impl Partition {
    pub fn new(program: Arc<Program>) -> Self {
        let stats = Stats::new(&program);
        Partition {
            present: None,
            store: Store::default(),
            timers: Timers::default(),
            agenda: Agenda::default(),
            journal: Journal::default(),
            filling: Filling::none(&program),
            unwritten_filling: None,
            judging: None,
            ended: Ended::default(),
            hold: Hold::default(),
            desk: Desk::new(&program),
            stats,
            program,
        }
    }

    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// The greatest time of the events so far, or the instant that the clock was moved on to; none before the first.
    pub fn clock(&self) -> Option<Timestamp> {
        self.present.map(|present| present.at)
    }

    /// Nothing is due before this instant.
    pub fn next_due(&self) -> Timestamp {
        self.timers.next()
    }

    pub fn entities(&self) -> usize {
        self.store.len()
    }

    /// Whether it holds the entities that a tag is put on.
    pub fn has_tag(&self, name: &str) -> bool {
        self.program.tags.iter().any(|plan| *self.program.tag(plan.id).name == *name)
    }

    /// Bytes held for entities, timers and the bookkeeping of the changelog.
    pub fn bytes(&self) -> usize {
        self.store.bytes() + self.timers.bytes() + self.agenda.bytes() + self.journal.bytes()
    }

    /// What was done since the last call.
    pub fn take_stats(&mut self) -> Stats {
        std::mem::replace(&mut self.stats, Stats::new(&self.program))
    }

    /// Takes an accepted event, if it is one of an entity of this kind: what is due up to its time comes first, then the
    /// event, then its entity's verdicts.
    pub fn apply(&mut self, event: &Event, sink: &mut impl Sink) {
        self.advance(event.time, sink);
        let (Some(present), Some(key)) = (self.present, event.key_of(self.program.kind)) else {
            return;
        };
        let occasion = self.occasion(event, present);
        if event.command.is_some() && occasion.order.is_none() {
            return self.erase_by_command(event, present, sink);
        }
        if occasion.order.is_some_and(|order| self.program.tag(order.tag).entity != self.program.kind) {
            return;
        }
        self.stats.events += 1;
        let hash = Store::hash(key);
        let entity = self.store.find(hash, key);
        match entity {
            Some(entity) => self.desk.record.unpack(self.store.packed(entity)),
            None => self.desk.record.begin(key),
        }
        if self.is_duplicate(event, present) {
            self.stats.duplicates += 1;
            return;
        }
        if entity.is_some_and(|entity| self.store.set_judged(entity)) {
            self.prepare_judgement(present.at, sink);
            self.evaluate(Occasion { present, cause: Cause::Catalog, order: None }, sink);
        }
        self.count(event, occasion);
        if self.forget_at() <= present.at {
            // Nobody was there, or there were only commands: the event is so old that nothing is kept.
            self.desk.stale.clear();
            return entity.into_iter().for_each(|entity| self.end(entity, present.at, Cause::Forgotten, sink));
        }
        if entity.is_none() {
            self.desk.stale.fill(self.program.tags.len());
        }
        let until = self.evaluate(occasion, sink).min(self.forget_at());
        match entity {
            Some(entity) => {
                self.put_back(entity);
                self.agenda.lower(entity, &self.desk.dues);
                self.rearm(entity, until.min(self.store.due(entity)), present.at);
            }
            None => {
                let entity = self.store.insert(hash, self.desk.pack());
                self.agenda.set(entity, &self.desk.dues);
                self.rearm(entity, until, present.at);
            }
        }
    }

    /// What an event asks for. Erasing is no order: it has no verdicts.
    fn occasion<'a>(&self, event: &'a Event, present: Present) -> Occasion<'a> {
        let ends = |tag: TagId, valid_for_ms: Option<i64>| {
            let default = match self.program.tag(tag).definition {
                TagDefinition::Manual { valid_for_ms } => valid_for_ms,
                _ => None,
            };
            valid_for_ms.or(default).map_or(Timestamp::FOREVER, |ms| present.at.plus(ms))
        };
        let order = match event.command {
            Some(Command::Set { tag, value, valid_for_ms }) => {
                Some(Order { tag, value: scalar(value, event), ends: ends(tag, valid_for_ms) })
            }
            Some(Command::Unset { tag }) => Some(Order { tag, value: Scalar::Absent, ends: Timestamp::FOREVER }),
            Some(Command::Erase) | None => None,
        };
        let cause = if event.command.is_some() { Cause::Command } else { Cause::Event };
        Occasion { present, cause, order }
    }

    /// Takes a behaviour event or an order into the record on the desk.
    fn count(&mut self, event: &Event, occasion: Occasion<'_>) {
        let Occasion { present, order, .. } = occasion;
        let Some(order) = order else {
            let Partition { program, desk, stats, .. } = self;
            let (skipped, heard) = (&mut stats.skipped[..], &mut stats.heard[..]);
            let mut counting = Counting { program, present, stale: &mut desk.stale, skipped, heard };
            return counting.count(event, &mut desk.record);
        };
        self.desk.record.see_command(present.at);
        if let Some(place) = self.program.tags.iter().position(|plan| plan.id == order.tag) {
            self.desk.stale.insert(place);
        }
    }

    fn erase_by_command(&mut self, event: &Event, present: Present, sink: &mut impl Sink) {
        let Some(key) = event.key_of(self.program.kind) else { return };
        self.stats.events += 1;
        let Some(entity) = self.store.find(Store::hash(key), key) else { return };
        self.desk.record.unpack(self.store.packed(entity));
        if self.is_duplicate(event, present) {
            self.stats.duplicates += 1;
            return;
        }
        self.end(entity, present.at, Cause::Erased, sink);
    }

    /// Time passes up to an instant, and nothing else happens. An instant that is not after the clock does nothing.
    pub fn advance(&mut self, to: Timestamp, sink: &mut impl Sink) {
        let mut due = std::mem::take(&mut self.desk.due);
        while let Some(at) = self.timers.pop(to, &self.store, &mut due) {
            // Entities of one instant go by key: their order must not depend on how they are kept.
            due.sort_unstable_by(|a, b| {
                Record::key_of(self.store.packed(*a)).cmp(Record::key_of(self.store.packed(*b)))
            });
            self.move_clock(at);
            for together in due.chunks(Answers::TOGETHER_MAX) {
                self.foresee(together);
                together.iter().for_each(|entity| self.fire(*entity, sink));
                self.desk.answers.clear();
            }
        }
        self.desk.due = due;
        self.move_clock(to);
    }

    /// The earliest instant up to `limit` at which an entity is due.
    pub(super) fn first_due(&mut self, limit: Timestamp) -> Option<Timestamp> {
        self.timers.first_due(limit, &self.store)
    }

    fn move_clock(&mut self, to: Timestamp) {
        match &mut self.present {
            None => {
                self.present = Some(Present::new(to, &self.program.zone));
                if self.program.catalog.history == History::Partial {
                    self.filling = Filling::all_since(&self.program, to);
                }
            }
            Some(present) if present.at < to => {
                present.advance(to, &self.program.zone);
                self.ended.clear();
            }
            Some(_) => {}
        }
    }

    /// Evaluates an entity whose timer is due.
    fn fire(&mut self, entity: EntityId, sink: &mut impl Sink) {
        let Some(present) = self.present else {
            return;
        };
        self.stats.timers += 1;
        self.desk.record.unpack(self.store.packed(entity));
        if self.forget_at() <= present.at {
            return self.end(entity, present.at, Cause::Forgotten, sink);
        }
        self.desk.record.prune(&self.program, present);
        let (mut cause, mut is_unwritten) = (Cause::Timer, false);
        if self.store.set_judged(entity) {
            (cause, is_unwritten) = (Cause::Catalog, self.unwritten_filling.is_some());
            self.prepare_judgement(present.at, sink);
        } else {
            let tags = self.program.tags.len();
            self.agenda.due(entity, present.at, tags, &mut self.desk.stale, &self.desk.dues);
        }
        self.evaluate(Occasion { present, cause, order: None }, sink);
        let until = self.agenda.renew(entity, present.at, &self.desk.dues).min(self.forget_at());
        // A changed catalog concerns all, and leaves most as they were: these need not be written again.
        if cause != Cause::Catalog || is_unwritten || self.desk.pack() != self.store.packed(entity) {
            self.put_back(entity);
        }
        self.store.set_due(entity, Timestamp::FOREVER);
        self.rearm(entity, until, present.at);
    }

    fn is_duplicate(&mut self, event: &Event, present: Present) -> bool {
        match (self.program.catalog.input.dedup_ms, event.id()) {
            (Some(dedup_ms), Some(id)) => self.desk.record.is_duplicate(Store::hash(id), present.at, dedup_ms),
            _ => false,
        }
    }

    fn put_back(&mut self, entity: EntityId) {
        self.store.write(entity, self.desk.pack());
    }

    /// Sets an entity's due time, which is the present one or an earlier one.
    fn rearm(&mut self, entity: EntityId, due: Timestamp, now: Timestamp) {
        if due != self.store.due(entity) {
            self.store.set_due(entity, due);
            self.timers.file(entity, due, now);
            self.timers.tidy(&self.store, now);
        }
    }

    /// The tags that an entity has now, in the catalog's order, then those that earlier catalogs gave it and that have yet to be
    /// removed. `with` sees them.
    pub fn current_tags<R>(&mut self, key: &str, with: impl FnOnce(&[CurrentTag<'_>]) -> R) -> Option<R> {
        let entity = self.store.find(Store::hash(key), key)?;
        Some(self.with_tags(entity, |_, tags| with(tags)))
    }

    /// As [`Partition::current_tags`] for every entity, with its key, the ones that came first before the others.
    pub fn each_entity(&mut self, mut with: impl FnMut(&str, &[CurrentTag<'_>])) {
        for entity in self.store.entities() {
            if !self.store.is_vacant(entity) {
                self.with_tags(entity, &mut with);
            }
        }
    }

    fn with_tags<R>(&mut self, entity: EntityId, with: impl FnOnce(&str, &[CurrentTag<'_>]) -> R) -> R {
        let record = &mut self.desk.record;
        record.unpack(self.store.packed(entity));
        for plan in &self.program.tags {
            record.load_tag(plan.id);
        }
        let gone = record.gone();
        let known = self.program.catalog.tags.iter().zip(record.tags()).filter_map(|(tag, state)| {
            let since = state.since()?;
            Some(CurrentTag { tag: &tag.name, value: record.shown(&tag.definition, *state), since })
        });
        let gone = gone.iter().map(|(name, shown)| CurrentTag {
            tag: record.name(*name),
            value: record.kept(shown.value),
            since: shown.since,
        });
        let tags: Vec<CurrentTag<'_>> = known.chain(gone).collect();
        with(record.key(), &tags)
    }
}
