//! One partition: its clock, its entities and their timers, in one value that nobody else touches.
//!
//! The clock moves through [`Partition::apply`] and [`Partition::advance`] only, so whoever drives it (a service, a
//! replay, a test) gets the same changes from the same events.

use std::sync::Arc;

use super::counting::Counting;
use super::eval::{Evaluator, Lines, Present};
use super::journal::Journal;
use super::packed::Kept;
use super::program::Program;
use super::record::Record;
use super::stale::Stale;
use super::store::{EntityId, Store};
use super::tag_state::TagState;
use super::tags::{Next, Shown, Turn, turn};
use super::timers::Timers;
use crate::catalog::Leaf;
use crate::model::{Cause, CurrentTag, Event, Scalar, TagChange, Timestamp};

/// The kind of entity that every catalog has.
const USER: &str = "user";

/// Takes the changes, in the order in which they become true.
pub trait Sink {
    fn change(&mut self, change: &TagChange<'_>);
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
}

#[derive(Debug)]
pub struct Partition {
    pub(super) program: Arc<Program>,
    pub(super) present: Option<Present>,
    pub(super) store: Store,
    pub(super) timers: Timers,
    pub(super) journal: Journal,
    pub(super) desk: Desk,
    stats: Stats,
}

/// Room to work on one entity, kept from one to the next so that nothing is allocated for an event.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) record: Record,
    pub(super) lines: Lines,
    packed: Vec<u8>,
    /// A string on its way from the record back into it.
    text: String,
    due: Vec<EntityId>,
    because: Vec<(&'static str, Scalar<'static>)>,
    /// Empty between one evaluation and the next.
    stale: Stale,
}

impl Desk {
    /// The bytes of the entity on the desk.
    fn pack(&mut self) -> &[u8] {
        self.packed.clear();
        self.record.pack(&mut self.packed);
        &self.packed
    }
}

impl Partition {
    pub fn new(program: Arc<Program>) -> Self {
        let desk = Desk {
            record: Record::new(&program),
            lines: Lines::default(),
            packed: Vec::new(),
            text: String::new(),
            due: Vec::new(),
            because: Vec::new(),
            stale: Stale::empty(program.tags.len()),
        };
        let stats = Stats { skipped: vec![0; program.series.len()], ..Stats::default() };
        Partition {
            present: None,
            store: Store::default(),
            timers: Timers::default(),
            journal: Journal::default(),
            desk,
            stats,
            program,
        }
    }

    pub fn program(&self) -> &Program {
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

    /// Bytes held for entities, timers and the bookkeeping of the changelog.
    pub fn bytes(&self) -> usize {
        self.store.bytes() + self.timers.bytes() + self.journal.bytes()
    }

    /// What was done since the last call.
    pub fn take_stats(&mut self) -> Stats {
        let none = Stats { skipped: vec![0; self.stats.skipped.len()], ..Stats::default() };
        std::mem::replace(&mut self.stats, none)
    }

    /// Counts an accepted event: what is due up to its time comes first, then the event, then its entity's verdicts.
    pub fn apply(&mut self, event: &Event, sink: &mut impl Sink) {
        self.advance(event.time, sink);
        let Some(present) = self.present else {
            return;
        };
        self.stats.events += 1;
        let hash = Store::hash(event.key());
        let entity = self.store.find(hash, event.key());
        match entity {
            Some(entity) => self.desk.record.unpack(self.store.packed(entity)),
            None => self.desk.record.begin(event.key()),
        }
        if self.is_duplicate(event, present) {
            self.stats.duplicates += 1;
            return;
        }
        let mut counting =
            Counting { program: &self.program, present, stale: &mut self.desk.stale, skipped: &mut self.stats.skipped };
        counting.count(event, &mut self.desk.record);
        if entity.is_none() {
            self.desk.stale.fill(self.program.tags.len());
        }
        let until = self.evaluate(present, Cause::Event, sink);
        match entity {
            Some(entity) => {
                self.put_back(entity);
                self.rearm(entity, until.min(self.store.due(entity)), present.at);
            }
            None => {
                let entity = self.store.insert(hash, self.desk.pack());
                self.rearm(entity, until, present.at);
            }
        }
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
            for entity in &due {
                self.fire(*entity, sink);
            }
        }
        self.desk.due = due;
        self.move_clock(to);
    }

