//! One entity: all its events, its tags' states, and an evaluation at an instant.

use std::collections::HashMap;

use serde_json::{Map, Value as Output};

use super::catalog::{Catalog, TagKind};
use super::command::Order;
use super::counter::History;
use super::evaluate::{Scope, evaluate};
use super::expression::{Expression, Name};
use super::input::Event;
use super::instant;
use super::number::Number;
use super::outlook::Outlook;
use super::possible::Possible;
use super::succession::{Heir, Succession};
use super::value::Value;
use super::verdict::{TagState, Told};
use super::window::NEVER;

pub struct Entity {
    /// Index of its kind.
    kind: usize,
    key: String,
    /// The first instant after the last evaluation at which something may change with no event.
    pub due: i64,
    times: Vec<i64>,
    /// The clock of its latest command, of those before the first event.
    commanded: Option<i64>,
    /// By counter, what it took of the events; nothing for those of other kinds.
    taken: Vec<History>,
    /// By attribute, what the events said of it, each with its time, in the order of arrival.
    told: Vec<Vec<(i64, Value)>>,
    /// By tag.
    states: Vec<TagState>,
    /// The ids of accepted events, each with the clock at which it was accepted, in that order.
    ids: Vec<(String, i64)>,
    seq: u64,
    /// Tags that the catalog has no more, with their values, until the entity is evaluated under it.
    retired: Vec<(String, Value)>,
    /// Whether it has not been evaluated under the present catalog.
    pub pending: bool,
}

/// When something is evaluated, and why.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    pub clock: i64,
    pub cause: &'a str,
    /// By counter, the clock up to which events may be missing, if any may.
    pub added: &'a [Option<i64>],
}

/// What an expression of a tag can read: counters, attributes and tags by name, as of one clock.
struct Facts {
    key: String,
    /// What was seen.
    seen: HashMap<String, Value>,
    /// What there may be.
    possible: HashMap<String, Possible>,
}

impl Facts {
    fn insert(&mut self, name: &str, value: Value) {
        self.possible.insert(name.to_owned(), Possible::only(value.clone()));
        self.seen.insert(name.to_owned(), value);
    }

    fn value(&self, name: &Name) -> Value {
        if let Name::Share(of) = name {
            return share(of, &self.key);
        }
        self.seen.get(&name.written()).unwrap_or_else(|| panic!("unknown name {name:?}")).clone()
    }

    fn possible(&self, name: &Name) -> Possible {
        if let Name::Share(of) = name {
            return Possible::only(share(of, &self.key));
        }
        self.possible.get(&name.written()).unwrap_or_else(|| panic!("unknown name {name:?}")).clone()
    }
}

/// From 0 up to but not including 1.
fn share(name: &str, key: &str) -> Value {
    let hash = xxhash_rust::xxh3::xxh3_64(format!("{name}\0{key}").as_bytes());
    Value::Number(Number::Double((hash >> 11) as f64 / (1u64 << 53) as f64))
}

impl Entity {
    pub fn new(kind: usize, key: &str, catalog: &Catalog) -> Self {
        Self {
            kind,
            key: key.to_owned(),
            due: NEVER,
            times: Vec::new(),
            commanded: None,
            taken: catalog.counters.iter().map(|_| History::default()).collect(),
            told: catalog.attributes.iter().map(|_| Vec::new()).collect(),
            states: catalog.tags.iter().map(|_| TagState::new()).collect(),
            ids: Vec::new(),
            seq: 0,
            retired: Vec::new(),
            pending: false,
        }
    }

    /// Whether an event repeats one that was accepted less than `dedup` ago. Only accepted ones are remembered.
    pub fn is_repeated(&mut self, event: &Event, catalog: &Catalog, clock: i64) -> bool {
        let (Some(dedup_ms), Some(id)) = (catalog.input.dedup_ms, &event.id) else { return false };
        let remembered = &self.ids[self.ids.len().saturating_sub(catalog.input.dedup_limit)..];
        if remembered.iter().any(|(known, accepted)| known == id && clock - accepted < dedup_ms) {
            return true;
        }
        self.ids.push((id.clone(), clock));
        false
    }

    pub fn apply(&mut self, event: &Event, catalog: &Catalog, clock: i64) {
        self.times.push(event.time);
        for (counter, taken) in catalog.counters.iter().zip(&mut self.taken) {
            if counter.entity == self.kind {
                counter.take(taken, &catalog.zone, &catalog.input, event, clock);
            }
        }
        for (attribute, told) in catalog.attributes.iter().zip(&mut self.told) {
            if attribute.entity == self.kind {
                let value = attribute.told(event, &catalog.input, &catalog.zone);
                told.extend(value.map(|value| (event.time, value)));
            }
        }
    }

