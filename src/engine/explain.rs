//! Why a tag is as it is: its conditions piece by piece, and when each of them will differ if nothing happens.
//!
//! What lies ahead is not computed but lived: the entity is put alone into a partition of its own, and time passes there
//! from one instant at which something may differ to the next, as long as the entity is not forgotten.

use std::collections::BTreeSet;

use super::doubt::Truth;
use super::eval::Evaluator;
use super::filling::Filling;
use super::judging::load;
use super::partition::{Desk, Partition, Silence};
use super::program::Program;
use super::scores::Scored;
use super::store::{EntityId, Store};
use super::tag_state::TagState;
use super::tags::nth;
use crate::catalog::{Comparison, Condition, CounterId, Expr, ReportedValue, Score, TagDefinition, TagId};
use crate::model::{Timestamp, Unit, Value};

/// So many instants are looked at; what lies behind them is taken for never.
const LOOKS_MAX: usize = 5_000;

/// A tag of an entity at an instant. Values are `None` where they are absent.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    pub at: Timestamp,
    pub value: Option<Value>,
    /// Since when the tag has this value.
    pub since: Option<Timestamp>,
    pub wait: Option<Wait>,
    /// What the tag is made of, in the catalog's order.
    pub sections: Vec<Section>,
    /// The counters that the tag looks at and that have not seen their whole window.
    pub unseen: Vec<Unseen>,
    /// The tag's next change if nothing happens.
    pub next: Option<Foreseen>,
    /// The end of the entity if nothing happens: what it has then is taken away.
    pub forgotten: Option<Forgotten>,
}

/// A counter of which only a part is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Unseen {
    pub counter: String,
    /// Its value over what was seen.
    pub value: Option<Value>,
    pub since: Timestamp,
    /// From here on it holds nothing but what was seen; `None` for never.
    pub complete_at: Option<Timestamp>,
}

/// The instant at which an entity has been silent for so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forgotten {
    pub at: Timestamp,
    pub silent_ms: i64,
}

/// What a tag waits for that is no condition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wait {
    /// `when` holds since an instant; if it goes on, the tag is on from `until`.
    For { since: Timestamp, until: Timestamp },
    /// The tag's model was asked at an instant and gave this score; if nothing happens it is asked again at `until`.
    Refresh { score: Option<f64>, since: Timestamp, until: Timestamp },
    /// The tag is on, but `when` does not hold since an instant; `keep_for` ends at `until`.
    KeepFor { since: Timestamp, until: Timestamp },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Foreseen {
    pub at: Timestamp,
    pub value: Option<Value>,
}

/// Which of a tag's expressions it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    When,
    Until,
    Value,
    /// The condition of the stage of this name.
    Stage(String),
    /// What a model is given under this name.
    Input(String),
}

/// One expression of a tag.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    pub role: Role,
    /// The whole first, then its parts, each before its own parts. Empty for a stage without a condition.
    pub clauses: Vec<Clause>,
    /// Everything that it mentions, as in a change's `because`.
    pub leaves: Vec<(String, Option<Value>)>,
}

/// A piece of an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    /// 0 for the whole.
    pub depth: usize,
    /// As the catalog could write it.
    pub text: String,
    pub join: Join,
    /// Over what was seen; of a condition that is not decided, nothing.
    pub value: Option<Value>,
    /// Whether it is so for all that the counters may have missed (spec 4.3).
    pub is_decided: bool,
    /// The first instant at which its value is another if nothing happens; `None` for never, and for numbers that move
    /// with the clock.
    pub until: Option<Timestamp>,
}

/// How a piece is made of what stands below it.
#[derive(Clone, Debug, PartialEq)]
pub enum Join {
    /// `&&`, `||`, or `!` of one of these: its parts follow.
    Parts,
    /// A comparison, with the values of its sides; the unit where they are lengths of time.
    Comparison(Comparison, [Option<Value>; 2], Option<Unit>),
    /// Anything else that has no parts of interest.
    Leaf,
}

/// A clause whose values are still to be found.
struct Piece<'p> {
    depth: usize,
    expr: &'p Expr,
    has_parts: bool,
    serves: Use,
}

