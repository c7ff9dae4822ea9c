//! Why a tag is as it is: its conditions piece by piece, and when each of them will differ if nothing happens.
//!
//! The future is not computed but played: the entity is put alone into a partition of its own, and the clock of that
//! moves from one instant at which something may differ to the next, until the entity is forgotten.

use std::collections::BTreeSet;

use super::{Partition, Scratch};
use crate::catalog::{CalendarFunction, Comparison, Condition, Expr, ReportedValue, Score, TagDefinition, TagId};
use crate::engine::entity::{EntityId, Scored, Store, TagState};
use crate::engine::expr::{Coverage, Evaluator, TextArena, load_inputs};
use crate::engine::ports::NullSink;
use crate::engine::program::Program;
use crate::engine::tags::band_or_stage;
use crate::engine::unknown::{BandVerdict, Truth};
use crate::model::{Timestamp, Unit, Value};

/// At most this many instants are looked at; a later change counts as none.
const OBSERVATIONS_MAX: usize = 5_000;

/// A tag of an entity at an instant. Values are `None` where they are absent.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    pub at: Timestamp,
    pub value: Option<Value>,
    /// Since when the tag has had this value.
    pub since: Option<Timestamp>,
    pub wait: Option<Wait>,
    /// The tag's expressions, in the catalog's order.
    pub sections: Vec<Section>,
    /// The counters that the tag reads and that have not seen their whole window.
    pub incomplete_counters: Vec<IncompleteCounter>,
    /// The tag's next change if nothing happens.
    pub next: Option<NextChange>,
    /// The end of the entity if nothing happens: its tags are removed then.
    pub expiry: Option<Expiry>,
}

/// A counter that has not seen its whole window.
#[derive(Clone, Debug, PartialEq)]
pub struct IncompleteCounter {
    pub counter: String,
    /// Its value over what was seen.
    pub value: Option<Value>,
    pub since: Timestamp,
    /// From this instant on, its window holds only what was seen; `None` for never.
    pub complete_at: Option<Timestamp>,
}

/// The instant at which an entity is forgotten after a long silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    pub at: Timestamp,
    pub silent_ms: i64,
}

/// What a tag waits for beside its conditions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wait {
    /// `when` has held since an instant; if it goes on, the tag is on from `until`.
    For { since: Timestamp, until: Timestamp },
    /// The tag's model was asked at an instant and returned this score; if nothing happens, it is asked again at
    /// `until`.
    Refresh { score: Option<f64>, since: Timestamp, until: Timestamp },
    /// The tag is on, but `when` has not held since an instant; `keep_for` ends at `until`.
    KeepFor { since: Timestamp, until: Timestamp },
}

/// The next change of a tag, and what it shows then.
#[derive(Clone, Debug, PartialEq)]
pub struct NextChange {
    pub at: Timestamp,
    pub value: Option<Value>,
}

/// Which of a tag's expressions a section shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    When,
    Until,
    Value,
    /// The condition of the stage with this name.
    Stage(String),
    /// The model's input with this name.
    Input(String),
}

/// One expression of a tag.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    pub role: Role,
    /// The whole expression first, then its operands, each before its own operands. Empty for a stage without a
    /// condition.
    pub clauses: Vec<Clause>,
    /// The values of everything that it mentions, as in a change's `because`.
    pub leaves: Vec<(String, Option<Value>)>,
}

/// A part of an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    /// 0 for the whole expression.
    pub depth: usize,
    /// As the catalog could write it.
    pub text: String,
    pub form: ClauseForm,
    /// Over what was seen; `None` for a condition that is not decided.
    pub value: Option<Value>,
    /// Whether it holds for everything that the counters may have missed (spec 4.3).
    pub is_decided: bool,
    /// The first instant at which its value is another if nothing happens; `None` for never, and for numbers that move
    /// with the clock.
    pub until: Option<Timestamp>,
}

