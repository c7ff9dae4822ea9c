//! The tags' state machines (spec 3): from a state and the present verdicts to the next state, and when to look again.
//!
//! ```text
//!          `when` has held for `for` without a break
//!   Off ───▶ Pending ──────────────────────────────▶ On
//!    ▲          │ `when` broke off                    │
//!    ├──────────┘                                     │
//!    └────────────────────────────────────────────────┘
//!      `when` does not hold, `until` holds, and `when` has not held for `keep_for` without a break
//! ```

use super::score::step_score;
use crate::catalog::{Bands, Condition, Stage, TagDefinition, TagId};
use crate::engine::entity::{Scored, TagState};
use crate::engine::expr::Evaluator;
use crate::engine::program::TagPlan;
use crate::engine::unknown::{BandVerdict, Known, Truth};
use crate::model::{Scalar, Timestamp};

/// The result of evaluating a tag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Transition<'a> {
    pub next: NextState<'a>,
    /// The first instant at which the next evaluation may give another result.
    pub until: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum NextState<'a> {
    Same,
    /// Another state that shows the same.
    Silent(TagState),
    /// A tag change; `because` is the list of leaves in the tag's plan.
    Change {
        to: Shown<'a>,
        because: usize,
    },
}

/// What a tag shows after a change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shown<'a> {
    Nothing,
    On,
    BandOrStage(u16),
    /// `ends`: the end of its validity.
    Value {
        value: Scalar<'a>,
        ends: Timestamp,
    },
    /// The score and band that are in the state.
    Scored(Scored),
}

/// What a command asks of a manual tag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TagCommand<'a> {
    pub tag: TagId,
    /// Absent to remove the tag.
    pub value: Scalar<'a>,
    pub ends: Timestamp,
}

const ADDED: usize = 0;
const REMOVED: usize = 1;

