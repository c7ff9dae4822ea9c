//! The state machines of tags: what a tag becomes at an instant, and when it may next become something else.

use super::catalog::{Band, Input, Tag, TagKind};
use super::evaluate::calculate;
use super::expression::Arithmetic;
use super::expression::Expression;
use super::instant::WRITABLE_MS;
use super::number::Number;
use super::outlook::{Outlook, Stretch, Verdict, first, possible, possible_at, verdict_at, verdict_over};
use super::possible::Possible;
use super::value::Value;
use super::window::NEVER;

/// What is remembered of one entity's tag.
#[derive(Clone, Debug)]
pub struct TagState {
    /// Absent while the tag is not there; of a rule true while it is on.
    pub value: Value,
    /// For a rule: since when its `when` has given without a break what it gives now; nothing while it is unknown.
    when_since: Option<(bool, i64)>,
    /// For a manual tag, what it was told last.
    told: Option<Told>,
}

/// What a command made of a manual tag.
#[derive(Clone, Debug)]
pub struct Told {
    /// Absent where the tag was removed.
    pub value: Value,
    /// The first instant at which it is no longer valid.
    pub ends: i64,
}

impl TagState {
    pub fn new() -> Self {
        Self { value: Value::Absent, when_since: None, told: None }
    }

    /// The state of a tag of the same name in another catalog: what it shows stays until it is evaluated.
    pub fn under(&self, kind: &TagKind) -> Self {
        let (is_rule, is_manual) = (matches!(kind, TagKind::Rule { .. }), matches!(kind, TagKind::Manual { .. }));
        let when_since = self.when_since.filter(|_| is_rule);
        Self { value: self.value.clone(), when_since, told: self.told.clone().filter(|_| is_manual) }
    }

