//! The tags' state machines (spec 3): from a state and what holds now to the next state, and when to look again.
//!
//! ```text
//!          `when` has held for `for` without a break
//!   Off ───▶ Pending ──────────────────────────────▶ On
//!    ▲          │ `when` broke off                    │
//!    ├──────────┘                                     │
//!    └────────────────────────────────────────────────┘
//!      `when` does not hold, `until` holds, and `keep_for` has passed since `when` stopped holding
//! ```

use super::doubt::{Known, Truth};
use super::eval::Evaluator;
use super::program::TagPlan;
use super::scores::{Scored, turn_score};
use super::tag_state::TagState;
use crate::catalog::{Bands, Condition, Stage, TagDefinition, TagId};
use crate::model::{Scalar, Timestamp};

/// What an evaluation of a tag comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Turn<'a> {
    pub next: Next<'a>,
    /// The first instant at which the next evaluation may come to something else.
    pub until: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next<'a> {
    Same,
    /// Another state, of which nothing shows.
    Silent(TagState),
    /// A tag change; `because` is the list of leaves in the tag's plan.
    Change {
        to: Shown<'a>,
        because: usize,
    },
}

/// What a tag shows after a change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shown<'a> {
    Nothing,
    On,
    Nth(u16),
    /// `ends`: the end of its validity.
    Value {
        value: Scalar<'a>,
        ends: Timestamp,
    },
    /// As the state has it.
    Scored(Scored),
}

/// What a command wants of a manual tag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Order<'a> {
    pub tag: TagId,
    /// Absent to take the tag off.
    pub value: Scalar<'a>,
    pub ends: Timestamp,
}

const ADDED: usize = 0;
const REMOVED: usize = 1;

/// `order`: what a command wants of this tag.
pub fn turn<'a>(
    evaluator: &mut Evaluator<'a>,
    plan: &'a TagPlan,
    kind: &'a TagDefinition,
    state: TagState,
    order: Option<Order<'a>>,
) -> Turn<'a> {
    match kind {
        TagDefinition::Rule { when, until, for_ms, keep_for_ms } => {
            let rule = Rule { when, until: until.as_ref(), for_ms: *for_ms, keep_for_ms: *keep_for_ms };
            rule.turn(evaluator, state)
        }
        TagDefinition::Value { value, bands: None } => turn_value(evaluator, value, state),
        TagDefinition::Value { value, bands: Some(bands) } => turn_band(evaluator, value, bands, state),
        TagDefinition::Stages(stages) => turn_stage(evaluator, stages, state),
        TagDefinition::Manual { .. } => turn_manual(evaluator, state, order),
        TagDefinition::Score(score) => match &plan.score {
            Some(plan) => turn_score(evaluator, plan, score, state),
            None => Turn { next: Next::Same, until: Timestamp::FOREVER },
        },
    }
}

struct Rule<'a> {
    when: &'a Condition,
    until: Option<&'a Condition>,
    for_ms: i64,
    keep_for_ms: i64,
}

