//! An explanation as sentences, in both languages, from its structure.

use maud::{Markup, html};

use super::words::EntityWords;
use crate::catalog::{Comparison, TagDefinition};
use crate::codec::{comparison_gap, value_document};
use crate::engine::{Clause, ClauseForm, Explanation, IncompleteCounter, NextChange, Role, Section, Wait};
use crate::model::{Number, Timestamp, Unit, Value};
use crate::serve::page::words::{Code, Language, Length, Times, rich};

/// What the sentences of one tag are made from.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    pub times: &'a Times,
    pub definition: &'a TagDefinition,
    pub explanation: &'a Explanation,
}

/// A value as the catalog writes it; numbers in full.
pub(super) fn value_text(value: Option<&Value>) -> String {
    match value {
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) => text.to_string(),
        value => value_document(value).to_string(),
    }
}

impl Told<'_> {
    fn say(self) -> EntityWords {
        EntityWords(self.times.language)
    }

    fn length(self, until: Timestamp) -> Length {
        self.times.between(until, self.explanation.at)
    }

    /// Why the tag is as it is, piece by piece, what it waits for, and what comes.
    pub(super) fn paragraphs(self) -> Markup {
        let say = self.say();
        html! {
            @for section in self.sections() { (self.section(section)) }
            @if let TagDefinition::Manual { .. } = self.definition { p { (say.manual()) } }
            @for counter in &self.explanation.incomplete_counters { p { (rich(&self.filling(counter))) } }
            @if let Some(wait) = self.explanation.wait { p { (rich(&self.waiting(wait))) } }
            p { (rich(&self.next())) }
        }
    }

    /// What the tag comes to if nothing happens.
    fn next(self) -> String {
        let say = self.say();
        let Some(NextChange { at, value }) = &self.explanation.next else { return say.next_none() };
        let (when, length) = (self.times.minute_text(*at), self.length(*at));
        match (value, &self.explanation.value) {
            (None, _) => say.next_off(&when, length),
            (Some(Value::Bool(true)), None) => say.next_on(&when, length),
            (value, _) => say.next_value(Code(&value_text(value.as_ref())), &when, length),
        }
    }

    fn filling(self, counter: &IncompleteCounter) -> String {
        let (say, value) = (self.say(), value_text(counter.value.as_ref()));
        let since = self.times.minute_text(counter.since);
        let begin = say.filling(Code(&counter.counter), Code(&value), &since);
        let end = match counter.complete_at {
            Some(at) => say.filling_until(&self.times.minute_text(at)),
            None => say.filling_never(),
        };
        format!("{begin} {end}")
    }

    fn waiting(self, wait: Wait) -> String {
        let (say, text) = (self.say(), |at| self.times.minute_text(at));
        match wait {
            Wait::For { since, until } => say.wait_for(&text(since), &text(until), self.length(until)),
            Wait::KeepFor { since, until } if until > self.explanation.at => {
                say.wait_keep(&text(since), &text(until), self.length(until))
            }
            Wait::KeepFor { since, .. } => say.wait_kept(&text(since)),
            Wait::Refresh { score, since, until } => {
                let score = value_text(score.map(|score| Value::Number(Number::Double(score))).as_ref());
                say.wait_model(Code(&score), &text(since), &text(until))
            }
        }
    }

    /// The sections that count: stages behind the first one that holds are not evaluated.
    fn sections(&self) -> &[Section] {
        let decides = |section: &Section| {
            let holds = |whole: &Clause| !whole.is_decided || whole.value == Some(Value::Bool(true));
            matches!(section.role, Role::Stage(_)) && section.clauses.first().is_some_and(holds)
        };
        let all = &self.explanation.sections;
        let count = all.iter().position(decides).map_or(all.len(), |place| place + 1);
        &all[..count]
    }

    fn section(self, section: &Section) -> Markup {
        let say = self.say();
        let head = match &section.role {
            Role::When => say.role_when(),
            Role::Until => say.role_until(),
            Role::Value => say.role_value(),
            Role::Stage(name) if section.clauses.is_empty() => say.otherwise(Code(name)),
            Role::Stage(name) => say.role_stage(Code(name)),
            Role::Input(name) => say.role_input(Code(name)),
        };
        html! {
            p.role { (rich(&head)) }
            @if !section.clauses.is_empty() {
                ul.clauses {
                    @for clause in &section.clauses {
                        li.(state(section, clause)).(format!("depth-{}", clause.depth.min(6))) {
                            (rich(&self.clause(section, clause)))
                        }
                    }
                }
            }
        }
    }

    /// A piece of a condition, as a sentence.
    fn clause(self, section: &Section, clause: &Clause) -> String {
        let (say, condition) = (self.say(), Code(&clause.text));
        let head = match state(section, clause) {
            "is-value" => say.is_value(condition, Code(&value_text(clause.value.as_ref()))),
            "holds" => say.holds(condition),
            "undecided" => say.undecided(condition),
            _ => say.fails(condition),
        };
        let mut parts = vec![head];
        parts.extend(self.detail(section, clause));
        if let Some(until) = clause.until {
            let is_over = state(section, clause) != "fails";
            let (at, length) = (self.times.minute_text(until), self.length(until));
            parts.push(if is_over { say.until(&at, length) } else { say.from(&at, length) });
        }
        let comma = match self.times.language {
            Language::English => "; ",
            Language::Chinese => "，",
        };
        parts.join(comma) + self.times.language.full_stop()
    }

    /// The values of a piece, and how far it is from holding.
    fn detail(self, section: &Section, clause: &Clause) -> Vec<String> {
        let say = self.say();
        match &clause.form {
            ClauseForm::Parts => Vec::new(),
            ClauseForm::Comparison(_, [None, _] | [_, None], _) => vec![say.no_value()],
            ClauseForm::Comparison(op, [Some(left), Some(right)], unit) => {
                let value = self.operand(left, *unit);
                let is = if clause.is_decided { say.now_value(Code(&value)) } else { say.so_far(Code(&value)) };
                let gap = comparison_gap(clause).or_else(|| days_short(clause, left, right));
                let is_length = unit.or_else(|| matches!(left, Value::Date(_) | Value::Time(_)).then_some(Unit::Days));
                std::iter::once(is).chain(gap.map(|gap| self.short_of(*op, gap, is_length))).collect()
            }
            ClauseForm::Leaf if is_value(section) => Vec::new(),
            // A piece that is only a name is already shown with its value.
            ClauseForm::Leaf => {
                let named =
                    section.leaves.iter().filter(|(label, _)| *label != clause.text && clause.text.contains(label));
                named.map(|(label, value)| say.is_value(Code(label), Code(&value_text(value.as_ref())))).collect()
            }
        }
    }

    /// One operand of a comparison: a number with a unit is a length of time.
    fn operand(self, value: &Value, unit: Option<Unit>) -> String {
        match (value, unit) {
            (Value::Number(number), Some(unit)) => {
                let ms = (number.to_f64() * unit.ms() as f64).round() as i64;
                let sign = if ms < 0 { "−" } else { "" };
                format!("{sign}{}", Length { ms: ms.saturating_abs(), language: self.times.language })
            }
            (value, _) => value_text(Some(value)),
        }
    }

    fn short_of(self, op: Comparison, gap: Number, unit: Option<Unit>) -> String {
        let say = self.say();
        let by = match gap {
            Number::Decimal(gap) => Number::Decimal(gap.magnitude()),
            gap => Number::Double(gap.to_f64().abs()),
        };
        let by = self.operand(&Value::Number(by), unit);
        match op {
            Comparison::Greater if gap == Number::ZERO => say.must_be_more(),
            Comparison::Less if gap == Number::ZERO => say.must_be_less(),
            Comparison::NotEqual => say.must_be_other(),
            Comparison::Greater | Comparison::GreaterOrEqual => say.short(&by),
            Comparison::Less | Comparison::LessOrEqual => say.over(&by),
            Comparison::Equal => say.off_by(&by),
        }
    }
}

/// Whether the pieces of a section are shown with their values, and not with whether they hold.
fn is_value(section: &Section) -> bool {
    matches!(section.role, Role::Value | Role::Input(_))
}

/// The class of a piece.
fn state(section: &Section, clause: &Clause) -> &'static str {
    match &clause.value {
        _ if !clause.is_decided => "undecided",
        _ if is_value(section) => "is-value",
        Some(Value::Bool(true)) => "holds",
        _ => "fails",
    }
}

/// How many days a comparison of dates, or of times, is from holding.
fn days_short(clause: &Clause, left: &Value, right: &Value) -> Option<Number> {
    let days = match (left, right) {
        (Value::Date(left), Value::Date(right)) => (right.days() - left.days()) as f64,
        (Value::Time(left), Value::Time(right)) => right.since(*left) as f64 / Unit::Days.ms() as f64,
        _ => return None,
    };
    (clause.is_decided && clause.value != Some(Value::Bool(true))).then_some(Number::Double(days))
}
