//! Evaluating an entity: its dirty tags step to their next states, and what changes is handed to the sink.

use std::sync::Arc;

use super::Partition;
use crate::catalog::{ReportedValue, TagDefinition};
use crate::engine::aggregate::Now;
use crate::engine::encoding::StoredValue;
use crate::engine::entity::{EntityId, TagState};
use crate::engine::expr::{Evaluator, TextArena, load_inputs};
use crate::engine::ports::Sink;
use crate::engine::program::ScorePlan;
use crate::engine::tags::{NextState, SCORE_LABEL, Shown, TagCommand, Transition, input_row_if_due, step};
use crate::model::{Cause, Scalar, TagChange, Timestamp};

/// Why, and with what, an entity is evaluated.
#[derive(Clone, Copy, Debug)]
pub(super) struct EvalContext<'a> {
    pub now: Now,
    pub cause: Cause,
    /// What a command asks of a manual tag.
    pub command: Option<TagCommand<'a>>,
}

impl Partition {
    /// Evaluates the dirty tags of the unpacked entity, and the tags that use one that changes, in the order of
    /// evaluation. Returns until when they hold, and leaves in the scratch until when each group of them does.
    pub(super) fn evaluate(&mut self, context: EvalContext<'_>, sink: &mut impl Sink) -> Timestamp {
        self.scratch.group_dues.clear();
        while let Some(dirty_tag) = self.scratch.dirty.pop_first() {
            let id = self.program.tags[dirty_tag.place].id;
            if self.held_tags.has_place(dirty_tag.place) {
                continue;
            }
            self.scratch.entity_state.load_tags();
            if !self.scratch.entity_state.tag(id).is_settled(dirty_tag) {
                let until = self.evaluate_tag(dirty_tag.place, context, sink);
                self.scratch.group_dues.hold(dirty_tag.place, until);
            }
        }
        self.scratch.group_dues.first()
    }

    fn evaluate_tag(&mut self, place: usize, context: EvalContext<'_>, sink: &mut impl Sink) -> Timestamp {
        let program = &*self.program;
        let plan = &program.tags[place];
        let EvalContext { now, cause, command } = context;
        let kind = &program.tag(plan.id).definition;
        load_inputs(program, place, &mut self.scratch.entity_state);
        let state = self.scratch.entity_state.tag(plan.id);
        let scratch = &mut self.scratch;
        let texts = TextArena::default();
        let mut evaluator = Evaluator {
            program,
            entity_state: &scratch.entity_state,
            now,
            clock_exprs: &mut scratch.clock_exprs,
            score_cache: &scratch.score_cache,
            texts: &texts,
            coverage: self.coverage.incomplete_for(plan, now.at),
        };
        let command = command.filter(|command| command.tag == plan.id);
        let Transition { next, until } = step(&mut evaluator, plan, kind, state, command);
        let (to, because) = match next {
            NextState::Same => return until,
            NextState::Silent(state) => {
                scratch.entity_state.set_tag(plan.id, state);
                return until;
            }
            NextState::Change { to, because } => (to, because),
        };
        let mut leaves = recycle(std::mem::take(&mut scratch.because));
        report_leaves(&mut evaluator, &plan.because[because], &mut leaves);
        let new_state = state_after(to, now.at);
        if let TagState::Scored(scored) = new_state {
            leaves.push((SCORE_LABEL, scored.score.map_or(Scalar::Absent, Scalar::double)));
        }
        let value = match to {
            Shown::Value { value, .. } => value,
            _ => scratch.entity_state.shown(kind, new_state),
        };
        sink.change(&TagChange {
            entity: program.entity(),
            key: scratch.entity_state.key(),
            tag: &program.tag(plan.id).name,
            value,
            previous: scratch.entity_state.shown(kind, state),
            at: now.at,
            seq: scratch.entity_state.seq + 1,
            life: self.ended_lives.lives(scratch.entity_state.key()),
            cause,
            because: &leaves,
            catalog: &program.fingerprint,
        });
        scratch.because = recycle(leaves);
        let new_state = match to {
            Shown::Value { value, ends } => {
                scratch.text.clear();
                let parked = StoredValue::new(value, &mut scratch.text);
                TagState::Valued { since: now.at, value: scratch.entity_state.keep(parked.get(&scratch.text)), ends }
            }
            _ => new_state,
        };
        scratch.entity_state.seq += 1;
        scratch.entity_state.set_tag(plan.id, new_state);
        scratch.dirty.extend(&plan.dependents);
        self.stats.changes += 1;
        until
    }

