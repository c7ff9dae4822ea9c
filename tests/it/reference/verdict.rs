//! The state machines of tags: what a tag becomes at an instant, and when it may next become something else.

use super::catalog::{Band, Tag, TagKind};
use super::evaluate::{Lookup, evaluate};
use super::expression::Expression;
use super::instant::WRITABLE_MS;
use super::possible::{Possible, first, possible, truth};
use super::value::Value;
use super::window::NEVER;

/// What is remembered of one entity's tag.
#[derive(Clone, Debug)]
pub struct TagState {
    /// Absent while the tag is not there; of a rule true while it is on.
    pub value: Value,
    /// For a rule: since when its `when` has given without a break what it gives now.
    when_since: Option<(bool, i64)>,
}

impl TagState {
    pub fn new() -> Self {
        Self { value: Value::Absent, when_since: None }
    }
}

impl Tag {
    /// The tag as other tags see it: a rule is a bool and never absent.
    pub fn as_seen(&self, state: &TagState) -> Value {
        match self.kind {
            TagKind::Rule { .. } => Value::Bool(state.value.holds()),
            _ => state.value.clone(),
        }
    }

    /// The state after an evaluation at the clock.
    pub fn step(&self, state: &TagState, names: Lookup, clock: i64) -> TagState {
        let holds = |condition: &Expression| evaluate(condition, names, clock).holds();
        match &self.kind {
            TagKind::Rule { when, until, for_ms, keep_ms } => {
                let held = holds(when);
                let since = match state.when_since {
                    Some((before, since)) if before == held => since,
                    _ => clock,
                };
                let on = if held {
                    state.value.holds() || clock >= since + for_ms
                } else {
                    state.value.holds() && !(until.as_ref().is_none_or(holds) && clock >= since + keep_ms)
                };
                let value = if on { Value::Bool(true) } else { Value::Absent };
                TagState { value, when_since: Some((held, since)) }
            }
            TagKind::Value { value, bands, margin } => {
                let value = evaluate(value, names, clock);
                let value = if bands.is_empty() { value } else { banded(bands, *margin, &state.value, &value) };
                TagState { value, ..state.clone() }
            }
            TagKind::Stages(stages) => {
                let stage = stages.iter().find(|(_, when)| when.as_ref().is_none_or(holds));
                TagState { value: stage.map_or(Value::Absent, |(name, _)| Value::Text(name.clone())), ..state.clone() }
            }
        }
    }

    /// The expressions that decided a change to that value.
    pub fn deciding(&self, value: &Value) -> Vec<&Expression> {
        match &self.kind {
            TagKind::Rule { when, .. } if value.holds() => vec![when],
            TagKind::Rule { .. } | TagKind::Value { .. } => self.kind.expressions(),
            TagKind::Stages(stages) => {
                let own = stages.iter().position(|(name, _)| Some(name.as_str()) == value.text());
                let down_to = own.map_or(stages.len(), |own| own + 1);
                stages[..down_to].iter().filter_map(|(_, when)| when.as_ref()).collect()
            }
        }
    }

    /// The first instant after the clock at which the verdict may be another, if counters and attributes stay as they
    /// are until `steps`, when the question will be asked again.
    pub fn next(&self, state: &TagState, names: Lookup, clock: i64, steps: i64) -> i64 {
        let horizon = steps.min(*WRITABLE_MS.end());
        let flip = |condition: &Expression| {
            if !condition.moves() {
                return NEVER;
            }
            let now = evaluate(condition, names, clock).holds();
            let flipped = |from, to| Some(truth(&possible(condition, names, from, to))? != now);
            first(clock + 1, horizon, &flipped).unwrap_or(NEVER)
        };
        match &self.kind {
            TagKind::Rule { for_ms, keep_ms, .. } => {
                let end = match state.when_since {
                    Some((true, since)) => since + for_ms,
                    Some((false, since)) => since + keep_ms,
                    None => NEVER,
                };
                let end = if end > clock { end } else { NEVER };
                self.kind.expressions().into_iter().map(flip).fold(end, i64::min)
            }
            TagKind::Stages(_) => self.kind.expressions().into_iter().map(flip).fold(NEVER, i64::min),
            TagKind::Value { value, bands, margin } if value.moves() => {
                let other = |from, to| {
                    let band_of = |value: &Value| banded(bands, *margin, &state.value, value) != state.value;
                    match possible(value, names, from, to) {
                        Possible::Fixed(value) => Some(band_of(&value)),
                        Possible::Numbers { least, greatest, absent } => {
                            // The band never falls as the value grows: with equal ends it is the same throughout.
                            let ends = [least, greatest].map(Value::Number);
                            let [low, high] = ends.map(|end| banded(bands, *margin, &state.value, &end));
                            (low == high && !absent).then(|| low != state.value)
                        }
                        Possible::Either | Possible::Anything => None,
                    }
                };
                first(clock + 1, horizon, &other).unwrap_or(NEVER)
            }
            TagKind::Value { .. } => NEVER,
        }
    }
}

/// The band of a value for a tag that is now in a band, or in none.
fn banded(bands: &[Band], margin: f64, present: &Value, value: &Value) -> Value {
    let Value::Number(number) = *value else { return Value::Absent };
    let lies_in = bands.iter().position(|band| number < band.below).expect("a last band without a bound");
    let present = bands.iter().position(|band| Some(band.name.as_str()) == present.text());
    let stays = present.filter(|present| {
        let too_little_up = lies_in > *present && number < bands[*present].below + margin;
        let too_little_down = lies_in < *present && number > bands[*present - 1].below - margin;
        too_little_up || too_little_down
    });
    Value::Text(bands[stays.unwrap_or(lies_in)].name.clone())
}
