//! Values, instants and reasons as text for people.

use std::fmt::Write;

use super::escape::escaped;
use crate::catalog::{Bands, Comparison, TagDefinition};
use crate::codec::{comparison_gap, value_document};
use crate::engine::{Clause, ClauseForm, Expiry, Explanation, IncompleteCounter, NextChange, Role, Section, Wait};
use crate::model::{Number, Timestamp, Unit, Value};

/// The JSON of a value, with numbers in full: a text that explains a verdict rounds nothing.
pub(crate) fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::Number(number)) => number.to_string(),
        _ => escaped(&value_document(value).to_string()).into_owned(),
    }
}

/// Labels with their values, such as a tag change's `because`: `visits is 3, plan is null`.
pub(crate) fn because<'a>(values: impl Iterator<Item = (&'a str, Option<Value>)>) -> String {
    let said: Vec<String> = values.map(|(label, value)| format!("{label} is {}", text(value.as_ref()))).collect();
    said.join(", ")
}

/// The value of a tag: `on`, `off`, a band, a stage or a value.
pub(crate) fn tag_value(value: Option<&Value>) -> String {
    match value {
        None => "off".to_owned(),
        Some(Value::Bool(true)) => "on".to_owned(),
        Some(Value::String(text)) => escaped(text).into_owned(),
        Some(_) => text(value),
    }
}