    fn move_clock(&mut self, to: Timestamp) {
        match &mut self.present {
            None => self.present = Some(Present::new(to, &self.program.zone)),
            Some(present) if present.at < to => present.advance(to, &self.program.zone),
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
        self.desk.record.prune(&self.program, present);
        self.desk.stale.fill(self.program.tags.len());
        let until = self.evaluate(present, Cause::Timer, sink);
        self.put_back(entity);
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

    /// Evaluates the stale tags, and those that use one that changes, in order; returns until when they hold.
    fn evaluate(&mut self, present: Present, cause: Cause, sink: &mut impl Sink) -> Timestamp {
        let mut until = Timestamp::FOREVER;
        while let Some(turn) = self.desk.stale.pop_first() {
            let id = self.program.tags[turn.place].id;
            self.desk.record.load_tag(id);
            let is_settled = match self.desk.record.tag(id) {
                TagState::Off => !turn.if_off,
                TagState::On { lapsed: None, .. } => !turn.if_on,
                _ => false,
            };
            if !is_settled {
                until = until.min(self.evaluate_tag(turn.place, present, cause, sink));
            }
        }
        until
    }

    fn evaluate_tag(&mut self, place: usize, present: Present, cause: Cause, sink: &mut impl Sink) -> Timestamp {
        let program = &*self.program;
        let plan = &program.tags[place];
        let kind = &program.tag(plan.id).kind;
        load(program, place, &mut self.desk.record);
        let state = self.desk.record.tag(plan.id);
        let desk = &mut self.desk;
        let mut evaluator = Evaluator { program, record: &desk.record, present, lines: &mut desk.lines };
        let Turn { next, until } = turn(&mut evaluator, kind, state);
        let (to, because) = match next {
            Next::Same => return until,
            Next::Silent(state) => {
                desk.record.set_tag(plan.id, state);
                return until;
            }
            Next::Change { to, because } => (to, because),
        };
        let mut leaves = recycle(std::mem::take(&mut desk.because));
        explain(&mut evaluator, &plan.because[because], &mut leaves);
        let new_state = announced(to, present.at);
        let value = match to {
            Shown::Value(value) => value,
            _ => desk.record.shown(kind, new_state),
        };
        sink.change(&TagChange {
            entity: USER,
            key: desk.record.key(),
            tag: &program.tag(plan.id).name,
            value,
            previous: desk.record.shown(kind, state),
            at: present.at,
            seq: desk.record.seq + 1,
            cause,
            because: &leaves,
            catalog: &program.fingerprint,
        });
        desk.because = recycle(leaves);
        let new_state = match to {
            Shown::Value(value) => {
                desk.text.clear();
                let parked = Kept::new(value, &mut desk.text);
                TagState::Valued { since: present.at, value: desk.record.keep(parked.get(&desk.text)) }
            }
            _ => new_state,
        };
        desk.record.seq += 1;
        desk.record.set_tag(plan.id, new_state);
        desk.stale.extend(&plan.stale);
        self.stats.changes += 1;
        until
    }

    /// The tags that an entity has now, in the catalog's order. `with` sees them.
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
        let tags: Vec<CurrentTag<'_>> = self
            .program
            .catalog
            .tags
            .iter()
            .zip(record.tags())
            .filter_map(|(tag, state)| {
                let since = state.since()?;
                Some(CurrentTag { tag: &tag.name, value: record.shown(&tag.kind, *state), since })
            })
            .collect();
        with(record.key(), &tags)
    }
}

/// The state behind what a change shows, but for values, whose strings the record has to keep first.
fn announced(to: Shown<'_>, at: Timestamp) -> TagState {
    match to {
        Shown::Nothing | Shown::Value(_) => TagState::Off,
        Shown::On => TagState::On { since: at, lapsed: None },
        Shown::Nth(index) => TagState::Nth { since: at, index },
    }
}

/// Decodes what the evaluation of a tag may look at, beside the tag itself.
pub(super) fn load(program: &Program, place: usize, record: &mut Record) {
    let plan = &program.tags[place];
    for id in &plan.series {
        let frame = program.series[usize::from(id.0)].frame;
        record.load_series(*id, |at| frame.grid.pane(at, &program.zone));
    }
    for id in &plan.attributes {
        record.load_attribute(*id);
    }
    for id in &plan.uses {
        record.load_tag(*id);
    }
}

/// The leaves' values at the present instant.
fn explain<'a>(evaluator: &mut Evaluator<'a>, leaves: &'a [Leaf], because: &mut Vec<(&'a str, Scalar<'a>)>) {
    for leaf in leaves {
        because.push((&leaf.label, evaluator.eval(&leaf.expr).value));
    }
}

/// The same allocation for entries of another lifetime.
fn recycle<'a, 'b>(mut entries: Vec<(&'a str, Scalar<'a>)>) -> Vec<(&'b str, Scalar<'b>)> {
    entries.clear();
    entries.into_iter().map(|_| unreachable!("the entries have been cleared")).collect()
}