    pub fn tell(&mut self, told: Told) {
        self.told = Some(told);
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

    /// The state after an evaluation at the clock. What is unknown leaves it as it is.
    pub fn step(&self, state: &TagState, names: Outlook, clock: i64, input: &Input) -> TagState {
        let value = match &self.kind {
            TagKind::Rule { .. } => return self.step_rule(state, names, clock),
            TagKind::Value { value, bands, margin } => {
                let possible = possible_at(value, names, clock);
                if bands.is_empty() {
                    possible.single().map(|value| if input.keeps(&value) { value } else { Value::Absent })
                } else {
                    banded(bands, *margin, &state.value, &possible).expect("an instant is certain")
                }
            }
            TagKind::Stages(stages) => {
                let verdict = |when: &Option<Expression>| match when {
                    Some(when) => verdict_at(when, names, clock),
                    None => Verdict::Holds,
                };
                let found = stages.iter().map(|(name, when)| (name, verdict(when)));
                match found.into_iter().find(|(_, verdict)| *verdict != Verdict::Fails) {
                    Some((name, Verdict::Holds)) => Some(Value::Text(name.clone())),
                    Some(_) => None,
                    None => Some(Value::Absent),
                }
            }
            TagKind::Manual { .. } => {
                let told = state.told.as_ref().filter(|told| clock < told.ends);
                Some(told.map_or(Value::Absent, |told| told.value.clone()))
            }
        };
        TagState { value: value.unwrap_or_else(|| state.value.clone()), ..state.clone() }
    }

    fn step_rule(&self, state: &TagState, names: Outlook, clock: i64) -> TagState {
        let TagKind::Rule { when, until, for_ms, keep_ms } = &self.kind else { panic!("no rule: {}", self.name) };
        let held = match verdict_at(when, names, clock) {
            Verdict::Holds => true,
            Verdict::Fails => false,
            Verdict::Unknown => {
                // `for` and `keep_for` start again when it is certain again.
                return TagState { when_since: None, ..state.clone() };
            }
        };
        let since = match state.when_since {
            Some((before, since)) if before == held => since,
            _ => clock,
        };
        let may_leave = || until.as_ref().is_none_or(|until| verdict_at(until, names, clock) == Verdict::Holds);
        let on = if held {
            // What another catalog's tag of this name showed was on, whatever it was.
            state.value != Value::Absent || clock >= since + for_ms
        } else {
            state.value.holds() && !(clock >= since + keep_ms && may_leave())
        };
        let value = if on { Value::Bool(true) } else { Value::Absent };
        TagState { value, when_since: Some((held, since)), told: None }
    }

    /// The expressions that decided a change to that value.
    pub fn deciding(&self, value: &Value) -> Vec<&Expression> {
        match &self.kind {
            TagKind::Rule { when, .. } if value.holds() => vec![when],
            TagKind::Rule { .. } | TagKind::Value { .. } | TagKind::Manual { .. } => self.kind.expressions(),
            TagKind::Stages(stages) => {
                let own = stages.iter().position(|(name, _)| Some(name.as_str()) == value.text());
                let down_to = own.map_or(stages.len(), |own| own + 1);
                stages[..down_to].iter().filter_map(|(_, when)| when.as_ref()).collect()
            }
        }
    }

    /// The first instant after the clock at which the verdict may be another, if counters and attributes stay as they
    /// are until `steps`, when the question will be asked again.
    pub fn next(&self, state: &TagState, names: Outlook, clock: i64, steps: i64) -> i64 {
        // At `steps` itself a local date may begin.
        let horizon = steps.saturating_sub(1).min(*WRITABLE_MS.end());
        let flip = |condition: &Expression| {
            if !condition.moves() {
                return NEVER;
            }
            let now = verdict_at(condition, names, clock);
            let flipped = |stretch| Some(verdict_over(condition, names, stretch)? != now);
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
                let other = |stretch: Stretch| {
                    let band = banded(bands, *margin, &state.value, &possible(value, names, stretch))?;
                    Some(band.is_some_and(|band| band != state.value)) // what is unknown stays as it is
                };
                first(clock + 1, horizon, &other).unwrap_or(NEVER)
            }
            TagKind::Value { .. } => NEVER,
            TagKind::Manual { .. } => {
                state.told.as_ref().map(|told| told.ends).filter(|end| *end > clock).unwrap_or(NEVER)
            }
        }
    }
}

/// The band of the values for a tag that is now in a band, or in none: `Some(None)` where it is unknown throughout, `None`
/// where there is no telling for the whole stretch.
fn banded(bands: &[Band], margin: Number, present: &Value, values: &Possible) -> Option<Option<Value>> {
    let none = values.is_no_number();
    let Some(numbers) = values.numbers else { return Some(Some(Value::Absent)) };
    // The band never falls when the value grows.
    let band = |number: Number| band_of(bands, margin, present, number);
    let (low, high) = (band(numbers.least.0), band(numbers.greatest.1));
    let several = band(numbers.least.1) < band(numbers.greatest.0);
    if low == high && !none.some {
        return Some(Some(Value::Text(bands[low].name.clone())));
    }
    (numbers.there.each && (several || none.each)).then_some(None)
}

/// The index of a number's band.
fn band_of(bands: &[Band], margin: Number, present: &Value, number: Number) -> usize {
    let below = |band: &Band| band.below.is_none_or(|bound| number < bound);
    let lies_in = bands.iter().position(below).expect("a last band without a bound");
    let present = bands.iter().position(|band| Some(band.name.as_str()) == present.text());
    let bound =
        |index: usize, operation: Arithmetic| calculate(operation, bands[index].below.expect("no last band"), margin);
    let stays = present.filter(|present| {
        let too_little_up = || lies_in > *present && number < bound(*present, Arithmetic::Add);
        let too_little_down = || lies_in < *present && number > bound(*present - 1, Arithmetic::Subtract);
        too_little_up() || too_little_down()
    });
    stays.unwrap_or(lies_in)
}