/// A number with its noun.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A duration in its two greatest units: `3d 4h`.
pub(crate) fn distance(ms: i64) -> String {
    const UNITS: [(&str, i64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
    let first = UNITS.iter().position(|(_, unit_ms)| ms >= *unit_ms).unwrap_or(UNITS.len() - 1);
    let mut rest = ms;
    let mut parts = Vec::new();
    for (name, unit_ms) in UNITS.iter().skip(first).take(2) {
        if rest >= *unit_ms || parts.is_empty() {
            parts.push(format!("{}{name}", rest / unit_ms));
            rest %= unit_ms;
        }
    }
    parts.join(" ")
}

/// A number of days, hours and so on, as [`distance`] writes it.
fn length(number: Number, unit: Unit) -> String {
    let ms = number.to_f64() * unit.ms() as f64;
    match ms.round() as i64 {
        0 if ms != 0.0 => "less than 1ms".to_owned(),
        0 => format!("0{}", &unit.name()[..1]),
        ms @ ..0 => format!("-{}", distance(-ms)),
        ms => distance(ms),
    }
}

/// The reasons for a tag's state, one line per clause.
pub(crate) fn reasons(explanation: &Explanation, definition: &TagDefinition) -> Vec<String> {
    let now = explanation.at;
    let mut rows = Vec::new();
    for section in &explanation.sections {
        if section.clauses.is_empty() {
            rows.push((format!("{} otherwise", role(&section.role)), String::new()));
        }
        for clause in &section.clauses {
            rows.push(row(section, clause, now));
        }
        if decides(section) {
            break;
        }
    }
    let width = rows.iter().map(|(left, _)| left.chars().count()).max().unwrap_or(0);
    let line = |(left, right): &(String, String)| format!("{left:width$}  {right}").trim_end().to_owned();
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    if let Some(bands) = definition.bands() {
        lines.push(band_line(bands));
        lines.extend(within_margin(bands, explanation));
    }
    if matches!(definition, TagDefinition::Manual { .. }) && explanation.value.is_none() {
        lines.push("set by `$tag` commands".to_owned());
    }
    lines.extend(explanation.incomplete_counters.iter().map(unseen));
    lines.extend(explanation.wait.map(|wait| waiting(wait, now)));
    lines.push(ahead(explanation));
    lines
}

/// Whether a stage's condition holds, or may hold: then the stages after it are not evaluated.
fn decides(section: &Section) -> bool {
    let holds = |whole: &Clause| !whole.is_decided || whole.value == Some(Value::Bool(true));
    matches!(section.role, Role::Stage(_)) && section.clauses.first().is_some_and(holds)
}

fn unseen(unseen: &IncompleteCounter) -> String {
    let IncompleteCounter { counter, value, since, complete_at } = unseen;
    let known = complete_at.map_or("never wholly known".to_owned(), |at| format!("not wholly known before {at}"));
    format!("{counter}: {} seen since {since}; {known}", text(value.as_ref()))
}

/// The next change of the tag if no event comes.
fn ahead(explanation: &Explanation) -> String {
    let now = explanation.at;
    let mut line = "if nothing happens: ".to_owned();
    match &explanation.next {
        Some(NextChange { at, value }) => {
            let (from, to) = (tag_value(explanation.value.as_ref()), tag_value(value.as_ref()));
            let _ = write!(line, "{from} → {to} at {at}, in {}", distance(at.since(now)));
        }
        None => line.push_str("stays as it is"),
    }
    if let (Some(next), Some(Expiry { at, silent_ms })) = (&explanation.next, explanation.expiry)
        && next.at == at
    {
        let _ = write!(line, " (forgotten: silent for {})", distance(silent_ms));
    }
    line
}

fn role(role: &Role) -> String {
    match role {
        Role::When => "when ".to_owned(),
        Role::Until => "until".to_owned(),
        Role::Value => "value".to_owned(),
        Role::Stage(name) => format!("stage {name}:"),
        Role::Input(name) => format!("input {name}:"),
    }
}

/// Whether the clause is shown with its value, and not with whether it holds.
fn is_value(section: &Section) -> bool {
    matches!(section.role, Role::Value | Role::Input(_))
}

fn row(section: &Section, clause: &Clause, now: Timestamp) -> (String, String) {
    let verdict = match &clause.value {
        _ if is_value(section) => "",
        _ if !clause.is_decided => "?   ",
        Some(Value::Bool(true)) => "yes ",
        _ => "no  ",
    };
    let head = if clause.depth == 0 { format!("{} ", role(&section.role)) } else { "      ".to_owned() };
    let left = format!("{head}{:indent$}{verdict}{}", "", clause.text, indent = 2 * clause.depth);
    let mut right = detail(section, clause);
    if let Some(until) = clause.until {
        let is_over = clause.value == Some(Value::Bool(true)) || is_value(section) || !clause.is_decided;
        let word = if is_over { "until" } else { "from" };
        let separator = if right.is_empty() { "" } else { "; " };
        let _ = write!(right, "{separator}{word} {until}, in {}", distance(until.since(now)));
    }
    (left, right)
}

/// The values of a clause, and how far it is from holding.
fn detail(section: &Section, clause: &Clause) -> String {
    let of_seen = match &clause.form {
        ClauseForm::Parts => String::new(),
        _ if matches!(section.role, Role::Input(_)) => format!("is {}", text(clause.value.as_ref())),
        ClauseForm::Comparison(op, [left, right], unit) => match (left, right, comparison_gap(clause)) {
            (None, _, _) | (_, None, _) => "has no value".to_owned(),
            (left, _, Some(gap)) => format!("is {}, {}", operand(left.as_ref(), *unit), short_of(*op, gap, *unit)),
            (Some(left), Some(right), None) if let Some(days) = days_short(clause, left, right) => {
                format!("is {}, {}", text(Some(left)), short_of(*op, Number::Double(days), Some(Unit::Days)))
            }
            (left, _, None) => format!("is {}", operand(left.as_ref(), *unit)),
        },
        ClauseForm::Leaf if is_value(section) => format!("is {}", text(clause.value.as_ref())),
        ClauseForm::Leaf => {
            // A clause that is only a name is already shown with its value.
            let named = section.leaves.iter().filter(|(label, _)| *label != clause.text && clause.text.contains(label));
            because(named.map(|(label, value)| (label.as_str(), value.clone())))
        }
    };
    match of_seen.as_str() {
        _ if clause.is_decided => of_seen,
        "" => "undecided".to_owned(),
        _ => format!("undecided: {of_seen} so far"),
    }
}

/// One operand of a comparison.
fn operand(value: Option<&Value>, unit: Option<Unit>) -> String {
    match (value, unit) {
        (Some(Value::Number(number)), Some(unit)) => length(*number, unit),
        _ => text(value),
    }
}

/// How many days a comparison of dates, or of times, is from holding.
fn days_short(clause: &Clause, left: &Value, right: &Value) -> Option<f64> {
    let days = match (left, right) {
        (Value::Date(left), Value::Date(right)) => (right.days() - left.days()) as f64,
        (Value::Time(left), Value::Time(right)) => right.since(*left) as f64 / Unit::Days.ms() as f64,
        _ => return None,
    };
    (clause.is_decided && clause.value != Some(Value::Bool(true))).then_some(days)
}

fn short_of(op: Comparison, gap: Number, unit: Option<Unit>) -> String {
    let by = match gap {
        Number::Decimal(gap) => Number::Decimal(gap.magnitude()),
        gap => Number::Double(gap.to_f64().abs()),
    };
    let by = operand(Some(&Value::Number(by)), unit);
    match op {
        Comparison::Greater if gap == Number::ZERO => "must be more".to_owned(),
        Comparison::Less if gap == Number::ZERO => "must be less".to_owned(),
        Comparison::NotEqual => "must be another".to_owned(),
        Comparison::Greater | Comparison::GreaterOrEqual => format!("{by} short"),
        Comparison::Less | Comparison::LessOrEqual => format!("{by} over"),
        Comparison::Equal => format!("off by {by}"),
    }
}

fn band_line(bands: &Bands) -> String {
    let mut line = "bands".to_owned();
    for (index, name) in bands.names.iter().enumerate() {
        let _ = write!(line, " {name}");
        if let Some(bound) = bands.bounds.get(index) {
            let _ = write!(line, " < {bound} <=");
        }
    }
    if bands.margin > Number::ZERO {
        let _ = write!(line, ", margin {}", bands.margin);
    }
    line
}

/// The bound at which the band is left, where the value is already past the band's own bound.
fn within_margin(bands: &Bands, explanation: &Explanation) -> Option<String> {
    let of_clause = explanation.sections.first().and_then(|section| section.clauses.first());
    let value = match (explanation.wait, of_clause.and_then(|clause| clause.value.as_ref())) {
        (Some(Wait::Refresh { score, .. }), _) => Number::Double(score?),
        (_, Some(Value::Number(number))) => *number,
        _ => return None,
    };
    let Some(Value::String(band)) = &explanation.value else { return None };
    let index = bands.names.iter().position(|name| name == band)?;
    match usize::from(bands.plain(value)) {
        plain if plain > index => Some(format!("stays {band} below {} (margin)", bands.leaves_upward(index as u16)?)),
        plain if plain < index => Some(format!("stays {band} above {} (margin)", bands.leaves_downward(index as u16)?)),
        _ => None,
    }
}

fn waiting(wait: Wait, now: Timestamp) -> String {
    match wait {
        Wait::For { since, until } => {
            format!("`when` holds since {since}; `for` ends at {until}, in {}", distance(until.since(now)))
        }
        Wait::KeepFor { since, until } if until > now => {
            format!("`when` does not hold since {since}; `keep_for` ends at {until}, in {}", distance(until.since(now)))
        }
        Wait::KeepFor { since, .. } => format!("`when` does not hold since {since}"),
        Wait::Refresh { score, since, until } => {
            let score = text(score.map(|score| Value::Number(Number::Double(score))).as_ref());
            format!(
                "the model said {score} at {since}; it is asked again at {until}, in {}",
                distance(until.since(now))
            )
        }
    }
}