/// What a piece is to its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Condition,
    /// A value, or what bands are made of.
    Value,
    /// What a model is given: nothing comes of it when it differs.
    Input,
}

/// What a piece is at an instant.
#[derive(Clone, Debug, PartialEq)]
struct Found {
    value: Option<Value>,
    is_decided: bool,
    /// Until when that holds.
    until: Timestamp,
}

impl Found {
    fn differs(&self, other: &Found) -> bool {
        (&self.value, self.is_decided) != (&other.value, other.is_decided)
    }
}

/// What one look at an entity finds.
struct Look {
    shown: Option<Value>,
    state: TagState,
    /// By piece.
    pieces: Vec<Found>,
}

impl Partition {
    /// Why a tag of an entity is as it is now; `None` for an entity that is not known.
    pub fn explain(&self, key: &str, tag: TagId) -> Option<Explanation> {
        let (mut alone, entity) = self.alone(key)?;
        let program = self.program.clone();
        let place = program.tags.iter().position(|plan| plan.id == tag)?;
        alone.hold(others(&program, place));
        let conditions = sections_of(&program.tag(tag).definition);
        let mut pieces = Vec::new();
        for (role, condition) in &conditions {
            let Some(Condition { expr, .. }) = condition else { continue };
            let first = pieces.len();
            match role {
                Role::Input(_) => pieces.push(Piece { depth: 0, expr, has_parts: false, serves: Use::Input }),
                _ => take_apart(expr, 0, &mut pieces),
            }
            if *role == Role::Value {
                pieces[first].serves = Use::Value;
            }
        }
        let first = alone.look(entity, place, &pieces);
        let sections = alone.sections(&conditions, &pieces, &first);
        let mut explanation = Explanation {
            at: alone.clock()?,
            since: first.state.since(),
            wait: wait(&program.tag(tag).definition, first.state),
            value: first.shown.clone(),
            sections,
            unseen: alone.unseen(place),
            next: None,
            forgotten: alone.forgotten(),
        };
        alone.live_on(entity, place, &pieces, &first, &mut explanation);
        Some(explanation)
    }

    /// A partition in which an entity is the only one.
    fn alone(&self, key: &str) -> Option<(Partition, EntityId)> {
        let hash = Store::hash(key);
        let known = self.store.find(hash, key)?;
        let mut alone = Partition::new(self.program.clone());
        alone.present = self.present;
        alone.filling = self.filling.clone();
        let entity = alone.store.insert(hash, self.store.packed(known));
        let due = self.store.due(known);
        alone.store.set_due(entity, due);
        alone.timers.file(entity, due, self.clock()?);
        Some((alone, entity))
    }

    /// Unpacks the entity for an evaluation of the tag at `place`.
    fn open(&mut self, entity: EntityId, place: usize) {
        let record = &mut self.desk.record;
        record.unpack(self.store.packed(entity));
        record.load_tag(self.program.tags[place].id);
        load(&self.program, place, record);
    }

    /// The value of an expression over what was seen of the entity that was opened, and until when it holds.
    fn held(&mut self, expr: &Expr) -> (Option<Value>, Timestamp) {
        let Some(present) = self.present else {
            return (None, Timestamp::FOREVER);
        };
        let Desk { record, lines, answers, .. } = &mut self.desk;
        let held = Evaluator { program: &self.program, record, present, lines, answers, filling: None }.eval(expr);
        (held.value.to_value(), if expr.moves() { Timestamp::FOREVER } else { held.until })
    }

    /// What there is to doubt about the tag at `place`.
    fn doubts(&self, place: usize) -> Option<Filling> {
        self.filling.of(&self.program.tags[place], self.present?.at).cloned()
    }