/// How a clause is made of its operands.
#[derive(Clone, Debug, PartialEq)]
pub enum ClauseForm {
    /// `&&`, `||`, or `!` of one of these: its operands follow as clauses.
    Parts,
    /// A comparison, with the values of its sides; with a unit where they are lengths of time.
    Comparison(Comparison, [Option<Value>; 2], Option<Unit>),
    /// Anything else.
    Leaf,
}

/// A part of an expression whose values are still to be found.
struct SubExpr<'p> {
    depth: usize,
    expr: &'p Expr,
    has_parts: bool,
    serves: Purpose,
}

/// What a part is to its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Condition,
    /// A value, or what bands are found from.
    Value,
    /// A model's input: a change of it alone changes nothing.
    Input,
}

/// The state of a part at an instant.
#[derive(Clone, Debug, PartialEq)]
struct SubExprState {
    value: Option<Value>,
    is_decided: bool,
    /// Until when that holds.
    until: Timestamp,
}

impl SubExprState {
    fn differs(&self, other: &SubExprState) -> bool {
        (&self.value, self.is_decided) != (&other.value, other.is_decided)
    }
}

/// The state of a tag and its parts at an instant.
struct Observation {
    shown: Option<Value>,
    state: TagState,
    /// One per part.
    sub_exprs: Vec<SubExprState>,
}

impl Partition {
    /// Why a tag of an entity is as it is now; `None` for an unknown entity.
    pub fn explain(&self, key: &str, tag: TagId) -> Option<Explanation> {
        let (mut alone, entity) = self.isolate(key)?;
        let program = self.program.clone();
        let place = program.tags.iter().position(|plan| plan.id == tag)?;
        let mut held = others(&program, place);
        held.extend(self.held_tags.names().cloned());
        alone.hold_only(held);
        let conditions = sections_of(&program.tag(tag).definition);
        let mut sub_exprs = Vec::new();
        for (role, condition) in &conditions {
            let Some(Condition { expr, .. }) = condition else { continue };
            let first = sub_exprs.len();
            match role {
                Role::Input(_) => sub_exprs.push(SubExpr { depth: 0, expr, has_parts: false, serves: Purpose::Input }),
                _ => split_expr(expr, 0, &mut sub_exprs),
            }
            if *role == Role::Value {
                sub_exprs[first].serves = Purpose::Value;
            }
        }
        let first = alone.observe(entity, place, &sub_exprs);
        let sections = alone.sections(&conditions, &sub_exprs, &first);
        let mut explanation = Explanation {
            at: alone.clock()?,
            since: first.state.since(),
            wait: wait(&program.tag(tag).definition, first.state),
            value: first.shown.clone(),
            sections,
            incomplete_counters: alone.incomplete_counters(place),
            next: None,
            expiry: alone.expiry(),
        };
        alone.play_forward(entity, place, &sub_exprs, &first, &mut explanation);
        Some(explanation)
    }

    /// A partition in which an entity is the only one.
    pub(super) fn isolate(&self, key: &str) -> Option<(Partition, EntityId)> {
        let hash = Store::hash(key);
        let known = self.store.find(hash, key)?;
        let mut alone = Partition::new(self.program.clone());
        alone.now = self.now;
        alone.coverage = self.coverage.clone();
        let entity = alone.store.insert(hash, self.store.packed(known));
        let due = self.store.due(known);
        alone.store.set_due(entity, due);
        alone.timers.file(entity, due, self.clock()?);
        Some((alone, entity))
    }

    /// Unpacks the entity for an evaluation of the tag at `place`.
    fn open(&mut self, entity: EntityId, place: usize) {
        let entity_state = &mut self.scratch.entity_state;
        entity_state.unpack(self.store.packed(entity));
        load_inputs(&self.program, place, entity_state);
    }

    /// The value of an expression over what was seen of the opened entity, and until when it holds.
    pub(super) fn held(&mut self, expr: &Expr) -> (Option<Value>, Timestamp) {
        let Some(now) = self.now else {
            return (None, Timestamp::FOREVER);
        };
        let Scratch { entity_state, clock_exprs, score_cache, .. } = &mut self.scratch;
        let texts = TextArena::default();
        let held = Evaluator {
            program: &self.program,
            entity_state,
            now,
            clock_exprs,
            score_cache,
            texts: &texts,
            coverage: None,
        }
        .eval(expr);
        (held.value.to_value(), if expr.moves() { Timestamp::FOREVER } else { held.until })
    }

