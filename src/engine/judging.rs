//! Bringing an entity's tags up to the clock: those that are stale take their turn, and what differs is told.

use super::eval::{Evaluator, Present};
use super::packed::Kept;
use super::partition::{Partition, Sink};
use super::program::Program;
use super::record::Record;
use super::scores;
use super::tag_state::TagState;
use super::tags::{Next, Order, Shown, Turn, turn};
use crate::catalog::ReportedValue;
use crate::model::{Cause, Scalar, TagChange, Timestamp};

/// Why, and with what, an entity is evaluated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occasion<'a> {
    pub present: Present,
    pub cause: Cause,
    /// What a command wants of a manual tag.
    pub order: Option<Order<'a>>,
}

impl Partition {
    /// Evaluates the stale tags, and those that use one that changes, in order; returns until when they hold, and leaves
    /// on the desk until when each group of them does.
    pub(super) fn evaluate(&mut self, occasion: Occasion<'_>, sink: &mut impl Sink) -> Timestamp {
        self.desk.dues.clear();
        while let Some(turn) = self.desk.stale.pop_first() {
            let id = self.program.tags[turn.place].id;
            if self.hold.has_place(turn.place) {
                continue;
            }
            self.desk.record.load_tag(id);
            let is_settled = match self.desk.record.tag(id) {
                TagState::Off => !turn.if_off,
                TagState::On { lapsed: None, .. } => !turn.if_on,
                _ => false,
            };
            if !is_settled {
                let until = self.evaluate_tag(turn.place, occasion, sink);
                self.desk.dues.hold(turn.place, until);
            }
        }
        self.desk.dues.first()
    }

    fn evaluate_tag(&mut self, place: usize, occasion: Occasion<'_>, sink: &mut impl Sink) -> Timestamp {
        let program = &*self.program;
        let plan = &program.tags[place];
        let Occasion { present, cause, order } = occasion;
        let kind = &program.tag(plan.id).definition;
        load(program, place, &mut self.desk.record);
        let state = self.desk.record.tag(plan.id);
        let desk = &mut self.desk;
        let mut evaluator = Evaluator {
            program,
            record: &desk.record,
            present,
            lines: &mut desk.lines,
            answers: &desk.answers,
            filling: self.filling.of(plan, present.at),
        };
        let order = order.filter(|order| order.tag == plan.id);
        let Turn { next, until } = turn(&mut evaluator, plan, kind, state, order);
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
        if let TagState::Scored(scored) = new_state {
            leaves.push((scores::LABEL, scored.score.map_or(Scalar::Absent, Scalar::Number)));
        }
        let value = match to {
            Shown::Value { value, .. } => value,
            _ => desk.record.shown(kind, new_state),
        };
        sink.change(&TagChange {
            entity: program.entity(),
            key: desk.record.key(),
            tag: &program.tag(plan.id).name,
            value,
            previous: desk.record.shown(kind, state),
            at: present.at,
            seq: desk.record.seq + 1,
            life: self.ended.lives(desk.record.key()),
            cause,
            because: &leaves,
            catalog: &program.fingerprint,
        });
        desk.because = recycle(leaves);
        let new_state = match to {
            Shown::Value { value, ends } => {
                desk.text.clear();
                let parked = Kept::new(value, &mut desk.text);
                TagState::Valued { since: present.at, value: desk.record.keep(parked.get(&desk.text)), ends }
            }
            _ => new_state,
        };
        desk.record.seq += 1;
        desk.record.set_tag(plan.id, new_state);
        desk.stale.extend(&plan.stale);
        self.stats.changes += 1;
        until
    }
}

/// The state behind what a change shows, but for values, whose strings the record has to keep first.
fn announced(to: Shown<'_>, at: Timestamp) -> TagState {
    match to {
        Shown::Nothing | Shown::Value { .. } => TagState::Off,
        Shown::On => TagState::On { since: at, lapsed: None },
        Shown::Nth(index) => TagState::Nth { since: at, index },
        Shown::Scored(scored) => TagState::Scored(scored),
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
fn explain<'a>(evaluator: &mut Evaluator<'a>, leaves: &'a [ReportedValue], because: &mut Vec<(&'a str, Scalar<'a>)>) {
    for leaf in leaves {
        because.push((&leaf.label, evaluator.eval(&leaf.expr).value));
    }
}

/// The same allocation for entries of another lifetime.
fn recycle<'a, 'b>(mut entries: Vec<(&'a str, Scalar<'a>)>) -> Vec<(&'b str, Scalar<'b>)> {
    entries.clear();
    entries.into_iter().map(|_| unreachable!("the entries have been cleared")).collect()
}