    /// A piece of the tag at `place`, whose entity was opened.
    fn found(&mut self, place: usize, state: TagState, doubts: Option<&Filling>, piece: &Piece<'_>) -> Found {
        let (value, until) = self.held(piece.expr);
        let (Some(filling), Some(present)) = (doubts, self.present) else {
            let until = if piece.serves == Use::Input { Timestamp::FOREVER } else { until };
            return Found { value, is_decided: true, until };
        };
        let kind = &self.program.tag(self.program.tags[place].id).definition;
        let Desk { record, lines, answers, .. } = &mut self.desk;
        let filling = Some(filling);
        let mut evaluator = Evaluator { program: &self.program, record, present, lines, answers, filling };
        match (piece.serves, kind.bands()) {
            (Use::Condition, _) => {
                let verdict = evaluator.verdict(piece.expr);
                let is_decided = verdict.truth != Truth::Unknown;
                Found { value: value.filter(|_| is_decided), is_decided, until: verdict.until }
            }
            (Use::Value, Some(bands)) => {
                let band = evaluator.known_band(piece.expr, bands, nth(state));
                Found { value, is_decided: band.what.is_some(), until: until.min(band.until) }
            }
            (Use::Value, None) => {
                let known = evaluator.known(piece.expr);
                Found { value, is_decided: known.what.is_some(), until: until.min(known.until) }
            }
            (Use::Input, _) => {
                let is_decided = evaluator.known(piece.expr).what.is_some();
                Found { value, is_decided, until: Timestamp::FOREVER }
            }
        }
    }

    /// The counters of the tag at `place`, whose entity was opened, that are not complete.
    fn unseen(&mut self, place: usize) -> Vec<Unseen> {
        let (Some(filling), Some(now)) = (self.doubts(place), self.clock()) else { return Vec::new() };
        let program = self.program.clone();
        let incomplete = |id: &&CounterId| !filling.is_complete(**id, now);
        let unseen = |id: &CounterId| Unseen {
            counter: program.catalog.counters[usize::from(id.0)].name.to_string(),
            value: self.held(&Expr::Counter(*id)).0,
            since: filling.seen_since(program.counter(*id).series),
            complete_at: Some(filling.complete_at(*id)).filter(|at| *at <= Timestamp::MAX),
        };
        program.tags[place].counters.iter().filter(incomplete).map(unseen).collect()
    }

    /// When the entity that was opened will be forgotten.
    fn forgotten(&self) -> Option<Forgotten> {
        let silent_ms = self.program.catalog.entity(self.program.kind).forget_after_ms?;
        Some(Forgotten { at: self.forget_at(), silent_ms }).filter(|forgotten| forgotten.at <= Timestamp::MAX)
    }

