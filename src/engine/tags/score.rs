//! Tags with a `score`: when a model is asked, and what becomes of its answer (spec 4.4).
//!
//! A score holds until its input has changed: the counters, attributes, times and tags that its inputs mention, of
//! which a digest is kept. It is renewed after `refresh` at the latest, because of the clock. Inputs that move with the
//! clock alone (a `days_since` and what is computed from it) are read when the model is asked and not in between, so an
//! additional evaluation changes nothing.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::state_machine::{NextState, Shown, Transition};
use crate::catalog::Score;
use crate::engine::entity::{Scored, TagState};
use crate::engine::expr::{Evaluator, band};
use crate::engine::ports::ScoreModel;
use crate::engine::program::ScorePlan;
use crate::engine::unknown::Known;
use crate::model::{Number, Scalar, Timestamp};

/// The label of the score itself in a change's `because`.
pub(crate) const SCORE_LABEL: &str = "score";

/// The model's input, if the model has to be asked now.
pub(crate) fn input_row_if_due<'a>(
    evaluator: &mut Evaluator<'a>,
    plan: &'a ScorePlan,
    score: &'a Score,
    state: TagState,
) -> Option<Vec<f64>> {
    match evaluator.model_call(plan, score, PreviousScore::new(state).scored) {
        (ModelCall::Due(_), _) => Some(evaluator.input_row(score)),
        _ => None,
    }
}

/// Whether the model has to be asked now.
enum ModelCall {
    /// No: some of its input is not known yet.
    Unknown,
    /// No: the previous score holds.
    Reuse(Scored),
    /// Yes: its input has this digest.
    Due(u64),
}

/// A tag before this evaluation.
#[derive(Clone, Copy, Debug)]
struct PreviousScore {
    /// `None` where the model has not been asked yet.
    scored: Option<Scored>,
    shown: Option<(Timestamp, u16)>,
    /// Whether it shows something that is not a score: what it had under an earlier catalog.
    is_foreign: bool,
}

impl PreviousScore {
    fn new(state: TagState) -> Self {
        let (scored, shown, is_foreign) = match state {
            TagState::Scored(scored) => (Some(scored), scored.shown, false),
            // A band or stage of the same name, from an earlier catalog.
            TagState::BandOrStage { since, index } => (None, Some((since, index)), false),
            TagState::Valued { .. } | TagState::On { .. } => (None, None, true),
            TagState::Off | TagState::Pending(_) => (None, None, false),
        };
        PreviousScore { scored, shown, is_foreign }
    }
}

/// One step of a tag with a `score`.
pub(super) fn step_score<'a>(
    evaluator: &mut Evaluator<'a>,
    plan: &'a ScorePlan,
    score: &'a Score,
    state: TagState,
) -> Transition<'a> {
    let now = evaluator.now.at;
    let Some(model) = &plan.model else {
        return Transition { next: NextState::Same, until: Timestamp::FOREVER };
    };
    let before = PreviousScore::new(state);
    let (call, until) = evaluator.model_call(plan, score, before.scored);
    let of = match call {
        ModelCall::Unknown => return Transition { next: NextState::Same, until },
        ModelCall::Reuse(scored) => return Transition { next: show(score, scored, before, now), until },
        ModelCall::Due(of) => of,
    };
    let row = evaluator.input_row(score);
    let answer = evaluator.score_cache.score(plan, &row, || ask(&**model, &row));
    let found = match (answer, before.scored) {
        (Some(number), _) => number.is_finite().then_some(number),
        // The model could not answer: the previous score holds until the next step.
        (None, Some(scored)) => scored.score,
        (None, None) => None,
    };
    let until = until.min(now.plus(score.refresh_ms));
    if answer.is_none() && (before.is_foreign || before.scored.is_none() && before.shown.is_some()) {
        return Transition { next: NextState::Same, until };
    }
    let scored = Scored { at: now, of, score: found, shown: before.shown };
    Transition { next: show(score, scored, before, now), until }
}

fn ask(model: &dyn ScoreModel, row: &[f64]) -> Option<f64> {
    let mut answer = Vec::with_capacity(1);
    model.score(row, &mut answer);
    answer.first().copied().flatten()
}

/// What a score makes the tag show; a change where that differs from before.
fn show<'a>(score: &Score, scored: Scored, before: PreviousScore, now: Timestamp) -> NextState<'a> {
    let current = before.shown.map(|(_, index)| index);
    let found = match &score.bands {
        Some(bands) => scored.score.map(|number| band(bands, current, Number::Double(number))),
        None => scored.score.map(|_| 0),
    };
    let is_other_number = score.bands.is_none() && before.scored.is_some_and(|before| before.score != scored.score);
    if found != current || is_other_number || before.is_foreign {
        let shown = found.map(|index| (now, index));
        return NextState::Change { to: Shown::Scored(Scored { shown, ..scored }), because: 0 };
    }
    if Some(scored) == before.scored { NextState::Same } else { NextState::Silent(TagState::Scored(scored)) }
}

/// A value as the model takes it.
fn number(value: Scalar<'_>) -> f64 {
    match value {
        Scalar::Number(number) => number.to_f64(),
        Scalar::Bool(b) => f64::from(u8::from(b)),
        Scalar::String(_) | Scalar::Time(_) | Scalar::Date(_) | Scalar::Absent => f64::NAN,
    }
}

impl<'a> Evaluator<'a> {
    /// Whether a model has to be asked, and until when that holds.
    fn model_call(&mut self, plan: &'a ScorePlan, score: &Score, before: Option<Scored>) -> (ModelCall, Timestamp) {
        let Known { what, until } = self.watched(plan);
        let Some(of) = what else { return (ModelCall::Unknown, until) };
        match before {
            Some(scored) if scored.of == of && self.now.at < scored.at.plus(score.refresh_ms) => {
                (ModelCall::Reuse(scored), until.min(scored.at.plus(score.refresh_ms)))
            }
            _ => (ModelCall::Due(of), until),
        }
    }

    /// The model's input: one number per input of the catalog.
    fn input_row(&mut self, score: &'a Score) -> Vec<f64> {
        score.inputs.iter().map(|input| number(self.eval(&input.value.expr).value)).collect()
    }

    /// A digest of everything that a score watches; `None` while some of it is not known.
    fn watched(&mut self, plan: &'a ScorePlan) -> Known<u64> {
        let (mut digest, mut until) = (Some(plan.identity), Timestamp::FOREVER);
        for expr in &plan.watched {
            let known = self.known(expr);
            until = until.min(known.until);
            digest = digest.zip(known.what).map(|(digest, value)| digest_of(value, digest));
        }
        Known { what: digest, until }
    }
}

/// Adds a value to a digest. Equal values give equal digests.
fn digest_of(value: Scalar<'_>, before: u64) -> u64 {
    let (kind, word) = match value {
        Scalar::Absent => (0, 0),
        Scalar::Bool(b) => (1, u64::from(b)),
        // The two zeros are equal.
        Scalar::Number(number) => (2, (number.to_f64() + 0.0).to_bits()),
        Scalar::Time(at) => (3, at.ms() as u64),
        Scalar::Date(date) => (5, date.days() as u64),
        Scalar::String(text) => (4, xxh3_64(text.as_bytes())),
    };
    xxh3_64_with_seed(&word.to_le_bytes(), before.wrapping_add(kind))
}
