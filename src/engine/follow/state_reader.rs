//! Reads the state of an entity at rest: its tags, its attributes, and the values of expressions over it.

use std::sync::Arc;

use super::standing::PartitionStanding;
use crate::catalog::{AttributeId, CounterId, Expr, TagId};
use crate::engine::entity::{EntityState, Scored, TagState};
use crate::engine::expr::{ClockExprs, Evaluator, ScoreCache, TextArena, load_series};
use crate::engine::program::{Dependency, Program, SeriesId, visit_dependencies};
use crate::model::{Scalar, Timestamp};

/// A tag that an entity has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TagReading<'a> {
    pub value: Scalar<'a>,
    /// Since when it has this value.
    pub since: Timestamp,
    /// The index of its band or stage, where it has one.
    pub label: Option<u16>,
}

/// An attribute of an entity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttributeState<'a> {
    pub value: Scalar<'a>,
    /// The time of the event that set or cleared it.
    pub time: Timestamp,
}

/// An expression over an entity, with what has to be decoded for it.
#[derive(Clone, Debug)]
pub struct ReadableExpr {
    pub expr: Expr,
    counters: Vec<CounterId>,
    series: Vec<SeriesId>,
    attributes: Vec<AttributeId>,
    tags: Vec<TagId>,
}

impl ReadableExpr {
    /// An expression over the entity kind of a program.
    pub fn new(program: &Program, expr: Expr) -> Self {
        let (mut counters, mut attributes, mut tags) = (Vec::new(), Vec::new(), Vec::new());
        visit_dependencies(&expr, &mut |dependency| match dependency {
            Dependency::Counter(counter) => counters.push(counter),
            Dependency::Attribute(attribute) => attributes.push(attribute),
            Dependency::Tag(tag) => tags.push(tag),
            Dependency::FirstSeen | Dependency::LastSeen => {}
        });
        let series = counters.iter().map(|counter| program.counter(*counter).series).collect();
        ReadableExpr { expr, counters, series, attributes, tags }
    }

    /// The counters that it reads.
    pub fn counters(&self) -> &[CounterId] {
        &self.counters
    }

    /// The tags that it reads.
    pub fn tags(&self) -> &[TagId] {
        &self.tags
    }
}

/// Reads one state after another; a buffer that is used again.
#[derive(Debug)]
pub struct StateReader {
    program: Arc<Program>,
    entity_state: EntityState,
    clock_exprs: ClockExprs,
    score_cache: ScoreCache,
    /// Texts that expressions make of an entity's.
    texts: TextArena,
}

impl StateReader {
    pub fn new(program: Arc<Program>) -> Self {
        let entity_state = EntityState::new(&program);
        let (clock_exprs, score_cache, texts) = (ClockExprs::default(), ScoreCache::default(), TextArena::default());
        StateReader { program, entity_state, clock_exprs, score_cache, texts }
    }

    /// The key of a state.
    pub fn key_of(packed: &[u8]) -> &str {
        std::str::from_utf8(EntityState::key_of(packed)).unwrap_or_default()
    }

    /// Begins to read a state.
    pub fn open(&mut self, packed: &[u8]) {
        self.entity_state.unpack(packed);
        self.texts = TextArena::default();
    }

    pub fn key(&self) -> &str {
        self.entity_state.key()
    }

    /// How many changes its tags have had: the number of the latest one.
    pub fn changes(&self) -> u64 {
        self.entity_state.seq
    }

    /// The time of the earliest event; `None` where there were only commands.
    pub fn first_seen(&self) -> Option<Timestamp> {
        self.entity_state.first_seen()
    }

    /// The time of the latest event.
    pub fn last_seen(&self) -> Option<Timestamp> {
        self.entity_state.last_seen()
    }

    /// A tag, where the entity has it.
    pub fn tag(&mut self, id: TagId) -> Option<TagReading<'_>> {
        self.entity_state.load_tags();
        let state = self.entity_state.tag(id);
        let value = self.entity_state.shown(&self.program.tag(id).definition, state);
        let label = match state {
            TagState::BandOrStage { index, .. } | TagState::Scored(Scored { shown: Some((_, index)), .. }) => {
                Some(index)
            }
            _ => None,
        };
        (!value.is_absent()).then_some(TagReading { value, since: state.since()?, label })
    }

    /// Hands over the names of the tags that the entity still has from an earlier catalog.
    pub fn each_retired_tag(&mut self, mut each: impl FnMut(&str)) {
        for (name, _) in self.entity_state.retired() {
            each(self.entity_state.name(name));
        }
    }

    pub fn attribute(&mut self, id: AttributeId) -> AttributeState<'_> {
        self.entity_state.load_attribute(id);
        AttributeState { value: self.entity_state.attribute(id), time: self.entity_state.attribute_time(id) }
    }

    /// The value of an expression at the instant of the standing, over what was seen: an incomplete counter counts as it is.
    pub fn eval<'a>(&'a mut self, standing: &PartitionStanding, of: &'a ReadableExpr) -> Scalar<'a> {
        let Some(now) = standing.now else { return Scalar::Absent };
        of.series.iter().for_each(|id| load_series(&self.program, *id, &mut self.entity_state));
        of.attributes.iter().for_each(|id| self.entity_state.load_attribute(*id));
        self.entity_state.load_tags();
        let StateReader { program, entity_state, clock_exprs, score_cache, texts } = self;
        Evaluator { program, entity_state, now, clock_exprs, score_cache, texts, coverage: None }.eval(&of.expr).value
    }

    /// Whether a condition holds at the instant of the standing.
    pub fn holds(&mut self, standing: &PartitionStanding, condition: &ReadableExpr) -> bool {
        self.eval(standing, condition).holds()
    }
}