    fn look(&mut self, entity: EntityId, place: usize, pieces: &[Piece<'_>]) -> Look {
        self.open(entity, place);
        let id = self.program.tags[place].id;
        let record = &self.desk.record;
        let state = record.tag(id);
        let shown = record.shown(&self.program.tag(id).definition, state).to_value();
        let doubts = self.doubts(place);
        let pieces = pieces.iter().map(|piece| self.found(place, state, doubts.as_ref(), piece)).collect();
        Look { shown, state, pieces }
    }

    fn sections(
        &mut self,
        conditions: &[(Role, Option<&Condition>)],
        pieces: &[Piece<'_>],
        first: &Look,
    ) -> Vec<Section> {
        let mut seen = pieces.iter().zip(&first.pieces).peekable();
        let mut sections = Vec::with_capacity(conditions.len());
        for (role, condition) in conditions {
            let mut clauses = Vec::new();
            while condition.is_some()
                && let Some((piece, found)) = seen.next_if(|(piece, _)| clauses.is_empty() || piece.depth > 0)
            {
                clauses.push(Clause {
                    depth: piece.depth,
                    text: self.program.catalog.format_expr(piece.expr),
                    join: self.join(piece),
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

    fn join(&mut self, piece: &Piece<'_>) -> Join {
        match piece.expr {
            _ if piece.has_parts => Join::Parts,
            Expr::Compare { op, sides, .. } => {
                let unit = sides.iter().find_map(unit);
                Join::Comparison(*op, sides.each_ref().map(|side| self.held(side).0), unit)
            }
            _ => Join::Leaf,
        }
    }

    /// Lets time pass until everything has differed once, or the entity is forgotten.
    fn live_on(
        &mut self,
        entity: EntityId,
        place: usize,
        pieces: &[Piece<'_>],
        first: &Look,
        explanation: &mut Explanation,
    ) {
        let end = explanation.forgotten.map_or(Timestamp::FOREVER, |forgotten| forgotten.at);
        let mut ahead: Vec<Timestamp> = first.pieces.iter().map(|found| found.until).collect();
        let mut differs: Vec<Option<Timestamp>> = vec![None; pieces.len()];
        for _ in 0..LOOKS_MAX {
            let open = ahead.iter().zip(&differs).filter(|(_, differs)| differs.is_none());
            let at = open.map(|(until, _)| *until).fold(self.store.due(entity), Timestamp::min);
            let is_open =
                |(differs, piece): (&Option<Timestamp>, &Piece<'_>)| differs.is_none() && piece.serves != Use::Input;
            let is_done = explanation.next.is_some() && !differs.iter().zip(pieces).any(is_open);
            if is_done || at > Timestamp::MAX || at >= end {
                break;
            }
            self.advance(at, &mut Silence);
            let look = self.look(entity, place, pieces);
            for (index, (found, piece)) in look.pieces.iter().zip(pieces).enumerate() {
                ahead[index] = found.until;
                let decides = found.is_decided != first.pieces[index].is_decided;
                let counts = piece.serves != Use::Input && (decides || !piece.expr.moves());
                if counts && found.differs(&first.pieces[index]) {
                    differs[index].get_or_insert(at);
                }
            }
            if look.shown != first.shown {
                explanation.next.get_or_insert(Foreseen { at, value: look.shown });
            }
        }
        if explanation.next.is_none() && first.shown.is_some() && end <= Timestamp::MAX {
            explanation.next = Some(Foreseen { at: end, value: None });
        }
        let clauses = explanation.sections.iter_mut().flat_map(|section| &mut section.clauses);
        for (clause, differs) in clauses.zip(differs) {
            clause.until = differs;
        }
    }
}

/// The tags that have no part in the one at `place`: of the entity alone they need not go on.
fn others(program: &Program, place: usize) -> BTreeSet<Box<str>> {
    let mut needed = BTreeSet::from([program.tags[place].id.0]);
    // A tag stands behind those that it uses.
    for plan in program.tags[..=place].iter().rev() {
        if needed.contains(&plan.id.0) {
            needed.extend(plan.uses.iter().map(|used| used.0));
        }
    }
    let others = program.tags.iter().filter(|plan| !needed.contains(&plan.id.0));
    others.map(|plan| program.tag(plan.id).name.clone()).collect()
}

/// A tag's expressions, in order; a last stage may have none.
fn sections_of(kind: &TagDefinition) -> Vec<(Role, Option<&Condition>)> {
    match kind {
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

/// The pieces of an expression: the whole, then the operands of `&&` and `||`.
fn take_apart<'p>(expr: &'p Expr, depth: usize, pieces: &mut Vec<Piece<'p>>) {
    let mut parts = Vec::new();
    match expr {
        Expr::And(_) | Expr::Or(_) => flatten(expr, expr, &mut parts),
        Expr::Not(x) if matches!(**x, Expr::And(_) | Expr::Or(_)) => parts.push(&**x),
        _ => {}
    }
    pieces.push(Piece { depth, expr, has_parts: !parts.is_empty(), serves: Use::Condition });
    for part in parts {
        take_apart(part, depth + 1, pieces);
    }
}

/// The operands of a chain of `&&`, or of `||`, whichever `root` is.
fn flatten<'p>(root: &Expr, expr: &'p Expr, parts: &mut Vec<&'p Expr>) {
    match (root, expr) {
        (Expr::And(_), Expr::And(sides)) | (Expr::Or(_), Expr::Or(sides)) => {
            sides.iter().for_each(|side| flatten(root, side, parts));
        }
        _ => parts.push(expr),
    }
}

/// What a length of time is counted in.
fn unit(expr: &Expr) -> Option<Unit> {
    match expr {
        Expr::Since { unit, .. } | Expr::Until { unit, .. } | Expr::Between { unit, .. } => Some(*unit),
        _ => None,
    }
}

fn wait(kind: &TagDefinition, state: TagState) -> Option<Wait> {
    match (kind, state) {
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