    /// The coverage, where the tag at `place` reads an incomplete counter.
    fn incomplete(&self, place: usize) -> Option<Coverage> {
        self.coverage.incomplete_for(&self.program.tags[place], self.now?.at).cloned()
    }

    /// The state of a part of the tag at `place`, of the opened entity.
    fn found(
        &mut self,
        place: usize,
        state: TagState,
        incomplete: Option<&Coverage>,
        sub_expr: &SubExpr<'_>,
    ) -> SubExprState {
        let (value, until) = self.held(sub_expr.expr);
        let (Some(coverage), Some(now)) = (incomplete, self.now) else {
            let until = if sub_expr.serves == Purpose::Input { Timestamp::FOREVER } else { until };
            return SubExprState { value, is_decided: true, until };
        };
        let definition = &self.program.tag(self.program.tags[place].id).definition;
        let Scratch { entity_state, clock_exprs, score_cache, .. } = &mut self.scratch;
        let coverage = Some(coverage);
        let texts = TextArena::default();
        let mut evaluator =
            Evaluator { program: &self.program, entity_state, now, clock_exprs, score_cache, texts: &texts, coverage };
        match (sub_expr.serves, definition.bands()) {
            (Purpose::Condition, _) => {
                let verdict = evaluator.verdict(sub_expr.expr);
                let is_decided = verdict.truth != Truth::Unknown;
                SubExprState { value: value.filter(|_| is_decided), is_decided, until: verdict.until }
            }
            (Purpose::Value, Some(bands)) => {
                let (band, band_until) = evaluator.known_band(sub_expr.expr, bands, band_or_stage(state));
                SubExprState { value, is_decided: band != BandVerdict::Unknown, until: until.min(band_until) }
            }
            (Purpose::Value, None) => {
                let known = evaluator.known(sub_expr.expr);
                SubExprState { value, is_decided: known.what.is_some(), until: until.min(known.until) }
            }
            (Purpose::Input, _) => {
                let is_decided = evaluator.known(sub_expr.expr).what.is_some();
                SubExprState { value, is_decided, until: Timestamp::FOREVER }
            }
        }
    }

    /// The incomplete counters of the tag at `place`, of the opened entity.
    fn incomplete_counters(&mut self, place: usize) -> Vec<IncompleteCounter> {
        let (Some(coverage), Some(now)) = (self.incomplete(place), self.now) else { return Vec::new() };
        let program = self.program.clone();
        let Scratch { entity_state, clock_exprs, score_cache, .. } = &mut self.scratch;
        let coverage = Some(&coverage);
        let texts = TextArena::default();
        let evaluator =
            Evaluator { program: &program, entity_state, now, clock_exprs, score_cache, texts: &texts, coverage };
        let counters = program.tags[place].counters.iter().filter_map(|id| {
            let coverage = evaluator.incomplete(*id)?;
            Some(IncompleteCounter {
                counter: program.catalog.counters[usize::from(id.0)].name.to_string(),
                value: evaluator.counter(*id).value.to_value(),
                since: coverage.seen_since(program.counter(*id).series),
                complete_at: Some(coverage.complete_at(*id)).filter(|at| *at <= Timestamp::MAX),
            })
        });
        counters.collect()
    }

    /// When the opened entity will be forgotten.
    fn expiry(&self) -> Option<Expiry> {
        let silent_ms = self.program.catalog.entity(self.program.kind).forget_after_ms?;
        Some(Expiry { at: self.forget_at(), silent_ms }).filter(|expiry| expiry.at <= Timestamp::MAX)
    }