/// One step of a tag. `command`: what a command asks of this tag.
pub(crate) fn step<'a>(
    evaluator: &mut Evaluator<'a>,
    plan: &'a TagPlan,
    definition: &'a TagDefinition,
    state: TagState,
    command: Option<TagCommand<'a>>,
) -> Transition<'a> {
    match definition {
        TagDefinition::Rule { when, until, for_ms, keep_for_ms } => {
            let rule = Rule { when, until: until.as_ref(), for_ms: *for_ms, keep_for_ms: *keep_for_ms };
            rule.step(evaluator, state)
        }
        TagDefinition::Value { value, bands: None } => step_value(evaluator, value, state),
        TagDefinition::Value { value, bands: Some(bands) } => step_band(evaluator, value, bands, state),
        TagDefinition::Stages(stages) => step_stage(evaluator, stages, state),
        TagDefinition::Manual { .. } => step_manual(evaluator, state, command),
        TagDefinition::Score(score) => match &plan.score {
            Some(plan) => step_score(evaluator, plan, score, state),
            None => Transition { next: NextState::Same, until: Timestamp::FOREVER },
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
    fn step(&self, evaluator: &mut Evaluator<'a>, state: TagState) -> Transition<'a> {
        let now = evaluator.now.at;
        let when = evaluator.verdict(&self.when.expr);
        let holds = when.truth == Truth::True;
        let (next, until) = match state {
            // An unknown verdict changes nothing, and is neither time for which `when` has held nor time for which it
            // has not: `for` and `keep_for` begin again when it is certain again.
            TagState::Pending(_) if when.truth == Truth::Unknown => {
                (NextState::Silent(TagState::Off), Timestamp::FOREVER)
            }
            TagState::On { since, lapsed: Some(_) } if when.truth == Truth::Unknown => {
                (NextState::Silent(TagState::On { since, lapsed: None }), Timestamp::FOREVER)
            }
            _ if when.truth == Truth::Unknown => (NextState::Same, Timestamp::FOREVER),
            // A value that the tag had under an earlier catalog.
            TagState::Valued { .. } if holds => {
                (NextState::Change { to: Shown::On, because: ADDED }, Timestamp::FOREVER)
            }
            TagState::Valued { .. } => (NextState::Change { to: Shown::Nothing, because: REMOVED }, Timestamp::FOREVER),
            TagState::On { since, lapsed } if holds => {
                let next = match lapsed {
                    None => NextState::Same,
                    Some(_) => NextState::Silent(TagState::On { since, lapsed: None }),
                };
                (next, Timestamp::FOREVER)
            }
            TagState::On { since, lapsed } => self.lapse(evaluator, since, lapsed),
            TagState::Pending(since) if holds => self.wait(now, since, state),
            _ if holds => self.wait(now, now, state),
            TagState::Off => (NextState::Same, Timestamp::FOREVER),
            _ => (NextState::Silent(TagState::Off), Timestamp::FOREVER),
        };
        Transition { next, until: until.min(when.until) }
    }

    /// The tag is off, and `when` has held since an instant.
    fn wait(&self, now: Timestamp, since: Timestamp, state: TagState) -> (NextState<'a>, Timestamp) {
        if now.since(since) >= self.for_ms {
            return (NextState::Change { to: Shown::On, because: ADDED }, Timestamp::FOREVER);
        }
        let pending = TagState::Pending(since);
        let next = if state == pending { NextState::Same } else { NextState::Silent(pending) };
        (next, since.plus(self.for_ms))
    }

    /// The tag is on, and `when` does not hold.
    fn lapse(
        &self,
        evaluator: &mut Evaluator<'a>,
        since: Timestamp,
        lapsed: Option<Timestamp>,
    ) -> (NextState<'a>, Timestamp) {
        let now = evaluator.now.at;
        let end = lapsed.unwrap_or(now).plus(self.keep_for_ms);
        let (may_leave, until) = match self.until {
            None => (true, Timestamp::FOREVER),
            Some(until) => {
                let held = evaluator.verdict(&until.expr);
                (held.truth == Truth::True, held.until)
            }
        };
        if may_leave && now >= end {
            return (NextState::Change { to: Shown::Nothing, because: REMOVED }, Timestamp::FOREVER);
        }
        let next = match lapsed {
            Some(_) => NextState::Same,
            None => NextState::Silent(TagState::On { since, lapsed: Some(now) }),
        };
        (next, if may_leave { end } else { end.max(until) })
    }
}

fn step_value<'a>(evaluator: &mut Evaluator<'a>, value: &'a Condition, state: TagState) -> Transition<'a> {
    let Known { what, until } = evaluator.known(&value.expr);
    let Some(found) = what.map(|found| evaluator.program.catalog.input.keepable(found)) else {
        return Transition { next: NextState::Same, until };
    };
    let previous = match state {
        TagState::Valued { value, .. } => evaluator.entity_state.kept(value),
        _ => Scalar::Absent,
    };
    let next = if found == previous {
        NextState::Same
    } else if found.is_absent() {
        NextState::Change { to: Shown::Nothing, because: 0 }
    } else {
        NextState::Change { to: Shown::Value { value: found, ends: Timestamp::FOREVER }, because: 0 }
    };
    Transition { next, until }
}

fn step_manual<'a>(evaluator: &Evaluator<'a>, state: TagState, command: Option<TagCommand<'a>>) -> Transition<'a> {
    let off = NextState::Change { to: Shown::Nothing, because: 0 };
    let (next, until) = match (command, state) {
        (Some(TagCommand { value, ends, .. }), TagState::Valued { since, value: kept, ends: before })
            if evaluator.entity_state.kept(kept) == value =>
        {
            let renewed = TagState::Valued { since, value: kept, ends };
            (if ends == before { NextState::Same } else { NextState::Silent(renewed) }, ends)
        }
        (Some(TagCommand { value: Scalar::Absent, .. }), TagState::Valued { .. }) => (off, Timestamp::FOREVER),
        (Some(TagCommand { value: Scalar::Absent, .. }), _) => (NextState::Same, Timestamp::FOREVER),
        (Some(TagCommand { value, ends, .. }), _) => {
            (NextState::Change { to: Shown::Value { value, ends }, because: 0 }, ends)
        }
        (None, TagState::Valued { ends, .. }) if ends <= evaluator.now.at => (off, Timestamp::FOREVER),
        (None, TagState::Valued { ends, .. }) => (NextState::Same, ends),
        (None, _) => (NextState::Same, Timestamp::FOREVER),
    };
    Transition { next, until }
}

fn step_band<'a>(
    evaluator: &mut Evaluator<'a>,
    value: &'a Condition,
    bands: &'a Bands,
    state: TagState,
) -> Transition<'a> {
    let current = band_or_stage(state);
    let (verdict, until) = evaluator.known_band(&value.expr, bands, current);
    let next = match verdict {
        BandVerdict::Unknown => NextState::Same,
        BandVerdict::NoBand => to_band_or_stage(state, None, 0),
        BandVerdict::Band(band) => to_band_or_stage(state, Some(band), 0),
    };
    Transition { next, until }
}

fn step_stage<'a>(evaluator: &mut Evaluator<'a>, stages: &'a [Stage], state: TagState) -> Transition<'a> {
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
            Truth::Unknown => return Transition { next: NextState::Same, until },
            Truth::True => {
                found = Some(index as u16);
                break;
            }
        }
    }
    Transition { next: to_band_or_stage(state, found, found.map_or(stages.len(), usize::from)), until }
}

/// The band or stage that a tag is in.
pub(crate) fn band_or_stage(state: TagState) -> Option<u16> {
    match state {
        TagState::BandOrStage { index, .. } => Some(index),
        _ => None,
    }
}

fn to_band_or_stage<'a>(state: TagState, found: Option<u16>, because: usize) -> NextState<'a> {
    // A value that the tag had under an earlier catalog.
    let is_other = matches!(state, TagState::Valued { .. });
    match found {
        _ if found == band_or_stage(state) && !is_other => NextState::Same,
        None => NextState::Change { to: Shown::Nothing, because },
        Some(index) => NextState::Change { to: Shown::BandOrStage(index), because },
    }
}