impl<'a> Rule<'a> {
    fn turn(&self, evaluator: &mut Evaluator<'a>, state: TagState) -> Turn<'a> {
        let now = evaluator.present.at;
        let when = evaluator.verdict(&self.when.expr);
        let holds = when.truth == Truth::True;
        let (next, until) = match state {
            // What is not known changes nothing, and is no time for which `when` has held.
            TagState::Pending(_) if when.truth == Truth::Unknown => (Next::Silent(TagState::Off), Timestamp::FOREVER),
            _ if when.truth == Truth::Unknown => (Next::Same, Timestamp::FOREVER),
            // A value that the tag had under an earlier catalog.
            TagState::Valued { .. } if holds => (Next::Change { to: Shown::On, because: ADDED }, Timestamp::FOREVER),
            TagState::Valued { .. } => (Next::Change { to: Shown::Nothing, because: REMOVED }, Timestamp::FOREVER),
            TagState::On { since, lapsed } if holds => {
                let next = match lapsed {
                    None => Next::Same,
                    Some(_) => Next::Silent(TagState::On { since, lapsed: None }),
                };
                (next, Timestamp::FOREVER)
            }
            TagState::On { since, lapsed } => self.lapse(evaluator, since, lapsed),
            TagState::Pending(since) if holds => self.wait(now, since, state),
            _ if holds => self.wait(now, now, state),
            TagState::Off => (Next::Same, Timestamp::FOREVER),
            _ => (Next::Silent(TagState::Off), Timestamp::FOREVER),
        };
        Turn { next, until: until.min(when.until) }
    }

    /// Off, and `when` holds since some instant.
    fn wait(&self, now: Timestamp, since: Timestamp, state: TagState) -> (Next<'a>, Timestamp) {
        if now.since(since) >= self.for_ms {
            return (Next::Change { to: Shown::On, because: ADDED }, Timestamp::FOREVER);
        }
        let pending = TagState::Pending(since);
        let next = if state == pending { Next::Same } else { Next::Silent(pending) };
        (next, since.plus(self.for_ms))
    }

    /// On, and `when` does not hold.
    fn lapse(
        &self,
        evaluator: &mut Evaluator<'a>,
        since: Timestamp,
        lapsed: Option<Timestamp>,
    ) -> (Next<'a>, Timestamp) {
        let now = evaluator.present.at;
        let end = lapsed.unwrap_or(now).plus(self.keep_for_ms);
        let (may_leave, until) = match self.until {
            None => (true, Timestamp::FOREVER),
            Some(until) => {
                let held = evaluator.verdict(&until.expr);
                (held.truth == Truth::True, held.until)
            }
        };
        if may_leave && now >= end {
            return (Next::Change { to: Shown::Nothing, because: REMOVED }, Timestamp::FOREVER);
        }
        let next = match lapsed {
            Some(_) => Next::Same,
            None => Next::Silent(TagState::On { since, lapsed: Some(now) }),
        };
        (next, if may_leave { end } else { end.max(until) })
    }
}

fn turn_value<'a>(evaluator: &mut Evaluator<'a>, value: &'a Condition, state: TagState) -> Turn<'a> {
    let Known { what, until } = evaluator.known(&value.expr);
    let Some(found) = what else {
        return Turn { next: Next::Same, until };
    };
    let present = match state {
        TagState::Valued { value, .. } => evaluator.record.kept(value),
        _ => Scalar::Absent,
    };
    let next = if found == present {
        Next::Same
    } else if found.is_absent() {
        Next::Change { to: Shown::Nothing, because: 0 }
    } else {
        Next::Change { to: Shown::Value { value: found, ends: Timestamp::FOREVER }, because: 0 }
    };
    Turn { next, until }
}

fn turn_manual<'a>(evaluator: &Evaluator<'a>, state: TagState, order: Option<Order<'a>>) -> Turn<'a> {
    let off = Next::Change { to: Shown::Nothing, because: 0 };
    let (next, until) = match (order, state) {
        (Some(Order { value, ends, .. }), TagState::Valued { since, value: kept, ends: before })
            if evaluator.record.kept(kept) == value =>
        {
            let renewed = TagState::Valued { since, value: kept, ends };
            (if ends == before { Next::Same } else { Next::Silent(renewed) }, ends)
        }
        (Some(Order { value: Scalar::Absent, .. }), TagState::Valued { .. }) => (off, Timestamp::FOREVER),
        (Some(Order { value: Scalar::Absent, .. }), _) => (Next::Same, Timestamp::FOREVER),
        (Some(Order { value, ends, .. }), _) => (Next::Change { to: Shown::Value { value, ends }, because: 0 }, ends),
        (None, TagState::Valued { ends, .. }) if ends <= evaluator.present.at => (off, Timestamp::FOREVER),
        (None, TagState::Valued { ends, .. }) => (Next::Same, ends),
        (None, _) => (Next::Same, Timestamp::FOREVER),
    };
    Turn { next, until }
}

fn turn_band<'a>(evaluator: &mut Evaluator<'a>, value: &'a Condition, bands: &'a Bands, state: TagState) -> Turn<'a> {
    let current = nth(state);
    let Known { what, until } = evaluator.known_band(&value.expr, bands, current);
    Turn { next: what.map_or(Next::Same, |band| to_nth(state, band, 0)), until }
}

fn turn_stage<'a>(evaluator: &mut Evaluator<'a>, stages: &'a [Stage], state: TagState) -> Turn<'a> {
    let mut until = Timestamp::FOREVER;
    let mut found = None;
    for (index, stage) in stages.iter().enumerate() {
        let truth = stage.when.as_ref().map_or(Truth::True, |when| {
            let verdict = evaluator.verdict(&when.expr);
            until = until.min(verdict.until);
            verdict.truth
        });
        match truth {
            Truth::False => {}
            Truth::Unknown => return Turn { next: Next::Same, until },
            Truth::True => {
                found = Some(index as u16);
                break;
            }
        }
    }
    Turn { next: to_nth(state, found, found.map_or(stages.len(), usize::from)), until }
}

/// In which band or stage a tag is.
pub(super) fn nth(state: TagState) -> Option<u16> {
    match state {
        TagState::Nth { index, .. } => Some(index),
        _ => None,
    }
}

fn to_nth<'a>(state: TagState, found: Option<u16>, because: usize) -> Next<'a> {
    // A value is what the tag had under an earlier catalog.
    let is_other = matches!(state, TagState::Valued { .. });
    match found {
        _ if found == nth(state) && !is_other => Next::Same,
        None => Next::Change { to: Shown::Nothing, because },
        Some(index) => Next::Change { to: Shown::Nth(index), because },
    }
}