    fn observe(&mut self, entity: EntityId, place: usize, sub_exprs: &[SubExpr<'_>]) -> Observation {
        self.open(entity, place);
        let id = self.program.tags[place].id;
        let entity_state = &self.scratch.entity_state;
        let state = entity_state.tag(id);
        let shown = entity_state.shown(&self.program.tag(id).definition, state).to_value();
        let incomplete = self.incomplete(place);
        let sub_exprs =
            sub_exprs.iter().map(|sub_expr| self.found(place, state, incomplete.as_ref(), sub_expr)).collect();
        Observation { shown, state, sub_exprs }
    }

    fn sections(
        &mut self,
        conditions: &[(Role, Option<&Condition>)],
        sub_exprs: &[SubExpr<'_>],
        first: &Observation,
    ) -> Vec<Section> {
        let mut seen = sub_exprs.iter().zip(&first.sub_exprs).peekable();
        let mut sections = Vec::with_capacity(conditions.len());
        for (role, condition) in conditions {
            let mut clauses = Vec::new();
            while condition.is_some()
                && let Some((sub_expr, found)) = seen.next_if(|(sub_expr, _)| clauses.is_empty() || sub_expr.depth > 0)
            {
                clauses.push(Clause {
                    depth: sub_expr.depth,
                    text: self.program.catalog.format_expr(sub_expr.expr),
                    form: self.form(sub_expr),
                    value: found.value.clone(),
                    is_decided: found.is_decided,
                    until: None,
                });
            }
            let leaves = condition.map_or(&[][..], |condition| &condition.reported);
            let leaves =
                leaves.iter().map(|ReportedValue { label, expr }| (label.to_string(), self.held(expr).0)).collect();
            sections.push(Section { role: role.clone(), clauses, leaves });
        }
        sections
    }

    fn form(&mut self, sub_expr: &SubExpr<'_>) -> ClauseForm {
        match sub_expr.expr {
            _ if sub_expr.has_parts => ClauseForm::Parts,
            Expr::Compare { op, sides, .. } => {
                let unit = sides.iter().find_map(unit);
                ClauseForm::Comparison(*op, sides.each_ref().map(|side| self.held(side).0), unit)
            }
            _ => ClauseForm::Leaf,
        }
    }

    /// Lets time pass until every part has differed once, or the entity is forgotten.
    fn play_forward(
        &mut self,
        entity: EntityId,
        place: usize,
        sub_exprs: &[SubExpr<'_>],
        first: &Observation,
        explanation: &mut Explanation,
    ) {
        let end = explanation.expiry.map_or(Timestamp::FOREVER, |expiry| expiry.at);
        let mut ahead: Vec<Timestamp> = first.sub_exprs.iter().map(|found| found.until).collect();
        let mut differs: Vec<Option<Timestamp>> = vec![None; sub_exprs.len()];
        for _ in 0..OBSERVATIONS_MAX {
            let open = ahead.iter().zip(&differs).filter(|(_, differs)| differs.is_none());
            let at = open.map(|(until, _)| *until).fold(self.store.due(entity), Timestamp::min);
            let is_open = |(differs, sub_expr): (&Option<Timestamp>, &SubExpr<'_>)| {
                differs.is_none() && sub_expr.serves != Purpose::Input
            };
            let is_done = explanation.next.is_some() && !differs.iter().zip(sub_exprs).any(is_open);
            if is_done || at > Timestamp::MAX || at >= end {
                break;
            }
            self.advance(at, &mut NullSink);
            let observation = self.observe(entity, place, sub_exprs);
            for (index, (found, sub_expr)) in observation.sub_exprs.iter().zip(sub_exprs).enumerate() {
                ahead[index] = found.until;
                let decides = found.is_decided != first.sub_exprs[index].is_decided;
                let counts = sub_expr.serves != Purpose::Input && (decides || !sub_expr.expr.moves());
                if counts && found.differs(&first.sub_exprs[index]) {
                    differs[index].get_or_insert(at);
                }
            }
            if observation.shown != first.shown {
                explanation.next.get_or_insert(NextChange { at, value: observation.shown });
            }
        }
        if explanation.next.is_none() && first.shown.is_some() && end <= Timestamp::MAX {
            explanation.next = Some(NextChange { at: end, value: None });
        }
        let clauses = explanation.sections.iter_mut().flat_map(|section| &mut section.clauses);
        for (clause, differs) in clauses.zip(differs) {
            clause.until = differs;
        }
    }
}

/// The tags that the tag at `place` does not depend on: they can be held.
fn others(program: &Program, place: usize) -> BTreeSet<Box<str>> {
    let mut needed = BTreeSet::from([program.tags[place].id.0]);
    // A tag comes after those that it uses.
    for plan in program.tags[..=place].iter().rev() {
        if needed.contains(&plan.id.0) {
            needed.extend(plan.uses.iter().map(|used| used.0));
        }
    }
    let others = program.tags.iter().filter(|plan| !needed.contains(&plan.id.0));
    others.map(|plan| program.tag(plan.id).name.clone()).collect()
}

/// A tag's expressions, in order; a last stage may have none.
fn sections_of(definition: &TagDefinition) -> Vec<(Role, Option<&Condition>)> {
    match definition {
        TagDefinition::Rule { when, until, .. } => {
            let until = until.iter().map(|until| (Role::Until, Some(until)));
            std::iter::once((Role::When, Some(when))).chain(until).collect()
        }
        TagDefinition::Value { value, .. } => vec![(Role::Value, Some(value))],
        TagDefinition::Stages(stages) => {
            stages.iter().map(|stage| (Role::Stage(stage.name.to_string()), stage.when.as_ref())).collect()
        }
        TagDefinition::Score(score) => {
            score.inputs.iter().map(|input| (Role::Input(input.name.to_string()), Some(&input.value))).collect()
        }
        TagDefinition::Manual { .. } => Vec::new(),
    }
}

/// The parts of an expression: the whole, then the operands of `&&` and `||`.
fn split_expr<'p>(expr: &'p Expr, depth: usize, sub_exprs: &mut Vec<SubExpr<'p>>) {
    let mut parts = Vec::new();
    match expr {
        Expr::And(_) | Expr::Or(_) => flatten(expr, expr, &mut parts),
        Expr::Not(x) if matches!(**x, Expr::And(_) | Expr::Or(_)) => parts.push(&**x),
        _ => {}
    }
    sub_exprs.push(SubExpr { depth, expr, has_parts: !parts.is_empty(), serves: Purpose::Condition });
    for part in parts {
        split_expr(part, depth + 1, sub_exprs);
    }
}

/// The operands of a chain of `&&`, or of `||`, as `root` is.
fn flatten<'p>(root: &Expr, expr: &'p Expr, parts: &mut Vec<&'p Expr>) {
    match (root, expr) {
        (Expr::And(_), Expr::And(sides)) | (Expr::Or(_), Expr::Or(sides)) => {
            sides.iter().for_each(|side| flatten(root, side, parts));
        }
        _ => parts.push(expr),
    }
}

/// The unit of a length of time.
fn unit(expr: &Expr) -> Option<Unit> {
    match expr {
        Expr::Since { unit, .. } | Expr::Until { unit, .. } | Expr::Between { unit, .. } => Some(*unit),
        Expr::Calendar(CalendarFunction::YearsSince, _) => None,
        Expr::Calendar(..) => Some(Unit::Days),
        _ => None,
    }
}

fn wait(definition: &TagDefinition, state: TagState) -> Option<Wait> {
    match (definition, state) {
        (TagDefinition::Rule { for_ms, .. }, TagState::Pending(since)) => {
            Some(Wait::For { since, until: since.plus(*for_ms) })
        }
        (TagDefinition::Rule { keep_for_ms, .. }, TagState::On { lapsed: Some(since), .. }) => {
            Some(Wait::KeepFor { since, until: since.plus(*keep_for_ms) })
        }
        (TagDefinition::Score(Score { refresh_ms, .. }), TagState::Scored(Scored { at, score, .. })) => {
            Some(Wait::Refresh { score, since: at, until: at.plus(*refresh_ms) })
        }
        _ => None,
    }
}
