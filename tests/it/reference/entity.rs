//! One entity: all its events, its tags' states, and an evaluation at an instant.

use std::collections::HashMap;

use serde_json::{Map, Value as Output};

use super::catalog::Catalog;
use super::counter::Taken;
use super::evaluate::evaluate;
use super::expression::{Expression, Name};
use super::input::Event;
use super::instant;
use super::value::Value;
use super::verdict::TagState;
use super::window::NEVER;

pub struct Entity {
    key: String,
    /// The first instant after the last evaluation at which something may change with no event.
    pub due: i64,
    times: Vec<i64>,
    /// By counter, what it took of the events, in the order of arrival.
    taken: Vec<Vec<Taken>>,
    /// By attribute, what the events said of it, each with its time, in the order of arrival.
    told: Vec<Vec<(i64, Value)>>,
    /// By tag.
    states: Vec<TagState>,
    /// By event id the clock at which it was accepted.
    ids: HashMap<String, i64>,
    seq: u64,
}

/// What an expression of a tag can read: counters, attributes and tags by name, as of one clock.
type Facts = HashMap<String, Value>;

fn lookup(facts: &Facts) -> impl Fn(&Name) -> Value {
    |name| match name {
        Name::Fact(name) => facts.get(name).unwrap_or_else(|| panic!("unknown name {name:?}")).clone(),
        Name::Path(steps) => panic!("a path in a tag: {steps:?}"),
    }
}

impl Entity {
    pub fn new(key: &str, catalog: &Catalog) -> Self {
        Self {
            key: key.to_owned(),
            due: NEVER,
            times: Vec::new(),
            taken: catalog.counters.iter().map(|_| Vec::new()).collect(),
            told: catalog.attributes.iter().map(|_| Vec::new()).collect(),
            states: catalog.tags.iter().map(|_| TagState::new()).collect(),
            ids: HashMap::new(),
            seq: 0,
        }
    }

    /// Whether an event repeats one that was accepted less than `dedup` ago. Only accepted ones are remembered.
    pub fn is_repeated(&mut self, event: &Event, catalog: &Catalog, clock: i64) -> bool {
        let (Some(dedup_ms), Some(id)) = (catalog.input.dedup_ms, &event.id) else { return false };
        if self.ids.get(id).is_some_and(|accepted| clock - accepted < dedup_ms) {
            return true;
        }
        self.ids.insert(id.clone(), clock);
        false
    }

    pub fn apply(&mut self, event: &Event, catalog: &Catalog, clock: i64) {
        self.times.push(event.time);
        for (counter, taken) in catalog.counters.iter().zip(&mut self.taken) {
            taken.extend(counter.take(&catalog.zone, event, clock));
        }
        for (attribute, told) in catalog.attributes.iter().zip(&mut self.told) {
            let value = attribute.told(event, catalog.input.time_unit_ms);
            told.extend(value.map(|value| (event.time, value)));
        }
    }

    /// Every fact at the clock, computed from all events; tags as they are.
    fn facts(&self, catalog: &Catalog, clock: i64) -> Facts {
        let time = |time: Option<&i64>| time.map_or(Value::Absent, |ms| Value::Time(*ms));
        let mut facts = Facts::new();
        facts.insert("first_seen".to_owned(), time(self.times.iter().min()));
        facts.insert("last_seen".to_owned(), time(self.times.iter().max()));
        for (counter, taken) in catalog.counters.iter().zip(&self.taken) {
            facts.insert(counter.name.clone(), counter.value(&catalog.zone, taken, clock));
        }
        for (attribute, told) in catalog.attributes.iter().zip(&self.told) {
            // Of equal times the one that arrived last is returned.
            let latest = told.iter().max_by_key(|(time, _)| *time);
            facts.insert(attribute.name.clone(), latest.map_or(Value::Absent, |(_, value)| value.clone()));
        }
        for (tag, state) in catalog.tags.iter().zip(&self.states) {
            facts.insert(format!("tag.{}", tag.name), tag.as_seen(state));
        }
        facts
    }

    /// Brings every tag up to the clock, reports what changed, and finds out when to look again.
    pub fn evaluate(&mut self, catalog: &Catalog, clock: i64, cause: &str, changes: &mut Vec<Output>) {
        let mut facts = self.facts(catalog, clock);
        for turn in &catalog.turns {
            let tag = &catalog.tags[*turn];
            let next = tag.step(&self.states[*turn], &lookup(&facts), clock);
            let previous = std::mem::replace(&mut self.states[*turn], next.clone());
            if previous.value != next.value {
                self.seq += 1;
                changes.push(serde_json::json!({
                    "entity": "user",
                    "key": self.key,
                    "tag": tag.name,
                    "change": match (&previous.value, &next.value) {
                        (Value::Absent, _) => "added",
                        (_, Value::Absent) => "removed",
                        _ => "changed",
                    },
                    "value": next.value.output(),
                    "previous": previous.value.output(),
                    "at": instant::write(clock),
                    "seq": self.seq,
                    "cause": cause,
                    "because": because(&tag.deciding(&next.value), &facts, clock),
                }));
            }
            facts.insert(format!("tag.{}", tag.name), tag.as_seen(&next));
        }
        self.due = self.next(catalog, &facts, clock);
    }

    fn next(&self, catalog: &Catalog, facts: &Facts, clock: i64) -> i64 {
        let leaving = self.taken.iter().flatten().map(|taken| taken.leaves).filter(|leaves| *leaves > clock);
        let steps = leaving.min().unwrap_or(NEVER);
        let tags = catalog.tags.iter().zip(&self.states);
        tags.map(|(tag, state)| tag.next(state, &lookup(facts), clock, steps)).fold(steps, i64::min)
    }
}

/// Every name and clock call of the expressions with its value.
fn because(expressions: &[&Expression], facts: &Facts, clock: i64) -> Map<String, Output> {
    let mut leaves = Vec::new();
    expressions.iter().for_each(|expression| expression.leaves(&mut leaves));
    let mut listed = Map::new();
    let names = lookup(facts);
    for leaf in leaves {
        match leaf {
            Expression::Name(name) | Expression::Has(name) => {
                listed.insert(name.written(), names(name).output());
            }
            Expression::Between { from, to, .. } => {
                listed.insert(from.written(), names(from).output());
                listed.insert(to.written(), names(to).output());
            }
            Expression::Moving { written, .. } => {
                listed.insert(written.clone(), evaluate(leaf, &names, clock).output());
            }
            other => panic!("no leaf: {other:?}"),
        }
    }
    listed
}