    /// Evaluates an entity whose timer is due.
    pub(super) fn fire(&mut self, entity: EntityId, sink: &mut impl Sink) {
        let Some(now) = self.now else {
            return;
        };
        self.stats.timers += 1;
        self.scratch.entity_state.unpack(self.store.packed(entity));
        if self.forget_at() <= now.at {
            return self.end(entity, now.at, Cause::Forgotten, sink);
        }
        let is_reevaluation = self.store.set_reevaluated(entity);
        if is_reevaluation {
            self.prepare_reevaluation(now.at, sink);
        } else {
            let tags = self.program.tags.len();
            self.due_groups.due(entity, now.at, tags, &mut self.scratch.dirty, &self.scratch.group_dues);
        }
        let cause = if is_reevaluation { Cause::Catalog } else { Cause::Timer };
        self.evaluate(EvalContext { now, cause, command: None }, sink);
        let until = self.due_groups.renew(entity, now.at, &self.scratch.group_dues).min(self.forget_at());
        // Most timers find that events have put off what they waited for. Such an entity need not be written again: after a
        // restart, with the due time of before, its timer fires once more.
        if self.scratch.entity_state.is_changed() || is_reevaluation && self.writes_unchanged {
            self.scratch.entity_state.prune(&self.program, now);
            self.put_back(entity);
        }
        self.store.set_due(entity, Timestamp::FOREVER);
        self.rearm(entity, until, now.at);
    }

    /// Computes, in one call per model, the scores that entities due at the same instant will need.
    pub(super) fn prefetch_scores(&mut self, due: &[EntityId]) {
        let Some(now) = self.now.filter(|_| due.len() > 1) else { return };
        let program = Arc::clone(&self.program);
        for (place, plan) in program.tags.iter().enumerate() {
            let TagDefinition::Score(score) = &program.tag(plan.id).definition else { continue };
            if self.held_tags.has_place(place) {
                continue;
            }
            let Some(ask @ ScorePlan { model: Some(model), .. }) = &plan.score else { continue };
            let mut rows = Vec::new();
            for entity in due {
                self.scratch.entity_state.unpack(self.store.packed(*entity));
                load_inputs(&program, place, &mut self.scratch.entity_state);
                let state = self.scratch.entity_state.tag(plan.id);
                let texts = TextArena::default();
                let mut evaluator = Evaluator {
                    program: &program,
                    entity_state: &self.scratch.entity_state,
                    now,
                    clock_exprs: &mut self.scratch.clock_exprs,
                    coverage: self.coverage.incomplete_for(plan, now.at),
                    score_cache: &self.scratch.score_cache,
                    texts: &texts,
                };
                rows.extend(input_row_if_due(&mut evaluator, ask, score, state).into_iter().flatten());
            }
            let mut scores = Vec::new();
            model.score(&rows, &mut scores);
            self.scratch.score_cache.insert(ask, model.width(), &rows, scores);
        }
    }
}

/// The state after a change; for values, whose strings have to be stored first, it is set later.
fn state_after(to: Shown<'_>, at: Timestamp) -> TagState {
    match to {
        Shown::Nothing | Shown::Value { .. } => TagState::Off,
        Shown::On => TagState::On { since: at, lapsed: None },
        Shown::BandOrStage(index) => TagState::BandOrStage { since: at, index },
        Shown::Scored(scored) => TagState::Scored(scored),
    }
}

/// The leaves' values now.
fn report_leaves<'a>(
    evaluator: &mut Evaluator<'a>,
    leaves: &'a [ReportedValue],
    because: &mut Vec<(&'a str, Scalar<'a>)>,
) {
    for leaf in leaves {
        because.push((&leaf.label, evaluator.eval(&leaf.expr).value));
    }
}

/// The same allocation for entries of another lifetime.
fn recycle<'a, 'b>(mut entries: Vec<(&'a str, Scalar<'a>)>) -> Vec<(&'b str, Scalar<'b>)> {
    entries.clear();
    entries.into_iter().map(|_| unreachable!("the entries have been cleared")).collect()
}