    /// A `$tag` command, for the next evaluation.
    pub fn obey(&mut self, tag: usize, order: &Order, catalog: &Catalog, clock: i64) {
        if self.times.is_empty() {
            self.commanded = Some(clock);
        }
        let TagKind::Manual { valid_ms: usual_ms } = catalog.tags[tag].kind else { panic!("a manual tag") };
        self.states[tag].tell(match order {
            Order::Unset => Told { value: Value::Absent, ends: NEVER },
            Order::Set { value, valid_ms } => {
                let ends = valid_ms.or(usual_ms).map_or(NEVER, |valid_ms| clock.saturating_add(valid_ms));
                let value = if catalog.input.keeps(value) { value.clone() } else { Value::Bool(true) };
                Told { value, ends }
            }
        });
    }

    /// The instant at which it is forgotten if it stays silent.
    pub fn forgotten(&self, catalog: &Catalog) -> i64 {
        let silent_since = self.times.iter().copied().chain(self.commanded).max();
        let forget_ms = catalog.kinds[self.kind].forget_ms;
        silent_since.zip(forget_ms).map_or(NEVER, |(since, forget_ms)| since + forget_ms)
    }

    /// Every fact at the clock, computed from all events; tags as they are.
    fn facts(&self, catalog: &Catalog, now: Moment) -> Facts {
        let Moment { clock, added, .. } = now;
        let time = |time: Option<&i64>| time.map_or(Value::Absent, |ms| Value::Time(*ms));
        let mut facts = Facts { key: self.key.clone(), seen: HashMap::new(), possible: HashMap::new() };
        facts.insert("first_seen", time(self.times.iter().min()));
        facts.insert("last_seen", time(self.times.iter().max()));
        for ((counter, taken), added) in catalog.counters.iter().zip(&self.taken).zip(added) {
            if counter.entity == self.kind {
                facts.insert(&counter.name, counter.value(&catalog.zone, taken, clock));
                let possible = counter.possible(&catalog.zone, taken, clock, *added);
                facts.possible.insert(counter.name.clone(), possible);
            }
        }
        for (attribute, told) in catalog.attributes.iter().zip(&self.told) {
            if attribute.entity == self.kind {
                // Of equal times the one that arrived last is returned.
                let latest = told.iter().max_by_key(|(time, _)| *time);
                facts.insert(&attribute.name, latest.map_or(Value::Absent, |(_, value)| value.clone()));
            }
        }
        for (tag, state) in catalog.tags.iter().zip(&self.states) {
            if tag.entity == self.kind {
                facts.insert(&format!("tag.{}", tag.name), tag.as_seen(state));
            }
        }
        facts
    }

    /// Brings every tag up to the clock, reports what changed, and finds out when to look again.
    pub fn evaluate(&mut self, catalog: &Catalog, now: Moment, changes: &mut Vec<Output>) {
        self.retire(catalog, now, changes);
        self.pending = false;
        let mut facts = self.facts(catalog, now);
        let kind = self.kind;
        for turn in catalog.turns.iter().copied().filter(|turn| catalog.tags[*turn].entity == kind) {
            let tag = &catalog.tags[turn];
            let names = |name: &Name| facts.possible(name);
            let outlook = Outlook { names: &names, zone: &catalog.zone };
            let next = tag.step(&self.states[turn], outlook, now.clock, &catalog.input);
            let because = because(&tag.deciding(&next.value), &facts, catalog, now.clock);
            facts.insert(&format!("tag.{}", tag.name), tag.as_seen(&next));
            let previous = std::mem::replace(&mut self.states[turn], next);
            changes.extend(self.change(catalog, turn, &previous.value, because, now));
        }
        self.due = self.next(catalog, &facts, now);
    }

    /// Reports that every tag goes, because the entity does.
    pub fn leave(&mut self, catalog: &Catalog, now: Moment, changes: &mut Vec<Output>) {
        self.retire(catalog, now, changes);
        for turn in catalog.turns.iter().copied() {
            let previous = std::mem::replace(&mut self.states[turn], TagState::new());
            changes.extend(self.change(catalog, turn, &previous.value, Map::new(), now));
        }
    }

    /// Reports that the tags go that the catalog has no more.
    fn retire(&mut self, catalog: &Catalog, now: Moment, changes: &mut Vec<Output>) {
        for (name, previous) in std::mem::take(&mut self.retired) {
            changes.extend(self.report(catalog, &name, [&previous, &Value::Absent], Map::new(), now));
        }
    }

    /// Goes on under another catalog.
    pub fn adopt(&mut self, old: &Catalog, new: &Catalog, succession: &Succession) {
        let counters = new.counters.iter().zip(&succession.counters);
        let taken = counters.map(|(counter, heir)| {
            heir.map_or_else(History::default, |Heir { of, from }| counter.adopted(&new.zone, &self.taken[of], from))
        });
        self.taken = taken.collect();
        let told = succession.attributes.iter().map(|of| of.map_or_else(Vec::new, |of| self.told[of].clone()));
        self.told = told.collect();
        let heirs = succession.tags.iter().zip(&new.tags);
        let states = heirs.map(|(of, tag)| of.map_or_else(TagState::new, |of| self.states[of].under(&tag.kind)));
        let states = states.collect();
        let before = std::mem::replace(&mut self.states, states);
        for (index, (tag, state)) in old.tags.iter().zip(before).enumerate() {
            if !succession.tags.contains(&Some(index)) && state.value != Value::Absent {
                self.retired.push((tag.name.clone(), state.value));
            }
        }
        self.pending = true;
    }

    /// What is to be told of a tag that had the `previous` value.
    fn change(
        &mut self,
        catalog: &Catalog,
        tag: usize,
        previous: &Value,
        because: Map<String, Output>,
        now: Moment,
    ) -> Option<Output> {
        let value = self.states[tag].value.clone();
        self.report(catalog, &catalog.tags[tag].name, [previous, &value], because, now)
    }

    fn report(
        &mut self,
        catalog: &Catalog,
        tag: &str,
        [previous, value]: [&Value; 2],
        because: Map<String, Output>,
        now: Moment,
    ) -> Option<Output> {
        // 2 and 2.0 are one value.
        if previous == value || previous.equals(value) == Some(true) {
            return None;
        }
        self.seq += 1;
        Some(serde_json::json!({
            "entity": catalog.kinds[self.kind].name,
            "key": self.key,
            "tag": tag,
            "change": match (previous, value) {
                (Value::Absent, _) => "added",
                (_, Value::Absent) => "removed",
                _ => "changed",
            },
            "value": value.output(),
            "previous": previous.output(),
            "at": instant::write(now.clock),
            "seq": self.seq,
            "cause": now.cause,
            "because": because,
        }))
    }

    fn next(&self, catalog: &Catalog, facts: &Facts, now: Moment) -> i64 {
        let Moment { clock, added, .. } = now;
        let taken = self.taken.iter().flat_map(|history| &history.taken);
        let moves = taken.flat_map(|taken| [taken.enters, taken.leaves]).filter(|instant| *instant > clock);
        let counters = catalog.counters.iter().zip(&self.taken).zip(added);
        let counters = counters.filter(|((counter, _), _)| counter.entity == self.kind);
        let unseen =
            counters.map(|((counter, history), added)| counter.unseen_changes(&catalog.zone, history, clock, *added));
        let tags = || catalog.tags.iter().zip(&self.states).filter(|(tag, _)| tag.entity == self.kind);
        let by_dates = tags().any(|(tag, _)| tag.kind.expressions().iter().any(|own| own.moves_by_dates()));
        let tomorrow = by_dates.then(|| catalog.zone.start_of_day(catalog.zone.day(clock) + 1));
        let steps = moves.chain(unseen).chain(tomorrow).fold(self.forgotten(catalog), i64::min);
        let names = |name: &Name| facts.possible(name);
        let outlook = Outlook { names: &names, zone: &catalog.zone };
        tags().map(|(tag, state)| tag.next(state, outlook, clock, steps)).fold(steps, i64::min)
    }
}

/// Every name and clock call of the expressions with its value, as far as it was seen.
fn because(expressions: &[&Expression], facts: &Facts, catalog: &Catalog, clock: i64) -> Map<String, Output> {
    let mut leaves = Vec::new();
    expressions.iter().for_each(|expression| expression.leaves(&mut leaves));
    let mut listed = Map::new();
    let names = |name: &Name| facts.value(name);
    let scope = Scope { names: &names, clock, zone: &catalog.zone, numbers_in_text: false };
    for leaf in leaves {
        match leaf {
            Expression::Moving { written, .. } | Expression::OfDate { written, .. } => {
                listed.insert(written.clone(), evaluate(leaf, scope).output());
            }
            _ => {
                for name in leaf.names() {
                    listed.insert(name.written(), facts.value(&name).output());
                }
            }
        }
    }
    listed
}
